"""The oblivious key-value store in plain Python: the definition, down to which slots stay free.

Integers stand for blocks (little-endian) and for elements of the field, whose coefficient of x^i is bit i.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import reduce
from operator import xor

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from unseen.kernels.okvs_shape import Field, OkvsShape
from unseen.kernels.reference.blocks import aes_ctr

Blocks = NDArray[np.uint8]

BITS: dict[Field, int] = {"gf128": 128, "gf96": 96}
MODULUS: dict[Field, int] = {"gf128": (1 << 128) | 0x87, "gf96": (1 << 96) | 0x641}
_WORD = (1 << 32) - 1
_BLOCK = 16
_PAIR, _FULL = 2, 255


def times(a: int, b: int, field: Field) -> int:
    """The product in the field."""
    product, modulus = 0, MODULUS[field]
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a >> BITS[field]:
            a ^= modulus
        b >>= 1
    return product


def power(a: int, exponent: int, field: Field) -> int:
    """`a` to a power of 0 or more."""
    result = 1
    while exponent:
        if exponent & 1:
            result = times(result, a, field)
        a, exponent = times(a, a, field), exponent >> 1
    return result


@dataclass(frozen=True)
class Row:
    """Where a key's value lies: slots that are summed up, and the dense slots' factors."""

    cluster: int
    columns: tuple[int, ...]  # within the cluster
    x: int


class Rows:
    """The rows of keys under a seed."""

    def __init__(self, shape: OkvsShape, seed: Blocks) -> None:
        self.shape = shape
        made = aes_ctr(seed, 0, 0, 2)
        self._place, self._dense = made[0].tobytes(), made[1].tobytes()

    def row(self, key: bytes) -> Row:
        """Of one key of 16 bytes."""
        shape = self.shape
        hashed = _aes(self._place, key)
        if not shape.sparse:
            bits = sum(
                _number(_aes(self._dense, _block(_number(hashed) ^ t))) << (128 * t)
                for t in range((shape.dense + 127) // 128)
            )
            return Row(0, tuple(c for c in range(shape.dense) if bits >> c & 1), 0)
        words = [_number(hashed) >> (32 * w) & _WORD for w in range(4)]
        ranges = (shape.sparse, shape.sparse - 1, shape.sparse - 2, shape.clusters)
        a, b, c, cluster = (word * extent >> 32 for word, extent in zip(words, ranges, strict=True))
        b += b >= a
        for taken in sorted((a, b)):
            c += c >= taken
        x = _number(_aes(self._dense, key)) & ((1 << BITS[shape.field]) - 1)
        return Row(cluster, (a, b, c), x)

    def powers(self, row: Row) -> list[int]:
        """The factors of the dense slots beside sparse ones: x, x^2, ..."""
        factors = [row.x]
        while len(factors) < self.shape.dense:
            factors.append(times(factors[-1], row.x, self.shape.field))
        return factors


def decode(shape: OkvsShape, seed: Blocks, table: Blocks, keys: Blocks) -> Blocks:
    """See :func:`unseen.kernels.okvs.decode`; the table has shape (slots, w, 16)."""
    _check_seed(seed)
    if table.shape[0] != shape.slots or table.shape[2] != _BLOCK or table.shape[1] not in {1, 2}:
        raise ValueError(
            "an encoding is as many rows of 16-byte blocks as the shape has slots, one or two each"
        )
    _check_field(shape, table)
    rows, width = Rows(shape, seed), shape.sparse + shape.dense
    out = np.empty((len(keys), table.shape[1], _BLOCK), np.uint8)
    for v in range(table.shape[1]):
        slots = [_number(slot.tobytes()) for slot in table[:, v]]
        for i, key in enumerate(_keys(keys)):
            row = rows.row(key)
            here = slots[row.cluster * width : (row.cluster + 1) * width]
            out[i, v] = _array(_value(rows, row, here))
    return out


def _value(rows: Rows, row: Row, slots: list[int]) -> int:
    value = reduce(xor, (slots[c] for c in row.columns), 0)
    if rows.shape.sparse:
        for factor, slot in zip(rows.powers(row), slots[rows.shape.sparse :], strict=True):
            value ^= times(factor, slot, rows.shape.field)
    return value


def encode(shape: OkvsShape, seed: Blocks, keys: Blocks, values: Blocks, randomness: Blocks) -> Blocks | None:
    """See :func:`unseen.kernels.okvs.encode`; None where there is no encoding."""
    _check_seed(seed)
    _check_seed(randomness)
    if len(values) != len(keys):
        raise ValueError("as many values as keys")
    _check_field(shape, values)
    rows, width = Rows(shape, seed), shape.sparse + shape.dense
    mask = (1 << BITS[shape.field]) - 1
    slots = [_number(slot.tobytes()) & mask for slot in aes_ctr(randomness, 0, 0, shape.slots)]
    clusters: list[list[tuple[Row, int]]] = [[] for _ in range(shape.clusters)]
    for key, value in zip(_keys(keys), _keys(values), strict=True):
        row = rows.row(key)
        clusters[row.cluster].append((row, _number(value)))
    for number, pairs in enumerate(clusters):
        here = slots[number * width : (number + 1) * width]
        if not (_encode_cluster(rows, pairs, here) if shape.sparse else _encode_binary(pairs, here)):
            return None
        slots[number * width : (number + 1) * width] = here
    return np.stack([_array(slot) for slot in slots])


def _encode_cluster(rows: Rows, pairs: list[tuple[Row, int]], slots: list[int]) -> bool:
    """Peel, solve for the dense slots, then go back through the peeled rows; `slots` come in random."""
    shape = rows.shape
    peeled = _peel([row.columns for row, _ in pairs], shape)
    if peeled is None:
        return False
    steps, gaps = peeled
    if gaps and not _solve_gaps(rows, pairs, steps, gaps, slots):
        return False
    for i, column in reversed(steps):
        row, value = pairs[i]
        slots[column] = 0
        slots[column] = value ^ _value(rows, row, slots)
    return True


def _peel(places: list[tuple[int, ...]], shape: OkvsShape) -> tuple[list[tuple[int, int]], list[int]] | None:
    """The rows in the order of leaving, each with its own column; and those set aside, as many as dense slots."""
    members = _members(places, shape.sparse)
    if any(len(of) > _FULL for of in members):
        return None
    queue = deque(c for c, of in enumerate(members) if len(of) == 1)
    steps: list[tuple[int, int]] = []
    gaps: list[int] = []
    left = set(range(len(places)))

    def leave(i: int) -> None:
        left.remove(i)
        for c in places[i]:
            members[c].remove(i)
            if len(members[c]) == 1:
                queue.append(c)

    while left:
        if queue:
            column = queue.popleft()
            if members[column]:
                (i,) = members[column]
                steps.append((i, column))
                leave(i)
        elif len(gaps) == shape.dense:
            return None
        else:
            gaps.append(max(sorted(left), key=lambda i: sum(len(members[c]) == _PAIR for c in places[i])))
            leave(gaps[-1])
    return steps, gaps


def _members(places: list[tuple[int, ...]], sparse: int) -> list[set[int]]:
    """The rows in each column."""
    members: list[set[int]] = [set() for _ in range(sparse)]
    for i, columns in enumerate(places):
        for c in columns:
            members[c].add(i)
    return members


def _solve_gaps(
    rows: Rows, pairs: list[tuple[Row, int]], steps: list[tuple[int, int]], gaps: list[int], slots: list[int]
) -> bool:
    """Each row set aside, with the peeled rows that clear its pivots, is an equation in the dense slots."""
    sparse, equations = rows.shape.sparse, []
    for gap in gaps:
        odd: set[int] = set()
        factors, right = [0] * rows.shape.dense, 0
        for i, column in [(gap, None), *steps]:
            if column is None or column in odd:
                row, value = pairs[i]
                odd ^= set(row.columns)
                factors = [a ^ b for a, b in zip(factors, rows.powers(row), strict=True)]
                right ^= value
        equations.append((factors, reduce(xor, (slots[c] for c in odd), right)))
    solution = slots[sparse:]
    if not _eliminate(equations, solution, rows.shape.field):
        return False
    slots[sparse:] = solution
    return True


def _eliminate(equations: list[tuple[list[int], int]], solution: list[int], field: Field) -> bool:
    """Gauss in the field; unknowns without a pivot keep what `solution` has."""
    done: list[tuple[int, list[int], int]] = []
    for factors, right in equations:
        row, value = factors, right
        for pivot, other, other_value in done:
            scale = row[pivot]
            row = [a ^ times(scale, b, field) for a, b in zip(row, other, strict=True)]
            value ^= times(scale, other_value, field)
        pivot = next((c for c, factor in enumerate(row) if factor), -1)
        if pivot < 0:
            return False
        inverse = power(row[pivot], (1 << BITS[field]) - 2, field)
        done.append((pivot, [times(a, inverse, field) for a in row], times(value, inverse, field)))
    for pivot, row, value in reversed(done):
        others = (
            times(f, s, field) for c, (f, s) in enumerate(zip(row, solution, strict=True)) if c != pivot
        )
        solution[pivot] = reduce(xor, others, value)
    return True


def _encode_binary(pairs: list[tuple[Row, int]], slots: list[int]) -> bool:
    done: list[tuple[int, set[int], int]] = []
    for row, value in pairs:
        columns = set(row.columns)
        for pivot, other, other_value in done:
            if pivot in columns:
                columns ^= other
                value ^= other_value  # noqa: PLW2901 - the row is reduced in place
        if not columns:
            return False
        done.append((min(columns), columns, value))
    for pivot, columns, value in reversed(done):
        slots[pivot] = reduce(xor, (slots[c] for c in columns if c != pivot), value)
    return True


def hash_to_field(seed: Blocks, keys: Blocks, *, field: Field) -> Blocks:
    """See :func:`unseen.kernels.okvs.hash_to_field`."""
    made = aes_ctr(seed, 0, 2, 1)[0].tobytes()
    mask = (1 << BITS[field]) - 1
    out = np.empty((len(keys), _BLOCK), np.uint8)
    for i, key in enumerate(_keys(keys)):
        inner = _number(_aes(made, key))
        out[i] = _array((_number(_aes(made, _block(inner ^ 1))) ^ inner) & mask)
    return out


def _aes(key: bytes, block: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(block)  # noqa: S305 - as a permutation


def _keys(keys: Blocks) -> list[bytes]:
    if keys.ndim != 2 or keys.shape[1] != _BLOCK:  # noqa: PLR2004
        raise ValueError("blocks are rows of 16 bytes")
    return [key.tobytes() for key in keys]


def _check_seed(seed: Blocks) -> None:
    if seed.shape != (_BLOCK,):
        raise ValueError("a seed is 16 bytes")


def _check_field(shape: OkvsShape, blocks: Blocks) -> None:
    if shape.field == "gf96" and blocks[..., 12:].any():
        raise ValueError("an element of GF(2^96) has 12 bytes, then zeros")


def _number(block: bytes) -> int:
    return int.from_bytes(block, "little")


def _block(number: int) -> bytes:
    return number.to_bytes(_BLOCK, "little")


def _array(number: int) -> Blocks:
    return np.frombuffer(_block(number), np.uint8)
