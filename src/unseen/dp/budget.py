"""What answers about somebody's data spend, and what is left of what its owner allows (隐私预算).

Answers add up: k answers with epsilon each spend k times epsilon (Dwork, McSherry, Nissim, Smith, "Calibrating Noise to
Sensitivity in Private Data Analysis", TCC 2006). An answer without noise spends no bounded amount: it is counted, for two
exact answers about sets that differ in a row tell of that row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """What answers have told of one data set.

    Attributes
    ----------
    answers
        Runs that told something about it.
    epsilon
        The sum over those with noise.
    exact
        How many of the answers had no noise.
    """

    answers: int = 0
    epsilon: float = 0.0
    exact: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.answers + other.answers, self.epsilon + other.epsilon, self.exact + other.exact)


EXACT = Spent(1, 0.0, 1)
"""One answer without noise."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What an owner allows; None: no limit.

    Attributes
    ----------
    epsilon
        All answers together. Where it is set, an answer without noise is refused.
    answers
        How many runs may tell something.
    """

    epsilon: float | None = None
    answers: int | None = None

    def objection(self, spent: Spent, more: Spent) -> str:
        """Why `more` is too much after `spent`, saying what is left; empty if it is not."""
        if self.answers is not None and spent.answers + more.answers > self.answers:
            return f"it allows {self.answers} answers, {spent.answers} were given, {max(0, self.answers - spent.answers)} left"
        if self.epsilon is None:
            return ""
        if more.exact:
            return "it allows answers with noise only, and this one has none"
        left = self.epsilon - spent.epsilon
        if more.epsilon > left * (1 + 1e-12):
            return (
                f"it allows epsilon {self.epsilon:g} in all, {spent.epsilon:g} were spent, {max(0.0, left):g} left; "
                f"this run would spend {more.epsilon:g}"
            )
        return ""


def total(parts: Iterable[Spent]) -> Spent:
    """All of them together; sums of epsilon are exact to the last digit, in any order."""
    known = tuple(parts)
    return Spent(
        sum(part.answers for part in known),
        math.fsum(part.epsilon for part in known),
        sum(part.exact for part in known),
    )
