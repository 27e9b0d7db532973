"""Correlated GGM trees in NumPy: the definition; see :mod:`unseen.kernels.ggm`."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

Blocks = NDArray[np.uint8]

_REDUCTION = {128: 0x87, 96: 0x641}  # x^128 = x^7 + x^2 + x + 1; x^96 = x^10 + x^9 + x^6 + 1


def _encrypt(key: Blocks, blocks: Blocks) -> Blocks:
    cipher = Cipher(AES(key.tobytes()), ECB()).encryptor()  # noqa: S305 - AES as a permutation, not as a cipher
    return np.frombuffer(cipher.update(blocks.tobytes()), np.uint8).reshape(blocks.shape)


def _numbers(first: int, count: int) -> Blocks:
    out = np.zeros((count, 2), "<u8")
    out[:, 0] = np.arange(first, first + count, dtype=np.uint64)
    return out.view(np.uint8)


def sigma(blocks: Blocks) -> Blocks:
    """(low, high) -> (high, low ^ high)."""
    low, high = blocks[:, :8], blocks[:, 8:]
    return np.concatenate([high, low ^ high], axis=1)


def _hash(key: Blocks, blocks: Blocks, first: int, *, tweaked: bool) -> Blocks:
    if tweaked:
        once = _encrypt(key, blocks)
        return _encrypt(key, once ^ _numbers(first, len(blocks))) ^ once
    turned = sigma(blocks)
    return _encrypt(key, turned) ^ turned


def _xor(blocks: Blocks) -> Blocks:
    total: Blocks = np.bitwise_xor.reduce(blocks, axis=0)
    return total


def _grow(key: Blocks, parents: Blocks, tweak: int, *, tweaked: bool) -> Blocks:
    left = _hash(key, parents, tweak, tweaked=tweaked)
    return np.stack([left, left ^ parents], axis=1).reshape(-1, 16)


def _values(
    keys: Blocks, leaves: Blocks, tweak: int, width: int, *, tweaked: bool, truncated: bool
) -> list[Blocks]:
    values = [_hash(keys[1 + w], leaves, tweak, tweaked=tweaked).copy() for w in range(width)]
    for value in values:
        value[:, 12 if truncated else 16 :] = 0
    return values


def expand(
    keys: Blocks,
    roots: Blocks,
    delta: Blocks,
    depth: int,
    width: int,
    *,
    tweaked: bool = False,
    truncated: bool = False,
) -> tuple[Blocks, Blocks, Blocks]:
    """See :func:`unseen.kernels.ggm.expand`."""
    trees, leaves = len(roots), 1 << depth
    rows = np.zeros((trees, leaves, max(width, 1), 16), np.uint8)
    sums = np.zeros((trees, depth, 16), np.uint8)
    totals = np.zeros((trees, width, 16), np.uint8)
    for tree, root in enumerate(roots):
        base = tree << (depth + 2)
        nodes = np.stack([root, root ^ delta])
        for level in range(depth):
            if level:
                nodes = _grow(keys[0], nodes, base + (1 << level), tweaked=tweaked)
            sums[tree, level] = _xor(nodes[::2])
        rows[tree, :, 0] = nodes
        rows[tree, :, 0, 0] &= 0xFE
        for w, value in enumerate(
            _values(keys, nodes, base + leaves, width, tweaked=tweaked, truncated=truncated)
        ):
            rows[tree, :, w] = value
            totals[tree, w] = _xor(value)
    return rows.reshape(trees * leaves, max(width, 1), 16), sums, totals


def puncture(
    keys: Blocks,
    sums: Blocks,
    positions: NDArray[np.uint64],
    corrections: Blocks,
    noise: Blocks,
    *,
    tweaked: bool = False,
    truncated: bool = False,
) -> Blocks:
    """See :func:`unseen.kernels.ggm.puncture`; unlike the native kernel this one branches on the positions."""
    trees, depth = sums.shape[:2]
    width, leaves = corrections.shape[1], 1 << depth
    rows = np.zeros((trees, leaves, 1 + width, 16), np.uint8)
    for tree in range(trees):
        position, base = int(positions[tree]), tree << (depth + 2)
        nodes = np.zeros((2, 16), np.uint8)
        for level in range(depth):
            path = position >> (depth - 1 - level)
            if level:
                nodes = _grow(keys[0], nodes, base + (1 << level), tweaked=tweaked)
            nodes[path] = nodes[path ^ 1] = 0
            nodes[path ^ 1] = sums[tree, level] ^ _xor(nodes[(path ^ 1) & 1 :: 2])
            nodes[path] = 0
        others = np.arange(leaves) != position
        if width == 0:
            rows[tree, :, 0] = nodes
            rows[tree, position, 0] = _xor(nodes[others])
            rows[tree, :, 0, 0] &= 0xFE
            rows[tree, position, 0, 0] |= 1
            continue
        rows[tree, position, 0] = noise[tree]
        for w, value in enumerate(
            _values(keys, nodes, base + leaves, width, tweaked=tweaked, truncated=truncated)
        ):
            rows[tree, :, 1 + w] = value
            rows[tree, position, 1 + w] = corrections[tree, w] ^ _xor(value[others])
    return rows.reshape(trees * leaves, 1 + width, 16)


def times(left: int, right: int, field: int = 128) -> int:
    """Product in GF(2^field) of two elements as numbers."""
    product = 0
    while right:
        product ^= left if right & 1 else 0
        right >>= 1
        left <<= 1
        if left >> field:
            left ^= 1 << field | _REDUCTION[field]
    return product


def fold(key: Blocks, rows: Blocks) -> Blocks:
    """See :func:`unseen.kernels.ggm.fold`."""
    chi = _encrypt(key, _numbers(0, len(rows)))
    out = np.zeros(rows.shape[1:], np.uint8)
    for w in range(rows.shape[1]):
        total = 0
        for coefficient, block in zip(chi, rows[:, w], strict=True):
            total ^= times(
                int.from_bytes(coefficient.tobytes(), "little"), int.from_bytes(block.tobytes(), "little")
            )
        out[w] = np.frombuffer(total.to_bytes(16, "little"), np.uint8)
    return out


def pack(rows: Blocks, field: int) -> Blocks:
    """See :func:`unseen.kernels.ggm.pack`."""
    out = np.zeros((len(rows) // field, 16), np.uint8)
    for i in range(len(out)):
        total = 0
        for row in rows[field * i : field * (i + 1)][::-1]:  # Horner
            total = times(total, 2, field) ^ int.from_bytes(row[: field // 8].tobytes(), "little")
        out[i] = np.frombuffer(total.to_bytes(16, "little"), np.uint8)
    return out
