"""Columns of rows of which nobody knows whether they are there: mean 0 and standard deviation 1 over those that are.

Everything stays in shares: how many rows there are, means, deviations. Rows that are not there are 0.

Method
    Sums and sums of squares exactly, then divided by a power of two; the number of rows likewise; 1/x and 1/sqrt(x) of the engine. The
    rows stay as they are: standardised, they would be the columns, with the members as one column more, times a small matrix
    (:attr:`SecretScaling.basis`), and what trains on them multiplies its vectors by that instead (:mod:`unseen.learn.vertical.linear.newton`).
Security
    That of the engine's protocol; only shapes are told.
Errors
    Mean and factor to 2^-14 of their size, tested. What was taken off and multiplied by is known in shares, so a linear model can be
    turned back exactly (:func:`unscaled`). A column that does not vary gets the factor 16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.mpc import Engine, SecretArray, rsqrt

_LEAST_VARIANCE = 2.0**-8


@dataclass(frozen=True, slots=True)
class SecretScaling:
    """x -> (x - mean) * factor for each column; both of shape (columns,)."""

    mean: SecretArray
    factor: SecretArray

    @property
    def basis(self) -> SecretArray:
        """Columns and members, side by side, times it are the standardised columns and the members: shape (columns + 1, columns + 1)."""
        engine, width = self.mean.engine, len(self.mean)
        diagonal = self.factor.reshape(1, width) * np.eye(width, dtype=np.int64)
        of_members = -(self.mean * self.factor).reshape(1, width)
        last = engine.lift(np.r_[np.zeros(width), 1.0]).reshape(-1, 1)
        return engine.concatenate([engine.concatenate([diagonal, of_members]), last], axis=1)


def standardising(engine: Engine, columns: SecretArray, member: SecretArray) -> SecretScaling:
    """What makes the columns have mean 0 and mean square 1 over the members.

    Parameters
    ----------
    columns
        Shape (places, columns), 0 where there is no row; the squares of a column add up to less than 2^22.
    member
        Secret Booleans, shape (places,). Of no members at all the result is nonsense, and zeros.
    """
    places = len(columns)
    shift = max(1, (places - 1).bit_length())
    there = engine.as_number(member)
    # numbers of rows and sums as parts of 2^shift, so that they fit the format
    part = engine.truncate(engine.scaled(there.sum().reshape(1), engine.bits), engine.bits, divide_by=shift)
    each = np.reciprocal(part)
    summed = engine.truncate(columns.sum(axis=0), engine.bits, divide_by=shift)
    squares = engine.number(engine.protocol.inner(columns.share, columns.share), 2 * columns.bits)
    squared = engine.truncate(squares, engine.bits, divide_by=shift)
    mean = summed * each
    return SecretScaling(mean, rsqrt(np.maximum(squared * each - mean * mean, _LEAST_VARIANCE)))


def unscaled(weights: SecretArray, scaling: SecretScaling) -> SecretArray:
    """Weights for columns as they were before, of weights for standardised ones; the intercept (or those of all classes) last."""
    engine, width = weights.engine, len(weights) - 1
    mean, factor = (one.reshape(-1, *[1] * (weights.ndim - 1)) for one in (scaling.mean, scaling.factor))
    of_columns = weights[:width] * factor
    taken_off = (of_columns * mean).sum(axis=0).reshape(1, *weights.shape[1:])
    return engine.concatenate([of_columns, weights[width:] - taken_off])


def standardised(engine: Engine, values: SecretArray, member: SecretArray) -> tuple[SecretArray, SecretArray]:
    """One column, between -1024 and 1024, less its mean over the members and divided by its deviation (0 in other rows); and these two.

    Shapes (places,) and (2,): deviation, mean. Both are right to 2^-14 of their size, and what they are taken off and divided by.
    """
    shift = max(1, (len(values) - 1).bit_length())

    def part(number: SecretArray) -> SecretArray:
        return engine.truncate(engine.as_real(number), engine.bits, divide_by=shift).reshape(1)

    each = np.reciprocal(part(engine.as_number(member).sum()))
    mean = part(engine.select(member, values).sum()) * each
    centred = engine.select(member, values - mean)
    variance = np.maximum(part((centred * centred).sum()) * each, _LEAST_VARIANCE)
    factor = rsqrt(variance)
    return centred * factor, engine.concatenate([variance * factor, mean])
