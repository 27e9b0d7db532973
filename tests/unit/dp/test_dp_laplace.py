"""The discrete Laplace mechanism: its law, its privacy, its edges; and sums of what was spent."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.dp import Budget, DiscreteLaplace, Spent
from unseen.dp.budget import total

MECHANISMS = [
    DiscreteLaplace(1.0, 1),
    DiscreteLaplace(0.3, 2),
    DiscreteLaplace(2.5, 7),
    DiscreteLaplace(4.0, 1),
]


def law_of_coins(mechanism: DiscreteLaplace) -> dict[int, Fraction]:
    """What the thresholds make, exactly: the difference of two numbers whose digits are these coins."""
    one = {0: Fraction(1)}
    for place, threshold in enumerate(mechanism.thresholds.tolist()):
        chance = Fraction(threshold, 1 << 64)
        one = {
            number + (digit << place): weight * (chance if digit else 1 - chance)
            for number, weight in one.items()
            for digit in (0, 1)
        }
    out: dict[int, Fraction] = {}
    near = {number: weight for number, weight in one.items() if number < 40}
    for left, heavy in near.items():
        for right, weight in near.items():
            out[left - right] = out.get(left - right, Fraction(0)) + heavy * weight
    return out


@pytest.mark.parametrize("mechanism", MECHANISMS[2:], ids=str)
def test_the_coins_make_the_law(mechanism: DiscreteLaplace) -> None:
    law = law_of_coins(mechanism)
    for noise in range(-3, 4):
        wanted = float(mechanism.probability(np.array([noise]))[0])
        assert float(law[noise]) == pytest.approx(wanted, rel=1e-3)


def chi_square(mechanism: DiscreteLaplace, noise: np.ndarray) -> float:
    """Standard deviations between what was drawn and the exact law; ends are pooled."""
    edge = int(3 * mechanism.deviation) + 1
    inner = np.arange(-edge + 1, edge)
    chances = mechanism.probability(inner)
    tail = (1 - chances.sum()) / 2
    chances = np.r_[tail, chances, tail]
    counts = np.bincount(np.clip(noise, -edge, edge) + edge, minlength=2 * edge + 1)
    expected = chances * len(noise)
    return float((((counts - expected) ** 2 / expected).sum() - 2 * edge) / math.sqrt(4 * edge))


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=str)
def test_what_is_drawn_follows_the_law(mechanism: DiscreteLaplace) -> None:
    words = np.random.default_rng(5).integers(0, 1 << 64, (40_000, 2, mechanism.places), np.uint64)
    noise = mechanism.of_words(words)
    assert chi_square(mechanism, noise) < 5
    assert noise.std() == pytest.approx(mechanism.deviation, rel=0.1)


def test_mutant_noise_of_another_width_is_found() -> None:
    wide, narrow = DiscreteLaplace(0.5, 1), DiscreteLaplace(0.55, 1)
    words = np.random.default_rng(5).integers(0, 1 << 64, (40_000, 2, narrow.places), np.uint64)
    assert chi_square(wide, narrow.of_words(words)) > 5


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=str)
def test_neighbours_are_told_apart_by_epsilon_at_most(mechanism: DiscreteLaplace) -> None:
    noise = np.arange(-60, 61)
    near, far = mechanism.probability(noise), mechanism.probability(noise + mechanism.sensitivity)
    assert (near <= far * math.exp(mechanism.epsilon) * (1 + 1e-9)).all()


def test_rounding_costs_little() -> None:
    assert all(mechanism.delta(1000) < 2.0**-40 for mechanism in MECHANISMS)
    fine = DiscreteLaplace(0.1, 1_000_000 << 20)
    assert fine.places < 60
    assert fine.thresholds[0] == (1 << 63) - 1 or abs(int(fine.thresholds[0]) - (1 << 63)) < 1 << 20


@pytest.mark.parametrize(
    ("epsilon", "sensitivity"), [(0.0, 1), (-1.0, 1), (math.inf, 1), (1.0, 0), (1e-9, 1 << 60)]
)
def test_what_is_refused(epsilon: float, sensitivity: int) -> None:
    with pytest.raises(UsageError):
        DiscreteLaplace(epsilon, sensitivity)


def test_spending_adds_up() -> None:
    spent = total(Spent(1, 0.1, 0) for _ in range(10))
    assert spent == Spent(10, 1.0, 0)
    assert spent + Spent(1, 0.0, 1) == Spent(11, 1.0, 1)


def test_a_budget_says_what_is_left() -> None:
    budget = Budget(epsilon=1.0, answers=3)
    assert budget.objection(Spent(2, 0.6), Spent(1, 0.4)) == ""
    assert "0.4 left; this run would spend 0.5" in budget.objection(Spent(2, 0.6), Spent(1, 0.5))
    assert "3 were given, 0 left" in budget.objection(Spent(3, 0.6), Spent(1, 0.1))
    assert "with noise only" in budget.objection(Spent(), Spent(1, 0.0, 1))
    assert Budget().objection(Spent(1000, 1e9, 1000), Spent(1, 0.0, 1)) == ""
    assert total(Spent(1, 0.1) for _ in range(10)).epsilon <= 1.0
