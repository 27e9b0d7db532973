"""Public data sets as columns and a label, in the folder that UNSEEN_DATA names; nothing of them ships with this project.

Words become one column for each word but the most frequent one that a hundredth of the rows have; a missing number becomes the
median. Half of the columns are the first holder's, unless the set comes in two files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

_RARE = 0.01


@dataclass(frozen=True, slots=True)
class Public:
    """Columns of both holders, shape (rows, width), the first `left` of them the first holder's; the label."""

    name: str
    columns: NDArray[np.float64]
    left: int
    label: NDArray[np.float64]

    def split(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Training and held-out rows, a quarter."""
        order = np.random.default_rng(seed).permutation(len(self.label))
        cut = len(order) // 4
        return order[cut:], order[:cut]


def load(name: str) -> Public | None:
    """The data set of that name, or None where it is not there."""
    folder = os.environ.get("UNSEEN_DATA")
    try:
        return None if not folder else _KNOWN[name](name, Path(folder))
    except FileNotFoundError:
        return None


def _read(path: Path) -> pa.Table:
    if not path.exists():
        raise FileNotFoundError(path)
    return csv.read_csv(path)


def _two_files(stem: str, label: str) -> Callable[[str, Path], Public]:
    def make(name: str, folder: Path) -> Public:
        guest, host = (_read(folder / f"{stem}_hetero_{end}.csv") for end in ("guest", "host"))
        key = guest.column_names[0]
        order = [pc.sort_indices(table, sort_keys=[(key, "ascending")]) for table in (guest, host)]
        guest, host = (table.take(rows) for table, rows in zip((guest, host), order, strict=True))
        if not guest.column(key).equals(host.column(key)):
            raise ValueError(f"{stem}: the rows of the two files are not the same")
        y = np.asarray(guest.column(label), float)
        left = _matrix(guest.drop_columns([key, label]))
        return Public(name, np.hstack([left, _matrix(host.drop_columns([key]))]), left.shape[1], y)

    return make


def _one_file(
    path: str, label: str, positive: str, *, without: tuple[str, ...] = ()
) -> Callable[[str, Path], Public]:
    def make(name: str, folder: Path) -> Public:
        table = _read(folder / path)
        y = np.array([str(item) == positive for item in table.column(label).to_pylist()], float)
        columns = _matrix(table.drop_columns([label, *without]))
        return Public(name, columns, columns.shape[1] // 2, y)

    return make


def _matrix(table: pa.Table) -> NDArray[np.float64]:
    parts = []
    for column in table.columns:
        if pa.types.is_string(column.type):
            parts += _words(column)
        else:
            numbers = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
            parts.append(np.where(np.isnan(numbers), np.nanmedian(numbers), numbers))
    kept = [part for part in parts if part.std() > 0]
    return np.column_stack(kept)


def _words(column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
    values = np.array([str(item) for item in column.to_pylist()])
    found, counts = np.unique(values, return_counts=True)
    common = found[np.argsort(-counts)][: int((counts >= _RARE * len(values)).sum())]
    return [(values == word).astype(float) for word in common[1:]]


_LATE = (  # known only when a loan was charged off, or names and numbers
    "Selected", "LoanNr_ChkDgt", "Name", "City", "State", "Zip", "Bank", "BankState", "ApprovalDate", "ApprovalFY",
    "ChgOffDate", "DisbursementDate", "MIS_Status", "ChgOffPrinGr", "BalanceGross", "xx", "daysterm", "FranchiseCode",
)  # fmt: skip
_KNOWN: dict[str, Callable[[str, Path], Public]] = {
    "breast": _two_files("fate_breast/breast", "y"),
    "default_credit": _two_files("fate_default_credit/default_credit", "y"),
    "student": _two_files("fate_student/student", "y"),
    "dvisits": _two_files("fate_dvisits/dvisits", "doctorco"),
    "vehicle": _two_files("fate_vehicle/vehicle_scale", "y"),
    "german_credit": _one_file("german_credit/german.csv", "credit", "2"),
    "bank": _one_file("bank_marketing/bank-full.csv", "y", "yes"),
    "fraud": _one_file(
        "vehicle_insurance_fraud/fraud_oracle.csv", "FraudFound_P", "1", without=("PolicyNumber",)
    ),
    "sba": _one_file("sba_small_business_loans/SBAcase.11.13.17.csv", "Default", "1", without=_LATE),
}
NAMES = tuple(_KNOWN)
