"""Change of a party's identity key, as signed statements for `key-rotated` and `key-revoked` entries.

A rotation is signed by both keys: by the old one, so that nobody else can hand the name on, and by the new one, so that
nobody can take a key for its own that it does not have. A revocation is signed by the key that it revokes: whoever
has stolen the key can at most destroy it.

What a signed entry means for open contracts (they pin the old key) is for the node to decide.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.canonical import tagged
from unseen.core.errors import VerificationError
from unseen.crypto.sign import raw_public_key, verify, written
from unseen.ledger.bodies import KeyRevoked, KeyRotated


def rotation(party: str, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> KeyRotated:
    """The statement of `party` that it goes on under `new`."""
    names = written(raw_public_key(old)), written(raw_public_key(new))
    statement = _rotation(party, *names)
    return KeyRotated(
        old=names[0],
        new=names[1],
        signature_old=base64.b64encode(old.sign(statement)).decode(),
        signature_new=base64.b64encode(new.sign(statement)).decode(),
    )


def check_rotation(party: str, told: KeyRotated) -> None:
    """Check both signatures.

    Raises
    ------
    VerificationError
        One does not verify, or the keys are the same.
    """
    if told.old == told.new:
        raise VerificationError(f"{party} changed its key for the same one.", party=party)
    statement = _rotation(party, told.old, told.new)
    verify(told.old, statement, _decode(told.signature_old), who=f"the old key of {party}")
    verify(told.new, statement, _decode(told.signature_new), who=f"the new key of {party}")


def revocation(party: str, key: Ed25519PrivateKey, reason: str) -> KeyRevoked:
    """The statement of `party` that a key must not be believed from now on."""
    identity = written(raw_public_key(key))
    signature = key.sign(_revocation(party, identity, reason))
    return KeyRevoked(identity=identity, reason=reason, signature=base64.b64encode(signature).decode())


def check_revocation(party: str, told: KeyRevoked) -> None:
    """Check the signature.

    Raises
    ------
    VerificationError
        It does not verify.
    """
    statement = _revocation(party, told.identity, told.reason)
    verify(told.identity, statement, _decode(told.signature), who=f"the revoked key of {party}")


def _rotation(party: str, old: str, new: str) -> bytes:
    return tagged("key-rotation", 1, {"party": party, "old": old, "new": new})


def _revocation(party: str, identity: str, reason: str) -> bytes:
    return tagged("key-revocation", 1, {"party": party, "identity": identity, "reason": reason})


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError("A signature on a change of key cannot be read.") from error
