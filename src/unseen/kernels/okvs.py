"""An oblivious key-value store (OKVS): n pairs become m blocks from which each key's value is a linear function.

`decode(P ^ Q, k) = decode(P, k) ^ decode(Q, k)`; and if the values are random, an encoding is uniformly random whatever
the keys are: what no key determines is filled from `randomness`. :mod:`unseen.kernels.okvs_shape` has the sizes and their
source, :mod:`unseen.kernels.reference.okvs` the definition.

The seed is public, and must be random *after* the keys are fixed: whoever knows it beforehand can choose keys that
collide, or that tell by a failure whether somebody else's are beside them. So the encoding side draws it. Encoding fails
with probability 2^-statistical; a second attempt takes a fresh seed and tells the other side that the first one failed,
which changes what it sees by that probability and no more, as long as it had no hand in the seed.

Encoding and decoding read memory at places that depend on the keys: time and caches tell of them to whoever shares the
processor, not to the other side of a network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UnavailableError
from unseen.kernels.native import native
from unseen.kernels.okvs_shape import Field, OkvsShape, shape
from unseen.kernels.reference import okvs as reference

__all__ = ["Field", "OkvsFailedError", "OkvsShape", "decode", "encode", "hash_to_field", "shape"]

Blocks = NDArray[np.uint8]

_native = native()
_BLOCK = 16
_TABLE = 3  # dimensions of an encoding with several blocks a slot


class OkvsFailedError(UnavailableError):
    """There is no encoding of these keys under this seed (chance: 2^-statistical); another seed will do."""


def encode(shape: OkvsShape, seed: Blocks, keys: Blocks, values: Blocks, randomness: Blocks) -> Blocks:
    """The encoding, shape (slots, 16), of keys (n, 16) to values (n, 16), n up to `shape.count`.

    `seed` is public, `randomness` secret and never used twice; both have shape (16,).

    Raises
    ------
    OkvsFailedError
        Bad luck: draw another seed.
    ValueError
        More keys than the shape is for, a key twice, a value outside the field, arrays of other shapes.
    """
    if len(keys) > shape.count:
        raise ValueError(f"{len(keys)} keys in a store for {shape.count}")
    if _native is None:
        encoding = reference.encode(shape, seed, keys, values, randomness)
    else:
        encoding = _native.okvs_encode(*_sizes(shape), seed, keys, values, randomness)
    if encoding is not None:
        return encoding
    if len(np.unique(np.ascontiguousarray(keys).view(f"V{_BLOCK}"))) < len(keys):
        raise ValueError("a key comes twice")
    raise OkvsFailedError(
        "The keys have no encoding under this seed.",
        why=f"this happens by chance, about once in 2^{shape.statistical}",
        mend="try again with a fresh seed",
    )


def decode(shape: OkvsShape, seed: Blocks, encoding: Blocks, keys: Blocks) -> Blocks:
    """What the encoding (slots, 16) gives each key (n, 16): (n, 16); of (slots, w, 16), w being 1 or 2: (n, w, 16).

    Keys that were not encoded get something too: random as seen by whoever doesn't know the encoding.

    Raises
    ------
    ValueError
        An encoding of another size, or with elements outside the field.
    """
    table = encoding if encoding.ndim == _TABLE else encoding.reshape(len(encoding), 1, -1)
    if _native is None:
        values = reference.decode(shape, seed, table, keys)
    else:
        values = _native.okvs_decode(*_sizes(shape), seed, table, keys)
    return values if encoding.ndim == _TABLE else values[:, 0]


def hash_to_field(seed: Blocks, keys: Blocks, *, field: Field = "gf128") -> Blocks:
    """A field element of each key, shape (n, 16): pi(pi(k) ^ 1) ^ pi(k), pi being AES under a key made from the seed.

    With pi an ideal cipher that both can query this is a random function of (seed, k) but for 2^-128 times the squared
    number of queries: unlike pi(k) ^ k, an answer cannot be aimed at by asking pi backwards (Guo, Katz, Wang, Yu, "Efficient
    and Secure Multiparty Computation from Fixed-Key Block Ciphers", S&P 2020, section 7.4, for the construction).
    """
    if _native is None:
        return reference.hash_to_field(seed, keys, field=field)
    elements: Blocks = _native.hash_to_field(seed, field == "gf96", keys)
    return elements


def _sizes(shape: OkvsShape) -> tuple[int, int, int, bool]:
    return shape.clusters, shape.sparse, shape.dense, shape.field == "gf96"
