"""Tables and matrices as artefacts: what the steps of data preparation hand to each other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.canonical import KindOf
from unseen.data.identifiers import identifiers
from unseen.data.table import Table, not_two_classes
from unseen.jobs.artefacts import COMMITTED, Artefact
from unseen.jobs.step import Roles
from unseen.learn.prepare.preparation import Preparation
from unseen.mpc.binding import Commitment, commit
from unseen.party import Party


def from_table(table: Table, *, prepared: str = "") -> Artefact:
    """A table, as artefact of kind "table"; `prepared` says how its columns were made (:attr:`Matrix.prepared`)."""
    meta = {"rows": table.rows, **({"prepared": prepared} if prepared else {})}
    return Artefact("table", {"arrow": np.frombuffer(table.to_ipc(), np.uint8)}, meta)


def prepared_of(artefact: Artefact) -> str:
    """How the columns of a table or matrix were made; "" where no rule was applied."""
    return str(artefact.meta.get("prepared", ""))


def prepared_by(rules: Preparation, before: str = "") -> str:
    """How columns were made that these rules made of others, which were made so: a digest of all rules that were applied."""
    plain = json.dumps(rules.to_plain(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"unseen/prepared/1\n{before}\n{plain}".encode()).hexdigest()


def to_table(artefact: Artefact) -> Table:
    """The table of an artefact.

    Raises
    ------
    UsageError
        It is no table.
    """
    _check(artefact, "table")
    return Table.from_ipc(artefact.arrays["arrow"].tobytes())


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers ready for modelling, at one holder: shape (rows, columns), the label if it has one, and row ids.

    `commitment` is to :attr:`numbers`, where the holder has committed to them. `prepared` says how the columns were made, where
    that matters to a model: a digest of what was fitted (bins, scales), the same in training and in scoring.
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...]
    label: NDArray[np.float64] | None
    ids: Table
    commitment: Commitment | None = None
    prepared: str = ""
    label_name: str = ""

    @property
    def numbers(self) -> NDArray[np.float64]:
        """All numbers, the label as the last column: what a commitment is to."""
        return self.values if self.label is None else np.column_stack([self.values, self.label])

    def known_label(self, holder: str) -> NDArray[np.float64]:
        """The label, which `holder` is to bring: numbers, or classes from 0, shape (rows,).

        Raises
        ------
        UsageError
            There is none, or not in every row.
        """
        if self.label is None:
            raise _no_label(holder)
        missing = int(np.isnan(self.label).sum())
        if missing:
            raise UsageError(
                f"{holder}'s label {self._called}is missing in {missing} row(s).",
                mend="leave out rows without a label",
            )
        return self.label

    def binary_label(self, holder: str) -> NDArray[np.float64]:
        """The label, which `holder` is to bring, as 0 and 1, shape (rows,): of two numbers the larger one is 1.

        Raises
        ------
        UsageError
            There is none, or it has other than two classes.
        """
        label = self.known_label(holder)
        found = np.unique(label)
        if len(found) != 2:  # noqa: PLR2004 - yes and no
            raise not_two_classes(self._called, [f"{value:g}" for value in found], 0)
        larger: NDArray[np.float64] = (label == found[1]).astype(np.float64)
        return larger

    @property
    def _called(self) -> str:
        return f"'{self.label_name}' " if self.label_name else ""

    def committed(self) -> Matrix:
        """The same with a fresh commitment to its numbers.

        Raises
        ------
        UsageError
            Numbers too large or too many to be committed to; or a label of two classes that are not 0 and 1, as which it
            would be trained on.
        """
        found = np.unique([] if self.label is None else self.label)
        if len(found) == 2 and found.tolist() != [0.0, 1.0]:  # noqa: PLR2004 - yes and no
            raise UsageError(
                f"The label is {found[0]:g} or {found[1]:g}, and cannot be committed to so.",
                why="it is trained on as 0 and 1",
                mend="write it as 0 and 1 in the data",
            )
        return replace(self, commitment=commit(self.numbers))

    def _of_columns(self, columns: tuple[str, ...]) -> Matrix:
        """The same with these columns alone, in that order, if it has all of them; else itself."""
        if self.columns == columns or not set(columns) <= set(self.columns):
            return self
        places = [self.columns.index(name) for name in columns]
        return replace(self, values=self.values[:, places], columns=columns, commitment=None)

    def to_artefact(self) -> Artefact:
        """As artefact of kind "matrix"."""
        arrays: dict[str, NDArray[Any]] = {
            "values": self.values,
            "ids": np.frombuffer(self.ids.to_ipc(), np.uint8),
        }
        if self.label is not None:
            arrays["label"] = self.label
        meta: dict[str, Any] = {"columns": list(self.columns), "rows": len(self.values)}
        if self.prepared:
            meta["prepared"] = self.prepared
        if self.label_name:
            meta["label"] = self.label_name
        if self.commitment is not None:
            meta |= {COMMITTED: self.commitment.element.hex(), "blind": f"{self.commitment.blind:x}"}
        return Artefact("matrix", arrays, meta)

    @classmethod
    def of_table(
        cls, table: Table, *, missing: bool = False, columns: tuple[str, ...] | None = None
    ) -> Matrix:
        """The features of a table as they are, NaN where values are missing and may be, and its label if it has one.

        `columns`: these alone, in that order, if they are features of it; what others hold is not looked at.

        Raises
        ------
        UsageError
            Features that are no numbers.
        """
        features = columns if columns is not None and set(columns) <= set(table.features) else table.features
        label = table.outcome(table.labels[0]) if table.labels else None
        return cls(
            table.numeric(features, missing=missing),
            features,
            label,
            table.select(table.ids),
            label_name=table.labels[0] if table.labels else "",
        )

    @classmethod
    def of(
        cls, artefact: Artefact, *, missing: bool = False, columns: tuple[str, ...] | None = None
    ) -> Matrix:
        """The matrix of an artefact; of a table, its features as they are (see :meth:`of_table`, also for `columns`).

        Raises
        ------
        UsageError
            It is none.
        """
        if artefact.kind == "table":
            made = cls.of_table(to_table(artefact), missing=missing, columns=columns)
            return replace(made, prepared=prepared_of(artefact))
        _check(artefact, "matrix")
        meta = artefact.meta
        bound = (
            Commitment(bytes.fromhex(meta[COMMITTED]), int(meta["blind"], 16)) if COMMITTED in meta else None
        )
        made = cls(
            artefact.arrays["values"],
            tuple(meta["columns"]),
            artefact.arrays.get("label"),
            Table.from_ipc(artefact.arrays["ids"].tobytes()),
            bound,
            prepared_of(artefact),
            meta.get("label", ""),
        )
        return made if columns is None else made._of_columns(columns)


MOST_CLASSES = 100


def labels_at(party: Party, table: Table, wanted: bool, roles: Roles) -> dict[str, Any]:  # noqa: FBT001
    """`label_holder` and `labels` for a choice of rows by labels; nothing where none is wanted.

    Raises
    ------
    UsageError
        Nobody has the role, or its table has no label, one that is missing in some rows, or one that is no class.
    """
    if not wanted:
        return {}
    holder = roles.one("label_holder")
    if party.name != holder:
        return {"label_holder": holder}
    if not table.labels:
        raise _no_label(holder)
    labels = table.outcome(table.labels[0])
    several = len(np.unique(labels))  # each missing one counts
    if several > MOST_CLASSES or np.isnan(labels).any():
        raise UsageError(
            f"{holder}'s label has no classes to choose rows by.",
            why=f"it has {several} different values, {int(np.isnan(labels).sum())} of them missing; at most {MOST_CLASSES} are classes",
            mend="leave out `stratify`, and rows without a label",
        )
    return {"label_holder": holder, "labels": labels}


def label_of(table: Table, holder: str) -> NDArray[np.float64]:
    """The label of who is to bring it, 0 and 1, shape (rows,).

    Raises
    ------
    UsageError
        There is none, or it has other than two classes.
    """
    if not table.labels:
        raise _no_label(holder)
    return table.label(table.labels[0])


def _no_label(holder: str) -> UsageError:
    return UsageError(
        f"{holder} is to bring the label, but its table has none.",
        mend="mark the label column when adding the asset (--label)",
    )


def from_preparation(fitted: Preparation) -> Artefact:
    """Rules that have been learnt, as artefact of kind "preparation"."""
    return Artefact("preparation", {}, fitted.to_plain())


def to_preparation(artefact: Artefact) -> Preparation:
    """The learnt rules of an artefact.

    Raises
    ------
    UsageError
        It holds none.
    """
    _check(artefact, "preparation")
    return Preparation.from_plain(artefact.meta)


def known_kinds(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of id columns as parameters name them, such as "phone:CN".

    Raises
    ------
    ValueError
        One that there is not.
    """
    for kind in kinds:
        try:
            KindOf.parse(kind)
        except UsageError as error:
            raise ValueError(str(error)) from error
    return kinds


def ids_of(table: Table, kinds: tuple[str, ...]) -> NDArray[np.uint8]:
    """One identifier a row, shape (rows, 32), from columns of these kinds; all text where none is named.

    Raises
    ------
    UsageError
        Other than one kind for each id column, or a value that is none of its kind.
    """
    if kinds and len(kinds) != len(table.ids):
        raise UsageError(
            f"The contract names {len(kinds)} kinds of ids, the table has {len(table.ids)} id columns.",
            why=f"id columns: {', '.join(table.ids)}",
            mend="name as many id columns when adding the asset, in the contract's order",
        )
    return identifiers(table, dict(zip(table.ids, map(KindOf.parse, kinds), strict=False)))


def _check(artefact: Artefact, kind: str) -> None:
    if artefact.kind != kind:
        raise UsageError(
            f"A step got a {artefact.kind} where a {kind} is due.",
            mend="look at which output the contract gives to which input",
        )
