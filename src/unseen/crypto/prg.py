"""Pseudo-random generator: AES-128 in counter mode (NIST SP 800-38A) on a one-time 32-byte seed.

Bytes 0 to 15 of the seed are the key, 16 to 23 the upper half of every counter (little-endian); the lower half counts
blocks from 0. The rest of the seed is not needed. Every draw begins with a fresh block, so two holders of a seed who draw
the same sequence of shapes get the same numbers. A :class:`Prg` only moves forward: rewinding would reuse a one-time
pad, so there is no way to ask for it.
"""

from __future__ import annotations

import math
import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels import shuffle
from unseen.kernels.blocks import aes_ctr

SEED_BYTES = 32
_BLOCK = 16
_SPARE = 16  # words: of 2^32 rows' one in two shuffles is refused, sixteen never


class Prg:
    """Deterministic stream of uniform bytes from a secret seed; `repr` shows nothing of it."""

    __slots__ = ("_drawn", "_key", "_stream")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise LocalProtocolError(f"A PRG seed has {SEED_BYTES} bytes, not {len(seed)}.")
        self._key = np.frombuffer(seed[:_BLOCK], np.uint8)
        self._stream = int.from_bytes(seed[_BLOCK : _BLOCK + 8], "little")
        self._drawn = 0

    @classmethod
    def fresh(cls) -> Prg:
        """Seeded by the operating system."""
        return cls(secrets.token_bytes(SEED_BYTES))

    def __repr__(self) -> str:
        return "Prg(<secret>)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise LocalProtocolError("A PRG is never copied or stored: its state is a one-time pad.")

    @property
    def position(self) -> int:
        """Blocks drawn so far."""
        return self._drawn

    def skip_to(self, position: int) -> None:
        """Go forward to where another of this seed has got.

        Raises
        ------
        LocalProtocolError
            It would be backward.
        """
        if position < self._drawn:
            raise LocalProtocolError("A PRG only moves forward.", why="a one-time pad would be used again")
        self._drawn = position

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        return self._draw(count).tobytes()

    def u64(self, shape: int | tuple[int, ...]) -> NDArray[np.uint64]:
        """The next uniform elements of Z_2^64 (little-endian), C-contiguous, of the given shape."""
        dims = (shape,) if isinstance(shape, int) else shape
        words = self._draw(8 * math.prod(dims)).view("<u8")
        return words.astype(np.uint64, copy=False).reshape(dims)

    def _draw(self, count: int) -> NDArray[np.uint8]:
        blocks = -(-count // _BLOCK)
        drawn = aes_ctr(self._key, self._stream, self._drawn, blocks)
        self._drawn += blocks
        return drawn.reshape(-1)[:count]

    def below(self, bound: int, shape: int | tuple[int, ...]) -> NDArray[np.uint64]:
        """Uniform integers in [0, bound), 1 <= bound <= 2^63, without modulo bias (rejection)."""
        if not 1 <= bound <= 1 << 63:
            raise LocalProtocolError(f"below() takes a bound from 1 to 2^63, not {bound}.")
        limit = (1 << 64) - (1 << 64) % bound
        dims = (shape,) if isinstance(shape, int) else shape
        out = self.u64(math.prod(dims))
        if limit != 1 << 64:
            while (bad := np.flatnonzero(out >= np.uint64(limit))).size:
                out[bad] = self.u64(bad.size)
        return (out % np.uint64(bound)).reshape(dims)

    def permutation(self, count: int) -> NDArray[np.int64]:
        """A uniform permutation of range(count), without bias (:mod:`unseen.kernels.shuffle`)."""
        return shuffle.order(self.u64(count + _SPARE), count)
