"""Groups, scans, look-ups and what NumPy has for sorted and Boolean arrays: as in clear, under every protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from protocol_run import measure, result, seat

from unseen import mpc
from unseen.mpc.array import SecretArray

RNG = np.random.default_rng(8)


def joined(*parts: Any) -> Any:
    return np.concatenate([part.reshape(-1) * 1.0 for part in parts])


def told(groups: mpc.Groups) -> Any:
    return joined(*groups.keys, *groups.columns.values(), groups.valid)


@seat
@pytest.mark.parametrize("count", [1, 2, 30])
def test_groups(seat: tuple[str, int], count: int) -> None:
    keys, values = RNG.integers(-4, 4, count), RNG.integers(-50, 50, count)

    def body(key: Any, value: Any) -> Any:
        how = {"people": "count", "paid": ("sum", value), "least": ("min", value), "most": ("max", value)}
        return told(mpc.group_by(key, how, key_bits=3))

    np.testing.assert_array_equal(result(seat, body, keys, values, dtype=int), body(keys, values))


@seat
def test_groups_by_two_keys_in_fewer_rows(seat: tuple[str, int]) -> None:
    one, other, values = RNG.integers(0, 3, 40), RNG.integers(0, 2, 40), RNG.integers(0, 9, 40)

    def body(a: Any, b: Any, value: Any) -> Any:
        groups = mpc.group_by([a, b > 0], {"paid": ("sum", value), "people": "count"}, groups=9, key_bits=3)
        assert len(groups["paid"]) == 9
        return told(groups)

    np.testing.assert_array_equal(result(seat, body, one, other, values, dtype=int), body(one, other, values))


@seat
def test_groups_that_are_public(seat: tuple[str, int]) -> None:
    keys, values = RNG.integers(0, 4, 25), RNG.integers(-9, 9, 25)

    def body(key: Any, value: Any) -> Any:
        how = {"people": "count", "paid": ("sum", value), "least": ("min", value), "most": ("max", value)}
        groups = mpc.group_by(key, how, among=[0, 2, 7], key_bits=4)
        return joined(*groups.columns.values(), groups.valid)

    np.testing.assert_array_equal(result(seat, body, keys, values, dtype=int), body(keys, values))


@seat
def test_means_of_groups(seat: tuple[str, int]) -> None:
    keys, values = RNG.integers(0, 3, 20).astype(float), RNG.uniform(-5, 5, 20)

    def body(key: Any, value: Any) -> Any:
        sorted_ = mpc.group_by(key, {"mean": ("mean", value)}, groups=4, key_bits=24)
        known = mpc.group_by(key, {"mean": ("mean", value)}, among=[0.0, 1.0, 9.0], key_bits=25)
        return joined(sorted_["mean"], known["mean"])

    np.testing.assert_allclose(result(seat, body, keys, values), body(keys, values), atol=2e-3)


@seat
@pytest.mark.parametrize("how", ["sum", "min", "max", "first"])
@pytest.mark.parametrize("count", [1, 2, 3, 13])
def test_scans(seat: tuple[str, int], how: Any, count: int) -> None:
    values, marks = RNG.integers(-9, 9, count), RNG.integers(0, 3, count)

    def body(value: Any, mark: Any) -> Any:
        return mpc.scan(value, mark > 1, how)

    np.testing.assert_array_equal(result(seat, body, values, marks, dtype=int), body(values, marks))


@seat
@pytest.mark.parametrize("size", [1, 2, 5, 16, 37])
def test_look_ups(seat: tuple[str, int], size: int) -> None:
    index, table = RNG.integers(0, size, (2, 6)), RNG.normal(size=(size, 2))

    def body(place: Any, entries: Any) -> Any:
        whole = place if isinstance(place, np.ndarray) else place.engine.truncate(place, 0, exact=True)
        numbers = whole.astype(int) if isinstance(place, np.ndarray) else whole
        public = np.rint(np.arange(size) * 3).astype(int)
        return joined(
            mpc.lookup(entries, numbers), mpc.lookup(public, numbers), mpc.one_hot(numbers, size).sum(axis=0)
        )

    got = result(seat, body, index.astype(float), table)
    np.testing.assert_allclose(got, body(index, table), atol=2.0**-20)


@seat
def test_beyond_the_table_there_are_zeros(seat: tuple[str, int]) -> None:
    got = result(seat, lambda place: mpc.lookup(np.arange(1, 6), place), np.array([4, 5, 7]), dtype=int)
    np.testing.assert_array_equal(got, [5, 0, 0])


NUMPY: dict[str, Any] = {
    "std": lambda x: joined(np.std(x, axis=0), x.std(ddof=1)),
    "quantiles": lambda x: joined(np.median(x, axis=1), np.median(x), np.quantile(x, 0.3, axis=0)),
    "any and all": lambda x: joined(
        np.any(x > 1, axis=0), np.all(x > -1, axis=1), np.any(x), np.all(x > -99)
    ),
    "count": lambda x: joined(np.count_nonzero(x > 0, axis=1), np.count_nonzero(x)),
    "isin": lambda x: np.isin(x, [0.0, 1.0, -2.0]),
    "searchsorted": lambda x: joined(
        np.searchsorted(np.array([-1.0, 0.0, 2.0]), x),
        np.searchsorted(np.array([-1.0, 0.0, 2.0]), x, "right"),
    ),
}


@seat
@pytest.mark.parametrize("name", NUMPY)
def test_same_as_numpy(seat: tuple[str, int], name: str) -> None:
    x = RNG.integers(-3, 4, (4, 5)).astype(float)
    np.testing.assert_allclose(result(seat, NUMPY[name], x), NUMPY[name](x), atol=1e-4)


@seat
def test_batches(seat: tuple[str, int]) -> None:
    x, y = RNG.integers(-3, 4, (2, 3)), RNG.integers(-3, 4, 3)

    def body(a: Any, b: Any) -> Any:
        return joined(*mpc.batched(np.less, [a, b, a[0]], [b, 0, a[1]]))

    np.testing.assert_array_equal(result(seat, body, x, y, dtype=int), body(x, y))


@seat
def test_a_batch_takes_the_rounds_of_one(seat: tuple[str, int]) -> None:
    def body(count: int) -> Any:
        return lambda _, x: mpc.batched(np.less, [x] * count, [x + 1] * count)

    one, ten = (measure(seat, body(count), np.zeros(8)).depth for count in (1, 10))
    assert ten <= one + 1


def test_a_secret_place_says_where_to_go() -> None:
    def body(x: SecretArray) -> Any:
        with pytest.raises(Exception, match="lookup"):
            x[x]
        with pytest.raises(Exception, match="grouped"):
            mpc.group_by(x, {"a": ("middle", x)})  # type: ignore[dict-item]
        with pytest.raises(Exception, match="twice"):
            mpc.group_by(x, {"a": "count"}, among=[1, 2, 1])
        return x

    result(("plain", 1), body, np.zeros(3))
