"""Comparisons by function secret sharing: as in clear, in one round, at the price declared, also from a stock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from protocol_run import compute, measure, result

from unseen import mpc
from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc import Engine, Stock, ahead
from unseen.mpc.functions.compare import equal as mpc_equal
from unseen.mpc.protocols.dealer import keys
from unseen.mpc.protocols.dealer.dealing import Dealing
from unseen.mpc.protocols.dealer2 import price
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

SEAT = ("dealer2", 2)
RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(9, 4)) * 100, RNG.normal(size=(9, 4)) * 100
EDGES = [0, 1, -1, (1 << 62) - 1, -(1 << 62) + 1, 1 << 61, (1 << 40) + 1]


def raw(x: Any, integers: Any) -> Any:
    """A secret of these ring elements: public ones on top of a secret zero."""
    ring = np.asarray(integers, np.int64).view(np.uint64)
    zero = np.broadcast_to(x.share[:, :1], (1, len(ring)))
    return x.engine.number(x.engine.protocol.public(ring) + zero, 0)


CASES: dict[str, Any] = {
    "less": lambda x, y: x < y,
    "public": lambda x, y: (x < 0.25) & (y >= -0.5) & ~(x > 7),
    "where": lambda x, y: np.where(x < y, x, y) + np.sign(x),
    "max": lambda x, y: np.maximum(x, y).max(axis=0) + np.argmax(x, axis=0),
    "sigmoid": lambda x, y: mpc.sigmoid(x * 0.1),
}


@pytest.mark.parametrize("name", CASES)
def test_same_as_numpy(name: str) -> None:
    got, expected = result(SEAT, CASES[name], X, Y, fss=True), CASES[name](X, Y)
    np.testing.assert_allclose(got.astype(float), expected.astype(float), atol=2e-4)


def test_on_the_whole_range() -> None:
    values = [*EDGES, *RNG.integers(-(1 << 61), 1 << 61, 500).tolist(), 99, 100, 101]
    bounds = (0, 100, -100, 1 << 60)

    def body(x: Any) -> Any:
        return x.engine.boolean(x.engine.protocol.mask(raw(x, values).share).less_than(bounds))

    got = result(SEAT, body, np.zeros(1), fss=True)
    np.testing.assert_array_equal(got, np.array(values)[None, :] < np.array(bounds)[:, None])


@pytest.mark.parametrize("drop", [1, 20, 40])
def test_exact_truncation(drop: int) -> None:
    values = np.array(EDGES + RNG.integers(-(1 << 62) + 1, 1 << 62, 300).tolist())

    def body(x: Any) -> Any:
        kept = x.engine.protocol.truncate(raw(x, values).share, drop, exact=True)
        return x.engine.number(kept - x.engine.protocol.public((values >> drop).view(np.uint64)), 0)

    assert set(np.unique(result(SEAT, body, np.zeros(1), fss=True))) == {0.0}


@pytest.mark.parametrize("places", [64, 43, 8, 7, 1])
def test_equality(places: int) -> None:
    """Of any words, in one round."""
    left = np.array([*EDGES, -(1 << 63), 0, 5, 5, 127, 128, 256, -(1 << 63), 0])
    right = np.array([*EDGES, 0, -(1 << 63), 5, 4, 255, 0, 0, -(1 << 63), 1])

    def body(x: Any) -> Any:
        return mpc_equal(raw(x, left), raw(x, right), places=places)

    low = (1 << places) - 1
    expected = [(int(one) - int(other)) & low == 0 for one, other in zip(left, right, strict=True)]
    for _ in range(5):  # other masks
        np.testing.assert_array_equal(result(SEAT, body, np.zeros(1), fss=True), expected)
    depth = measure(SEAT, lambda engine, x: mpc.equal(x, 1.0), np.ones(5), fss=True).depth
    assert depth == 1


def test_a_mask_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equality where c, or r, is 0: that below 0 there is nothing must not be forgotten."""
    monkeypatch.setattr(Dealing, "uniform", lambda _self, shape, *_: np.zeros(shape, np.uint64))
    x = np.array([0, 1, -1, 7])
    np.testing.assert_array_equal(result(SEAT, lambda a: mpc.equal(a, 0), x, dtype=int, fss=True), x == 0)
    np.testing.assert_array_equal(result(SEAT, lambda a: a < 0, x, dtype=int, fss=True), x < 0)


def test_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PIECE", 5)
    np.testing.assert_array_equal(result(SEAT, lambda x, y: x < y, X, Y, fss=True), X < Y)


def test_measured_equals_declared() -> None:
    elements = 200
    declared = price("less by keys", elements, 2)
    assert declared.rounds == 1
    meter = measure(
        SEAT,
        lambda engine, x: engine.protocol.mask(x.share).less_than([0]),
        np.ones(elements),
        fss=True,
    )
    assert (meter.size_bytes, meter.depth) == (declared.size_bytes, declared.rounds)


def test_more_bounds_cost_nothing() -> None:
    one, three = (
        measure(
            SEAT, lambda engine, x, b=bounds: engine.protocol.mask(x.share).less_than(b), np.ones(9), fss=True
        ).size_bytes
        for bounds in ([0], [0, 1, 2])
    )
    assert one == three


@pytest.mark.parametrize("protocol", ["dealer", "replicated3", "pair2", "plain"])
def test_only_between_two_with_a_helper(protocol: str) -> None:
    holders = {"dealer": 3, "replicated3": 3, "plain": 1}.get(protocol, 2)
    with pytest.raises(UsageError, match="function secret sharing"):
        compute((protocol, holders), lambda x: x < 1, X, fss=True)


def test_keys_dealt_ahead(tmp_path: Path) -> None:
    """The helper is not there when two holders compare; each has keys on its disk, for as many runs as were dealt."""
    told = Disclosure("result", "the result of a test", ("p0",), Door.REVEAL, times=9)
    sides = {"p0": X[:, 0], "p1": Y[:, 0]}
    options: dict[str, Any] = {"holders": ("p0", "p1"), "helper": "helper"}

    def program(engine: Engine) -> Any:
        me = engine.protocol.party.name
        x, y = (
            engine.share(sides[name] if name == me else None, owner=name, shape=(9,)) for name in ("p0", "p1")
        )
        return engine.reveal("result", np.maximum(x, y), to=("p0",))

    def deal(party: Party) -> None:
        place = (None, None) if party.name == "helper" else (tmp_path / party.name, bytes(32))
        ahead.deal(party, program, *place, runs=2, fss=True, protocol="dealer2", **options)

    run(deal, ("p0", "p1", "helper"))

    def later(party: Party, *, fss: bool = True) -> Any:
        with Stock(tmp_path / party.name, bytes(32)) as stock:
            return program(Engine(party, protocol="dealer2", stock=stock, fss=fss, **options))

    outcome = run(later, ("p0", "p1"), disclosures=[told])
    np.testing.assert_allclose(outcome.results["p0"], np.maximum(X[:, 0], Y[:, 0]), atol=1e-5)
    with pytest.raises(LocalProtocolError, match="was dealt ahead"):
        run(lambda party: later(party, fss=False), ("p0", "p1"), disclosures=[told])
