"""Who holds which columns of the common rows: what all parties of a task must know to run the same lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.mpc import Engine, SecretArray
from unseen.party import Message, Party, Released

DISCLOSURE = "shape"


class Shape(Message, frozen=True, tag="learn.shape/1"):
    """How many rows and columns the sender brings."""

    rows: Released[int]
    columns: Released[int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Public sizes: number of common rows, and each holder's number of columns, in the order of the holders."""

    rows: int
    columns: dict[str, int]

    @property
    def width(self) -> int:
        """Number of columns of all holders together."""
        return sum(self.columns.values())

    def block(self, holder: str) -> slice:
        """Where a holder's columns stand among all."""
        names = list(self.columns)
        start = sum(self.columns[name] for name in names[: names.index(holder)])
        return slice(start, start + self.columns[holder])


def agree(party: Party, own: NDArray[np.float64] | None, *, holders: Sequence[str]) -> Layout:
    """Every holder tells everyone the shape of its block, through its gate (disclosure "shape").

    `own` is this holder's block, shape (rows, columns); None at the helper.

    Raises
    ------
    UsageError
        No rows, or no columns at all.
    RemoteProtocolError
        The holders have different rows.
    """
    others = [name for name in party.everyone if name != party.name]
    if own is not None:
        rows, columns = own.shape
        told = Shape(
            party.release(DISCLOSURE, rows, to=others, elements=1),
            party.release(DISCLOSURE, columns, to=others, elements=1),
        )
        for peer in others:
            party.send(peer, told)
    known = {} if own is None else {party.name: own.shape}
    for holder in holders:
        if holder != party.name:
            shape = party.recv(holder, Shape)
            known[holder] = (shape.rows.value, shape.columns.value)
    return _check(known, holders)


def _check(known: dict[str, tuple[int, ...]], holders: Sequence[str]) -> Layout:
    rows = {shape[0] for shape in known.values()}
    if len(rows) != 1:
        told = ", ".join(f"{holder}: {known[holder][0]}" for holder in holders)
        raise RemoteProtocolError(
            "The holders bring different numbers of rows.", why=told, mend="align the tables first (step psi)"
        )
    layout = Layout(rows.pop(), {holder: known[holder][1] for holder in holders})
    if not layout.rows or not layout.width:
        raise UsageError(
            f"There is nothing to compute on: {layout.rows} rows, {layout.width} columns.",
            mend="bring more common rows, or other columns",
        )
    return layout


def share_blocks(engine: Engine, layout: Layout, own: NDArray[np.float64] | None) -> SecretArray:
    """All columns side by side as one secret array, shape (rows, width)."""
    me = engine.protocol.party.name
    blocks = [
        engine.share(own if holder == me else None, owner=holder, shape=(layout.rows, columns))
        for holder, columns in layout.columns.items()
    ]
    return engine.concatenate(blocks, axis=1)
