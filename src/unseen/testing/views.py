"""What a party sees, put to the test: masked values and shares must look like uniform noise.

A correct result proves nothing about secrecy. These checks look at every message that a party received in a
simulated run: the bytes of share and masked fields are held against the uniform distribution (chi-square), and no
mask may be constant or come twice.
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


def secret_arrays(view: Iterable[Seen]) -> list[tuple[str, NDArray[np.uint8]]]:
    """(message.field, bytes) of every array that is to look uniform, in order."""
    found = []
    for seen in view:
        for name, kind in kinds(type(seen.message)).items():
            value = getattr(seen.message, name)
            if kind in (SHARE.name, MASKED.name) and isinstance(value, np.ndarray) and value.size:
                data = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
                found.append((f"{type(seen.message).__name__}.{name}", data))
    return found


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
    summands: dict[str, list[NDArray[Any]]] = {}
    for view in views:
        heard: dict[str, list[NDArray[Any]]] = {}
        for seen in view:
            if isinstance(seen.message, Opening):
                heard.setdefault(seen.sender, []).append(seen.message.values)
        summands = {**heard, **summands}  # whoever opens sends the same to all: it is counted once
    found = []
    for parts in zip(*summands.values(), strict=True):
        value = reduce(np.add if parts[0].dtype == np.uint64 else np.bitwise_xor, parts)
        if value.size:
            found.append(("opened value", np.ascontiguousarray(value).reshape(-1).view(np.uint8)))
    return found


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
