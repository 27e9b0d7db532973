"""Radix sort: the place of each element among all, found two bits at a time, of many lines at once.

In every pass elements are in the order of the digits so far. Of the next digit (two bits) it is known in shares how many
elements have a smaller one, and how many before this one have the same: the sum is the element's next place. Elements and
places are shuffled into an order that no holder knows, the places are opened and the elements put there. All that is opened
are uniform permutations, as many as there are passes; how many passes there are depends on the public width of the keys
alone, so a helper can go on dealing without seeing anything.

Keys travel as their bits, shared by XOR, eight to the byte, and the digits used are dropped. For each digit there are its
two bits and their product, made for all digits at once beforehand: 1 and these three tell the digit as 0 or 1 numbers. Whatever is
not kept of an element from one step to the next is made of some elements at a time (:mod:`unseen.mpc.functions.pieces`).

Sources: Chida and others, "An Efficient Secure Three-Party Sorting Protocol with an Honest Majority" (2019); Asharov,
Hamada, Ikarashi, Kikuchi, Nof, Pinkas, Takahashi, Tomida, "Efficient Secure Three-Party Sorting with Applications to Data
Analysis and Heavy Hitters" (CCS 2022). There every pass composes permutations; here elements carry their first places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.mpc import planes
from unseen.mpc.functions.permute import Places, Rows, order_of, take, word_of
from unseen.mpc.functions.pieces import cut
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Bits, Planes

_BYTE, _WORD, _PAIR, _TERMS = 8, 64, 2, 3
_PARTS = 16
_LEAST = 1 << 15  # elements at a time: narrow words are soon sent


def places_by(protocol: Protocol, key: Planes, lines: int, length: int) -> Places:
    """Where each element of `lines` lines of `length` goes for every line to be sorted; equal ones keep their order.

    `key` has the bits of all elements, lowest first, shape (components, bits, words). Places count through all lines.
    """
    count = lines * length
    rows, sizes = _rows(protocol, key, count)
    del key
    if not sizes:
        return protocol.public(np.arange(count, dtype=word_of(count)))
    first: Places | None = None  # where the elements in their present order were at the beginning
    offset = 0
    for turn, size in enumerate(sizes):
        places = _next_places(protocol, _hot(protocol, rows, offset, size), lines)
        offset += size
        if turn == len(sizes) - 1:
            return places if first is None else _at_first(protocol, first, places)
        if first is None:
            first = protocol.public(np.arange(count, dtype=places.dtype))
        held = [np.stack([places, first], axis=2), rows[..., offset // _BYTE :]]
        del places, first, rows  # the shuffle is to let go of them as it goes on
        first, rows = _arranged(protocol, held)  # noqa: RUF059 - of the next turn
        offset %= _BYTE
    raise AssertionError  # the last turn returns


def _arranged(protocol: Protocol, held: list[Rows]) -> tuple[Places, Rows]:
    """Pairs of places and of what goes there, and rows, which are taken out of the list: the rows at their places."""
    pairs, rows = protocol.shuffle(held.pop(0), held.pop())
    order = order_of(protocol, pairs[..., 0])
    first = pairs[..., 1]
    if order is None:
        return first, rows
    first = take(first, order)
    del pairs
    return first, take(rows, order)


def _at_first(protocol: Protocol, first: Places, places: Places) -> Places:
    """The places in the order that the elements had at the beginning."""
    (pairs,) = protocol.shuffle(np.stack([first, places], axis=2))
    order = order_of(protocol, pairs[..., 0])
    return pairs[..., 1] if order is None else take(pairs[..., 1], order)


def _rows(protocol: Protocol, key: Planes, count: int) -> tuple[Rows, list[int]]:
    """For every digit its low bit, its high bit and their product, of a single bit that, as rows of bytes; and how many bits a digit has."""
    pairs, odd = divmod(key.shape[1], _PAIR)
    sizes = [_TERMS] * pairs + [1] * odd
    rows = np.empty((len(key), count, -(-sum(sizes) // _BYTE)), np.uint8)
    for here in cut(count, _PARTS, least=_LEAST):
        part = key[..., here.start // _WORD : -(-here.stop // _WORD)]
        rows[:, here] = _bytes(_digits(protocol, part), here.stop - here.start)
    return rows, sizes


def _digits(protocol: Protocol, key: Planes) -> Planes:
    """The bits of all digits, one after another."""
    pairs = key.shape[1] // _PAIR
    low, high = key[:, : _PAIR * pairs : _PAIR], key[:, 1 : _PAIR * pairs : _PAIR]
    both = protocol.and_both(low, (high,))[0] if pairs else low
    terms = np.stack([low, high, both], axis=2).reshape(len(key), _TERMS * pairs, key.shape[2])
    return np.concatenate([terms, key[:, _PAIR * pairs :]], axis=1)


def _bytes(bits: Planes, count: int) -> Rows:
    """Planes as rows of bytes, first plane lowest."""
    words = [
        planes.words_of(bits[:, begin : begin + _WORD], (count,)) for begin in range(0, bits.shape[1], _WORD)
    ]
    rows = np.stack(words, axis=2).astype("<u8").view(np.uint8)
    return np.ascontiguousarray(rows[..., : -(-bits.shape[1] // _BYTE)])


def _taken(rows: Rows, offset: int, size: int) -> Bits:
    """Bits `offset` and following of each row, shape (components, size, rows)."""
    lowest: NDArray[Any] = rows[..., 0]
    if offset + size > _BYTE:
        lowest = lowest | rows[..., 1].astype(np.uint16) << np.uint16(_BYTE)
    return np.stack([(lowest >> (offset + place) & 1).astype(np.uint8) for place in range(size)], axis=1)


def _hot(protocol: Protocol, rows: Rows, offset: int, size: int) -> NDArray[Any]:
    """Bits of one digit as numbers, shape (components, size, elements), in words for places."""
    count = rows.shape[1]
    hot: NDArray[Any] | None = None
    for here in cut(count, _PARTS, least=_LEAST):
        part = protocol.to_ring(_taken(rows[:, here], offset, size), word_of(count))
        if hot is None:
            hot = np.empty((*part.shape[:2], count), part.dtype)
        hot[..., here] = part
    assert hot is not None  # who sorts has elements
    return hot


def _next_places(protocol: Protocol, hot: NDArray[Any], lines: int) -> Places:
    """Places by one digit, of (low, high, both) or of one bit, as numbers: shape (components, terms, elements)."""
    if hot.shape[1] == _TERMS:  # digit is 1, is 2, is 3
        hot[:, :2] -= hot[:, 2:]
    components, digits, count = hot.shape
    word = hot.dtype.type
    length = count // lines
    totals = hot.reshape(components, digits, lines, length).sum(axis=3, dtype=word)
    ends = protocol.public((np.arange(1, lines + 1) * length).astype(word))
    # Places with another digit than 0: those behind all with smaller ones.
    starts = np.empty_like(totals)
    starts[:, 0] = ends - totals.sum(axis=1, dtype=word)
    for digit in range(1, digits):
        starts[:, digit] = starts[:, digit - 1] + totals[:, digit - 1]
    earlier = (
        np.cumsum(totals, axis=2, dtype=word) - totals
    )  # how many with this digit are in the lines before
    out: Places = np.empty((components, count), word)
    running = np.zeros((components, digits, 1), word)
    for here in cut(count, _PARTS, least=_LEAST):
        part = np.ascontiguousarray(hot[..., here])
        before = running + np.cumsum(part, axis=2, dtype=word)
        running = before[..., -1:].copy()
        line = np.arange(here.start, here.stop) // length if lines > 1 else slice(0, 1)
        before -= part
        before -= earlier[..., line]  # how many with this digit come before, in the line
        elements = protocol.public(np.arange(here.start, here.stop, dtype=word))
        zeros = elements - before.sum(axis=1, dtype=word)  # place with digit 0, counted through all lines
        before += starts[..., line]
        before -= zeros[:, None]
        out[:, here] = zeros + protocol.inner(part, before)
    return out
