"""Weights of rows come from a column that is no feature."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs import row_weights
from unseen.jobs.step import Roles
from unseen.jobs.tables import Matrix, from_table

ROLES = Roles({"holders": ("a", "b"), "label_holder": ("a",), "weight_holder": ("b",)})


def weights(ignored: tuple[str, ...]) -> Any:
    rows = pa.table({"id": ["p", "q"], "age": [30.0, 40.0], "w": [1.0, 2.0]})
    table = from_table(Table.of(rows, id_columns=("id",), ignore_columns=ignored))
    party: Any = SimpleNamespace(name="b")
    return row_weights.of_rows(party, {"table": table, "weights": table}, "w", ROLES, Matrix.of(table))


def test_a_column_of_the_training_table_that_nobody_uses_can_be_the_weights() -> None:
    assert np.array_equal(weights(("w",)), [1.0, 2.0])


def test_weights_that_would_be_a_feature_are_refused() -> None:
    with pytest.raises(UsageError, match="among the features"):
        weights(())
