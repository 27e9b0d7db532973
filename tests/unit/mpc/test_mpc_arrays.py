"""Secret arrays do what NumPy does."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpc_run import result

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc import Engine
from unseen.testing.simulate import run

RNG = np.random.default_rng(7)
X = RNG.normal(size=(6, 3))
Y = RNG.normal(size=(6, 3))
V = RNG.normal(size=3)
ULP = 2.0**-20

CASES = {
    "add": lambda x, y, v: x + y,
    "add row": lambda x, y, v: x + v,
    "subtract": lambda x, y, v: x - y,
    "negate": lambda x, y, v: -x,
    "multiply": lambda x, y, v: x * y,
    "multiply row": lambda x, y, v: x * v,
    "public factor": lambda x, y, v: x * 0.25 + y * 3,
    "public on the left": lambda x, y, v: 1 - x,
    "matrix": lambda x, y, v: x @ y.T,
    "matrix vector": lambda x, y, v: x @ v,
    "vector matrix": lambda x, y, v: v @ x.T,
    "inner": lambda x, y, v: (v @ v).reshape(1),
    "public matrix": lambda x, y, v: x @ np.eye(3) * 2,
    "slices": lambda x, y, v: x[1:4, ::2] - y[2:5, :2],
    "sum": lambda x, y, v: x.sum(axis=0) + y.sum(),
}


@pytest.mark.parametrize("holders", [("a", "b"), ("b", "a"), ("a", "b", "c")])
@pytest.mark.parametrize("name", CASES)
def test_same_as_numpy(name: str, holders: tuple[str, ...]) -> None:
    body = CASES[name]
    expected = body(X, Y, V)
    got = result(lambda _engine, *secrets: body(*secrets), X, Y, V, holders=holders)
    np.testing.assert_allclose(got, expected, atol=30 * ULP)


def test_the_fixed_operand_serves_many_products() -> None:
    def body(engine, x, w):
        fixed = engine.fix(x)
        first = fixed @ w
        return fixed.T @ (first - fixed @ (w * 2)) + (fixed * w[None, :]).sum(axis=0)

    expected = X.T @ (X @ V - X @ (2 * V)) + (X * V).sum(axis=0)
    np.testing.assert_allclose(result(body, X, V), expected, atol=60 * ULP)


def test_concatenate() -> None:
    got = result(lambda engine, x, y: engine.concatenate([x, y, engine.lift(np.ones((6, 1)))], axis=1), X, Y)
    np.testing.assert_allclose(got, np.c_[X, Y, np.ones(6)], atol=ULP)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(-1000, 1000), min_size=1, max_size=8),
    st.lists(st.floats(-1000, 1000), min_size=8, max_size=8),
)
def test_products_of_any_numbers(left: list[float], right: list[float]) -> None:
    x, y = np.array(left), np.array(right[: len(left)])
    np.testing.assert_allclose(result(lambda _e, a, b: a * b, x, y), x * y, atol=1500 * ULP)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**40])
def test_what_does_not_fit_is_refused(bad: float) -> None:
    with pytest.raises(UsageError, match="does not fit"):
        result(lambda _e, x: x, np.array([bad]))


@pytest.mark.parametrize("of", [np.max, np.argmin, np.mean, np.var, np.median, lambda x: np.var(x, ddof=1)])
def test_of_no_numbers_there_is_no_largest_and_no_mean(of) -> None:
    with pytest.raises(UsageError, match="Of no numbers there is no"):
        result(lambda _e, x: of(x[:0]), np.ones(3))


@pytest.mark.parametrize("zero", [0, 0.0, np.array([1, 0])])
def test_a_public_zero_divides_nothing(zero) -> None:
    with pytest.raises(UsageError, match="divided by a public 0"):
        result(lambda _e, x: x / zero, np.ones(2))


@pytest.mark.parametrize("bad", [np.array([1j]), np.array(["x"]), np.array(["2026-01-01"], "M8[D]")])
def test_what_is_no_number_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(UsageError, match="cannot be secret"):
        result(lambda _e, x: x, bad)
    with pytest.raises(UsageError, match="cannot be secret"):
        result(lambda _e, x: x + bad, np.array([1.5]))


@pytest.mark.parametrize("value", [2.5, 3, True])
def test_a_single_number_can_be_secret(value: float) -> None:
    assert result(lambda _e, x: np.where(x > 1, x, 0.0), np.array(value)) == (value if value > 1 else 0)


@pytest.mark.parametrize(
    "peek",
    [
        bool,
        float,
        int,
        lambda x: 2.5 in x,
        np.asarray,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda x: x == 1,
        lambda x: x != 1,
    ],
)
def test_values_cannot_be_looked_at(peek) -> None:
    def body(_engine, x):
        with pytest.raises(LocalProtocolError, match="not known here"):
            peek(x)
        return x

    result(body, np.array([1.5]))


ONE = np.array([1.5, -2.25, 40.0])
MORE = {
    "floor": lambda x: np.floor(x) + np.ceil(x) + np.fabs(x),
    "logarithms": lambda x: np.log2(abs(x)) + np.log10(abs(x)) + np.log1p(abs(x)) + np.expm1(-abs(x)),
    "norm": lambda x: np.linalg.norm(x) + np.linalg.norm(x[None], axis=1),
    "places": lambda x: x.argsort() + x.clip(0, 2).repeat(2)[1:4] + x.flatten().squeeze().reshape([3]),
    "a matrix": lambda x: np.trace(np.outer(x, x)) + np.inner(x, x) + x.dot(x) + np.broadcast_to(x, (2, 3)),
    "parts": lambda x: np.split(x, 3)[1] + np.delete(x, 0) + np.full_like(x, 2.5)[:2],
    "product": lambda x: x.prod() + np.prod(x[:2], keepdims=True) + x[:0].prod(),
}


@pytest.mark.parametrize("name", MORE)
def test_the_rest_of_numpy(name: str) -> None:
    got = result(lambda _engine, x: MORE[name](x), ONE)
    expected = MORE[name](ONE)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=2.0**-12, atol=2.0**-12)


CUBE = RNG.uniform(-2, 2, (2, 2, 2))  # of equal sides: sums along a wrong axis have a shape that fits, too
DEEP = {
    "dot": lambda x: x.dot(x),
    "dot of a matrix": lambda x: np.dot(x[0], x),
    "dot of a vector": lambda x: np.dot(x, x[0, 0]) + x[0, 0].dot(x),
    "dot of a number": lambda x: np.dot(x, 2.5) + np.dot(-1.0, x),
    "inner": lambda x: np.inner(x, x),
    "inner of a matrix": lambda x: np.inner(x[0], x) + np.inner(CUBE[0], x),
    "trace": np.trace,
    "average": lambda x: np.average(x, axis=1, weights=[1.0, 3.0]),
}


@pytest.mark.parametrize("name", DEEP)
def test_arrays_of_three_axes_as_numpy_takes_them(name: str) -> None:
    got = result(lambda _engine, x: DEEP[name](x), CUBE)
    assert got.shape == DEEP[name](CUBE).shape
    np.testing.assert_allclose(got, DEEP[name](CUBE), atol=30 * ULP)


SOME = np.array([True, False, True])
OPTIONS = {
    "sum where": lambda x: x.sum(axis=1, where=SOME, keepdims=True),
    "sum where secret": lambda x: np.sum(x, where=x > 0),
    "mean where": lambda x: np.mean(x, axis=1, where=SOME) + x.mean(where=x > 0),
    "deviation where": lambda x: np.std(x, axis=1, ddof=1, where=SOME),
    "any where": lambda x: np.any(x > 1, axis=0, where=x < 2) ^ np.all(x > -1, axis=0, where=SOME),
    "largest where": lambda x: np.max(x, axis=0, where=x < 1, initial=-9) + x.min(initial=-1.5),
    "places": lambda x: np.argmax(x, axis=1, keepdims=True) + x.argmin(axis=1, keepdims=True),
    "medians": lambda x: np.median(x, axis=(1, 0), keepdims=True) + np.median(x, axis=1, keepdims=True),
    "quantiles": lambda x: np.quantile(x, [[0.1, 0.5], [0.9, 1]], axis=1),
    "percentiles": lambda x: np.percentile(x, [0, 30, 77], axis=0, method="lower", keepdims=True),
    "average": lambda x: np.average(x, axis=1, weights=[1.0, 2, 3], keepdims=True),
    "average and weight": lambda x: np.stack(np.average(x, weights=abs(x), returned=True)),
    "sorted flat": lambda x: np.sort(x, axis=None) + np.argsort(x, axis=None),
    "clip": lambda x: np.clip(x, min=-0.5) + np.clip(x, min=-1, max=0.2),
    "Booleans": lambda x: np.diff(x > 0) ^ (x > 0).max(axis=1, keepdims=True) ^ np.min(x > 0),
    "towards 0": lambda x: np.trunc(x * 5) + (x * -7).astype(int),
    "whole median": lambda x: np.median((x * 9).astype(int)) + np.quantile((x * 9).astype(int), 0.2),
    "row by row": lambda x: np.stack([row * (place + 1) for place, row in enumerate(x)]) + sum(x),
    "turned": lambda x: (
        x.transpose((1, 0)) + x.transpose(None) + x.transpose(-1, 0) + np.transpose(x, (1, 0))
    ),
    "joined flat": lambda x: np.concatenate([x, x[0]], axis=None),
    "truths": lambda x: np.stack(
        [
            np.logical_and(x, x > 0),
            np.logical_or((x * 2).astype(int), [0, 1, 0]),
            np.logical_xor(1.5, x),
            np.logical_not((x * 2).astype(int)),
        ]
    ),
    "public clipped": lambda x: np.clip(0.25, x, x + 1) + np.clip(np.ones(3), None, x),
    "copies": lambda x: np.copy(x) + x.copy() + np.size(x, 0),
    "alike": lambda x: np.zeros_like(x > 0) ^ (x > np.full_like(x, 0.5)) ^ np.ones_like(x, dtype=bool),
    "alike whole": lambda x: np.full_like((x * 9).astype(int), 2.7) + np.ones_like(x, dtype=int),
    "nothing": lambda x: np.sqrt(x[:0]) / (x[:0] + 1) + np.log(x[:0]),
    "nothing of nothing": lambda x: x[:0] @ x[:0].T,
}


@pytest.mark.parametrize("name", OPTIONS)
def test_numpys_options(name: str) -> None:
    expected = np.asarray(OPTIONS[name](X))
    got = result(lambda _engine, x: OPTIONS[name](x), X)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got.astype(float), expected.astype(float), atol=60 * ULP)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda x: x[9], "axis 0 with size 6"),
        (lambda x: x[0, 0, 0], "2-dimensional"),
        (lambda x: x + np.ones(5), r"\(6, 3\)"),
    ],
)
def test_errors_are_about_the_secrets_own_axes(asked, said: str) -> None:
    def body(_engine, x):
        with pytest.raises((IndexError, ValueError), match=said):
            asked(x)
        return x

    result(body, X)


@pytest.mark.parametrize("dtype", [bool, np.bool_, np.int32, np.int64, "int", np.float32, float])
def test_kinds_by_any_of_their_names(dtype) -> None:
    def program(party):
        engine = Engine(party, holders=("a", "b"), helper="helper")
        x = engine.share([0, 1] if party.name == "a" else None, owner="a", shape=[2], dtype=dtype)
        return x.dtype.kind, (engine.fix(x > 0) * np.array([2.0, 3.0])).shape

    assert run(program, ("a", "b", "helper")).results["b"] == (np.dtype(dtype).kind, (2,))


@pytest.mark.parametrize(
    ("values", "dtype", "said"), [([1.5], int, "fractions"), ([1], complex, "no complex")]
)
def test_what_does_not_fit_the_kind_is_refused(values, dtype, said: str) -> None:
    def program(party):
        engine = Engine(party, holders=("a", "b"), helper="helper")
        return engine.share(values if party.name == "a" else None, owner="a", shape=(1,), dtype=dtype)

    with pytest.raises(UsageError, match=said):
        run(program, ("a", "b", "helper"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda x: np.less(x, np.nan), "NaN"),
        (lambda x: x > [np.nan, 0, 0], "NaN"),
        (lambda x: x < None, "no number"),
        (lambda x: x < "a", "number the categories"),
        (lambda x: np.quantile(x, 1.5), "from 0 to 1"),
        (lambda x: np.median(x[:0]), "no quantile"),
        (lambda x: x.mean(axis=1, where=np.zeros(3, bool)), "no mean"),
    ],
)
def test_what_is_no_question_is_refused(asked, said: str) -> None:
    def body(_engine, x):
        with pytest.raises(UsageError, match=said):
            asked(x)
        return x

    result(body, X)


@pytest.mark.parametrize(
    "asked",
    [np.sum, np.max, np.cumsum, np.sort, np.prod, np.diff, lambda x, axis: np.concatenate([x, x], axis=axis)],
)
def test_an_axis_that_is_not_there_is_no_other_one(asked) -> None:
    def body(_engine, x):
        for axis in (2, -3):
            with pytest.raises(np.exceptions.AxisError):
                asked(x, axis=axis)
        return x

    result(body, X)


@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        (lambda x: np.linalg.norm(x[None], 2, axis=(0, 1)), "Euclidean"),
        (lambda x: x.sort(), "np.sort"),
        (lambda x: x.__setitem__(0, 1.0), "np.where"),
        (lambda x: x // 2, "np.floor"),
        (lambda x: x % 2, "np.floor"),
        (lambda x: x**1.5, "np.exp"),
        (lambda x: x**x, "np.exp"),
        (lambda x: (-2) ** x, "np.exp"),
        (lambda x: x[x > 0], "mpc.lookup"),
        (np.nonzero, "np.where"),
        (np.unique, "group_by"),
        (np.isnan, "before sharing"),
        (np.rint, "np.floor"),
        (lambda x: np.einsum("i,i->", x, x), "@"),
        (np.add.reduce, "np.sum"),
        (lambda x: x & 1, "mpc.apply"),
        (lambda x: ~x, "mpc.apply"),
        (lambda x: np.add(x, 1, out=np.zeros(3)), "np.add"),
        (lambda x: np.roll(x, x), "options"),
        (lambda x: x.astype(complex), "there are"),
        (lambda x: x.sum(out=np.zeros(3)), "options"),
        (lambda x: np.max(x, where=[True, False, True]), "initial"),
        (lambda x: np.linalg.norm(x, 1), "Euclidean"),
        (np.sin, "there are"),
        (lambda x: x.tolist(), "reveal"),
        (np.array, "reveal"),
        (lambda x: np.mean([x, x]), "np.stack"),
    ],
)
def test_what_cannot_be_done_says_what_to_do_instead(asked, mend: str) -> None:
    def body(_engine, x):
        with pytest.raises(LocalProtocolError, match=mend):
            asked(x)
        return x

    result(body, ONE)


def test_printing_shows_the_shape_only() -> None:
    shown = []
    result(lambda _e, x: (shown.append(f"{x} {x!r}"), x)[1], np.array([12345.678]))
    assert all("12345" not in text and "shape=(1,)" in text for text in shown)


@pytest.mark.parametrize(
    ("holders", "helper"), [(("a",), "helper"), (("a", "b"), "a"), (("a", "a"), "helper")]
)
def test_nobody_deals_to_itself(holders: tuple[str, ...], helper: str) -> None:
    with pytest.raises(LocalProtocolError, match="holders and a helper"):
        run(lambda party: Engine(party, holders=holders, helper=helper), ("a", "b", "helper"))
