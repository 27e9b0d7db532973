"""How much a number differs between two groups of common records: by how much, and whether by more than chance would have it.

Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances are Involved" (Biometrika 1947).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unseen import mpc
from unseen.core.errors import UsageError
from unseen.jobs.function import Input, Output, function

_MOST_RECORDS = 1 << 20
_SMALLER = 2.0**-14
_FITS = 2.0**20


@function(
    version=2,
    summary="Difference of the means of two groups, and Welch's t; nothing of groups that are too small.",
    inputs={
        "value": Input("the number that is compared; below 1000 in size"),
        "group": Input("1 in the one group, 0 in the other", kind=bool),
    },
    outputs={
        "enough": Output("whether both groups have as many members as agreed"),
        "difference": Output("mean of group 1 less mean of group 0; 0 where a group is too small"),
        "t": Output("Welch's t of that difference; 0 where a group is too small"),
    },
    options={"at_least": 10},
    bytes_per_row=410.0,
    rounds=125,
)
def group_difference(value: Any, group: Any, *, at_least: int) -> dict[str, Any]:
    """Every record counts alike. With groups of fewer than `at_least` members only that is told."""
    if len(value) > _MOST_RECORDS:
        raise UsageError(
            f"There are {len(value)} records, and {_MOST_RECORDS} can be.", mend="take a sample first"
        )
    each = 2.0 ** -math.ceil(math.log2(len(value)))  # a power of two, which fixed point has exactly
    ones = group.sum().reshape(1)
    sizes = np.concatenate([ones, len(value) - ones])
    enough = ((sizes >= at_least).sum() >= 2).reshape(1)  # noqa: PLR2004 - both
    members = np.stack([group * 1, 1 - group * 1])
    # What is divided by the number of records is sums, not records: each division costs up to a unit of the format. A group of
    # nobody counts as one of 1: nothing is told then.
    share = np.reciprocal(np.maximum(sizes, 1) * each)
    means = (members * value).sum(axis=1) * each * share
    off = value - (members * means.reshape(2, 1)).sum(axis=0)
    # Squares over records as a product of two roots of it, so that what is cut off is cut off of the sum, not of each record.
    root = 2.0 ** -(math.ceil(math.log2(len(value))) // 2)
    variances = (members * (off * root)) @ (off * (each / root)) * share
    difference = means[0] - means[1]
    # Variances of small groups of many records are large against their size: they are made smaller where they would not fit.
    small = (variances * _SMALLER * share).sum()
    fits = small < _FITS * _SMALLER
    error = np.where(fits, (variances * share).sum(), small)
    t = difference * mpc.rsqrt(error) * np.where(fits, 1.0, math.sqrt(_SMALLER)) * math.sqrt(1 / each)
    return {
        "enough": enough,
        "difference": np.where(enough, difference, 0.0),
        "t": np.where(enough, t, 0.0),
    }


FUNCTION = group_difference
