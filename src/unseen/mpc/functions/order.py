"""Sorting, and what follows from it: order of keys, rows in the order of keys, the largest few, shuffles.

Short lines are compared in all pairs and nothing is opened. Longer ones are sorted by :mod:`unseen.mpc.functions.radix`,
many lines at once; a single line of wide keys by :mod:`unseen.mpc.functions.quicksort`, where that is cheaper and all parties
see what is opened (`radix_up_to` of the protocol), and keys leave room for their places. Everything keeps the order of equal elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from unseen.core.errors import LocalProtocolError
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import SAFE_BITS
from unseen.mpc.functions import quicksort
from unseen.mpc.functions.permute import Places, Rows, array_of, move, rows_of, word_of
from unseen.mpc.functions.pieces import cut
from unseen.mpc.functions.radix import places_by
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Planes, Share

PAIRED = 24  # up to so many elements a line are compared in all pairs: fewer bytes and rounds than the passes of radix

_PARTS = 16


@dataclass(frozen=True, slots=True)
class Key:
    """What to sort by.

    Attributes
    ----------
    values
        Numbers or Booleans.
    descending
        Largest first; equal ones keep their order all the same.
    bits
        Numbers lie from -2^(bits - 1) to 2^(bits - 1) - 1 in units of their last place; None: what the format allows.
    """

    values: SecretArray
    descending: bool = False
    bits: int | None = None

    def __post_init__(self) -> None:
        """Refuse a width that none has."""
        if self.bits is not None and not 1 <= self.bits <= planes.WORD:
            raise LocalProtocolError(f"Keys have from 1 to {planes.WORD} bits, not {self.bits}.")

    @property
    def width(self) -> int:
        """How many bits it takes."""
        if self.values.boolean:
            return 1
        if self.bits is not None:
            return self.bits
        fraction = self.values.bits
        return min(63, 63 - 2 * self.values.engine.bits + fraction) if fraction else SAFE_BITS + 1

    def planes(self) -> Planes:
        """Its bits, lowest first, as those of an unsigned number in ascending order."""
        protocol = self.values.engine.protocol
        bits = planes.pack(self.values.bit_share) if self.values.boolean else self._bits(protocol)
        if self.descending:
            bits = bits ^ protocol.public_bits(~np.zeros_like(bits[0]))
        return bits

    def _bits(self, protocol: Protocol) -> Planes:
        share, count = self.values.share.reshape(len(self.values.share), -1), self.values.size
        bits = np.empty((len(share), self.width, -(-count // planes.WORD)), np.uint64)
        for here in cut(count, _PARTS):
            half = np.full(here.stop - here.start, 1 << (self.width - 1), np.uint64)
            part = planes.bits_of(protocol, share[:, here] + protocol.public(half), self.width)
            bits[..., here.start // planes.WORD :][..., : part.shape[2]] = part
        return bits


def arranged(keys: Sequence[Key], *rows: Rows) -> tuple[Rows, ...]:
    """Rows (components, lines * length, width) by keys of shape (lines, length), the first key first."""
    values = keys[0].values
    lines, length = values.shape
    protocol = values.engine.protocol
    if length < 2 or not lines:  # noqa: PLR2004 - nothing to sort
        return rows
    one = keys[0] if len(keys) == 1 and not values.boolean else None
    if one is not None and length <= PAIRED:
        return move(protocol, _places_by_pairs(one), *rows)
    if one is not None and _by_comparisons(one):
        return quicksort.quicksorted(protocol, _ascending(one), *rows)
    return move(protocol, places_by(protocol, _together(keys), lines, length), *rows)


def _by_comparisons(key: Key) -> bool:
    """Whether quicksort is how this one key, of numbers, is best sorted."""
    lines, length = key.values.shape
    least = key.values.engine.protocol.radix_up_to
    return lines == 1 and length > PAIRED and least < key.width <= quicksort.widest(length)


def _ascending(key: Key) -> Share:
    """What to sort for the order of a single line."""
    share = key.values.share[:, 0]
    return np.uint64(0) - share if key.descending else share


def _together(keys: Sequence[Key]) -> Planes:
    """The bits of all keys, those of the last key lowest."""
    return np.concatenate([key.planes() for key in reversed(keys)], axis=1) if keys[1:] else keys[0].planes()


def _places_by_pairs(key: Key) -> Places:
    """How many elements of its line come before each, counted through all lines."""
    values = key.values
    engine, (lines, length) = values.engine, values.shape
    left, right = np.triu_indices(length, 1)
    share = values.share
    difference = share[:, :, right] - share[:, :, left]
    if key.descending:
        difference = np.uint64(0) - difference
    later_first = engine.protocol.mask(difference.reshape(len(share), -1)).less_than((0,))[:, 0]
    swapped = engine.protocol.to_ring(later_first, word_of(lines * length)).reshape(-1, lines, len(left))
    word = swapped.dtype.type
    # Without ties settled the other way, each element has as many before it as there are to its left.
    steps = np.zeros((len(left), length), word)
    steps[np.arange(len(left)), left], steps[np.arange(len(left)), right] = 1, ~word(0)
    places: Places = swapped.reshape(len(share), -1, len(left)) @ steps
    start = np.arange(lines * length).astype(places.dtype)
    return places.reshape(len(share), -1) + engine.protocol.public(start)


# ---------------------------------------------------------------------- what NumPy has, and more


def sort(
    x: SecretArray, axis: int = -1, *, descending: bool = False, key_bits: int | None = None
) -> SecretArray:
    """Sorted along an axis; see :class:`Key` for `key_bits`."""
    return _along(x, axis, places=False, descending=descending, key_bits=key_bits)


def argsort(
    x: SecretArray, axis: int = -1, *, descending: bool = False, key_bits: int | None = None
) -> SecretArray:
    """The places of the sorted elements, as secret integers; equal ones in their order."""
    return _along(x, axis, places=True, descending=descending, key_bits=key_bits)


def _along(x: SecretArray, axis: int, *, places: bool, descending: bool, key_bits: int | None) -> SecretArray:
    engine = x.engine
    last = normalize_axis_index(axis, x.ndim)
    order = [*(other for other in range(x.ndim) if other != last), last]
    lines = x.transpose(*order)
    length = lines.shape[-1]
    flat = lines.reshape(int(np.prod(lines.shape[:-1])), length)
    key = Key(flat, descending, key_bits)
    if not places and not x.boolean and _by_comparisons(key):
        made = quicksort.sorted_keys(engine.protocol, _ascending(key))
        share = (np.uint64(0) - made if descending else made).reshape(len(made), *lines.shape)
        return engine.number(share, x.bits).transpose(*np.argsort(order))
    column = engine.lift(np.tile(np.arange(length), len(flat)), 0) if places else flat.ravel()
    (rows,) = arranged([key], rows_of(column))
    return array_of(rows, column, lines.shape).transpose(*np.argsort(order))


def topk(x: SecretArray, count: int, *, key_bits: int | None = None) -> tuple[SecretArray, SecretArray]:
    """The `count` largest of a vector, largest first, and where they were; the first of equals first.

    Raises
    ------
    LocalProtocolError
        Not a vector.
    """
    if x.ndim != 1:
        raise LocalProtocolError(
            f"The largest of an array of shape {x.shape} are not of one vector.",
            mend="x.ravel(); or mpc.sort(x, axis, descending=True)",
        )
    values, places = rows_of(x), rows_of(x.engine.lift(np.arange(len(x)), 0))
    ordered, origin = arranged([Key(x[None], descending=True, bits=key_bits)], values, places)
    kept = slice(0, count)
    return array_of(ordered, x, x.shape)[kept], x.engine.number(origin[..., 0], 0)[kept]


def order_by(
    keys: SecretArray | Sequence[SecretArray],
    rows: SecretArray,
    *,
    descending: bool | Sequence[bool] = False,
    key_bits: int | None = None,
) -> SecretArray:
    """Rows (first axis) in the order of one key or of several, the first key first; equal ones keep their order.

    Parameters
    ----------
    keys
        Vectors, of numbers or Booleans, as long as there are rows.
    descending
        Largest first: for all keys, or for each.
    key_bits
        Public bound of all keys that are numbers; see :class:`Key`.

    Raises
    ------
    LocalProtocolError
        A key of another shape.
    """
    vectors = [keys] if isinstance(keys, SecretArray) else list(keys)
    for key in vectors:
        if key.shape != rows.shape[:1]:
            raise LocalProtocolError(f"Rows of shape {rows.shape} have no keys of shape {key.shape}.")
    turns = [descending] * len(vectors) if isinstance(descending, bool) else list(descending)
    by = [Key(key[None], turn, key_bits) for key, turn in zip(vectors, turns, strict=True)]
    (made,) = arranged(by, rows_of(rows))
    return array_of(made, rows, rows.shape)


def shuffled(x: SecretArray) -> SecretArray:
    """Rows in an order that no holder knows."""
    (made,) = x.engine.protocol.shuffle(rows_of(x))
    return array_of(made, x, x.shape)
