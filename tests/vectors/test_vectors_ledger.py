"""Published vectors of Merkle trees and signed notes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from unseen.core.errors import VerificationError
from unseen.ledger import merkle
from unseen.ledger.notes import check_note, key_id, parse_note

DATA = Path(__file__).parent / "data"
MERKLE = json.loads((DATA / "merkle.json").read_text())
NOTE = json.loads((DATA / "signed_note.json").read_text())
LEAVES = [merkle.leaf_hash(bytes.fromhex(text)) for text in MERKLE["leaves"]]


def test_roots() -> None:
    assert merkle.root([]).hex() == MERKLE["empty"]
    for size, expected in enumerate(MERKLE["roots"], 1):
        assert merkle.root(LEAVES[:size]).hex() == expected


def test_published_inclusion_proof() -> None:
    """Leaf 5 of 8, as published with the vectors."""
    proof = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [node.hex() for node in merkle.inclusion_proof(LEAVES, 5)] == proof


def test_published_consistency_proof() -> None:
    """From 6 to 8, as published with the vectors."""
    proof = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [node.hex() for node in merkle.consistency_proof(LEAVES, 6)] == proof


def test_signed_note() -> None:
    _, identifier, encoded = NOTE["verifier"].split("+")
    public = base64.b64decode(encoded)[1:]
    assert key_id(NOTE["name"], public).hex() == identifier
    note = parse_note(NOTE["note"])
    check_note(note, NOTE["name"], public)
    assert str(note) == NOTE["note"]
    with pytest.raises(VerificationError):
        check_note(parse_note(NOTE["note"].replace("answer", "question")), NOTE["name"], public)
