"""Descent by mini-batches in shares is descent in clear, under every protocol that it is meant for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.learn.vertical.linear import newton, sgd
from unseen.mpc import Engine, SecretArray
from unseen.mpc.functions.sigmoid import WAVE_ERROR, WAVE_RANGE, wave
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

PROTOCOLS = {
    "plain": ("a",),
    "dealer2": ("a", "b", "helper"),
    "replicated3": ("a", "b", "c"),
    "pair2": ("a", "b"),
}
TOLD = [Disclosure("result", "the result of a test", ("a",), Door.REVEAL, times=9)]
ROWS, WIDTH = 300, 4
RNG = np.random.default_rng(5)
X = RNG.normal(size=(ROWS, WIDTH))
X = (X - X.mean(axis=0)) / X.std(axis=0)
SCORES = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.3
Y = (RNG.random(ROWS) < 1 / (1 + np.exp(-SCORES))).astype(float)
W = RNG.integers(1, 4, ROWS) / 2.0


def compute(protocol: str, function: Callable[[Engine], SecretArray]) -> Any:
    names = PROTOCOLS[protocol]
    holders = tuple(name for name in names if name != "helper")
    helper = "helper" if "helper" in names else None

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        return engine.reveal("result", function(engine), to=("a",))

    return run(program, names, disclosures=TOLD, timeout_s=60).results["a"]


def secret(engine: Engine, values: np.ndarray) -> SecretArray:
    mine = values if engine.protocol.party.name == "a" else None
    return engine.share(mine, owner="a", shape=values.shape)


HOT = np.eye(3)[np.digitize(SCORES + RNG.logistic(size=ROWS), [-1.0, 1.0])]
COUNTS = RNG.poisson(np.exp(0.4 * SCORES + 1)).astype(float)


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    made: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return made


MEANS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "linear": lambda z: z,
    "multinomial": softmax,
    "poisson": np.exp,
}


def in_clear(how: sgd.Descent, labels: np.ndarray, family: str, weights: np.ndarray | None) -> np.ndarray:
    full = np.column_stack([X, np.ones(ROWS)])
    found = np.zeros((WIDTH + 1, *labels.shape[1:]))
    if family == "poisson":
        found[-1] = np.log(labels.mean())
    velocity, signs = np.zeros(found.shape), np.zeros(found.shape)
    order, starts = np.random.default_rng(how.seed), np.arange(0, ROWS, how.batch)
    free = np.zeros(found.shape, bool)
    free[-1] = True
    for epoch in range(how.epochs):
        for place in order.permutation(len(starts)):
            part = slice(starts[place], starts[place] + how.batch)
            now = np.where(free | (signs != 0) | (epoch == 0 or not how.l1), found, 0)
            errors = MEANS[family](full[part] @ now) - labels[part]
            errors = errors if weights is None else (errors.T * weights[part]).T
            penalty = (how.l1 * signs + how.l2 * now * ~free) * len(errors) / ROWS
            slope = (full[part].T @ errors + penalty) / how.batch
            velocity = how.momentum * velocity + how.rate_of(epoch) * slope
            found = found - velocity
        if how.l1 and epoch:
            limit = how.rate_of(epoch) / how.batch * how.l1 / (1 - how.momentum)
            sets_out = np.sign(found) * np.maximum(np.abs(found) - limit, 0) / len(starts)
            stays = np.where(found * signs > 0, found, 0)
            found = np.where(free, found, np.where(signs == 0, sets_out, stays))
        if how.l1:
            signs = np.where(free, 0, np.sign(found))
    return found


PLAIN = sgd.Descent(epochs=3, batch=64, rate=0.5)
CASES = {
    "plain": (PLAIN, Y, "logistic", None),
    "momentum and a penalty": (sgd.Descent(3, 64, 0.25, momentum=0.5, l2=3.0), Y, "logistic", None),
    "weights of rows": (PLAIN, Y, "logistic", W),
    "exact sigmoid": (sgd.Descent(2, 128, 0.5, exact=True), Y, "logistic", None),
    "linear": (sgd.Descent(3, 64, 0.125), SCORES, "linear", None),
    "an elastic net": (sgd.Descent(6, 64, 0.25, momentum=0.5, l2=3.0, l1=25.0), Y, "logistic", W),
    "several classes": (sgd.Descent(2, 128, 0.5, momentum=0.5, l2=3.0), HOT, "multinomial", W),
    "several classes, l1": (sgd.Descent(4, 128, 0.5, l1=12.0, last_rate=0.2), HOT, "multinomial", None),
    "counts": (sgd.Descent(4, 64, 0.125, l1=10.0), COUNTS, "poisson", None),
}
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("protocol", "case"),
    [("plain", case) for case in CASES]
    + [("dealer2", "momentum and a penalty"), ("dealer2", "weights of rows"), ("replicated3", "plain")]
    + [
        pytest.param(protocol, case, marks=LONG)
        for protocol in ("dealer2", "replicated3", "pair2")
        for case in ("an elastic net", "several classes", "several classes, l1", "counts")
    ],
)
def test_it_is_the_descent_in_clear(protocol: str, case: str) -> None:
    how, labels, family, weights = CASES[case]

    def train(engine: Engine) -> SecretArray:
        own = None if weights is None else secret(engine, weights)
        return sgd.fit(engine, secret(engine, X), secret(engine, labels), how, family=family, weights=own)  # type: ignore[arg-type]

    found, wanted = compute(protocol, train), in_clear(how, labels, family, weights)
    assert np.abs(found - wanted).max() < 2e-3
    assert ((found == 0) == (wanted == 0)).all()


def test_it_goes_on_from_where_it_stopped() -> None:
    def train(engine: Engine) -> SecretArray:
        x, y = secret(engine, X), secret(engine, Y)
        how = replace(PLAIN, stop_every=1)
        first = sgd.fit(engine, x, y, how, still=lambda _before, _now: True)
        return sgd.fit(engine, x, y, sgd.Descent(epochs=40, batch=64, rate=0.125), start=first)

    found = compute("plain", train)
    errors = 1 / (1 + np.exp(-(X @ found[:-1] + found[-1]))) - Y
    assert np.abs(np.column_stack([X, np.ones(ROWS)]).T @ errors).max() / ROWS < 0.02


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_quick_sigmoid_and_how_far_it_is_right(protocol: str) -> None:
    grid = np.linspace(-WAVE_RANGE, WAVE_RANGE, 4001)

    def both(engine: Engine) -> SecretArray:
        x = secret(engine, grid)
        exact = engine.number(x.share << np.uint64(20), 40)  # as a product that was not truncated
        return engine.concatenate([wave(x), wave(exact)])

    expected = 1 / (1 + np.exp(-grid))
    assert np.abs(compute(protocol, both) - np.r_[expected, expected]).max() < WAVE_ERROR


@pytest.mark.parametrize(("size", "beyond"), [(1.0, False), (40.0, True)])
def test_scores_out_of_its_range_are_noticed(size: float, *, beyond: bool) -> None:
    weights = np.r_[np.zeros(WIDTH), size]
    found = compute(
        "dealer2", lambda engine: sgd.left_range(engine, secret(engine, X), secret(engine, weights))
    )
    assert bool(found) == beyond


def test_counts_out_of_the_range_of_means_are_noticed() -> None:
    """Scores over 8; means that add up to 0, as after a step that was too long; the optimum, with weights and without."""
    how = newton.Newton("poisson", l2=1.0)

    def lost(engine: Engine) -> SecretArray:
        x, y, w = secret(engine, X), secret(engine, COUNTS), secret(engine, W)
        far = [secret(engine, np.r_[np.zeros(WIDTH), intercept]) for intercept in (20.0, -20.0)]
        found = [sgd.lost_counts(engine, x, y, each) for each in far]
        found.append(sgd.lost_counts(engine, x, y, newton.fit(engine, x, y, how)))
        found.append(sgd.lost_counts(engine, x, y, newton.fit(engine, x, y, how, weights=w), of_rows=w))
        return engine.concatenate([each.reshape(1) for each in found])

    assert compute("plain", lost).tolist() == [True, True, False, False]
    with pytest.raises(UsageError, match="too large"):
        sgd.check_counts(np.array([1.0, 5000.0]))


def test_coefficients_that_are_0_begin_there() -> None:
    start = in_clear(*CASES["an elastic net"])
    how = sgd.Descent(1, 64, 0.01, l2=3.0, l1=25.0)

    def train(engine: Engine) -> SecretArray:
        x, y, w = (secret(engine, each) for each in (X, Y, W))
        return sgd.fit(engine, x, y, how, weights=w, start=secret(engine, start))

    found = compute("plain", train)
    assert (start == 0).any()
    assert ((found == 0) == (start == 0)).all()
    assert np.abs(found - start).max() < 0.1


def test_an_l1_that_there_is_no_room_for_is_refused() -> None:
    def train(engine: Engine) -> SecretArray:
        how = sgd.Descent(2, 256, 0.5, l1=1e6)
        return sgd.fit(engine, secret(engine, X), secret(engine, Y), how)

    with pytest.raises(UsageError, match="no room"):
        compute("plain", train)


def test_batches_that_are_too_large_are_refused() -> None:
    with pytest.raises(UsageError, match="too large"):
        compute(
            "plain",
            lambda engine: sgd.fit(engine, secret(engine, X), secret(engine, Y), sgd.Descent(batch=1 << 15)),
        )


@pytest.mark.parametrize("protocol", ["plain", "dealer2"])
def test_newton_in_blocks_of_rows_is_newton(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(engine: Engine) -> SecretArray:
        return newton.fit(engine, secret(engine, X), secret(engine, Y), newton.Newton(iterations=4))

    whole = compute("plain", train)
    monkeypatch.setattr(newton, "_BLOCK", 77)
    assert np.abs(compute(protocol, train) - whole).max() < 2e-5
