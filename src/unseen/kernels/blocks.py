"""128-bit blocks: AES as a stream, hashes made from it, GF(2^128), transposing bits.

A block is 16 bytes; n of them are a uint8 array of shape (n, 16). Numbers in blocks are little-endian. An element of
GF(2^128) is the polynomial whose coefficient of x^i is bit i of that number, modulo x^128 + x^7 + x^2 + x + 1 (this is
not GHASH's reversed order). :mod:`unseen.kernels.reference.blocks` defines every function here.

Which hash for what:

* :func:`hash_blocks` -- correlation robust; semi-honest conversion of correlated to random transfers.
* :func:`hash_tweaked` -- tweakable correlation robust; the same where a party may deviate. Never the same tweak twice
  under one Delta.
* :func:`hash_rekeyed` -- multi-instance tweakable circular correlation robust; garbled circuits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import blocks as reference

Blocks = NDArray[np.uint8]

_native = native()


def aes_ctr(key: Blocks, stream: int, first: int, blocks: int) -> Blocks:
    """`blocks` pseudo-random blocks, shape (blocks, 16): AES-128 of the counters (stream, first), (stream, first + 1), ...

    The counter is the 128-bit number stream * 2^64 + first + i, `first + i` modulo 2^64; `key` has shape (16,).
    """
    if _native is None:
        return reference.aes_ctr(key, stream, first, blocks)
    out: Blocks = _native.aes_ctr(key, stream, first, blocks)
    return out


def hash_blocks(blocks: Blocks) -> Blocks:
    """pi(sigma(x)) ^ sigma(x) of each block x, shape (n, 16), pi being AES under a fixed key."""
    if _native is None:
        return reference.hash_blocks(blocks)
    out: Blocks = _native.hash(blocks)
    return out


def hash_tweaked(blocks: Blocks, first: int) -> Blocks:
    """pi(pi(x_i) ^ (first + i)) ^ pi(x_i) of each block, shape (n, 16)."""
    if _native is None:
        return reference.hash_tweaked(blocks, first)
    out: Blocks = _native.hash_tweaked(blocks, first)
    return out


def hash_both(blocks: Blocks, delta: Blocks, first: int | None = None) -> Blocks:
    """Hashes of each block x_i and of x_i ^ delta, shape (n, 2, 16); `delta` has shape (16,).

    The hash is :func:`hash_blocks`, or with `first` :func:`hash_tweaked` with the tweak first + i for both.
    """
    if _native is None:
        return reference.hash_both(blocks, delta, first)
    out: Blocks = _native.hash_both(blocks, delta, first)
    return out


def hash_rekeyed(blocks: Blocks, start: Blocks, first: int, *, per_key: int) -> Blocks:
    """AES under the key `start ^ (first + i // per_key)` of sigma(x_i), ^ sigma(x_i); `start` has shape (16,)."""
    if _native is None:
        return reference.hash_rekeyed(blocks, start, first, per_key=per_key)
    out: Blocks = _native.hash_rekeyed(blocks, start, first, per_key)
    return out


def gf_multiply(left: Blocks, right: Blocks) -> Blocks:
    """Products in GF(2^128) of shapes (n, 16) and (n, 16), or of each of n with one: (1, 16) or (16,)."""
    if right.ndim == 1:
        right = right.reshape(1, -1)
    if _native is None:
        return reference.gf_multiply(left, right)
    out: Blocks = _native.gf_multiply(left, right)
    return out


def gf_inner(left: Blocks, right: Blocks) -> Blocks:
    """The sum of the products of two arrays of shape (n, 16): one block, shape (16,)."""
    if _native is None:
        return reference.gf_inner(left, right)
    out: Blocks = _native.gf_inner(left, right)
    return out


def gf_combine(seed: Blocks, first: int, blocks: Blocks) -> Blocks:
    """The random linear combination of (n, 16) with the coefficients `aes_ctr(seed, 0, first, n)`: one block, (16,)."""
    if _native is None:
        return reference.gf_combine(seed, first, blocks)
    out: Blocks = _native.gf_combine(seed, first, blocks)
    return out


def transpose_bits(bits: Blocks) -> Blocks:
    """A bit matrix of n rows in m bytes, n a multiple of 8, to 8 m rows in n / 8 bytes.

    Column j of a row is bit j % 8 of its byte j // 8. Fastest with 128 rows, or with 16 bytes and a multiple of 512 rows.
    """
    if _native is None:
        return reference.transpose_bits(bits)
    out: Blocks = _native.transpose_bits(bits)
    return out
