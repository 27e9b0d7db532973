"""The codes for learning parity with noise in NumPy: the definition; see :mod:`unseen.kernels.lpn`."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

Blocks = NDArray[np.uint8]
Words = NDArray[np.uint64]

GROUP = 64
TERMS = 10
WRITE_FIRST, READ_FIRST, WRITE_SECOND, READ_SECOND, WEIGHT_FIRST, WEIGHT_SECOND, MATRIX = range(7)
FOLD = {128: 0x87, 96: 0x641}  # x^128 = x^7 + x^2 + x + 1; x^96 = x^10 + x^9 + x^6 + 1


def _stream(key: Blocks, purpose: int, first: int, blocks: int) -> Words:
    """AES of the counters (first + i, purpose), two words of 64 bits each."""
    counters = np.zeros((blocks, 2), "<u8")
    counters[:, 0] = np.arange(first, first + blocks, dtype=np.uint64)
    counters[:, 1] = purpose
    cipher = Cipher(AES(key.tobytes()), ECB()).encryptor()  # noqa: S305 - public pseudo-random numbers
    return np.frombuffer(cipher.update(counters.tobytes()), "<u8").astype(np.uint64)


def order(key: Blocks, purpose: int, chunk: int, bits: int) -> NDArray[np.int64]:
    """Which row of the chunk comes at each place: a permutation of 2^bits numbers."""
    mask = np.uint64((1 << bits) - 1)
    x = np.arange(1 << bits, dtype=np.uint64)
    for word in _stream(key, purpose, 2 * chunk, 2):
        factor, summand = word & np.uint64(0xFFFFFFFF) | np.uint64(1), word >> np.uint64(32)
        x = (x * factor + summand) & mask
        x ^= x >> np.uint64((bits + 1) // 2)
    return x.astype(np.int64)


def weigh(rows: Blocks, weights: Words, field: int) -> Blocks:
    """Each block of row i of (n, w, 16) times the polynomial weights[i] of degree below 64, in GF(2^field)."""
    halves = rows.view("<u8").astype(np.uint64)
    low, high = halves[:, :, 0].copy(), halves[:, :, 1].copy()
    out_low, out_high = np.zeros_like(low), np.zeros_like(high)
    top, one = np.uint64(field - 65), np.uint64(1)
    kept = np.uint64((1 << (field - 64)) - 1)
    for bit in range(64):
        chosen = np.uint64(0) - (weights >> np.uint64(bit) & one)[:, None]
        out_low ^= low & chosen
        out_high ^= high & chosen
        carry = high >> top & one
        high = (high << one | low >> np.uint64(63)) & kept
        low = low << one ^ carry * np.uint64(FOLD[field])
    return np.stack([out_low, out_high], axis=2).astype("<u8").view(np.uint8).reshape(rows.shape)


def _each_chunk(key: Blocks, purpose: int, rows: Blocks, bits: int) -> Blocks:
    size = 1 << bits
    return np.concatenate(
        [rows[c * size : (c + 1) * size][order(key, purpose, c, bits)] for c in range(len(rows) // size)]
    )


def _spread(key: Blocks, purpose: int, rows: Blocks, bits: int) -> Blocks:
    """Order within each chunk, then the transposition: place p of chunk c goes to p * chunks + c."""
    ordered = _each_chunk(key, purpose, rows, bits)
    return ordered.reshape(len(rows) >> bits, 1 << bits, *rows.shape[1:]).swapaxes(0, 1).reshape(rows.shape)


def _running(rows: Blocks) -> Blocks:
    sums: Blocks = np.bitwise_xor.accumulate(rows, axis=0)
    return sums


def matrix(key: Blocks, groups: int) -> NDArray[np.uint32]:
    """The random halves of the groups' matrices: bit l of [g, k] says whether row 32 + l is added to row k."""
    words = _stream(key, MATRIX, 0, groups * 8)
    return words.astype("<u8").view("<u4").reshape(groups, 32)


def dual(key: Blocks, rows: Blocks, bits: int, count: int, field: int) -> Blocks:
    """See :meth:`unseen.kernels.lpn.dual_encode`."""
    n = len(rows)
    first = _spread(key, WRITE_FIRST, _running(rows), bits)
    first = weigh(_each_chunk(key, READ_FIRST, first, bits), _stream(key, WEIGHT_FIRST, 0, n // 2), field)
    second = _spread(key, WRITE_SECOND, _running(first), bits)
    second = weigh(_each_chunk(key, READ_SECOND, second, bits), _stream(key, WEIGHT_SECOND, 0, n // 2), field)
    groups = second.reshape(n // GROUP, 2, GROUP // 2, *rows.shape[1:])
    out = groups[:, 0].copy()
    chosen = matrix(key, n // GROUP)
    for row in range(GROUP // 2):
        bit = (chosen >> np.uint32(row) & np.uint32(1)).astype(np.uint8)
        out ^= groups[:, 1, None, row] * bit[:, :, None, None]
    return np.ascontiguousarray(out.reshape(n // 2, *rows.shape[1:]).swapaxes(0, 1)[:, :count])


def primal(key: Blocks, table: Blocks, rows: Blocks, first: int = 0, *, out: Blocks) -> Blocks:
    """See :func:`unseen.kernels.lpn.primal_add`."""
    blocks = -(-len(rows) // 2) * 5
    words = (
        _stream(key, 0, first // 2 * 5, blocks)
        .astype("<u8")
        .view("<u4")[: len(rows) * TERMS]
        .reshape(-1, TERMS)
    )
    places = words & np.uint32(len(table) - 1)
    out[:] = rows
    for term in range(TERMS):
        out ^= table[places[:, term]]
    return out[:, 0] & np.uint8(1)
