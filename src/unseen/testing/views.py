"""What a party sees, put to the test: masked values and shares must look like uniform noise.

A correct result proves nothing about secrecy. These checks look at every message that a party received in a
simulated run: the bytes of share and masked fields are held against the uniform distribution (chi-square), and no
mask may be constant or come twice.

Two messages under one and the same mask look uniform each; :func:`related` looks at them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.party.exchanged import Opening
from unseen.party.messages import MASKED, SHARE, kinds
from unseen.testing.simulate import Seen

SIGMAS = 6.0
SMALL = 64
ENOUGH = 16 * 256
ROWS = 8


def secret_arrays(view: Iterable[Seen]) -> list[tuple[str, NDArray[np.uint8]]]:
    """(message.field, bytes) of every array that is to look uniform, in order."""
    return [
        (label, np.ascontiguousarray(value).reshape(-1).view(np.uint8))
        for label, value in secret_words(view)
        if value.size
    ]


def secret_words(view: Iterable[Seen]) -> list[tuple[str, NDArray[Any]]]:
    """(message.field, array) of every array that is to look uniform, in order."""
    return [
        (f"{type(seen.message).__name__}.{name}", getattr(seen.message, name))
        for seen in view
        for name, kind in kinds(type(seen.message)).items()
        if kind in (SHARE.name, MASKED.name) and isinstance(getattr(seen.message, name), np.ndarray)
    ]


def lowest_bytes(view: Iterable[Seen]) -> list[tuple[str, NDArray[np.uint8]]]:
    """The lowest byte of every word of 64 bits that is to look uniform: of each message that is long enough to tell.

    A product of uniform words is far from uniform there, while its other bytes look well.
    """
    found = []
    for seen in view:
        for name, kind in kinds(type(seen.message)).items():
            value = getattr(seen.message, name)
            if kind not in (SHARE.name, MASKED.name) or not isinstance(value, np.ndarray):
                continue
            if value.dtype == np.uint64 and value.size >= ENOUGH:
                lowest = (value.reshape(-1) & np.uint64(255)).astype(np.uint8)
                found.append((f"lowest bytes of {type(seen.message).__name__}.{name}", lowest))
    return found


def opened(*views: Iterable[Seen]) -> list[tuple[str, NDArray[np.uint8]]]:
    """What parties opened to one another, given the views of all: the sums (uint64) or XORs (other words) of their openings.

    Each summand alone may look uniform while the opened value does not.
    """
    return [
        (label, np.ascontiguousarray(value).reshape(-1).view(np.uint8))
        for label, value in opened_words(*views)
        if value.size
    ]


def opened_words(*views: Iterable[Seen]) -> list[tuple[str, NDArray[Any]]]:
    """The same as arrays."""
    summands: dict[str, list[NDArray[Any]]] = {}
    for view in views:
        heard: dict[str, list[NDArray[Any]]] = {}
        for seen in view:
            if isinstance(seen.message, Opening):
                heard.setdefault(seen.sender, []).append(seen.message.values)
        summands = {**heard, **summands}  # whoever opens sends the same to all: it is counted once
    return [
        ("opened value", reduce(np.add if parts[0].dtype == np.uint64 else np.bitwise_xor, parts))
        for parts in zip(*summands.values(), strict=True)
    ]


def deviation(data: NDArray[np.uint8]) -> float:
    """How many standard deviations the chi-square of byte counts lies from that of uniform bytes."""
    counts = np.bincount(data, minlength=256)
    expected = len(data) / 256
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    return (chi_square - 255) / float(np.sqrt(2 * 255))


def objections(arrays: Sequence[tuple[str, NDArray[np.uint8]]]) -> list[str]:
    """What of the arrays of the functions above does not look like fresh uniform noise; empty if all does."""
    found = []
    for name, data in arrays:
        if len(data) >= ENOUGH and deviation(data) > SIGMAS:
            found.append(f"{name}: bytes are not uniform ({deviation(data):.1f} sigma)")
        if len(data) >= SMALL and len(np.unique(data)) == 1:
            found.append(f"{name}: constant")
    pooled = np.concatenate([data for _, data in arrays]) if arrays else np.zeros(0, np.uint8)
    if len(pooled) >= ENOUGH and deviation(pooled) > SIGMAS:
        found.append(f"all messages together: bytes are not uniform ({deviation(pooled):.1f} sigma)")
    repeated = Counter(data.tobytes() for _, data in arrays if len(data) >= SMALL)
    found += [
        f"{count} messages carry the same {len(data)} bytes" for data, count in repeated.items() if count > 1
    ]
    return found


def related(arrays: Sequence[tuple[str, NDArray[Any]]]) -> list[str]:
    """Which of these arrays, or rows or halves of them, or which sums, differences or XORs of two, repeat their words.

    That is how one mask over two values shows, if the values themselves are constant, or nearly so. Words of 64 bits may
    come once anywhere.
    """
    alike: dict[tuple[str, int], list[tuple[str, NDArray[Any]]]] = {}
    for place, (label, array) in enumerate(arrays):
        for part, row in _parts(array):
            if row.size >= SMALL:
                named = (f"{label} {place}{part}", row[:SMALL])
                alike.setdefault((row.dtype.str, row.size), []).append(named)
    wide = [array.reshape(-1) for _, array in arrays if array.dtype == np.uint64]
    words = np.concatenate(wide) if wide else np.zeros(0, np.uint64)
    again = len(words) - len(np.unique(words))
    found = [f"{again} words come twice"] if again else []
    for items in alike.values():
        table = np.stack([start for _, start in items])
        found += [f"{items[place][0]}: words come again" for place in np.flatnonzero(_repeat(table))]
        for place, row in enumerate(table[:-1]):
            rest = table[place + 1 :]
            off = _repeat(rest + row) | _repeat(rest - row) | _repeat(rest ^ row)
            found += [
                f"{items[place][0]} and {items[place + 1 + other][0]} are related"
                for other in np.flatnonzero(off)
            ]
    return found


def _repeat(table: NDArray[Any]) -> NDArray[np.bool_]:
    """Of each row, whether most of its words are there before: of 64 uniform bytes seven are, of wider words none."""
    ordered = np.sort(table, axis=1)
    fresh: NDArray[np.bool_] = (np.diff(ordered, axis=1) != 0).sum(axis=1) < table.shape[1] // 2
    return fresh


def _parts(array: NDArray[Any]) -> list[tuple[str, NDArray[Any]]]:
    """An array in a row, and its rows if they are few or else its halves."""
    flat = np.ascontiguousarray(array).reshape(-1)
    count = array.shape[0] if array.ndim > 1 and 1 < array.shape[0] <= ROWS else 2
    if flat.size % count:
        return [("", flat)]
    return [("", flat), *((f"[{place}]", row) for place, row in enumerate(flat.reshape(count, -1)))]
