"""Who holds which columns of the common rows: what all parties of a task must know to run the same lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.mpc import Engine, SecretArray, binding
from unseen.mpc.binding import Commitment
from unseen.party import Message, Party, Public, Released

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


class Committed(Message, frozen=True, tag="learn.committed/1"):
    """The commitment to all numbers of the sender's block, its label as the last column."""

    element: Public[bytes]
    width: Public[int]


def share_bound(
    engine: Engine,
    layout: Layout,
    own: NDArray[np.float64] | None,
    commitment: Commitment | None,
    *,
    label_holder: str,
    longest: float | None = None,
    within: float | None = None,
) -> tuple[SecretArray, SecretArray, dict[str, str]]:
    """:func:`share_blocks` and the label, each holder's numbers bound to its commitment (:mod:`unseen.mpc.binding`).

    `own` is this holder's block with its label, if it has one, as the last column. Returns columns, label, and holder
    -> commitment (hex) as this party checked them (nothing at a helper). `longest`: each proves that all its numbers together
    are no longer than that, as one vector; `within`: that each of them is between this and its negative, a power of two.

    Raises
    ------
    UsageError
        No such proof of so many numbers; nothing was shared.
    VerificationError
        A holder shared other numbers than those it committed to.
    RemoteProtocolError
        A holder's block has another width than it told before.
    """
    party, protocol = engine.protocol.party, engine.protocol
    told = _committed(party, layout, own, commitment, label_holder)
    for item in told.values():
        binding.check_proofs(layout.rows * item.width, longest=longest, within=within, bits=engine.bits)
    blocks, labels = [], None
    for holder, columns in layout.columns.items():
        element, width = told[holder].element, told[holder].width
        mine = own if holder == party.name and commitment is not None else None
        blind = commitment.blind if mine is not None and commitment is not None else None
        shape = (layout.rows, width)
        secret = binding.committed_share(engine, mine, element, owner=holder, shape=shape, blind=blind)
        if protocol.holds:
            binding.prove(
                party,
                mine,
                element,
                holders=protocol.holders,
                owner=holder,
                count=layout.rows * width,
                blind=blind,
                bits=engine.bits,
                longest=longest,
                within=within,
            )
        blocks.append(secret[:, :columns])
        labels = secret[:, columns] if holder == label_holder else labels
    if labels is None:
        raise UsageError(f"{label_holder} has the label and is no holder.")
    bound = {holder: item.element.hex() for holder, item in told.items()} if protocol.holds else {}
    return engine.concatenate(blocks, axis=1), labels, bound


def _committed(
    party: Party,
    layout: Layout,
    own: NDArray[np.float64] | None,
    commitment: Commitment | None,
    label_holder: str,
) -> dict[str, Committed]:
    """What each holder committed to, and in how many columns: its own, and one more for a label."""
    told: dict[str, Committed] = {}
    if own is not None and commitment is not None:
        told[party.name] = Committed(commitment.element, own.shape[1])
        for peer in party.peers:
            party.send(peer, told[party.name])
    for holder, columns in layout.columns.items():
        if holder != party.name:
            told[holder] = party.recv(holder, Committed)
        width = told[holder].width
        if width not in (columns, columns + 1) or (holder == label_holder and width == columns):
            raise RemoteProtocolError(
                f"{holder} committed to {width} columns where it has {columns}.", party=holder
            )
    return told
