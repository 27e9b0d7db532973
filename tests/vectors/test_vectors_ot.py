"""Frozen conversations: with fixed seeds, oblivious transfers say exactly what is written down.

A changed encoding, hash, order of draws or counter shows here. No other implementation made these; that they are right is
for the other tests to say. Write them anew, after a change that is meant and carries new version tags, with
`python tests/vectors/test_vectors_ot.py`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from unseen.link import memory
from unseen.link.memory import Parcel
from unseen.ot import outputs, softspoken
from unseen.party import Party
from unseen.testing.simulate import run

FILE = Path(__file__).parent / "data" / "ot.json"
CASES = [
    f"softspoken-k{k}/{security}" for k in softspoken.DEPTHS for security in ("semi-honest", "malicious")
]


def conversation(case: str) -> dict[str, Any]:
    """SHA-256 of each party's messages one after another, and of what came out."""
    name, security = case.split("/")
    k = int(name[-1])
    said: dict[str, Any] = {"a": hashlib.sha256(), "b": hashlib.sha256()}
    lengths: dict[str, list[int]] = {"a": [], "b": []}

    def wire(parcel: Parcel) -> bytes:
        said[parcel.sender].update(parcel.payload)
        lengths[parcel.sender].append(len(parcel.payload))
        return parcel.payload

    def program(party: Party) -> bytes:
        party._shared.root = hashlib.sha256(party.name.encode()).digest()
        if party.name == "a":
            sender = outputs.Sender(
                party, "b", softspoken.Sender(party, "b", k=k, security=security), security=security
            )
            pads = sender.random(200)
            sender.chosen(np.arange(100 * 2 * 20, dtype=np.uint8).reshape(100, 2, 20))
            sender.one_of_many(np.arange(30 * 5 * 8, dtype=np.uint8).reshape(30, 5, 8))
            return pads.tobytes()
        source = softspoken.Receiver(party, "a", k=k, security=security)
        receiver = outputs.Receiver(party, "a", source, security=security)
        choices, pads = receiver.random(200)
        chosen = receiver.chosen((np.arange(100) % 2).astype(np.uint8), 20)
        one = receiver.one_of_many(np.arange(30) % 5, 5, 8)
        return b"".join(part.tobytes() for part in (choices, pads, chosen, one))

    with mock.patch.object(memory.secrets, "token_bytes", lambda count: bytes(range(count))):
        results = run(program, ("a", "b"), wire=wire).results
    return {
        party: {
            "lengths": lengths[party],
            "said": said[party].hexdigest(),
            "has": hashlib.sha256(results[party]).hexdigest(),
        }
        for party in ("a", "b")
    }


@pytest.mark.parametrize("case", CASES)
def test_the_conversation_is_the_one_written_down(case: str) -> None:
    assert conversation(case) == json.loads(FILE.read_text())[case]


if __name__ == "__main__":
    FILE.write_text(json.dumps({case: conversation(case) for case in CASES}, indent=1) + "\n")
