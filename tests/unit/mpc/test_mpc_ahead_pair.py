"""Transfers and products that two holders made ahead: the same results, fewer bytes, metered, and never used twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen import mpc
from unseen.core.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnseenError,
    UsageError,
    VerificationError,
)
from unseen.mpc import ahead
from unseen.mpc.protocols.pair2 import dealt, wires
from unseen.mpc.protocols.pair2.wires import Flips, Masks
from unseen.mpc.stock import Stock
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run, simulate
from unseen.testing.views import objections, secret_arrays

TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL, times=20)
PAIR = ("a", "b")
X = np.linspace(-3, 3, 300)
W = np.linspace(2, 1, 300)


@pytest.fixture(autouse=True)
def _small_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dealt, "TRANSFERS", 1 << 11)
    monkeypatch.setattr(dealt, "PRODUCTS", 1 << 9)


def program(engine: mpc.Engine, me: str) -> Any:
    """Products, truncation, comparison and selection."""
    x = engine.share(X if me == "a" else None, owner="a", shape=X.shape)
    w = engine.share(W if me == "b" else None, owner="b", shape=W.shape)
    return engine.reveal("result", np.where(x < w, x * w, w), to=("a",))


def wanted() -> Any:
    return np.where(X < W, X * W, W)


def key(name: str) -> bytes:
    return name.encode() * 32


def make(tmp: Path, *, runs: int = 3, transfers: int = 40_000, products: int = 1000) -> Run[None]:
    def body(party: Party) -> None:
        place = tmp / party.name
        ahead.make(
            party, place, key(party.name), holders=PAIR, runs=runs, transfers=transfers, products=products
        )

    return run(body, PAIR)


def online(tmp: Path, *, calls: int = 1, **options: Any) -> Run[Any]:
    """Runs with what is in `tmp`; what is left of the last block comes with the result."""

    def body(party: Party) -> Any:
        with Stock(tmp / party.name, key(party.name)) as stock:
            for _ in range(calls):
                engine = mpc.Engine(party, holders=PAIR, protocol="pair2", stock=stock)
                told = program(engine, party.name)
        return told, engine.protocol.wires.dealt  # type: ignore[attr-defined]

    return simulate(body, PAIR, disclosures=[TOLD], **options)


def good(outcome: Run[Any]) -> Run[Any]:
    assert not outcome.errors, outcome.errors
    return outcome


def masked(outcome: Run[Any]) -> set[bytes]:
    """What was sent under what was made ahead: other rows, other bytes."""
    seen = [item.message for view in outcome.views.values() for item in view]
    return {message.bits.tobytes() for message in seen if isinstance(message, Flips)} | {
        message.values.tobytes() for message in seen if isinstance(message, Masks) and message.values.ndim > 1
    }


def test_the_result_is_right_and_takes_less(tmp_path: Path) -> None:
    make(tmp_path, runs=1)
    outcome = good(online(tmp_path))
    told, left = outcome.results["a"]
    np.testing.assert_allclose(told, wanted(), atol=1e-4)
    assert left.unmet == 0
    assert left.left.products == 1024 - 300

    def live(party: Party) -> Any:
        return program(mpc.Engine(party, holders=PAIR, protocol="pair2"), party.name)

    assert outcome.bytes_sent < run(live, PAIR, disclosures=[TOLD]).bytes_sent / 4


@pytest.mark.parametrize(("transfers", "products"), [(3000, 0), (0, 400), (9000, 100)])
def test_what_is_short_is_made_as_it_goes(tmp_path: Path, transfers: int, products: int) -> None:
    make(tmp_path, runs=1, transfers=transfers, products=products)
    told, left = good(online(tmp_path)).results["a"]
    np.testing.assert_allclose(told, wanted(), atol=1e-4)
    assert left.unmet > 0


def test_it_is_metered_and_the_end_is_told(tmp_path: Path) -> None:
    make(tmp_path, runs=3)
    seen = [masked(good(online(tmp_path))), masked(good(online(tmp_path, calls=2)))]
    assert seen[0]
    assert not seen[0] & seen[1]
    with Stock(tmp_path / "b", key("b")) as stock:
        assert (stock.meter.runs, stock.meter.runs_left, stock.meter.bytes_left) == (3, 0, 0)
        assert stock.meter.size_bytes > 3 * 2 * 16 * 40_000
    assert not list(tmp_path.rglob("block-*"))
    assert "used up" in str(online(tmp_path).errors["a"])


@pytest.mark.long
@pytest.mark.parametrize("who", PAIR)
def test_a_restored_copy_uses_nothing_again(tmp_path: Path, who: str) -> None:
    make(tmp_path)
    shutil.copytree(tmp_path / who, tmp_path / "copy")
    before = masked(good(online(tmp_path, calls=2)))
    shutil.rmtree(tmp_path / who)
    shutil.move(tmp_path / "copy", tmp_path / who)
    assert not masked(good(online(tmp_path))) & before
    with Stock(tmp_path / who, key(who)) as stock:
        assert (stock.meter.runs_left, stock.meter.runs_unused) == (0, 2)


@pytest.mark.parametrize("how", ["altered", "cut"])
def test_a_block_that_was_tampered_with_is_refused(tmp_path: Path, how: str) -> None:
    make(tmp_path, runs=1)
    path = tmp_path / "b" / "block-00000000"
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data if how == "altered" else data[:40_000])
    assert isinstance(online(tmp_path, timeout_s=3.0).errors["b"], VerificationError)


def test_stocks_and_protocols_that_do_not_go_together(tmp_path: Path) -> None:
    make(tmp_path, runs=1)

    def helped(party: Party) -> None:
        with Stock(tmp_path / party.name, key(party.name)) as stock:
            mpc.Engine(party, holders=PAIR, helper="helper", stock=stock)

    outcome = simulate(helped, PAIR)
    assert "another protocol" in str(outcome.errors["a"])
    with Stock(tmp_path / "a", key("a")) as stock:
        assert stock.meter.runs_left == 1


@pytest.mark.parametrize("change", [{"runs": 2}, {"transfers": 70_000}, {"products": 5000}])
def test_both_make_the_same(tmp_path: Path, change: dict[str, int]) -> None:
    def body(party: Party) -> None:
        numbers = {"runs": 1, "transfers": 100, "products": 100} | (change if party.name == "b" else {})
        ahead.make(party, tmp_path / party.name, key(party.name), holders=PAIR, **numbers)

    errors = simulate(body, PAIR).errors
    assert isinstance(errors["a"], RemoteProtocolError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("numbers", [{"runs": 0}, {"transfers": 0, "products": 0}, {"products": -1}])
def test_nothing_to_be_made_is_refused(tmp_path: Path, numbers: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="no stock of"):
        make(tmp_path, **numbers)


def constant(tmp: Path) -> Run[Any]:
    """Operations on shares that are 5 at one party and 0 at the other: what looks like noise does so because of masks alone."""

    def body(party: Party) -> None:
        with Stock(tmp / party.name, key(party.name)) as stock:
            protocol = mpc.Engine(party, holders=PAIR, protocol="pair2", stock=stock).protocol
            share = np.full((1, 400), 5 if party.name == "a" else 0, np.uint64)
            protocol.multiply(share, share, drop=20)
            protocol.mask(share).less_than((3,))

    return simulate(body, PAIR, disclosures=[TOLD])


def test_views_are_uniform(tmp_path: Path) -> None:
    made = make(tmp_path, runs=1, transfers=60_000, products=1000)
    used = good(constant(tmp_path))
    for outcome in (made, used):
        for name in PAIR:
            assert objections(secret_arrays(outcome.views[name])) == []


def test_mutants_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits that are sent as they are; numbers under masks of zeros."""
    honest = dealt.Dealt.taken, dealt.Dealt.products

    def same(self: dealt.Dealt, count: int) -> Any:
        ready = honest[0](self, count)
        return ready and type(ready)(np.zeros(count, np.uint8), ready.rows)

    def bare(self: dealt.Dealt, count: int) -> Any:
        ready = honest[1](self, count)
        return ready and (np.zeros(count, np.uint64), np.zeros(count, np.uint64), ready[2])

    for name, mutant in (("taken", same), ("products", bare)):
        folder = tmp_path / name
        make(folder, runs=1)
        with monkeypatch.context() as patched:
            patched.setattr(dealt.Dealt, name, mutant)
            views = constant(folder).views
        assert [found for view in views.values() for found in objections(secret_arrays(view))]


def test_who_assumes_no_lpn_takes_no_stock(tmp_path: Path) -> None:
    """And none of its runs is lost by that."""
    make(tmp_path, runs=1, transfers=1, products=0)

    def body(party: Party) -> int:
        with Stock(tmp_path / party.name, key(party.name)) as stock:
            with pytest.raises(UsageError, match="learning parity"):
                mpc.Engine(party, holders=PAIR, protocol="pair2", stock=stock, assumption="symmetric")
            return stock.meter.runs_left

    assert run(body, PAIR).results == {"a": 1, "b": 1}


def test_a_run_is_of_one_delta_though_silent_transfers_take_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is taken at once spans records, of which all would be read under the Delta of the last."""
    monkeypatch.setattr(dealt, "_TOGETHER", 4)
    monkeypatch.setattr(wires, "FEW", 2 * 4 * dealt.TRANSFERS)
    make(tmp_path, runs=1)
    told, left = online(tmp_path).results["a"]
    np.testing.assert_allclose(told, wanted(), atol=1e-5)
    assert left.unmet == 0


def test_nothing_comes_twice_within_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a tape that does not go on would be found by what comes twice."""

    def rows(folder: Path) -> list[bytes]:
        make(folder, runs=1)
        seen: list[bytes] = []
        honest = dealt.Dealt.taken

        def watched(self: dealt.Dealt, count: int) -> Any:
            ready = honest(self, count)
            seen.extend(row.tobytes() for row in (ready.rows if ready else []))
            return ready

        with monkeypatch.context() as patched:
            patched.setattr(dealt.Dealt, "taken", watched)
            online(folder)
        return seen

    honest_rows = rows(tmp_path / "honest")
    assert len(honest_rows) == len(set(honest_rows)) > 10_000
    take = dealt._Tape.take

    def again(self: dealt._Tape, count: int) -> Any:
        before = self._rest, list(self._records)
        out = take(self, count)
        self._rest, self._records = before
        return out

    monkeypatch.setattr(dealt._Tape, "take", again)
    mutant_rows = rows(tmp_path / "mutant")
    assert len(mutant_rows) > len(set(mutant_rows))


def test_errors_are_of_the_house(tmp_path: Path) -> None:
    make(tmp_path, runs=1)
    with pytest.raises(UnseenError, match="already"):
        make(tmp_path, runs=1)
    with Stock(tmp_path / "a", key("a")), pytest.raises(LocalProtocolError, match="open already"):
        Stock(tmp_path / "a", key("a"))
