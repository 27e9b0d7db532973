"""128-bit blocks in NumPy and plain Python; see :mod:`unseen.kernels.blocks` for shapes and uses.

AES is that of `cryptography` (OpenSSL). Sources of the hashes: Guo, Katz, Wang, Yu, "Efficient and Secure Multiparty
Computation from Fixed-Key Block Ciphers" (S&P 2020) for the first two; Guo, Katz, Wang, Weng, Yu, "Better Concrete
Security for Half-Gates Garbling" (CRYPTO 2020) for the re-keyed one.
"""

from __future__ import annotations

import hashlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

Blocks = NDArray[np.uint8]

BLOCK = 16
FIXED_KEY = hashlib.sha256(b"unseen/blocks/fixed-key/v1").digest()[:BLOCK]
_POLYNOMIAL = 0x87
_WORD = (1 << 64) - 1


def _aes(key: bytes, blocks: Blocks) -> Blocks:
    encrypted = Cipher(AES(key), ECB()).encryptor().update(np.ascontiguousarray(blocks).tobytes())  # noqa: S305 - a permutation
    return np.frombuffer(encrypted, np.uint8).reshape(blocks.shape).copy()


def _numbers(high: int, first: int, count: int) -> Blocks:
    """The blocks high * 2^64 + (first + i) mod 2^64."""
    out = np.empty((count, 2), "<u8")
    out[:, 0] = np.uint64(first & _WORD) + np.arange(count, dtype=np.uint64)
    out[:, 1] = high
    return out.view(np.uint8)


def _sigma(blocks: Blocks) -> Blocks:
    """Upper half u and lower half l to u ^ l and u."""
    lower, upper = blocks[:, :8], blocks[:, 8:]
    return np.concatenate([upper, upper ^ lower], axis=1)


def aes_ctr(key: Blocks, stream: int, first: int, blocks: int) -> Blocks:
    """See :func:`unseen.kernels.blocks.aes_ctr`."""
    return _aes(key.tobytes(), _numbers(stream, first, blocks))


def hash_blocks(blocks: Blocks) -> Blocks:
    """See :func:`unseen.kernels.blocks.hash_blocks`."""
    masked = _sigma(blocks)
    return _aes(FIXED_KEY, masked) ^ masked


def hash_tweaked(blocks: Blocks, first: int) -> Blocks:
    """See :func:`unseen.kernels.blocks.hash_tweaked`."""
    inner = _aes(FIXED_KEY, blocks)
    return _aes(FIXED_KEY, inner ^ _numbers(0, first, len(blocks))) ^ inner


def hash_both(blocks: Blocks, delta: Blocks, first: int | None = None) -> Blocks:
    """See :func:`unseen.kernels.blocks.hash_both`."""
    sides = (blocks, blocks ^ delta)
    return np.stack(
        [hash_blocks(side) if first is None else hash_tweaked(side, first) for side in sides], axis=1
    )


def hash_rekeyed(blocks: Blocks, start: Blocks, first: int, *, per_key: int) -> Blocks:
    """See :func:`unseen.kernels.blocks.hash_rekeyed`."""
    masked = _sigma(blocks)
    out = masked.copy()
    for number, begin in enumerate(range(0, len(blocks), per_key)):
        key = _numbers(0, first + number, 1)[0] ^ start
        out[begin : begin + per_key] ^= _aes(key.tobytes(), masked[begin : begin + per_key])
    return out


def times(left: int, right: int) -> int:
    """The product in GF(2^128) of two elements as numbers."""
    product = 0
    for bit in range(128):
        if right >> bit & 1:
            product ^= left << bit
    for bit in range(254, 127, -1):
        if product >> bit & 1:
            product ^= ((1 << 128) | _POLYNOMIAL) << (bit - 128)
    return product


def _to_numbers(blocks: Blocks) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in blocks]


def _to_blocks(numbers: list[int]) -> Blocks:
    data = b"".join(number.to_bytes(BLOCK, "little") for number in numbers)
    return np.frombuffer(data, np.uint8).reshape(len(numbers), BLOCK).copy()


def gf_multiply(left: Blocks, right: Blocks) -> Blocks:
    """See :func:`unseen.kernels.blocks.gf_multiply`."""
    rights = _to_numbers(right) * (len(left) if len(right) == 1 else 1)
    return _to_blocks([times(a, b) for a, b in zip(_to_numbers(left), rights, strict=True)])


def gf_inner(left: Blocks, right: Blocks) -> Blocks:
    """See :func:`unseen.kernels.blocks.gf_inner`."""
    total: Blocks = np.bitwise_xor.reduce(gf_multiply(left, right), axis=0, initial=0).astype(np.uint8)
    return total


def gf_combine(seed: Blocks, first: int, blocks: Blocks) -> Blocks:
    """See :func:`unseen.kernels.blocks.gf_combine`."""
    return gf_inner(blocks, aes_ctr(seed, 0, first, len(blocks)))


def transpose_bits(bits: Blocks) -> Blocks:
    """See :func:`unseen.kernels.blocks.transpose_bits`."""
    return np.packbits(np.unpackbits(bits, axis=1, bitorder="little").T, axis=1, bitorder="little")
