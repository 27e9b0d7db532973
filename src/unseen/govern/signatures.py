"""Signatures on contracts, and on taking one's signature back."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.core.canonical import tagged
from unseen.core.errors import VerificationError
from unseen.crypto.sign import verify as verify_by_key
from unseen.govern.contract import Contract


def statement(contract: Contract) -> bytes:
    """What a party signs: the id, which is the hash of everything in the contract."""
    return tagged("contract-signature", 1, {"contract": contract.id})


def withdrawal(contract: Contract, reason: str) -> bytes:
    """What a party signs to take its signature back."""
    return tagged("contract-withdrawal", 1, {"contract": contract.id, "reason": reason})


def sign(contract: Contract, key: Ed25519PrivateKey) -> bytes:
    """Sign with an identity key."""
    return key.sign(statement(contract))


def verify(contract: Contract, party: str, signature: bytes) -> None:
    """Check that `party` signed this very contract with the key that the contract pins.

    Raises
    ------
    VerificationError
        It did not, or is no party of it.
    """
    if party not in contract.party_names:
        raise VerificationError(f"{party} is no party of the contract.", party=party)
    verify_by_key(
        contract.party(party).identity, statement(contract), signature, who=f"{party} on the contract"
    )
