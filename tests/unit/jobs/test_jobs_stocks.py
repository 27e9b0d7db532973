"""Tasks of two holders alone take what these made ahead, whichever task or contract made it; the record says so."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.client.workflow import Workflow
from unseen.core.errors import UnavailableError, UsageError
from unseen.jobs import stocks
from unseen.jobs.evidence import task_body
from unseen.jobs.local import run_local
from unseen.jobs.step import parse_params
from unseen.ledger.bodies import TaskFinished
from unseen.mpc import Stock
from unseen.party import Disclosure, Door, Party
from unseen.party.kept import Drawn, Kept
from unseen.scenes.partition import breast_cancer
from unseen.testing.simulate import Run, simulate

PAIR = ("hospital", "laboratory")
TOLD = Disclosure("result", "the result of a test", ("hospital",), Door.REVEAL, times=20)
X = np.linspace(-3, 3, 200)
AMOUNT = {"transfers": 30_000, "products": 500}


def study(*, runs: int = 1, prefix: str = "") -> Workflow:
    """A stock, and two tasks that could take from it."""
    flow = Workflow("Differences with randomness made ahead", purpose="statistics")
    holdings = breast_cancer()
    references = {}
    for holding in holdings:
        flow.party(holding.party, roles=("holder", "receiver"))
        labels = (holding.label,) if holding.label else ()
        references[holding.party] = flow.table(
            prefix + holding.asset,
            holder=holding.party,
            source=holding.table,
            id_columns=(holding.key,),
            label_columns=labels,
        )
    roles = {"holders": PAIR}
    rows = flow.task("align", "psi", roles=roles, inputs={"table": references})
    flow.task("stock", "make-stock", roles=roles, params={"runs": runs, **AMOUNT})
    for name in ("first", "second"):
        flow.task(
            name,
            "run-function",
            roles={**roles, "receivers": PAIR[0]},
            inputs={"table": rows["table"]},
            params={
                "function": "group-difference",
                "columns": {
                    "value": (PAIR[1], (holdings[1].features[-1],)),
                    "group": (PAIR[0], (str(holdings[0].label),)),
                },
                "options": {"at_least": 20},
            },
        )
    return flow


@pytest.mark.long
def test_later_tasks_take_from_it_until_it_is_used_up() -> None:
    flow = study(runs=1)
    contract = flow.contract({name: f"ed25519:{place:064x}" for place, name in enumerate(PAIR)})
    run = run_local(contract, flow.tables)
    number = run.artefacts["hospital"]["stock.stock"].meta["stock"]
    for name in PAIR:
        first, second = (run.records[name][task] for task in ("first", "second"))
        assert [(item.stock, item.run, item.runs_left) for item in first.stocks] == [(number, 1, 0)]
        assert second.stocks == ()
        assert first.bytes_sent < second.bytes_sent
        body = task_body(contract.task("first"), 1, first, inputs={}, outputs={})
        assert TaskFinished.model_validate(body).stocks[0].runs_left == "0"
    answers = [run.artefacts["hospital"][f"{task}.answer"].meta for task in ("first", "second")]
    assert answers[0].keys() == answers[1].keys()


def kept(tmp: Path) -> list[Path]:
    """The stocks at both nodes."""
    return [place for place in (tmp / "nodes").glob("*/stocks/*/*") if not place.name.startswith(".")]


def make(tmp: Path, runs: int = 3) -> str:
    def body(party: Party) -> str:
        party.kept = Kept(tmp / party.name, party.name.encode().ljust(32))
        return stocks.make(party, PAIR, runs=runs, **AMOUNT)

    numbers = simulate(body, PAIR).results
    assert numbers["hospital"] == numbers["laboratory"]
    return str(numbers["hospital"])


Logs = dict[str, dict[str, int]]


def compute(tmp: Path, holders: tuple[str, ...] = PAIR, logs: Logs | None = None) -> Run[Any]:
    """`logs`: what each party's log says of stocks; what is taken is added before it is used."""

    def body(party: Party) -> Any:
        taken = {} if logs is None else logs.setdefault(party.name, {})

        def note(made: Drawn) -> None:
            taken[made.stock] = made.run

        known = {name: dict(taken) for name in PAIR if name != party.name}
        party.kept = Kept(tmp / party.name, party.name.encode().ljust(32), known, note)
        engine = stocks.open_pair(party, holders)
        x = engine.share(X if party.name == "hospital" else None, owner="hospital", shape=X.shape)
        told = engine.reveal("result", np.where(x > 1, x * x, x), to=("hospital",))
        return told, [(item.stock, item.run, item.unmet()) for item in party.kept.drawn]

    return simulate(body, PAIR, disclosures=[TOLD])


def drawn(outcome: Run[Any]) -> list[Any]:
    assert not outcome.errors, outcome.errors
    np.testing.assert_allclose(outcome.results["hospital"][0], np.where(X > 1, X * X, X), atol=1e-5)
    (taken, also) = (outcome.results[name][1] for name in PAIR)
    assert taken == also
    return list(taken)


def test_each_engine_takes_one_run_in_either_order_of_holders(tmp_path: Path) -> None:
    number = make(tmp_path, runs=2)
    assert drawn(compute(tmp_path)) == [(number, 1, 0)]
    assert drawn(compute(tmp_path, PAIR[::-1])) == [(number, 2, 0)]
    assert drawn(compute(tmp_path)) == []
    assert not list(tmp_path.glob("*/*/*"))


def test_what_one_has_lost_goes_at_the_other(tmp_path: Path) -> None:
    lost, number = make(tmp_path), make(tmp_path)
    shutil.rmtree(tmp_path / "hospital" / "laboratory" / lost)
    assert drawn(compute(tmp_path)) == [(number, 1, 0)]
    assert [place.name for place in (tmp_path / "laboratory" / "hospital").iterdir()] == [number]


def test_what_one_is_about_to_put_there_does_not_go(tmp_path: Path) -> None:
    """The other has put its part there already."""
    number = make(tmp_path)
    draft = tmp_path / "hospital" / "laboratory" / ".making.tmp"
    draft.mkdir()
    shutil.move(tmp_path / "hospital" / "laboratory" / number, draft / "stock")
    with ExitStack() as held:
        assert stocks._held(draft, held)
        assert drawn(compute(tmp_path)) == []
        shutil.move(draft / "stock", tmp_path / "hospital" / "laboratory" / number)
    assert drawn(compute(tmp_path)) == [(number, 1, 0)]


def test_what_a_killed_task_used_up_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, runs=1)
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_args, **_named: None)
        drawn(compute(tmp_path))
    assert len(list(tmp_path.glob("*/*/*"))) == 2
    assert drawn(compute(tmp_path)) == []
    assert not list(tmp_path.glob("*/*/*"))


def test_what_another_task_takes_from_is_left_alone(tmp_path: Path) -> None:
    number = make(tmp_path)
    with Stock(tmp_path / "hospital" / "laboratory" / number, b"hospital".ljust(32)):
        assert drawn(compute(tmp_path)) == []
    assert drawn(compute(tmp_path)) == [(number, 1, 0)]


def test_what_was_restored_takes_nothing_twice(tmp_path: Path) -> None:
    number = make(tmp_path)
    place = tmp_path / "laboratory" / "hospital" / number
    shutil.copytree(place, tmp_path / "copy")
    assert drawn(compute(tmp_path)) == [(number, 1, 0)]
    shutil.rmtree(place)
    shutil.move(tmp_path / "copy", place)
    assert drawn(compute(tmp_path)) == [(number, 2, 0)]


@pytest.mark.parametrize("restored", [PAIR, PAIR[:1], PAIR[1:]])
def test_old_copies_are_noticed_by_the_logs(tmp_path: Path, restored: tuple[str, ...]) -> None:
    number = make(tmp_path)
    logs: Logs = {}
    for name, other in (PAIR, PAIR[::-1]):
        shutil.copytree(tmp_path / name / other / number, tmp_path / "copies" / name)
    assert drawn(compute(tmp_path, logs=logs)) == [(number, 1, 0)]
    assert logs == {name: {number: 1} for name in PAIR}
    for name in restored:
        place = tmp_path / name / PAIR[name == PAIR[0]] / number
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "copies" / name, place)
        known = {PAIR[name == PAIR[0]]: logs[name]}
        kept = Kept(tmp_path / name, name.encode().ljust(32), known)
        assert [item.restored for item in stocks.shelf(kept)] == [True]
    if restored == PAIR:  # the attack: without logs the run is taken again
        everything = shutil.copytree(tmp_path, tmp_path.with_name("without"))
        assert drawn(compute(everything)) == [(number, 1, 0)]
    assert drawn(compute(tmp_path, logs=logs)) == []
    assert drawn(compute(tmp_path, logs=logs)) == []  # and what the other had of it is gone
    left = {place.parent.parent.name for place in tmp_path.glob("[hl]*/[hl]*/*")}
    assert left == set(restored)


def test_what_a_failed_attempt_burnt_is_written_down(tmp_path: Path) -> None:
    number = make(tmp_path)
    written: list[tuple[str, int, int]] = []

    def body(party: Party) -> None:
        def note(made: Drawn) -> None:
            written.append((made.stock, made.run, made.runs_left))

        party.kept = Kept(tmp_path / party.name, party.name.encode().ljust(32), {}, note)
        stocks.open_pair(party, PAIR)
        raise UnavailableError("The power is cut.")

    assert simulate(body, PAIR).errors
    assert written == [(number, 1, 2)] * 2
    assert drawn(compute(tmp_path)) == [(number, 2, 0)]


def test_what_cannot_be_written_down_is_not_used(tmp_path: Path) -> None:
    number = make(tmp_path)

    def body(party: Party) -> None:
        def note(_made: Drawn) -> None:
            raise UnavailableError("The log cannot be written.")

        party.kept = Kept(tmp_path / party.name, party.name.encode().ljust(32), {}, note)
        stocks.open_pair(party, PAIR)

    assert {type(error) for error in simulate(body, PAIR).errors.values()} == {UnavailableError}
    assert drawn(compute(tmp_path)) == [(number, 2, 0)]  # burnt all the same


def test_what_does_not_open_is_left_alone(tmp_path: Path) -> None:
    number = make(tmp_path)
    (tmp_path / "hospital" / "laboratory" / number / "state").write_bytes(b"nonsense")
    assert drawn(compute(tmp_path)) == []


def test_what_is_there_is_listed(tmp_path: Path) -> None:
    first, second = sorted([make(tmp_path, runs=2), make(tmp_path, runs=3)])
    mine = Kept(tmp_path / "hospital", b"hospital".ljust(32))
    drawn(compute(tmp_path))
    (tmp_path / "hospital" / "laboratory" / second / "state").write_bytes(b"nonsense")
    one, other = stocks.shelf(mine)
    assert (one.peer, one.number, one.contents) == ("laboratory", first, ("transfers 32768", "products 8192"))
    assert one.meter is not None
    assert one.meter.runs_left == one.meter.runs - 1
    assert (other.number, other.meter) == (second, None)


@pytest.mark.parametrize("gone", ["state", "program"])
def test_what_was_half_removed_is_left_alone(tmp_path: Path, gone: str) -> None:
    """A party may die while it removes a stock that is used up, or find one that another task removes at this moment."""
    number = make(tmp_path)
    (tmp_path / "hospital" / "laboratory" / number / gone).unlink()
    assert drawn(compute(tmp_path)) == []


def test_what_a_killed_task_left_half_made_goes_when_the_next_is_made(tmp_path: Path) -> None:
    shelf = tmp_path / "hospital" / "laboratory"
    left, busy = shelf / ".killed.tmp", shelf / ".busy.tmp"
    for place in (left, busy):
        place.joinpath(".stock.7.tmp").mkdir(parents=True)
        place.joinpath(".stock.7.tmp", "block-00000000").write_bytes(b"large")
    with ExitStack() as held:
        assert stocks._held(busy, held)  # by another task that makes one
        number = make(tmp_path)
        assert sorted(place.name for place in shelf.iterdir()) == [busy.name, number]
    make(tmp_path)
    assert not busy.exists()


def test_where_nothing_is_kept_none_is_made() -> None:
    def body(party: Party) -> None:
        stocks.make(party, PAIR, runs=1, **AMOUNT)

    assert isinstance(simulate(body, PAIR).errors["hospital"], UsageError)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_on_real_nodes_one_contract_makes_what_the_next_takes(tmp_path: Path) -> None:
    from unseen.client.loopback import Loopback  # noqa: PLC0415 - starts processes

    with Loopback(PAIR, folder=tmp_path / "nodes") as world:
        study(runs=2).run(world)
        assert len(kept(tmp_path)) == 0  # both runs were taken, and what is used up is gone
        study(runs=3, prefix="again-").run(world)
        for name in PAIR:
            (seen,) = world[name].stock_list()
            assert (seen.runs, seen.runs_left, seen.damaged) == (3, 1, False)
        assert len(kept(tmp_path)) == len(PAIR)
        for place in kept(tmp_path):  # both go back to what they had before the last run
            shutil.copytree(place, tmp_path / "copies" / place.relative_to(tmp_path))
        study(runs=1, prefix="third-").run(world)
        for place in kept(tmp_path):
            shutil.rmtree(place)
        shutil.copytree(tmp_path / "copies" / "nodes", tmp_path / "nodes", dirs_exist_ok=True)
        for name in PAIR:
            (seen,) = world[name].stock_list()
            assert seen.restored
        study(runs=1, prefix="fourth-").run(world)
        assert len(kept(tmp_path)) == len(PAIR)  # nobody took from them


def test_a_stock_of_nothing_is_refused_before_it_is_agreed() -> None:
    with pytest.raises(UsageError, match="nothing is made"):
        parse_params("make-stock", {"transfers": 0})
