"""Public data sets as columns and a label, in the folder that UNSEEN_DATA names; nothing of them ships with this project.

Words become one column for each word but the most frequent one that a hundredth of the rows have (`words="columns"`), or its number
in the order of the words ("numbers"); a missing number becomes the median. Half of the columns are the first holder's, unless the set
comes in files of the holders, two or three.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

_RARE = 0.01
Words = Literal["columns", "numbers"]


@dataclass(frozen=True, slots=True)
class Public:
    """Columns of all holders, shape (rows, width); how many of them each holder has, in order; the label, at the first holder."""

    name: str
    columns: NDArray[np.float64]
    widths: tuple[int, ...]
    label: NDArray[np.float64]

    @property
    def left(self) -> int:
        """How many columns the first holder has."""
        return self.widths[0]

    def split(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Training and held-out rows, a quarter."""
        order = np.random.default_rng(seed).permutation(len(self.label))
        cut = len(order) // 4
        return order[cut:], order[:cut]


def load(name: str, *, words: Words = "columns") -> Public | None:
    """The data set of that name, or None where it is not there."""
    folder = os.environ.get("UNSEEN_DATA")
    try:
        return None if not folder else _KNOWN[name](name, Path(folder), words)
    except FileNotFoundError:
        return None


def _read(path: Path, options: csv.ReadOptions | None = None) -> pa.Table:
    if not path.exists():
        raise FileNotFoundError(path)
    return csv.read_csv(path, read_options=options)


def _two_files(stem: str, label: str, name: str, folder: Path, words: Words) -> Public:
    guest, host = (_read(folder / f"{stem}_hetero_{end}.csv") for end in ("guest", "host"))
    key = guest.column_names[0]
    order = [pc.sort_indices(table, sort_keys=[(key, "ascending")]) for table in (guest, host)]
    guest, host = (table.take(rows) for table, rows in zip((guest, host), order, strict=True))
    if not guest.column(key).equals(host.column(key)):
        raise ValueError(f"{stem}: the rows of the two files are not the same")
    y = np.asarray(guest.column(label), float)
    return _of_parts(
        name, [_matrix(guest.drop_columns([key, label]), words), _matrix(host.drop_columns([key]), words)], y
    )


def _one_file(
    path: str, label: str, positive: str, without: tuple[str, ...], name: str, folder: Path, words: Words
) -> Public:
    table = _read(folder / path)
    y = np.array([str(item) == positive for item in table.column(label).to_pylist()], float)
    columns = _matrix(table.drop_columns([label, *without]), words)
    half = columns.shape[1] // 2
    return _of_parts(name, [columns[:, :half], columns[:, half:]], y)


def _three_files(stem: str, name: str, folder: Path, words: Words) -> Public:
    """Three holders' files without heads, rows in one order, the label last in the first."""
    heads = csv.ReadOptions(autogenerate_column_names=True)
    first, *others = (_read(folder / f"{stem}_client_{place}.txt", heads) for place in range(3))
    label = first.column_names[-1]
    parts = [_matrix(table, words) for table in (first.drop_columns([label]), *others)]
    return _of_parts(name, parts, np.asarray(first.column(label), float))


def _of_parts(name: str, parts: list[NDArray[np.float64]], label: NDArray[np.float64]) -> Public:
    return Public(name, np.hstack(parts), tuple(part.shape[1] for part in parts), label)


def _matrix(table: pa.Table, words: Words) -> NDArray[np.float64]:
    parts = []
    for column in table.columns:
        if pa.types.is_string(column.type):
            parts += _words(column) if words == "columns" else [_numbered(column)]
        else:
            numbers = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
            parts.append(np.where(np.isnan(numbers), np.nanmedian(numbers), numbers))
    kept = [part for part in parts if part.std() > 0]
    return np.column_stack(kept)


def _numbered(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.unique([str(item) for item in column.to_pylist()], return_inverse=True)[1].astype(float)


def _words(column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
    values = np.array([str(item) for item in column.to_pylist()])
    found, counts = np.unique(values, return_counts=True)
    common = found[np.argsort(-counts)][: int((counts >= _RARE * len(values)).sum())]
    return [(values == word).astype(float) for word in common[1:]]


_LATE = (  # known only when a loan was charged off, or names and numbers
    "Selected", "LoanNr_ChkDgt", "Name", "City", "State", "Zip", "Bank", "BankState", "ApprovalDate", "ApprovalFY",
    "ChgOffDate", "DisbursementDate", "MIS_Status", "ChgOffPrinGr", "BalanceGross", "xx", "daysterm", "FranchiseCode",
)  # fmt: skip
_KNOWN: dict[str, Callable[[str, Path, Words], Public]] = {
    "breast": partial(_two_files, "fate_breast/breast", "y"),
    "default_credit": partial(_two_files, "fate_default_credit/default_credit", "y"),
    "student": partial(_two_files, "fate_student/student", "y"),
    "dvisits": partial(_two_files, "fate_dvisits/dvisits", "doctorco"),
    "vehicle": partial(_two_files, "fate_vehicle/vehicle_scale", "y"),
    "german_credit": partial(_one_file, "german_credit/german.csv", "credit", "2", ()),
    "bank": partial(_one_file, "bank_marketing/bank-full.csv", "y", "yes", ()),
    "fraud": partial(
        _one_file, "vehicle_insurance_fraud/fraud_oracle.csv", "FraudFound_P", "1", ("PolicyNumber",)
    ),
    "sba": partial(_one_file, "sba_small_business_loans/SBAcase.11.13.17.csv", "Default", "1", _LATE),
    "pivot_bank": partial(_three_files, "pivot_3party_vertical/bank"),
    "pivot_credit": partial(_three_files, "pivot_3party_vertical/credit"),
}
NAMES = tuple(_KNOWN)
