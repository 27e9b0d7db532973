"""Published vectors of Merkle trees and signed notes."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from unseen.core.errors import VerificationError
from unseen.ledger import merkle
from unseen.ledger.notes import ED25519, check_note, parse_note, parse_verifier

DATA = Path(__file__).parent / "data"
MERKLE = json.loads((DATA / "merkle.json").read_text())
NOTES = json.loads((DATA / "signed_note.json").read_text())
PROBES = json.loads((DATA / "merkle_probes.json").read_text())
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


@pytest.mark.parametrize("vector", NOTES, ids=lambda vector: vector["name"])
def test_signed_notes(vector: dict[str, str]) -> None:
    name, public, algorithm = parse_verifier(vector["verifier"])
    assert (name, algorithm) == (vector["name"], ED25519)
    note = parse_note(vector["note"])
    check_note(note, name, public)
    assert str(note) == vector["note"]
    with pytest.raises(VerificationError):
        check_note(parse_note(vector["note"].replace("i", "j", 1)), name, public)


@pytest.mark.parametrize("probe", PROBES["inclusion"], ids=lambda probe: probe["case"])
def test_inclusion_probes(probe: dict[str, Any]) -> None:
    leaf, top, *proof = map(base64.b64decode, (probe["leafHash"], probe["root"], *(probe["proof"] or ())))
    with pytest.raises(VerificationError) if probe["wantErr"] else contextlib.nullcontext():
        merkle.check_inclusion(leaf, probe["leafIdx"], probe["treeSize"], proof, top)


@pytest.mark.parametrize("probe", PROBES["consistency"], ids=lambda probe: probe["case"])
def test_consistency_probes(probe: dict[str, Any]) -> None:
    old, new, *proof = map(base64.b64decode, (probe["root1"], probe["root2"], *(probe["proof"] or ())))
    with pytest.raises(VerificationError) if probe["wantErr"] else contextlib.nullcontext():
        merkle.check_consistency(probe["size1"], old, probe["size2"], new, proof)
