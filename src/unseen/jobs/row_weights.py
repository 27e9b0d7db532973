"""Weights of the rows that a step trains on: a column of a table of its own, at one holder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles
from unseen.jobs.tables import Matrix, to_table
from unseen.party import Party

INPUT, ROLE = "weights", "weight_holder"


def of_rows(
    party: Party, inputs: Mapping[str, Artefact], column: str, roles: Roles, own: Matrix | None
) -> NDArray[np.float64] | None:
    """The weights, at their holder; None elsewhere, and where there are none.

    Raises
    ------
    UsageError
        A column without a holder or the other way round, no such table, other rows, or weights that would be a feature too.
    """
    if bool(column) != bool(roles.all(ROLE)):
        raise UsageError("Weights of rows need a `weight_column` and a party as `weight_holder`.")
    if own is None or party.name != roles.maybe(ROLE):
        return None
    if INPUT not in inputs:
        raise UsageError(f"{party.name} is to bring weights, but has no input `weights`.")
    if column in own.columns:
        raise UsageError(
            f"The weights '{column}' are among the features, too.",
            why="the model would learn from how much a row counts",
            mend="say that nobody uses that column (`--ignore` of `asset add`, `ignore_columns` in Python): weights are found there all the same",
        )
    found: NDArray[np.float64] = to_table(inputs[INPUT]).numeric((column,))[:, 0]
    if len(found) != len(own.values):
        raise UsageError(
            f"There are {len(found)} weights for {len(own.values)} rows.",
            mend="take them from the task that made the training rows",
        )
    return found
