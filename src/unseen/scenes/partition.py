"""Data of a demonstration: what each holder brings, rows shuffled, overlapping in part.

Either the breast-cancer set that scikit-learn ships (569 biopsies, 30 measurements, diagnosis; W. Wolberg,
W. Street, O. Mangasarian, UCI Machine Learning Repository 1995) or files of the user's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from unseen.core.errors import UsageError

LABEL_NAMES = ("diagnosis", "label", "target", "y", "default", "class", "outcome")
_WORDS = {2: "two", 3: "three"}
KEY_NAMES = ("id", "patient", "patient_id", "customer_id", "user_id", "key", "uid")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one holder brings: a table with its key and, at one holder, its label."""

    party: str
    asset: str
    table: pa.Table
    key: str
    label: str | None

    @property
    def features(self) -> tuple[str, ...]:
        """Columns that are neither key nor label."""
        return tuple(name for name in self.table.column_names if name not in (self.key, self.label))


def breast_cancer(*, seed: int = 2026) -> tuple[Holding, Holding]:
    """Hospital (diagnosis and the 10 mean measurements) and laboratory (the other 20), 90 % of rows each.

    `diagnosis` is 1 for malignant. Identifiers are made up; which rows each side has, and their order, come
    from `seed`.
    """
    try:
        from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "The demonstration needs scikit-learn.", why=str(error), mend="pip install 'unseen[demo]'"
        ) from error
    data = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in data.feature_names]
    rng = np.random.default_rng(seed)
    count = len(data.target)
    numbers = rng.permutation(10**6)[:count]
    ids = np.array([f"P-{number:06d}" for number in numbers])
    columns = {name: pa.array(data.data[:, index]) for index, name in enumerate(names)}
    own = [name for name in names if name.startswith("mean_")]
    other = [name for name in names if name not in own]
    whole = pa.table({"patient": ids, "diagnosis": pa.array((data.target == 0).astype(np.int64)), **columns})
    return (
        Holding(
            "hospital",
            "diagnoses",
            _some_rows(whole, rng).select(["patient", "diagnosis", *own]),
            "patient",
            "diagnosis",
        ),
        Holding(
            "laboratory", "measurements", _some_rows(whole, rng).select(["patient", *other]), "patient", None
        ),
    )


def _some_rows(table: pa.Table, rng: np.random.Generator, *, share: float = 0.9) -> pa.Table:
    return table.take(pa.array(rng.permutation(table.num_rows)[: round(share * table.num_rows)]))


def from_folder(
    folder: Path, *, label: str | None = None, key: str | None = None, holders: Sequence[int] = (2,)
) -> tuple[Holding, ...]:
    """Files (CSV or Parquet) of the user's own, one for each holder; the one with the label column is the first holder.

    Parameters
    ----------
    holders
        How many files there may be.

    Raises
    ------
    UsageError
        Another number of files, no key column in common, or the label in none or several.
    """
    paths = sorted(path for path in Path(folder).glob("*") if path.suffix in {".csv", ".gz", ".parquet"})
    wanted = " or ".join(_WORDS[count] for count in holders)
    if len(paths) not in holders:
        raise UsageError(
            f"{folder} holds {len(paths)} tables where {wanted} are due.",
            why=", ".join(path.name for path in paths) or "no .csv, .csv.gz or .parquet file is in it",
            mend=f"put {wanted} files into it, one per holder, with a key column in common",
        )
    tables = [read(path) for path in paths]
    shared_key = _choose(key, KEY_NAMES, [set(table.column_names) for table in tables], "key")
    labelled = [index for index, table in enumerate(tables) if _label_of(table, label)]
    if len(labelled) != 1:
        raise UsageError(
            f"The label column is in {len(labelled)} of the {_WORDS[len(paths)]} files where it is due in one.",
            why=f"looked for {label or ', '.join(LABEL_NAMES)}",
            mend="name it with --label",
        )
    order = (labelled[0], *(index for index in range(len(paths)) if index != labelled[0]))
    return tuple(
        Holding(
            _party_name(paths[index], position),
            _asset_name(paths[index], position),
            tables[index],
            shared_key,
            _label_of(tables[index], label),
        )
        for position, index in enumerate(order)
    )


def read(path: Path) -> pa.Table:
    """A file of a table.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    try:
        return pyarrow.parquet.read_table(path) if path.suffix == ".parquet" else pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(
            f"{path.name} cannot be read.", why=str(error), mend="save it as CSV (UTF-8) or Parquet"
        ) from error


def _choose(asked: str | None, usual: tuple[str, ...], columns: list[set[str]], kind: str) -> str:
    common = set.intersection(*columns)
    for name in (asked,) if asked else usual:
        for column in sorted(common):
            if column.lower() == name.lower():
                return column
    raise UsageError(
        f"The files have no {kind} column in common.",
        why=f"looked for {asked or ', '.join(usual)}; all have: {', '.join(sorted(common)) or 'none'}",
        mend=f"name it with --{kind}",
    )


def _label_of(table: pa.Table, asked: str | None) -> str | None:
    for name in (asked,) if asked else LABEL_NAMES:
        for column in table.column_names:
            if column.lower() == name.lower():
                return str(column)
    return None


def _party_name(path: Path, position: int) -> str:
    return _slug(path.name.split(".")[0]) or ("first", "second", "third")[position]


def _asset_name(path: Path, position: int) -> str:
    return f"{_party_name(path, position)[:34]}-data"


def _slug(text: str) -> str:
    kept = "".join(char if char.isalnum() and char.isascii() else "-" for char in text.lower()).strip("-")
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.lstrip("0123456789-")[:40].rstrip("-")
