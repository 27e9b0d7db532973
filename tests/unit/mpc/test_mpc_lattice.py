"""Products by lattice encryption: right at all edges and sizes, as many bytes as stated, in order after a flipped bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UnseenError
from unseen.crypto.rlwe import matrices
from unseen.link.memory import Parcel
from unseen.mpc.lattice import Lattice
from unseen.party import Party
from unseen.testing.simulate import Run, simulate

PAIR = ("a", "b")
EDGES = np.array([0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 32, 12345], np.uint64)


def both(body: Callable[[Lattice, str], Any], **options: Any) -> Run[Any]:
    def program(party: Party) -> Any:
        return body(Lattice(party, "b" if party.name == "a" else "a"), party.name)

    return simulate(program, PAIR, **options)


def words(seed: int, *shape: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(0, 1 << 64, shape, np.uint64)
    flat = drawn.reshape(-1)
    flat[: len(EDGES)] = np.roll(EDGES, seed)[: flat.size]
    return drawn


def total(run: Run[Any]) -> Any:
    assert not run.errors
    return run.results["a"] + run.results["b"]


@pytest.mark.parametrize("count", [0, 1, 49, 8192, 2 * 8192 + 3, 11 * 8192])
def test_both_cross_terms(count: int) -> None:
    x, y = {"a": words(1, count), "b": words(2, count)}, {"a": words(3, count), "b": words(4, count)}
    if count >= len(EDGES) ** 2:
        for v, spread in ((x["a"], np.repeat), (y["b"], np.tile), (x["b"], np.tile), (y["a"], np.repeat)):
            v[:49] = spread(EDGES, 7)
    run = both(lambda lattice, me: lattice.multiply(x[me], y[me]))
    np.testing.assert_array_equal(total(run), x["a"] * y["b"] + x["b"] * y["a"])


@pytest.mark.parametrize("count", [1, 49, 8193])
def test_one_cross_term(count: int) -> None:
    v = {"a": words(1, count), "b": words(2, count)}
    np.testing.assert_array_equal(total(both(lambda lattice, me: lattice.cross(v[me]))), v["a"] * v["b"])


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.booleans())
def test_matrices(rows: int, inner: int, columns: int, left: bool) -> None:
    x, y = words(1, rows, inner), words(2, inner, columns)

    def body(lattice: Lattice, me: str) -> Any:
        if (me == "a") == left:
            return lattice.cross_matmul(x, y.shape, left=True)
        return lattice.cross_matmul(y, x.shape, left=False)

    np.testing.assert_array_equal(total(both(body)), x @ y)


@pytest.mark.parametrize(
    "shape", [(9000, 3, 1), (1, 9000, 1), (2, 300, 2), (30, 300, 1), (0, 3, 2), (3, 0, 2)]
)
def test_long_matrices(shape: tuple[int, int, int]) -> None:
    x, y = words(1, *shape[:2]), words(2, *shape[1:])
    run = both(
        lambda lattice, me: (
            lattice.cross_matmul(x, y.shape, left=True)
            if me == "a"
            else lattice.cross_matmul(y, x.shape, left=False)
        )
    )
    np.testing.assert_array_equal(total(run), x @ y)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_matrices_both_ways(rows: int, inner: int, columns: int) -> None:
    x, y = (
        {"a": words(i, *s), "b": words(i + 1, *s)} for i, s in ((1, (rows, inner)), (3, (inner, columns)))
    )
    run = both(lambda lattice, me: lattice.matmul(x[me], y[me]))
    np.testing.assert_array_equal(total(run), x["a"] @ y["b"] + x["b"] @ y["a"])


def test_several_rows_of_blocks_both_ways() -> None:
    """Few columns of very many rows: each party has answers of a row under way when it sends the next."""
    shape = (3, 40_000, 3)
    assert matrices.plan(*shape).across[0] > 1
    x, y = ({"a": words(i, *s), "b": words(i + 1, *s)} for i, s in ((1, shape[:2]), (3, shape[1:])))
    run = both(lambda lattice, me: lattice.matmul(x[me], y[me]))
    np.testing.assert_array_equal(total(run), x["a"] @ y["b"] + x["b"] @ y["a"])


def test_more_ciphertexts_than_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "MOST_INNER", 2)
    test_matrices.hypothesis.inner_test(100, 700, 3, True)


def test_many_calls_on_one_set_of_keys() -> None:
    x, m = words(1, 10), words(2, 4, 4)

    def body(lattice: Lattice, me: str) -> Any:
        shares = [
            lattice.cross(x),
            lattice.cross_matmul(m, (4, 4), left=me == "a"),
            lattice.cross(x),
            lattice.multiply(x, x),
        ]
        return np.concatenate([share.reshape(-1) for share in shares])

    run = both(body)
    due = np.concatenate([x * x, (m @ m).reshape(-1), x * x, x * x * np.uint64(2)])
    np.testing.assert_array_equal(total(run), due)
    shares = run.results["a"]
    assert (shares[:10] != shares[26:36]).all()  # the same product is shared anew


def test_bytes_are_as_stated() -> None:
    count = 8192
    x = words(1, count)
    once = both(lambda lattice, _: lattice.cross(x)).bytes_sent
    twice = both(lambda lattice, _: (lattice.cross(x), lattice.cross(x))[0]).bytes_sent
    assert 127 * count <= twice - once < 128 * count
    more = both(lambda lattice, _: (lattice.cross(x), lattice.multiply(x, x))[0]).bytes_sent
    assert 202 * count <= more - once < 203 * count
    blocks = matrices.plan(100, 100, 100)
    m = words(1, 100, 100)
    sent = both(lambda lattice, me: lattice.cross_matmul(m, (100, 100), left=me == "a")).bytes_sent
    assert abs(sent - 2 * 204_800 - blocks.size_bytes) < 0.01 * sent


def test_arguments() -> None:
    def body(lattice: Lattice, _me: str) -> None:
        with pytest.raises(LocalProtocolError, match="rank 1"):
            lattice.cross(np.zeros((2, 2), np.uint64))
        with pytest.raises(LocalProtocolError, match="uint64"):
            lattice.multiply(np.zeros(2), np.zeros(2))  # type: ignore[arg-type]
        with pytest.raises(LocalProtocolError, match="one length"):
            lattice.multiply(np.zeros(2, np.uint64), np.zeros(3, np.uint64))
        with pytest.raises(LocalProtocolError, match="No product"):
            lattice.cross_matmul(np.zeros((2, 3), np.uint64), (4, 5), left=True)

    assert not both(body).errors


def test_other_shapes_at_the_peer_end_in_order() -> None:
    run = both(
        lambda lattice, me: (
            lattice.cross(words(1, 8192 if me == "a" else 1))
            if me == "a"
            else lattice.multiply(words(1, 9), words(1, 9))
        ),
        timeout_s=5,
    )
    assert any(isinstance(error, RemoteProtocolError) for error in run.errors.values())


@pytest.mark.parametrize("nth", range(6))
def test_a_flipped_bit_never_hangs(nth: int) -> None:
    """For semi-honest parties only: a flipped bit may change the result, but ends in order."""
    seen = {"count": 0}

    def wire(parcel: Parcel) -> bytes | None:
        seen["count"] += 1
        if seen["count"] != nth + 1:
            return parcel.payload
        data = bytearray(parcel.payload)
        data[len(data) // 2] ^= 1
        return bytes(data)

    run = both(lambda lattice, _: lattice.cross(words(1, 9)), wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in run.errors.values())
