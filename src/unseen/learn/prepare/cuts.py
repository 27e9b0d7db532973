"""Cut a column of numbers into bins, at its holder alone: quantiles, equal widths, and which bin a value falls into.

Bin i holds the values v with cuts[i - 1] <= v < cuts[i], so that "v < cuts[i]" is what a tree asks. There is one bin more
than there are cuts. A missing value (NaN) has a code of its own behind the bins; infinities fall into the outermost bins.

Cuts are values of the column: whoever is told them is told these values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError

Floats = NDArray[np.float64]
Codes = NDArray[Any]
MOST_BINS = 1 << 16
"""More would no longer be bins, and codes of two bytes hold as many."""


def quantile_cuts(column: Floats, bins: int) -> Floats:
    """Ascending cuts between `bins` bins of about as many rows each; fewer where values come often.

    A cut stands where the value changes, at the place nearest to the quantile: equal values are never parted, and a
    column of no more than `bins` values gets one bin a value. Missing values and infinities do not count.

    Parameters
    ----------
    column
        float64, shape (rows,).

    Returns
    -------
    float64, shape (fewer than `bins`,); none for a constant column.

    Raises
    ------
    UsageError
        No finite value, or a number of bins that is none.
    """
    values, counts = np.unique(_finite(column, bins), return_counts=True)
    if len(values) <= bins:
        return values[1:]
    ends = np.cumsum(counts)[:-1]  # rows below values[i + 1]
    wanted = np.arange(1, bins) * (counts.sum() / bins)
    above = np.clip(np.searchsorted(ends, wanted), 1, len(ends) - 1)
    nearest = np.where(wanted - ends[above - 1] <= ends[above] - wanted, above - 1, above)
    cuts: Floats = values[np.unique(nearest) + 1]
    return cuts


def cuts_of_columns(values: Floats, names: Sequence[str], bins: int) -> tuple[Floats, ...]:
    """:func:`quantile_cuts` of each column of values (rows, columns).

    Raises
    ------
    UsageError
        Columns without a single number: all of them are named.
    """
    empty = [name for name, column in zip(names, values.T, strict=True) if not np.isfinite(column).any()]
    if empty:
        raise UsageError(
            f"Columns without a single number cannot be cut into bins: {', '.join(empty)}.",
            why=f"all of their {len(values)} values are missing",
            mend="leave the columns out (--ignore), or fill them first",
        )
    return tuple(quantile_cuts(column, bins) for column in values.T)


def width_cuts(column: Floats, bins: int) -> Floats:
    """Ascending cuts between `bins` intervals of equal width from the least to the largest finite value.

    Raises
    ------
    UsageError
        No finite value, or a number of bins that is none.
    """
    values = _finite(column, bins)
    low, high = float(values.min()), float(values.max())
    inner = np.arange(1, bins) / bins
    cuts: Floats = np.unique(low * (1 - inner) + high * inner)  # no difference: it may be beyond all floats
    return cuts[(cuts > low) & (cuts <= high)]


def place(column: Floats, cuts: Floats) -> Codes:
    """The bin of each value, shape (rows,), in the smallest unsigned integers that hold len(cuts) + 1.

    Missing values have the code len(cuts) + 1, whether there are any or not: a code that training has not met can come
    at scoring.
    """
    missing = len(cuts) + 1
    codes = np.searchsorted(cuts, column, side="right").astype(np.min_scalar_type(missing))
    codes[np.isnan(column)] = missing
    return codes


def _finite(column: Floats, bins: int) -> Floats:
    if not 1 <= bins <= MOST_BINS:
        raise UsageError(f"A column is cut into 1 to {MOST_BINS} bins, not into {bins}.")
    finite: Floats = column[np.isfinite(column)]
    if not len(finite):
        raise UsageError(
            "A column without a single number cannot be cut into bins.",
            why=f"all of its {len(column)} values are missing or infinite",
            mend="leave the column out (--ignore), or fill it first",
        )
    return finite
