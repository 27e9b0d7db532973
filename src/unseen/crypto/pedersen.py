"""Pedersen commitments on ristretto255: commitments one can add up without opening them.

One number:   C = v G + r H
A vector:     C = v_1 G_1 + … + v_n G_n + r H

G is the group's generator. H and the G_i are hashed to the group from the published strings below, so that nobody knows a
logarithm of one to another: to open a commitment in two ways is to compute one. Numbers are integers of any sign; they stand for
themselves modulo the order of the group (about 2^252).

Hiding is perfect: with r uniform and secret, C is a uniform element whatever v is. The same number committed to twice gives two
commitments that nobody can tell to be of the same number. Binding rests on discrete logarithms in ristretto255.

Source: Pedersen, "Non-Interactive and Information-Theoretic Secure Verifiable Secret Sharing" (CRYPTO 1991).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from unseen.core.errors import LocalProtocolError, VerificationError
from unseen.crypto import group, scalars
from unseen.crypto.group import Elements

_DOMAIN = b"unseen/pedersen/v1 with ristretto255_XMD:SHA-512_R255MAP_RO_"
_US = "this party"

VALUE = group.scalar_mult_base((1).to_bytes(group.SCALAR_BYTES, "little"))
"""G: the base of the number, the group's generator."""

BLINDING = group.hash_to_group([b"blinding"], _DOMAIN).tobytes()
"""H: the base of the randomness."""

PRODUCT = group.hash_to_group([b"product"], _DOMAIN).tobytes()
"""The base under which arguments carry inner products; never that of a commitment."""

LEFT, RIGHT = b"left", b"right"
"""The two families of bases for vectors; commitments are under LEFT, RIGHT serves the arguments about them."""

_known: dict[bytes, Elements] = {}
_growing = threading.Lock()


def bases(count: int, family: bytes = LEFT) -> Elements:
    """G_1 … G_count of a family, shape (count, 32): G_i is the hash of the family's name, a colon, and i in decimal."""
    with _growing:
        known = _known.get(family, np.empty((0, group.ELEMENT_BYTES), np.uint8))
        if len(known) < count:
            names = [family + b":%d" % (index + 1) for index in range(len(known), count)]
            known = np.concatenate([known, group.hash_to_group(names, _DOMAIN)])
            known.flags.writeable = False
            _known[family] = known
    return known[:count]


def commit(value: int, blind: int) -> bytes:
    """The commitment to one number, 32 bytes. `blind` is uniform, secret and used once (:func:`scalars.random_scalar`)."""
    return group.sum_of_products(
        scalars.to_rows([value, blind]), group.to_array([VALUE, BLINDING]), sender=_US
    )


def commit_each(values: Sequence[int], blinds: Sequence[int]) -> Elements:
    """Commitments to many numbers, one each, shape (n, 32)."""
    if len(values) != len(blinds):
        raise LocalProtocolError(f"{len(values)} numbers are committed to under {len(blinds)} blinds.")
    ones = np.ones((len(values), 1), np.uint8)
    parts = [
        group.products(scalars.to_rows(factors), ones * group.to_array([base]), sender=_US)
        for factors, base in ((values, VALUE), (blinds, BLINDING))
    ]
    return group.add(*parts, sender=_US)


def commit_vector(values: Sequence[int], blind: int, family: bytes = LEFT) -> bytes:
    """One commitment to a vector, 32 bytes however long it is.

    It does not tell the length: a vector is as good as itself with zeros behind it.
    """
    elements = np.concatenate([bases(len(values), family), group.to_array([BLINDING])])
    return group.sum_of_products(scalars.to_rows([*values, blind]), elements, sender=_US)


def combine(factors: Sequence[int], commitments: Elements, *, sender: str) -> bytes:
    """The commitment to the same linear combination of the numbers or vectors, under that of the blinds.

    Raises
    ------
    RemoteProtocolError
        One is no canonical encoding of an element; `sender` is named.
    """
    return group.sum_of_products(scalars.to_rows(factors), commitments, sender=sender)


def check(commitment: bytes, value: int, blind: int, *, what: str) -> None:
    """Check an opened commitment.

    Raises
    ------
    VerificationError
        Another number or another blind was committed to; the text names `what`.
    """
    if commit(value, blind) != commitment:
        raise VerificationError(f"{what} is not what was committed to.")


def check_vector(commitment: bytes, values: Sequence[int], blind: int, *, what: str) -> None:
    """The same for a vector."""
    if commit_vector(values, blind) != commitment:
        raise VerificationError(f"{what} is not what was committed to.")
