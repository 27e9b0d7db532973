"""Put common rows into parts, the same at every holder: at random, or so that every part has its share of each class.

What
    :func:`parts` gives each row a part; part i gets exactly `sizes[i]` rows.
At random
    All holders toss a coin together (each sends 32 bytes) and derive one order of the rows from it.
Stratified
    The label holder chooses: within each class at random, from randomness that **it alone has**, and tells the others which row is in
    which part, through its gate. From a coin that all know, the others could recompute the order of each class and read the labels off.
What stratified parts tell
    Sizes do not depend on labels. Given the sizes, each row is in a part with the same chance whatever its label; so a part tells
    about a row's label no more than the overall rate does. What is new is a fact about parts: each has the overall rate, up to one
    row (of more than two classes, two). Who knows the labels of all rows of a part but one, and how many positives there are, can tell that one. Parts with fewer
    than :data:`LEAST` rows of a class are refused for that reason.
Against whom
    Semi-honest holders. All of it is output randomness: after a crash it falls the same way again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.crypto.prg import Prg
from unseen.party import Disclosure, Door, Message, Party, Public, Released, require

Parts = NDArray[np.uint16]
CHOSEN = "parts"
FOLD = "fold"
"""Name of the column that the step `folds` adds."""
LEAST = 10


class Coin(Message, frozen=True, tag="split.coin/1"):
    """The sender's part of the coin, and how many rows it has, so that all cut alike."""

    part: Public[bytes]
    rows: Public[int]


class Chosen(Message, frozen=True, tag="learn.chosen-parts/1"):
    """The part of each row, by the label holder."""

    parts: Released[NDArray[Any]]


def disclosures(holders: Sequence[str], label_holder: str | None) -> tuple[Disclosure, ...]:
    """Of parts at random nothing; of stratified ones which row is in which."""
    if label_holder is None:
        return ()
    what = "which rows are in which part; every part has the overall rate of the label, up to a row or two"
    return (Disclosure(CHOSEN, what, tuple(h for h in holders if h != label_holder), Door.RELEASE),)


def parts(
    party: Party,
    rows: int,
    sizes: Sequence[int],
    *,
    holders: Sequence[str],
    label_holder: str | None = None,
    labels: NDArray[np.float64] | None = None,
) -> Parts:
    """The part of each row, uint16, shape (rows,).

    Parameters
    ----------
    sizes
        Rows of each part; their sum is `rows`.
    label_holder, labels
        For stratified parts: who has the labels, and these there, a number for each class, shape (rows,).

    Raises
    ------
    UsageError
        Too few rows of a class for each part.
    RemoteProtocolError
        Another holder has other rows, or the label holder's choice has other sizes.
    """
    if label_holder is None:
        return _dealt(_toss(party, rows, holders).permutation(rows), sizes)
    if labels is None:
        given = party.recv(label_holder, Chosen).parts.value
        require(given, shape=(rows,), dtype=np.uint16, sender=label_holder)
        if np.bincount(given, minlength=len(sizes)).tolist() != list(sizes):
            raise RemoteProtocolError(
                f"{label_holder} chose parts of other sizes than agreed.",
                mend="align the tables first (step psi)",
                party=label_holder,
            )
        return np.array(given)
    made = stratified(labels, sizes, party.output_rng)
    others = tuple(name for name in holders if name != party.name)
    if others:
        told = party.release(CHOSEN, made, to=others, elements=rows)
        for peer in others:
            party.send(peer, Chosen(told))
    return made


def stratified(labels: NDArray[np.float64], sizes: Sequence[int], rng: Prg) -> Parts:
    """Parts that have their share of each class, up to one row (of more than two classes, two); at random within a class.

    Raises
    ------
    UsageError
        Fewer than :data:`LEAST` rows of a class in a part.
    """
    made, room = np.zeros(len(labels), np.uint16), np.array(sizes)
    for label in np.unique(labels)[::-1]:
        members = np.flatnonzero(labels == label)
        exact = room * (len(members) / room.sum())
        counts = np.floor(exact).astype(np.int64)
        most = np.argsort(counts - exact, kind="stable")  # the largest remainders first
        counts[most[: len(members) - int(counts.sum())]] += 1
        if counts.min() < LEAST:
            raise UsageError(
                f"A part would have fewer than {LEAST} rows of a class.",
                why=f"{len(members)} of {len(labels)} rows have the label {label:g}, for parts of {', '.join(map(str, sizes))} rows",
                mend="bring more rows, take larger or fewer parts, or leave out `stratify`",
            )
        made[members] = _dealt(_shuffled(rng, len(members)), counts)
        room = room - counts
    return made


def _shuffled(rng: Prg, count: int) -> NDArray[np.int64]:
    return rng.permutation(count)


def _dealt(order: NDArray[np.int64], sizes: Sequence[int] | NDArray[np.int64]) -> Parts:
    made = np.empty(len(order), np.uint16)
    made[order] = np.repeat(np.arange(len(sizes), dtype=np.uint16), sizes)
    return made


def _toss(party: Party, rows: int, holders: Sequence[str]) -> Prg:
    mine = Coin(party.output_rng.bytes(32), rows)
    coins = {party.name: mine, **party.exchange(mine, Coin, peers=party.peers)}
    for name, coin in coins.items():
        if coin.rows != rows or len(coin.part) != len(mine.part):
            raise RemoteProtocolError(
                f"{name} has {coin.rows} common rows where {party.name} has {rows}.",
                mend="align the tables first (step psi)",
                party=name,
            )
    return Prg(hashlib.sha256(b"".join(coins[name].part for name in sorted(holders))).digest())
