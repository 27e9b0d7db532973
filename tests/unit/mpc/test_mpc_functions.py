"""Functions keep their published errors on a dense grid, under every protocol; they take plain arrays too."""

from __future__ import annotations

import numpy as np
import pytest

from unseen import mpc
from unseen.core import registry
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.functions import exponential, magnitude, pieces, sigmoid
from unseen.party import Disclosure, Door
from unseen.testing.simulate import run

TOLD = Disclosure("result", "the result of a test", ("p0",), Door.REVEAL)
ULP = 2.0**-20


def result(protocol: str, body, values: np.ndarray, *, bits: int = 20) -> np.ndarray:
    statement = registry.load(PROTOCOLS, protocol).STATEMENT
    names = tuple(f"p{place}" for place in range(statement.holders.start))
    helper = "helper" if statement.helper else None

    def program(party):
        engine = mpc.Engine(party, holders=names, helper=helper, protocol=protocol, bits=bits)
        x = engine.share(values if party.name == "p0" else None, owner="p0", shape=values.shape)
        return engine.reveal("result", body(x), to=("p0",))

    everyone = (*names, *((helper,) if helper else ()))
    return run(program, everyone, disclosures=[TOLD]).results["p0"]


def points(protocol: str) -> int:
    """Enough for a dense grid; fewer where everything is checked, which is slow."""
    malicious = registry.load(PROTOCOLS, protocol).STATEMENT.adversary == "malicious with abort"
    return 401 if malicious else 8001


def log_grid(protocol: str, low: float, high: float) -> np.ndarray:
    grid = np.exp2(np.linspace(np.log2(low), np.log2(high), points(protocol)))
    return np.rint(grid * 2.0**20) / 2.0**20


each = pytest.mark.parametrize("protocol", registry.names(PROTOCOLS))


@each
def test_reciprocal(protocol: str) -> None:
    grid = log_grid(protocol, 2.0**-20, 2.0**21)
    for sign in (1, -1):
        got = result(protocol, np.reciprocal, sign * grid)
        error = np.abs(got * sign - 1 / grid) - 2 * ULP
        assert (error * grid).max() < magnitude.MAX_ERRORS["reciprocal"]
    assert result(protocol, np.reciprocal, np.zeros(3)).tolist() == [0, 0, 0]


@each
def test_quotients_are_as_good_for_large_divisors_as_for_small_ones(protocol: str) -> None:
    grid = log_grid(protocol, 2.0**-12, 2.0**21)[::5]
    grid[::2] *= -1
    quotients = np.resize([1.0, -3.7, 1000.0, 0.01], grid.shape)
    a = np.rint(np.clip(quotients * grid, -(2.0**21), 2.0**21) * 2.0**20) / 2.0**20
    both = np.stack([np.append(a, 7.0), np.append(grid, 0.0)])
    got = result(protocol, lambda x: np.stack([x[0] / x[1], 2.5 / x[1], 40_000 / x[1]]), both)
    for found, above in zip(got, (a, 2.5, 40_000), strict=True):
        wanted = above / grid
        fits = np.abs(wanted) < 2.0**22
        error = (np.abs(found[:-1] - wanted) - 3 * ULP)[fits]
        assert (error < magnitude.MAX_ERRORS["quotient"] * np.abs(wanted[fits])).all()
        assert found[-1] == 0


@pytest.mark.parametrize("bits", [12, 16, 24, 28])
def test_quotients_in_other_precisions(bits: int) -> None:
    limit, largest = 2.0 ** min(26, 62 - 2 * bits, 40 - bits), 2.0 ** (61 - 2 * bits)
    rng = np.random.default_rng(bits)
    b = np.exp2(rng.uniform(-4, np.log2(largest), 2000)) * rng.choice([-1, 1], 2000)
    a = np.clip(np.exp2(rng.uniform(-2, np.log2(limit), 2000)) * b, -largest, largest)
    a, b = np.rint(np.stack([a, b]) * 2.0**bits) / 2.0**bits
    got = result("replicated3", lambda x: x[0] / x[1], np.stack([a, b]), bits=bits)
    room = max(bits, 36 - bits)  # of 1/m, less where b is so large that it has a part of 2^-n too
    places = np.minimum(16, min(room, 22) - 1 - np.maximum(0, np.log2(np.abs(b)) + 1 - room))
    assert (np.abs(got - a / b) < 2.0**-places * np.abs(a / b) + 3 * 2.0**-bits).all()


@each
def test_public_divisors_large_and_small(protocol: str) -> None:
    by = np.array([1e6, 3.0, -0.001, 2.0**30, 250_000.0, 1.0])
    a = np.array([1e6, 1.0, 1.0, 4e6, -1e6, 4e6])
    got = result(protocol, lambda x: np.concatenate([x / by, x[:1] / 1e6, x[:1] / np.array([1e6])]), a)
    wanted = np.append(a / by, [1, 1])
    assert (np.abs(got - wanted) < 2.0**-15 * np.abs(wanted) + 2 * ULP).all()


def test_quotients_broadcast_and_take_whole_numbers() -> None:
    a = np.arange(1, 13, dtype=float).reshape(3, 4) * 30_000
    got = result(
        "replicated3",
        lambda x: x / x.sum(axis=1, keepdims=True) + x[0] / (x > 1).sum(axis=0),
        a,
    )
    np.testing.assert_allclose(got, a / a.sum(axis=1, keepdims=True) + a[0] / 3, rtol=2e-5)


def test_means_of_groups_and_of_weights_are_as_good_of_large_sums() -> None:
    keys, values = np.repeat([0.0, 1.0], 40), np.linspace(40_000, 60_000, 80)
    got = result(
        "replicated3",
        lambda x: np.concatenate(
            [
                mpc.group_by(x[0], {"mean": ("mean", x[1])}, groups=2, key_bits=24)["mean"],
                np.average(x[1], weights=x[1] / 1e5).reshape(1),
            ]
        ),
        np.stack([keys, values]),
    )
    wanted = [*values.reshape(2, 40).mean(axis=1), np.average(values, weights=values)]
    np.testing.assert_allclose(got, wanted, rtol=2e-5)


@each
def test_deviations_and_norms_whose_squares_do_not_fit(protocol: str) -> None:
    rng = np.random.default_rng(8)
    x = np.stack(
        [
            rng.normal(50_000, 20_000, 40),
            rng.normal(5, 1, 40),
            rng.uniform(-2e6, 2e6, 40),
            np.append(np.zeros(39), 3000.0),  # one far off among many: its square alone does not fit
            rng.normal(0, 1024, 40),
            rng.normal(1e6, 0.5, 40),
        ]
    )
    some = rng.random(x.shape) < 0.5

    def body(a):
        rows = [a.std(axis=1), np.std(a, axis=1, ddof=1, where=some), np.linalg.norm(a / 8, axis=1)]
        squares = [a.var(axis=1, ddof=1), np.var(a, axis=1, where=some)]
        more = [np.ones(6) * a.std(), np.ones(6) * np.linalg.norm(a[0]), np.std(a.T, axis=0)]
        return np.stack([*rows, *squares, *more])

    np.testing.assert_allclose(result(protocol, body, x), body(x), rtol=4e-4)


def test_deviations_of_many() -> None:
    x = np.random.default_rng(9).uniform(-2e6, 2e6, 100_000)
    got = result(
        "replicated3", lambda a: np.stack([a.std(), a[:3].std(ddof=1), (a / 2**21).std(), a.var()]), x
    )
    np.testing.assert_allclose(got, [x.std(), x[:3].std(ddof=1), (x / 2**21).std(), x.var()], rtol=1e-3)


@pytest.mark.parametrize("bits", [12, 24, 28, 30])
def test_deviations_in_other_precisions(bits: int) -> None:
    most = 2.0 ** (61 - 2 * bits)
    x = np.random.default_rng(bits).uniform(-most, most, 100)
    got = result(
        "replicated3", lambda a: np.stack([a.std(), (a / 64).std(), np.linalg.norm(a[:1])]), x, bits=bits
    )
    wanted = [x.std(), (x / 64).std(), abs(x[0])]
    np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=4 * 2.0 ** (-bits / 2))


@each
def test_roots(protocol: str) -> None:
    grid = log_grid(protocol, 2.0**-20, 2.0**21)
    error = np.abs(result(protocol, mpc.rsqrt, grid) - 1 / np.sqrt(grid)) - 2 * ULP
    assert (error * np.sqrt(grid)).max() < magnitude.MAX_ERRORS["rsqrt"]
    error = np.abs(result(protocol, np.sqrt, grid) - np.sqrt(grid)) - 2 * ULP
    assert (error / np.sqrt(grid)).max() < magnitude.MAX_ERRORS["sqrt"]


@each
def test_log(protocol: str) -> None:
    grid = log_grid(protocol, 2.0**-20, 2.0**21)
    assert np.abs(result(protocol, np.log, grid) - np.log(grid)).max() < magnitude.MAX_ERRORS["log"]


@each
def test_exp(protocol: str) -> None:
    grid = np.rint(np.linspace(-25, 11, points(protocol)) * 2.0**20) / 2.0**20
    got = result(protocol, np.exp, grid)
    assert ((np.abs(got - np.exp(grid)) - 2 * ULP) / np.exp(grid)).max() < exponential.MAX_ERROR
    assert result(protocol, np.exp, np.array([-100.0, -1e5])).tolist() == [0, 0]


@each
def test_sigmoid_tanh_gelu(protocol: str) -> None:
    grid = np.linspace(-40, 40, points(protocol))
    plain = mpc.sigmoid(grid)
    assert np.abs(result(protocol, mpc.sigmoid, grid) - plain).max() < sigmoid.MAX_ERROR
    precise = result(protocol, lambda x: mpc.sigmoid(x, precise=True), grid)
    assert np.abs(precise - plain).max() < sigmoid.PRECISE_ERROR
    assert np.abs(result(protocol, np.tanh, grid) - np.tanh(grid)).max() < 2 * sigmoid.PRECISE_ERROR
    assert np.abs(result(protocol, mpc.gelu, grid) - mpc.gelu(grid)).max() < 6e-4


@each
def test_softmax_and_division(protocol: str) -> None:
    x = np.random.default_rng(1).normal(size=(20, 7)) * 4
    np.testing.assert_allclose(result(protocol, mpc.softmax, x), mpc.softmax(x), atol=1e-4)
    np.testing.assert_allclose(result(protocol, lambda a: a / (a * a + 1), x), x / (x * x + 1), atol=1e-4)
    np.testing.assert_allclose(result(protocol, lambda a: 3 / (a * a + 1), x), 3 / (x * x + 1), atol=1e-4)


@pytest.mark.parametrize("protocol", ["replicated3", "plain"])  # with powers of its own, and without
@pytest.mark.parametrize("bits", [12, 16, 24, 28])
def test_other_precisions(bits: int, protocol: str) -> None:
    grid = np.rint(np.linspace(0.5, 8, 500) * 2.0**bits) / 2.0**bits
    ulp, tolerance = 2.0**-bits, 2.0**-11
    for body, plain in ((np.reciprocal, 1 / grid), (mpc.rsqrt, grid**-0.5), (np.log, np.log(grid))):
        got = result(protocol, body, grid, bits=bits)
        assert np.abs(got - plain).max() < tolerance + 2 * ulp
    both = np.concatenate([-grid, grid + 2])
    got = result(protocol, np.exp, both, bits=bits)
    assert (np.abs(got - np.exp(both)) - 2 * ulp < 2.0**-14 * np.exp(both)).all()


def test_a_function_runs_on_plain_arrays_and_on_secret_ones() -> None:
    def score(x):
        scaled = (x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + 0.01)
        return np.where(scaled.max(axis=1) > 1, mpc.sigmoid(scaled.sum(axis=1)), np.tanh(scaled[:, 0]))

    x = np.random.default_rng(3).normal(size=(30, 4))
    np.testing.assert_allclose(result("replicated3", score, x), score(x), atol=2e-3)


@each
def test_long_arrays_go_piece_by_piece(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SMALLEST", 100)
    grid = np.linspace(-6, 6, 1003)
    np.testing.assert_allclose(result(protocol, mpc.sigmoid, grid), mpc.sigmoid(grid), atol=sigmoid.MAX_ERROR)
    table = np.linspace(1, 6, 300).reshape(3, 100)
    np.testing.assert_allclose(result(protocol, np.exp, table), np.exp(table), rtol=1e-4)


@pytest.mark.parametrize("protocol", ["dealer", "replicated3"])
def test_means_of_many_numbers(protocol: str) -> None:
    # 1 / 23,000 itself would be 46 units, which is 0.9 % too much
    values = np.random.default_rng(3).normal(5, 2, 23_000)

    def body(x):
        return np.concatenate([each.reshape(1) for each in (x.mean(), x.var(), x.sum() / len(values))])

    found = result(protocol, body, values)
    np.testing.assert_allclose(found, [values.mean(), values.var(), values.mean()], atol=1e-4)
