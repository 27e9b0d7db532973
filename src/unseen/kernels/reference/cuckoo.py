"""Cuckoo tables in plain Python: the definition; see :mod:`unseen.kernels.cuckoo`."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

_BLOCK, _PLACES, _LEAST, _MOST = 16, 3, 3, 1 << 24
_WORD = (1 << 64) - 1


def places(seed: NDArray[np.uint8], keys: NDArray[np.uint8], bins: int) -> NDArray[np.uint32]:
    """See :func:`unseen.kernels.cuckoo.places`."""
    if seed.shape != (_BLOCK,) or keys.ndim != 2 or keys.shape[1] != _BLOCK:  # noqa: PLR2004 - rows
        raise ValueError("seed and keys have 16 bytes each")
    _check(bins)
    cipher = Cipher(AES(seed.tobytes()), ECB())  # noqa: S305 - a permutation of single blocks
    hashed = cipher.encryptor().update(np.ascontiguousarray(keys).tobytes())
    found = np.empty((len(keys), _PLACES), np.uint32)
    for i in range(len(keys)):
        low = int.from_bytes(hashed[_BLOCK * i : _BLOCK * i + 8], "little")
        high = int.from_bytes(hashed[_BLOCK * i + 8 : _BLOCK * (i + 1)], "little")
        a, rest = low * bins >> 64, low * bins & _WORD
        b, c = rest * (bins - 1) >> 64, high * (bins - 2) >> 64
        b += b >= a
        c += c >= min(a, b)
        c += c >= max(a, b)
        found[i] = a, b, c
    return found


def fill(places: NDArray[np.uint32], bins: int) -> NDArray[np.int64] | None:
    """See :func:`unseen.kernels.cuckoo.fill`; None where there is no table."""
    _check(bins)
    if places.ndim != 2 or places.shape[1] != _PLACES:  # noqa: PLR2004 - rows
        raise ValueError("a key has three places")
    if len(places) > bins:
        raise ValueError("there are more keys than bins")
    if places.size and places.max() >= bins:
        raise ValueError("a place is no bin")
    table = [-1] * bins
    bins_of = places.tolist()
    for key in range(len(bins_of)):
        queue: list[
            tuple[int, int, int]
        ] = []  # a bin, where in the queue its mover comes from, what lies in it then
        if not _chain(table, bins_of, key, queue):
            return None
        step = len(queue) - 1
        while step >= 0:
            bin_, before, entry = queue[step]
            table[bin_] = entry
            step = before
    return np.array(table, np.int64)


def _chain(table: list[int], bins_of: list[list[int]], key: int, queue: list[tuple[int, int, int]]) -> bool:
    """Breadth first until a bin is free, which is then the last of the queue."""
    seen: set[int] = set()
    mover, before, head = key, -1, 0
    while True:
        for j, to in enumerate(bins_of[mover]):
            if to not in seen:
                seen.add(to)
                queue.append((to, before, _PLACES * mover + j))
                if table[to] < 0:
                    return True
        if head == len(queue):
            return False
        before, mover = head, table[queue[head][0]] // _PLACES
        head += 1


def _check(bins: int) -> None:
    if not _LEAST <= bins <= _MOST:
        raise ValueError("a cuckoo table has 3 to 2^24 bins")
