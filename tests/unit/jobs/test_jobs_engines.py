"""Roles decide which engine a step runs on, and a model in shares serves only where it was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UnseenError, UsageError
from unseen.data.table import Table
from unseen.govern.contract import AssetTerms, ColumnTerms
from unseen.jobs import engines, stocks
from unseen.jobs.artefacts import Artefact, decode, encode
from unseen.jobs.planner import TaskSketch, plan
from unseen.jobs.shared_models import SCORES, SharedModel, score
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import models
from unseen.learn.vertical.models import Model, Shares
from unseen.party import Disclosure, Door, Party
from unseen.party.kept import Kept
from unseen.testing.simulate import Run, run

AS_USUAL, WITHOUT_LPN = engines.OnShares(), engines.OnShares(assumption="symmetric")
ROWS, WEIGHTS = 8, np.array([0.5, -1.0, 2.0, 0.25])
X = np.random.default_rng(7).normal(size=(ROWS, 3))
EXPECTED = 1 / (1 + np.exp(-(X @ WEIGHTS[:3] + WEIGHTS[3])))


def roles(holders: tuple[str, ...], helper: str | None) -> Roles:
    return Roles({"holders": holders, "helper": (helper,) if helper else (), "receiver": holders[:1]})


@pytest.mark.parametrize(
    ("holders", "helper", "protocol"),
    [
        (("a", "b"), "h", "dealer2"),
        (("a", "b"), None, "pair2"),
        (("a", "b", "c"), None, "replicated3"),
        (("a", "b", "c"), "h", "dealer"),
    ],
)
def test_the_protocol_follows_from_who_takes_part(
    holders: tuple[str, ...], helper: str | None, protocol: str
) -> None:
    who = roles(holders, helper)
    assert engines.choose(who) == engines.Choice(protocol, holders, helper)
    assert ("helper" in engines.trust(None, who)) == (helper is not None)
    assert engines.scaled(Cost(1.0, 1000, 10, 5), who, AS_USUAL, Network()).memory_bytes == 5


@pytest.mark.parametrize(
    ("holders", "helper"),
    [(("a",), None), (("a",), "h"), (("a", "b", "c", "d"), None), (("a", "b"), "a"), (("a", "a"), "h")],
)
def test_where_there_is_none_it_says_so(holders: tuple[str, ...], helper: str | None) -> None:
    with pytest.raises(UsageError, match="holder"):
        engines.choose(roles(holders, helper))


def test_a_helper_may_be_left_out_of_a_task_and_the_reasons_say_who_is_trusted() -> None:
    assets = tuple(
        AssetTerms(
            name=f"of-{name}",
            holder=name,
            columns=(ColumnTerms(name="x", type="numeric"),),
            rows=100,
            steps=("train-linear",),
            purposes=("p",),
        )
        for name in ("a", "b")
    )
    sketch = TaskSketch(
        "t",
        "train-linear",
        {"holders": ("a", "b"), "label_holder": ("a",), "helper": ()},
        {"table": "s.t"},
        {},
    )
    alone = plan([sketch], assets, level="shared")
    assert "helper" not in alone.tasks[0].roles
    assert "nobody else to trust" in alone.reasons["t"]
    assert "rests on learning parity with noise" in alone.reasons["t"]
    bare = plan([replace(sketch, params={"assumption": "symmetric"})], assets, level="shared")
    assert "Nothing rests on learning parity" in bare.reasons["t"]
    symmetric = replace(sketch, roles={**sketch.roles, "helper": ("h",)}, params={"assumption": "symmetric"})
    with pytest.raises(UsageError, match="planned") as caught:
        plan([symmetric], assets, level="shared")
    assert "no assumption to choose" in caught.value.problems[0]
    helped = plan([replace(sketch, roles={**sketch.roles, "helper": ("h",)})], assets, level="shared")
    assert "helper must not collude" in helped.reasons["t"]
    assert alone.costs["t"].bytes > helped.costs["t"].bytes
    with pytest.raises(UsageError, match="planned") as caught:
        plan([replace(sketch, roles={"holders": ("a", "b")})], assets, level="shared")
    assert "missing: label_holder" in caught.value.problems[0]


def pair_of(party: Party, params: engines.OnShares) -> Any:
    engine = engines.open_engine(party, roles(("a", "b"), None), params)
    x = engine.share(X[:, 0] if party.name == "a" else None, owner="a", shape=(ROWS,))
    engine.protocol.wires.prepare(1 << 20)  # type: ignore[attr-defined] - of two alone
    told = engine.reveal(SCORES, x > 0, to=("a",))
    return told, type(engine.protocol.wires.sender).__module__  # type: ignore[attr-defined]


@pytest.mark.parametrize(("params", "source"), [(AS_USUAL, "silent"), (WITHOUT_LPN, "softspoken")])
def test_two_alone_choose_what_their_transfers_rest_on(params: engines.OnShares, source: str) -> None:
    disclosures = [Disclosure(SCORES, "signs", ("a",), Door.REVEAL)]
    for told, module in run(
        lambda party: pair_of(party, params), ("a", "b"), disclosures=disclosures
    ).results.values():
        assert module == f"unseen.ot.{source}"
        assert told is None or (told == (X[:, 0] > 0)).all()


@pytest.mark.parametrize(
    ("work", "helped", "measured"),
    [
        # bytes and rounds with a helper -> bytes alone, bytes alone without LPN, rounds alone; 400, 4,000 and 40,000 rows of 6 columns
        ("products", (1.77e6, 306), (50.8e6, 62.2e6, 593)),
        ("products", (15.3e6, 318), (212e6, 295e6, 681)),
        ("products", (150e6, 410), (1735e6, None, 1624)),
        ("trees", (8.06e6, 581), (62.8e6, 113e6, 1013)),
        ("trees", (139e6, 621), (914e6, 1365e6, 1467)),
        ("order", (2.18e6, 520), (13.0e6, 22.3e6, 745)),
        ("order", (19.8e6, 544), (82e6, 163e6, 867)),
    ],
)
def test_estimates_of_two_alone_are_what_was_measured(
    work: engines.Work, helped: tuple[float, int], measured: tuple[float, float | None, int]
) -> None:
    who = roles(("a", "b"), None)
    cost = Cost(0.1, round(helped[0]), helped[1], 0)
    usual, bare = (
        engines.scaled(cost, who, params, Network(), work=work) for params in (AS_USUAL, WITHOUT_LPN)
    )
    assert usual.bytes == pytest.approx(measured[0], rel=0.25)
    assert measured[1] is None or bare.bytes == pytest.approx(measured[1], rel=0.25)
    assert usual.rounds == pytest.approx(measured[2], rel=0.5)


def test_without_lpn_no_stock_is_taken(tmp_path: Path) -> None:
    def keep(party: Party) -> None:
        party.kept = Kept(tmp_path / party.name, bytes(32))

    def make(party: Party) -> None:
        keep(party)
        stocks.make(party, ("a", "b"), runs=1, transfers=1, products=0)

    def take(party: Party) -> None:
        keep(party)
        pair_of(party, WITHOUT_LPN)

    for body in (make, take):
        run(body, ("a", "b"), disclosures=[Disclosure(SCORES, "signs", ("a",), Door.REVEAL)])
    assert len(list(tmp_path.glob("*/*/*"))) == 2


@pytest.mark.parametrize(("holders", "helper"), [(("a", "b"), "h"), (("a", "b", "c"), None)])
def test_others_than_two_alone_have_nothing_to_choose(holders: tuple[str, ...], helper: str | None) -> None:
    assert AS_USUAL.assumes(roles(holders, helper)) is None
    with pytest.raises(UsageError, match="no assumption to choose"):
        WITHOUT_LPN.assumes(roles(holders, helper))
    assert AS_USUAL.assumes(roles(("a", "b"), None)) == "lpn"


@pytest.mark.parametrize(
    ("name", "params", "assumed"),
    [
        ("join", {"hidden": True}, "lpn"),
        ("select", {"iv": 0.1}, "lpn"),
        ("select", {"stability": 0.1}, None),
        ("bin", {}, "lpn"),
        ("predict", {}, "lpn"),
    ],
)
def test_steps_say_where_they_make_transfers(name: str, params: dict[str, Any], assumed: str | None) -> None:
    who = roles(("a", "b"), None)
    for asked in ("lpn", "symmetric"):
        parsed = parse_params(name, {**params, "assumption": asked})
        assert isinstance(parsed, engines.OnShares)
        assert parsed.assumes(who) == (asked if assumed else None)


def test_who_is_common_rests_on_it_too_unless_a_method_is_named_that_does_not() -> None:
    for name in ("psi", "join"):
        said = [
            parse_params(name, {"method": method}).assumes(roles(("a", "b"), None))
            for method in ("auto", "vole", "dh")
        ]
        assert said == ["lpn", "lpn", None]
    with pytest.raises(UsageError, match="wrong") as caught:
        parse_params("join", {"assumption": "mixed"})
    assert "for a hidden join only" in caught.value.problems[0]


# ---------------------------------------------------------------------- models


def made(party: Party, who: Roles, weights: np.ndarray) -> SharedModel:
    """A model of known weights in shares, as a training step would leave it."""
    holders = who.all("holders")
    engine = engines.open_engine(party, who, AS_USUAL)
    mine = weights if party.name == holders[0] else None
    secret = engine.share(mine, owner=holders[0], shape=weights.shape)
    choice = engines.choose(who)
    public = {"family": "logistic"}
    model = Model("linear", 1, choice.protocol, choice.holders, public, {"weights": Shares.of(secret)})
    widths = {name: len(part) for name, part in zip(holders, blocks(holders), strict=True)}
    own = blocks(holders)[holders.index(party.name)] if party.name in holders else []
    return SharedModel(model, widths, tuple(f"x{place}" for place in own), prepared="ab12")


def blocks(holders: tuple[str, ...]) -> list[list[int]]:
    return [part.tolist() for part in np.array_split(np.arange(3), len(holders))]


def table(holders: tuple[str, ...], name: str, **changes: Any) -> Artefact:
    own = blocks(holders)[holders.index(name)]
    ids = Table.of(pa.table({"id": [str(row) for row in range(ROWS)]}), id_columns=("id",))
    matrix = Matrix(X[:, own], tuple(f"x{place}" for place in own), None, ids, prepared="ab12")
    return replace(matrix, **changes).to_artefact()


def scores(holders: tuple[str, ...], helper: str | None, **changes: Any) -> Run[Any]:
    who = roles(holders, helper)
    told = step("predict").disclosures(None, who)

    def program(party: Party) -> Any:
        held = made(party, who, WEIGHTS)
        if party.name == helper:
            found = score(party, {}, who, AS_USUAL)
        else:
            artefact = decode(encode(held.to_artefact()))
            inputs = {"model": artefact, "table": table(holders, party.name, **changes)}
            found = score(party, inputs, who, AS_USUAL)
        return found.engine.reveal(SCORES, found.scores, to=holders[:1])

    return run(program, who.everyone, disclosures=told, timeout_s=60)


@pytest.mark.parametrize(
    ("holders", "helper"), [(("a", "b"), "h"), (("a", "b", "c"), "h"), (("a", "b", "c"), None)]
)
def test_a_model_in_shares_scores_rows_wherever_it_was_made(
    holders: tuple[str, ...], helper: str | None
) -> None:
    assert np.abs(scores(holders, helper).results["a"] - EXPECTED).max() < 1e-4


def test_columns_prepared_otherwise_than_in_training_are_refused() -> None:
    with pytest.raises(UsageError, match="prepared in another way"):
        scores(("a", "b"), "h", prepared="cd34")


def agreed(*own: Model, protocol: str = "dealer2") -> None:
    """Holders a, b and a helper come together with these models."""
    who = roles(("a", "b"), "h")

    def program(party: Party) -> None:
        engine = engines.open_engine(party, who, AS_USUAL)
        sizes = models.Layout(ROWS, {"a": 2, "b": 1})
        mine = dict(zip(("a", "b"), own, strict=True)).get(party.name)
        models.agree(engine, mine, protocol=protocol, holders=("a", "b"), sizes=sizes)

    run(program, who.everyone, disclosures=[], timeout_s=30)


GOOD = Model(
    "linear",
    1,
    "dealer2",
    ("a", "b"),
    {"family": "logistic"},
    {"weights": Shares(np.zeros((1, 4), np.uint64), 20)},
)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({}, None, ""),
        ({"kind": "forest"}, UsageError, "no models of the kind 'forest'"),
        ({"format": 99}, UsageError, "upgrade"),
        ({"public": {"family": "cubic"}}, UsageError, "cubic"),
        ({"protocol": "pair2"}, UsageError, "under another protocol"),
        ({"shares": {"weights": Shares(np.zeros((1, 9), np.uint64), 20)}}, UsageError, "does not fit"),
        ({"shares": {}}, UsageError, "weights"),
    ],
)
def test_what_the_holders_bring_is_checked(
    change: dict[str, Any], error: type[UnseenError] | None, words: str
) -> None:
    other = replace(GOOD, **change)
    if error is None:
        agreed(other, other)
        return
    with pytest.raises(error, match=words):
        agreed(other, other)


def test_models_of_different_tasks_do_not_go_together() -> None:
    with pytest.raises(RemoteProtocolError, match="do not belong together"):
        agreed(GOOD, replace(GOOD, holders=("b", "a")))


def test_models_of_the_first_format_are_still_read() -> None:
    meta = {"bits": 20, "widths": {"a": 2, "b": 1}, "columns": ["x"], "known": {"intercept": [1.0]}}
    old = SharedModel.of(Artefact("shares", {"weights": np.ones((1, 4), np.uint64)}, meta))
    assert (old.model.kind, old.model.protocol, old.model.holders) == ("linear", "dealer2", ("a", "b"))
    assert old.known == {"intercept": [1.0]}
    again = SharedModel.of(decode(encode(old.to_artefact())))
    assert again.model.shares["weights"].values.tolist() == [[1, 1, 1, 1]]
    with pytest.raises(UsageError, match="upgrade"):
        SharedModel.of(Artefact("shared-model", {}, {"format": 3}))
    with pytest.raises(UsageError, match="metrics"):
        SharedModel.of(Artefact("metrics"))
