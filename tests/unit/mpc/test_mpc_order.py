"""Sorting is what NumPy's is, under every protocol: ties, edges, many lines, several keys, narrow keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_mpc_functions import result

from unseen import mpc
from unseen.core import registry
from unseen.core.errors import LocalProtocolError
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.functions import order
from unseen.mpc.protocols.plain import Plain

each = pytest.mark.parametrize("protocol", registry.names(PROTOCOLS))
RNG = np.random.default_rng(5)


def joined(*parts: Any) -> Any:
    """Several results in one, so that one run tells them all."""
    return np.concatenate([part.reshape(-1) * 1.0 for part in parts])


@each
@pytest.mark.parametrize("count", [0, 1, 2, 3, 24, 40])
def test_sort(protocol: str, count: int) -> None:
    x = np.random.default_rng(count).integers(-5, 5, count).astype(float)  # with ties

    def body(a: Any) -> Any:
        return joined(np.sort(a), np.argsort(a, kind="stable"))

    np.testing.assert_array_equal(result(protocol, body, x), body(x))


@each
@pytest.mark.parametrize("paired", [0, 24], ids=["radix", "pairs"])
def test_sorted_along_axes(protocol: str, paired: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "PAIRED", paired)
    x = np.random.default_rng(0).integers(-50, 50, (3, 9)).astype(float)

    def body(a: Any) -> Any:
        return joined(*(mpc.sort(a, axis, key_bits=7) for axis in (0, -1)), mpc.argsort(a, 1, key_bits=8))

    np.testing.assert_array_equal(result(protocol, body, x, bits=0), body(x))


@each
@pytest.mark.parametrize("paired", [0, 24], ids=["radix", "pairs"])
def test_descending_and_bounded_keys(protocol: str, paired: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "PAIRED", paired)
    x = np.array([3, -4, 3, 0, -1, 1, -4, 2], float)

    def body(a: Any) -> Any:
        return joined(
            mpc.sort(a, descending=True, key_bits=3),
            mpc.argsort(a, descending=True, key_bits=4),
            mpc.sort(a, key_bits=3),
            mpc.argsort(a.reshape(2, 4), 0, descending=True, key_bits=3),
        )

    np.testing.assert_array_equal(result(protocol, body, x, bits=0), body(x))


def test_all_widths_sort() -> None:
    """Every number of bits, odd and even, at the edges of its range."""
    for bits in (1, 2, 3, 4, 5, 8, 9, 16, 31, 62, 63):
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        x = np.array([high, low, 0, high, low, min(1, high), -1, *[low] * 30], np.int64)
        ring = x.view(np.uint64)

        def body(a: Any, ring: Any = ring, bits: int = bits) -> Any:
            secret = a.engine.number(a.engine.protocol.public(ring), 0)
            return order.argsort(secret, key_bits=bits)

        np.testing.assert_array_equal(result("plain", body, np.zeros(1)), np.argsort(x, kind="stable"))


@pytest.mark.parametrize("count", [65536, 65537])
def test_as_many_rows_as_words_hold(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "radix_up_to", 64)
    x = np.random.default_rng(1).normal(size=count)
    np.testing.assert_array_equal(
        result("plain", np.argsort, x), np.argsort(np.rint(x * 2**20), kind="stable")
    )


@pytest.mark.parametrize("protocol", ["dealer2", "replicated3"])
def test_sort_of_many(protocol: str) -> None:
    x = np.random.default_rng(1).normal(size=3000)
    got = result(protocol, np.sort, x)
    np.testing.assert_allclose(got, np.sort(x), atol=2.0**-20)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-(1 << 20), 1 << 20), min_size=1, max_size=40))
def test_sort_of_anything(values: list[int]) -> None:
    x = np.array(values, float)
    np.testing.assert_array_equal(result("replicated3", np.sort, x), np.sort(x))


@each
def test_top_and_order_by(protocol: str) -> None:
    x = RNG.integers(0, 12, 30).astype(float)
    rows = np.stack([x % 3, x, np.arange(30)], axis=1)

    def body(a: Any) -> Any:
        return joined(
            *mpc.topk(a[:, 1], 4, key_bits=5),
            mpc.order_by(a[:, 0], a, key_bits=3),
            mpc.order_by([a[:, 0], a[:, 1]], a, descending=[False, True], key_bits=5),
            mpc.order_by(a[:, 1] > 5, a[:, 2]),
        )

    np.testing.assert_array_equal(result(protocol, body, rows, bits=0), body(rows))


@each
def test_booleans_are_sorted_and_moved(protocol: str) -> None:
    x = RNG.integers(0, 9, 40).astype(float)

    def body(a: Any) -> Any:
        return joined(np.sort(a > 4), np.argsort(a > 4, kind="stable"), mpc.order_by(a, a > 4))

    np.testing.assert_array_equal(result(protocol, body, x), body(x))


def test_public_orders_and_rows() -> None:
    x, order_of = np.array([3.0, -1, 2, 0]), [2, 0, 3, 1]

    def body(a: Any) -> Any:
        return joined(
            mpc.permute(a, order_of),
            mpc.permute(a, order_of, back=True),
            mpc.permute(np.arange(4), np.argsort(a)),
            mpc.order_by(a, np.arange(4)),
        )

    np.testing.assert_array_equal(result("plain", body, x), body(x))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda a: mpc.topk(a.reshape(2, 2), 1), "ravel"),
        (lambda a: mpc.sort(a, key_bits=0), "from 1 to 64"),
        (lambda a: mpc.argsort(a, key_bits=65), "from 1 to 64"),
    ],
)
def test_what_cannot_be_sorted_is_said(asked: Any, said: str) -> None:
    def body(a: Any) -> Any:
        with pytest.raises(LocalProtocolError, match=said):
            asked(a)
        return a

    result("plain", body, np.zeros(4))


def test_tables_of_large_integers_and_running_counts() -> None:
    def body(a: Any) -> Any:
        places = a.astype(int)
        return mpc.lookup(np.array([2**60 + 1, -(2**53) - 1]), places) + mpc.scan(
            a > 0, np.zeros(4, bool), "sum"
        )

    x = np.array([0.0, 1, 1, 0])
    np.testing.assert_array_equal(result("plain", body, x), body(x))


def test_plain_arrays_of_any_kind_are_ordered_too() -> None:
    large = np.array([2**60, 2**60 + 1, -(2**63), 2**60 + 1])
    assert mpc.topk(large, 2)[1].tolist() == [1, 3]
    assert mpc.topk(np.array([3, 200, 0], np.uint8), 1)[0].tolist() == [200]
    assert mpc.topk(np.array([False, True, True]), 2)[1].tolist() == [1, 2]
    assert mpc.order_by(large, np.arange(4), descending=True).tolist() == [1, 3, 0, 2]
    assert mpc.sigmoid(np.array([True]))[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert mpc.softmax(np.array([True, False])).sum() == pytest.approx(1)
