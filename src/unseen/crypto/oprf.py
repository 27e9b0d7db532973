"""Oblivious pseudo-random functions, OPRF and VOPRF, suite ristretto255-SHA512: RFC 9497.

A client gets F(key, x) without showing x, and without seeing the key. In the verifiable mode the server proves that it
used the key of its public key, for a whole batch by one proof.

Batches are arrays: inputs of one length, uint8 (n, length), blinds and elements (n, 32), outputs (n, 64). Blinds are
secret, fresh and uniform for every input (:func:`blinds`): with a blind used twice a server links two requests.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, VerificationError
from unseen.crypto import group
from unseen.crypto.expand import expand_message
from unseen.kernels import curve

Rows = NDArray[np.uint8]

OUTPUT_BYTES = 64
PROOF_BYTES = 64
MOST_PROVED = (1 << 16) - 1
"""Elements that one proof can cover: their numbers have two bytes."""

_SCALAR = group.SCALAR_BYTES
_GENERATOR = group.scalar_mult_base((1).to_bytes(_SCALAR, "little"))
_DERIVE_ATTEMPTS = 256


class OprfMode(IntEnum):
    """The two modes of RFC 9497 that are here; its third (POPRF) is not."""

    OPRF = 0
    VOPRF = 1

    @property
    def context(self) -> bytes:
        """The string that keeps modes and suites apart."""
        return b"OPRFV1-" + bytes([self]) + b"-ristretto255-SHA512"


def derive_key(seed: bytes, info: bytes, mode: OprfMode) -> bytes:
    """DeriveKeyPair (section 3.2.1): a secret key from a uniform 32-byte seed.

    Raises
    ------
    LocalProtocolError
        A seed of another length.
    """
    if len(seed) != _SCALAR:
        raise LocalProtocolError(f"A seed has {_SCALAR} bytes, not {len(seed)}.")
    start = seed + _prefixed(info)
    for counter in range(_DERIVE_ATTEMPTS):
        key = _hash_to_scalar(start + bytes([counter]), b"DeriveKeyPair" + mode.context)
        if any(key):
            return key
    raise LocalProtocolError("No key can be derived from this seed.")  # pragma: no cover - never happens


def public_key(key: bytes) -> bytes:
    """What a VOPRF's client must know beforehand."""
    return group.scalar_mult_base(key)


def blinds(count: int) -> Rows:
    """Fresh uniform blinds."""
    return group.to_array([group.scalar_random() for _ in range(count)])


def blind(inputs: Rows, scalars: Rows, mode: OprfMode) -> Rows:
    """Client, first: each input as an element, times its blind. What the server is sent."""
    return group.scalar_mult_each(scalars, _hashed(inputs, mode), sender="this party")


def blind_evaluate(key: bytes, blinded: Rows, *, sender: str) -> Rows:
    """Server: what the client is sent back.

    Raises
    ------
    RemoteProtocolError
        `sender` sent something that is no element, or the identity.
    """
    return group.scalar_mult(key, blinded, sender=sender)


def finalize(inputs: Rows, scalars: Rows, evaluated: Rows, *, sender: str) -> Rows:
    """Client, last: take the blinds away, and hash.

    Raises
    ------
    RemoteProtocolError
        `sender` sent something that is no element, or the identity, or another number of them.
    """
    if len(evaluated) != len(inputs):
        raise RemoteProtocolError(
            f"{sender} sent {len(evaluated)} elements where {len(inputs)} are due.", party=sender
        )
    unblinded = group.scalar_mult_each(group.scalar_invert_each(scalars), evaluated, sender=sender)
    return _outputs(inputs, unblinded)


def evaluate(key: bytes, inputs: Rows, mode: OprfMode) -> Rows:
    """Server, alone: F(key, x) of its own inputs."""
    return _outputs(inputs, group.scalar_mult(key, _hashed(inputs, mode), sender="this party"))


def prove(key: bytes, blinded: Rows, evaluated: Rows, *, nonce: bytes | None = None) -> bytes:
    """VOPRF server: proof that `evaluated` is the key of its public key times `blinded` (section 2.2.1).

    `nonce` is a uniform scalar, secret and used once: with two proofs under one nonce anybody computes the key. None
    draws one; tests against published vectors bring theirs.
    """
    public = public_key(key)
    combined, _ = _composites(public, blinded, evaluated, both=False)
    image = group.scalar_mult(key, combined, sender="this party")
    r = nonce or group.scalar_random()
    t2, t3 = group.scalar_mult_base(r), group.scalar_mult(r, combined, sender="this party").tobytes()
    c = _challenge(public, combined.tobytes(), image.tobytes(), t2, t3)
    return c + group.scalar_subtract(r, group.scalar_multiply(c, key))


def verify(public: bytes, blinded: Rows, evaluated: Rows, proof: bytes, *, sender: str) -> None:
    """VOPRF client: check the server's proof.

    Raises
    ------
    VerificationError
        It does not hold: `sender` used another key than that of `public`, or is no server of it.
    """
    try:
        holds = len(proof) == PROOF_BYTES and _holds(public, blinded, evaluated, proof)
    except RemoteProtocolError:  # an element that is none, or a product that is the identity
        holds = False
    if not holds:
        raise VerificationError(
            f"{sender} did not prove that it used its key.",
            why="the answers are not those of the public key that was agreed on",
            mend=f"compare the public key with {sender}; do not use these answers",
            party=sender,
        )


def _holds(public: bytes, blinded: Rows, evaluated: Rows, proof: bytes) -> bool:
    if len(blinded) != len(evaluated) or not len(blinded) or not any(public):
        return False
    c, s = proof[:_SCALAR], proof[_SCALAR:]
    if not all(any(part) and group.scalar_reduce(part + bytes(_SCALAR)) == part for part in (c, s)):
        return False  # not below the order, or 0
    combined, image = _composites(public, blinded, evaluated, both=True)
    factors = group.to_array([s, c])
    pairs = group.to_array([_GENERATOR, public]), np.concatenate([combined, image])
    t2, t3 = (_total(group.scalar_mult_each(factors, pair, sender="the server")) for pair in pairs)
    expected = _challenge(public, combined.tobytes(), image.tobytes(), t2.tobytes(), t3.tobytes())
    return hmac.compare_digest(expected, c)


def _composites(public: bytes, blinded: Rows, evaluated: Rows, *, both: bool) -> tuple[Rows, Rows]:
    """Random combinations of both batches, under coefficients that neither side chooses."""
    if not 0 < len(blinded) <= MOST_PROVED:
        raise LocalProtocolError(f"A proof covers 1 to {MOST_PROVED} elements, not {len(blinded)}.")
    context = OprfMode.VOPRF.context
    seed = hashlib.sha512(_prefixed(public) + _prefixed(b"Seed-" + context)).digest()
    coefficients = group.to_array(
        [
            _hash_to_scalar(
                _prefixed(seed) + index.to_bytes(2, "big") + _prefixed(one) + _prefixed(other) + b"Composite",
                b"HashToScalar-" + context,
            )
            for index, (one, other) in enumerate(zip(map(bytes, blinded), map(bytes, evaluated), strict=True))
        ]
    )
    combined = _total(group.scalar_mult_each(coefficients, blinded, sender="the client"))
    if not both:
        return combined, combined
    return combined, _total(group.scalar_mult_each(coefficients, evaluated, sender="the server"))


def _challenge(public: bytes, *elements: bytes) -> bytes:
    transcript = b"".join(map(_prefixed, (public, *elements))) + b"Challenge"
    return _hash_to_scalar(transcript, b"HashToScalar-" + OprfMode.VOPRF.context)


def _total(elements: Rows) -> Rows:
    """The sum of all, shape (1, 32), by halves."""
    while len(elements) > 1:
        half = len(elements) // 2
        rest = elements[2 * half :]
        added = group.add(elements[:half], elements[half : 2 * half], sender="this party")
        elements = np.concatenate([added, rest])
    return elements


def _hashed(inputs: Rows, mode: OprfMode) -> Rows:
    return group.hash_rows_to_group(inputs, b"HashToGroup-" + mode.context)


def _hash_to_scalar(message: bytes, domain: bytes) -> bytes:
    return group.scalar_reduce(expand_message(message, domain, group.HASH_BYTES))


def _outputs(inputs: Rows, elements: Rows) -> Rows:
    count, length = inputs.shape
    columns = (
        _repeated(length.to_bytes(2, "big"), count),
        inputs,
        _repeated(group.ELEMENT_BYTES.to_bytes(2, "big"), count),
        elements,
        _repeated(b"Finalize", count),
    )
    return curve.sha512(np.ascontiguousarray(np.concatenate(columns, axis=1)))


def _repeated(data: bytes, count: int) -> Rows:
    return np.broadcast_to(np.frombuffer(data, np.uint8), (count, len(data)))


def _prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
