"""Columns made comparable within the model: each holder its own, on its training rows, so that any numbers will do.

What was fitted is the holder's private part of the model. The weights stay those of the scaled columns; in the units of the
columns themselves a coefficient is divided by its column's scale, which its owner does alone, and the intercept moves by
`center / scale` times the weights of all columns, a product under shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

_CONSTANT = 1e-12


@dataclass(frozen=True, slots=True)
class Scaling:
    """Center and scale of a holder's columns; a constant column has scale 1 and becomes 0."""

    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, own: NDArray[np.float64], names: tuple[str, ...]) -> Scaling:
        """Mean and standard deviation.

        Raises
        ------
        UsageError
            Missing values, infinite ones, or such that a deviation is.
        """
        bad = [names[place] for place in np.flatnonzero(~np.isfinite(own).all(axis=0))]
        if bad:
            raise UsageError(
                f"Columns have missing or infinite values: {', '.join(bad)}.",
                mend="put a rule that fills them into the step 'prepare' before it",
            )
        with np.errstate(over="ignore", invalid="ignore"):
            center, scale = own.mean(axis=0), own.std(axis=0)
        if wide := [names[place] for place in np.flatnonzero(~np.isfinite(scale))]:
            raise UsageError(
                f"Columns have numbers too large to be scaled: {', '.join(wide)}.",
                why="their squares are beyond the largest number there is",
                mend="clip them (step 'prepare'), or correct the table",
            )
        constant = scale <= _CONSTANT * np.maximum(1.0, np.abs(center))
        return cls(center, np.where(constant, 1.0, scale))

    @classmethod
    def none(cls, columns: int) -> Scaling:
        """Columns as they are."""
        return cls(np.zeros(columns), np.ones(columns))

    @classmethod
    def of(cls, private: Mapping[str, NDArray[Any]]) -> Scaling | None:
        """That of a model, if it has one."""
        return cls(private["center"], private["scale"]) if "scale" in private else None

    def apply(self, own: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scaled columns.

        Raises
        ------
        UsageError
            Missing or infinite values.
        """
        made: NDArray[np.float64] = (own - self.center) / self.scale
        if not np.isfinite(made).all():
            places = np.flatnonzero(~np.isfinite(made).all(axis=0)) + 1
            raise UsageError(
                "Columns to be scored have missing or infinite values.",
                why=f"of the columns of training, by number: {', '.join(map(str, places))}",
                mend="fill them by the rules of training (step 'transform')",
            )
        return made

    @property
    def private(self) -> dict[str, NDArray[np.float64]]:
        """As a holder's part of the model."""
        return {"center": self.center, "scale": self.scale}
