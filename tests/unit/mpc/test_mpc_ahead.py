"""Randomness that is dealt ahead: the same results without the helper, metered, and never used twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen import mpc
from unseen.core.errors import LocalProtocolError, UnavailableError, UsageError, VerificationError
from unseen.mpc import ahead
from unseen.mpc.stock import Stock
from unseen.party import Disclosure, Door, Party
from unseen.party.exchanged import Opening
from unseen.testing.mutants import Mutant, mutants
from unseen.testing.simulate import Run, run, simulate
from unseen.testing.views import objections, opened, secret_arrays

TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL, times=20)
X = np.linspace(-3, 3, 40).reshape(20, 2)
W = np.array([0.5, -1.25])
PAIR, THREE = ("a", "b"), ("a", "b", "c")


def scores(engine: mpc.Engine, holders: tuple[str, ...] = PAIR, me: str = "") -> Any:
    """Products, truncation, comparison, waves, a fixed operand and a sort: everything that is dealt."""
    x = engine.share(X if me == "a" else None, owner="a", shape=X.shape)
    w = engine.share(W if me == "b" else None, owner="b", shape=W.shape)
    z = engine.fix(x) @ w + x @ w
    told = np.where(z > 0, mpc.sigmoid(z), z * z)
    return engine.reveal("result", mpc.sort(told, key_bits=26), to=("a",))


def product(engine: mpc.Engine, holders: tuple[str, ...] = PAIR, me: str = "") -> Any:
    x = engine.share(X if me == "a" else None, owner="a", shape=X.shape)
    return engine.reveal("result", x * x, to=("a",))


def wide(engine: mpc.Engine, _holders: tuple[str, ...] = PAIR, me: str = "") -> Any:
    x = engine.share(np.ones(3000) if me == "a" else None, owner="a", shape=(3000,))
    return engine.reveal("result", x * x * x + (x > 0), to=("a",))


def wanted() -> Any:
    z = 2 * X @ W
    return np.sort(np.where(z > 0, 1 / (1 + np.exp(-z)), z * z))


def key(name: str) -> bytes:
    return name[0].encode() * 32


def deal(tmp: Path, program: Any = scores, *, holders: tuple[str, ...] = PAIR, runs: int = 3) -> Run[None]:
    def body(party: Party) -> None:
        place = None if party.name == "helper" else tmp / party.name
        ahead.deal(
            party,
            lambda engine: program(engine, holders),
            place,
            place and key(party.name),
            holders=holders,
            helper="helper",
            runs=runs,
        )

    return run(body, (*holders, "helper"))


def online(tmp: Path, program: Any = scores, *, holders: tuple[str, ...] = PAIR, **options: Any) -> Run[Any]:
    """One run with what is in `tmp`, and no helper anywhere."""

    def body(party: Party) -> Any:
        with Stock(tmp / party.name, key(party.name)) as stock:
            engine = mpc.Engine(party, holders=holders, helper="helper", stock=stock)
            return program(engine, holders, party.name)

    return simulate(body, holders, disclosures=[TOLD], **options)


def masks(run_: Run[Any]) -> list[bytes]:
    """What both opened to one another: the same values under the same dealt masks would give the same bytes again."""
    halves = [
        [seen.message.values for seen in run_.views[name] if isinstance(seen.message, Opening)]
        for name in PAIR
    ]
    return [(one + other).tobytes() for one, other in zip(*halves, strict=False)]


def good(outcome: Run[Any]) -> Run[Any]:
    assert not outcome.errors, outcome.errors
    return outcome


def with_helper(program: Any) -> Run[Any]:
    def body(party: Party) -> Any:
        return program(mpc.Engine(party, holders=PAIR, helper="helper"), PAIR, party.name)

    return run(body, (*PAIR, "helper"), disclosures=[TOLD])


@pytest.mark.parametrize("holders", [PAIR, THREE])
def test_the_result_is_that_of_a_helper_on_the_line(tmp_path: Path, holders: tuple[str, ...]) -> None:
    deal(tmp_path, holders=holders, runs=2)
    for _ in range(2):
        np.testing.assert_allclose(good(online(tmp_path, holders=holders)).results["a"], wanted(), atol=2e-4)


def test_fewer_bytes_are_sent_when_it_runs(tmp_path: Path) -> None:
    deal(tmp_path, runs=1)
    there, ahead_of_time = with_helper(scores), good(online(tmp_path))
    from_helper = there.stats["helper"]
    dealt = sum(stats.bytes_sent for stats in from_helper.values())
    assert dealt > 10_000
    assert ahead_of_time.bytes_sent < there.bytes_sent - dealt + 1000


def test_it_is_metered(tmp_path: Path) -> None:
    deal(tmp_path, runs=3)
    good(online(tmp_path))
    with Stock(tmp_path / "b", key("b")) as stock:
        meter = stock.meter
        assert (meter.runs, meter.runs_left, meter.runs_unused) == (3, 2, 0)
        on_disk = sum(path.stat().st_size for path in (tmp_path / "b").glob("block-*"))
        assert meter.bytes_left == on_disk == meter.size_bytes * 2 // 3 > 0
        assert "2 of 3 runs left" in repr(stock)
        assert key("b").hex() not in repr(stock)


def test_what_was_taken_is_gone_and_the_end_is_told(tmp_path: Path) -> None:
    deal(tmp_path, product, runs=2)
    first, second = good(online(tmp_path, product)), good(online(tmp_path, product))
    assert not set(masks(first)) & set(masks(second))
    assert not list(tmp_path.rglob("block-*"))
    errors = online(tmp_path, product).errors
    assert isinstance(errors["a"], UsageError)
    assert "used up" in str(errors["a"])


def test_one_stock_serves_many_runs_of_one_task(tmp_path: Path) -> None:
    deal(tmp_path, product, runs=2)

    def body(party: Party) -> list[Any]:
        with Stock(tmp_path / party.name, key(party.name)) as stock:
            return [
                product(mpc.Engine(party, holders=PAIR, helper="helper", stock=stock), PAIR, party.name)
                for _ in range(2)
            ]

    for told in run(body, PAIR, disclosures=[TOLD]).results["a"]:
        np.testing.assert_allclose(told, X * X, atol=1e-5)


def test_another_program_is_refused_before_it_sends_a_thing(tmp_path: Path) -> None:
    deal(tmp_path, product)

    def other(engine: mpc.Engine, _holders: Any, me: str) -> Any:
        x = engine.share(X[:10] if me == "a" else None, owner="a", shape=(10, 2))
        return engine.reveal("result", x * x, to=("a",))

    outcome = online(tmp_path, other)
    assert isinstance(outcome.errors["a"], LocalProtocolError)
    assert "words 1x20 uint64 where words 1x40 uint64" in str(outcome.errors["a"])
    assert masks(outcome) == []


def test_more_than_was_dealt_is_refused(tmp_path: Path) -> None:
    deal(tmp_path, product)

    def longer(engine: mpc.Engine, holders: Any, me: str) -> Any:
        product(engine, holders, me)
        return product(engine, holders, me)

    assert "nothing more" in str(online(tmp_path, longer).errors["a"])


@pytest.mark.parametrize("file", ["state", "program", "block-00000000"])
@pytest.mark.parametrize("how", ["altered", "cut", "moved"])
def test_a_file_that_was_tampered_with_is_refused(tmp_path: Path, file: str, how: str) -> None:
    deal(tmp_path, product)
    path = tmp_path / "b" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    other = {"state": "program", "program": "state", "block-00000000": "block-00000001"}[file]
    changed = {"altered": data, "cut": data[:-20], "moved": (path.parent / other).read_bytes()}[how]
    path.write_bytes(changed)
    outcome = online(tmp_path, product, timeout_s=3.0)
    assert isinstance(outcome.errors["b"], VerificationError)
    assert "a" in outcome.errors


def test_without_the_key_nothing_opens(tmp_path: Path) -> None:
    deal(tmp_path, product)
    with pytest.raises(VerificationError):
        Stock(tmp_path / "b", key("a"))


def copied(tmp: Path, name: str) -> Path:
    shutil.copytree(tmp / name, tmp / "copy")
    return tmp / "copy"


def restored(tmp: Path, name: str) -> None:
    shutil.rmtree(tmp / name)
    shutil.move(tmp / "copy", tmp / name)


@pytest.mark.parametrize("who", ["a", "b"])
def test_a_restored_copy_uses_nothing_again(tmp_path: Path, who: str) -> None:
    deal(tmp_path, product, runs=3)
    copied(tmp_path, who)
    seen = [masks(good(online(tmp_path, product))) for _ in range(2)]
    restored(tmp_path, who)
    third = good(online(tmp_path, product))
    np.testing.assert_allclose(third.results["a"], X * X, atol=1e-5)
    assert not set(masks(third)) & {mask for run_ in seen for mask in run_}
    with Stock(tmp_path / who, key(who)) as stock:
        assert (stock.meter.runs_left, stock.meter.runs_unused) == (0, 2)


def test_a_restored_copy_of_a_used_up_stock_is_refused_by_the_peer(tmp_path: Path) -> None:
    deal(tmp_path, product, runs=1)
    copied(tmp_path, "a")
    good(online(tmp_path, product))
    restored(tmp_path, "a")
    outcome = online(tmp_path, product)
    assert "used up" in str(outcome.errors["a"])
    assert masks(outcome) == []


def test_if_all_go_back_at_once_nobody_can_tell(tmp_path: Path) -> None:
    """The limit of it; and it shows that these tests would see a block that comes again."""
    deal(tmp_path, product, runs=2)
    shutil.copytree(tmp_path, tmp_path.with_name("old"))
    first = good(online(tmp_path, product))
    again = good(online(tmp_path.with_name("old"), product))
    assert masks(first) == masks(again) != []


def test_what_is_dealt_looks_like_noise(tmp_path: Path) -> None:
    dealt, used = deal(tmp_path, wide, runs=1), good(online(tmp_path, wide))
    items = [seen.message for seen in dealt.views["b"] if type(seen.message).__name__ == "Item"]
    assert len(items) > 2
    assert not [seen for seen in dealt.views["a"] if getattr(seen.message, "head", b"")]
    assert objections(secret_arrays(dealt.views["b"])) == []
    one, other = used.views["a"], used.views["b"]
    assert [*objections(secret_arrays(other)), *objections(opened(one, other))] == []


@pytest.mark.parametrize("mutant", [m for m in mutants("mpc-dealer") if m.name != "parts are bare shares"])
def test_broken_masks_are_found_in_a_stock_too(tmp_path: Path, mutant: Mutant) -> None:
    with mutant.applied():
        dealt, used = deal(tmp_path, wide, runs=1), online(tmp_path, wide)
    one, other = used.views["a"], used.views["b"]
    found = [*objections(secret_arrays(dealt.views["b"])), *objections(secret_arrays(other))]
    assert not used.errors
    assert found or objections(opened(one, other))


def test_stocks_of_two_dealings_do_not_go_together(tmp_path: Path) -> None:
    deal(tmp_path, product)
    copied(tmp_path, "a")
    shutil.rmtree(tmp_path / "a")
    shutil.rmtree(tmp_path / "b")
    deal(tmp_path, product)
    restored(tmp_path, "a")
    outcome = online(tmp_path, product)
    assert isinstance(outcome.errors["a"], VerificationError)
    assert "another stock" in str(outcome.errors["a"])


def test_a_disk_that_takes_no_burn_gives_no_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deal(tmp_path, product)

    def full(*_: Any) -> None:
        raise UnavailableError("The disk is full.")

    monkeypatch.setattr("unseen.mpc.stock.write_whole", full)
    outcome = online(tmp_path, product)
    assert isinstance(outcome.errors["a"], UnavailableError)
    assert masks(outcome) == []
    assert len(list(tmp_path.rglob("block-*"))) == 3


def test_one_process_at_a_time(tmp_path: Path) -> None:
    deal(tmp_path, product)
    with Stock(tmp_path / "a", key("a")), pytest.raises(LocalProtocolError, match="open already"):
        Stock(tmp_path / "a", key("a"))
    Stock(tmp_path / "a", key("a")).close()
    with pytest.raises(UsageError, match="no stock"):
        Stock(tmp_path / "nowhere", key("a"))


def test_what_cannot_be_dealt_ahead_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    def talks(engine: mpc.Engine, _holders: Any) -> None:
        engine.protocol.party.sign_transcripts()

    calls: list[int] = []

    def varies(engine: mpc.Engine, _holders: Any) -> None:
        calls.append(1)
        x = engine.share(None, owner="a", shape=(len(calls),))
        _ = x * x

    for program in (talks, varies):
        with pytest.raises(UsageError):
            deal(tmp_path, program)
        assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    deal(tmp_path, product)
    with pytest.raises(UsageError, match="already"):
        deal(tmp_path, product)


def test_a_stock_serves_those_it_was_made_for(tmp_path: Path) -> None:
    deal(tmp_path, product)
    outcome = online(tmp_path, product, holders=("b", "a"))
    assert all("among a, b" in str(error) for error in outcome.errors.values())

    def body(party: Party) -> None:
        with Stock(tmp_path / party.name, key(party.name)) as stock:
            mpc.Engine(party, holders=PAIR, protocol="replicated3", stock=stock)

    assert "takes nothing from a stock" in str(simulate(body, PAIR).errors["a"])
