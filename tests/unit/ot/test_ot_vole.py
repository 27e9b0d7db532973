"""VOLE: the relation holds at every size, cost is what the module says, wrong use is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.kernels.reference.ggm import times
from unseen.ot import lpn_params, vole
from unseen.ot.vole import DeltaSide, VectorSide, VoleDelta, VoleVector
from unseen.party import Party
from unseen.testing.simulate import Run, run

SIZES = [0, 1, 2, 7, 2048, 2049, 3001]


def go(*counts: int, **options: Any) -> Run[Any]:
    """a is the vector side, b the other."""

    def program(party: Party) -> Any:
        side = VectorSide if party.name == "a" else DeltaSide
        made = side(party, "b" if party.name == "a" else "a", **{"security": "semi-honest", **options})
        return [made.expand(count) for count in counts]

    return run(program, ("a", "b"))


def number(block: np.ndarray) -> int:
    return int.from_bytes(block.tobytes(), "little")


def holds(vector: VoleVector, delta: VoleDelta, *, field: int = 128, samples: int = 40) -> bool:
    width = 1 if field == 128 else 2
    assert len(vector) == len(delta)
    d, c, b = delta.delta.reshape(width, 16), vector.c.reshape(-1, width, 16), delta.b.reshape(-1, width, 16)
    step = max(len(vector) // samples, 1)
    return all(
        number(c[i, w] ^ b[i, w]) == times(number(vector.a[i]), number(d[w]), field)
        for i in (*range(0, len(vector), step), *range(max(len(vector) - 3, 0), len(vector)))
        for w in range(width)
    )


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_the_relation_holds(security: str) -> None:
    outcome = go(*SIZES, security=security)
    for count, vector, delta in zip(SIZES, outcome.results["a"], outcome.results["b"], strict=True):
        assert len(vector) == count
        assert holds(vector, delta)
    deltas = {delta.delta.tobytes() for delta in outcome.results["b"]}
    assert len(deltas) == 1
    everything = np.concatenate([vector.a for vector in outcome.results["a"]])
    assert len(np.unique(everything, axis=0)) == sum(SIZES)


def test_pairs_over_the_smaller_field() -> None:
    outcome = go(5, 2500, field="gf96")
    for vector, delta in zip(outcome.results["a"], outcome.results["b"], strict=True):
        assert holds(vector, delta, field=96)
        assert delta.delta.shape == (2, 16)
        assert vector.c.shape == delta.b.shape == (len(vector), 2, 16)
        for array in (vector.a, vector.c, delta.b, delta.delta):
            assert not array[..., 12:].any()
        assert (delta.delta[0] != delta.delta[1]).any()


@pytest.mark.parametrize("field", ["gf128", "gf96"])
def test_without_lpn(field: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpn_params, "dual_size", lambda *_: pytest.fail("the assumption was used"))
    outcome = go(3000, assumption="symmetric", field=field)
    assert holds(outcome.results["a"][0], outcome.results["b"][0], field=int(field[2:]))


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_pieces(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vole, "PIECE", 2500)
    monkeypatch.setattr(vole, "SLAB", 100)
    outcome = go(6001, 1001, security=security)
    for vector, delta in zip(outcome.results["a"], outcome.results["b"], strict=True):
        assert holds(vector, delta, samples=100)


def test_cost() -> None:
    """What the module promises: bytes and rounds (the set-up's included)."""
    semi, malicious = go(100_000), go(100_000, security="malicious")
    trees = lpn_params.dual_size(lpn_params.dual(), 100_000)
    transfers = trees.trees * (trees.depth + 128)
    due = transfers * 15 // 8 + trees.trees * (trees.depth + 1) * 16
    assert semi.bytes_sent < 1.02 * due + 45_000
    assert semi.rounds("a") <= 4
    assert malicious.bytes_sent < semi.bytes_sent + 30_000
    assert malicious.rounds("a") <= semi.rounds("a") + 3


def test_a_million_cost_less_than_half_a_megabyte() -> None:
    size = lpn_params.dual_size(lpn_params.dual(), 1_420_000)
    assert size.trees * ((size.depth + 128) * 15 / 8 + (size.depth + 1) * 16) < 400_000


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"security": "none"}, "Security"),
        ({"field": "gf64"}, "field"),
        ({"assumption": "silver"}, "assumption"),
        ({"security": "malicious", "field": "gf96"}, "semi-honest parties only"),
    ],
)
def test_wrong_use_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        go(1, **options)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be made"):
        go(-1)


def test_nothing_secret_is_shown() -> None:
    outcome = go(3)
    assert repr(outcome.results["a"][0]) == "VoleVector(<3 secret elements>)"
    assert repr(outcome.results["b"][0]) == "VoleDelta(<3 secret elements>)"
