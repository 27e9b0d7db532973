"""Standardise columns: mean 0 and standard deviation 1 on the training rows.

Each holder scales its own columns with what it sees itself, so nothing is computed jointly and nothing leaks; the
numbers are those that pooled data would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is taken off and divided by, per column. A column without variation is divided by 1."""

    mean: Floats
    scale: Floats

    def apply(self, values: Floats) -> Floats:
        """Scaled columns, shape as `values`."""
        result: Floats = (values - self.mean) / self.scale
        return result


def fit(values: Floats, names: Sequence[str]) -> Scaling:
    """Mean and (population) standard deviation of the columns of `values`, shape (rows, columns).

    Raises
    ------
    UsageError
        No rows, a value that is no number, or numbers whose deviation is beyond all numbers.
    """
    if not len(values):
        raise UsageError(
            "There are no rows to standardise.", mend="bring more common rows, or hold out a smaller part"
        )
    wrong = [name for name, column in zip(names, values.T, strict=True) if not np.isfinite(column).all()]
    if wrong:
        raise UsageError(
            f"Columns with values that are no numbers: {', '.join(wrong)}.", mend="fill or drop those rows"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        scale = values.std(axis=0)
    if wide := [name for name, each in zip(names, scale, strict=True) if not np.isfinite(each)]:
        raise UsageError(
            f"Columns have numbers too large to be scaled: {', '.join(wide)}.",
            why="their squares are beyond the largest number there is",
            mend="clip them (step 'prepare'), or correct the table",
        )
    scale[scale < 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0))] = 1.0  # rounding of a constant
    return Scaling(values.mean(axis=0), scale)
