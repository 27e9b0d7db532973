"""Whole conversations of the vector-OLE intersection with fixed randomness: a changed encoding does not slip in.

What a wrong byte of these conversations does is in tests/adversary/psi. The digests are of our own making: they were written
when the contract tests and the adversary tests held.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from unseen.link.memory import Parcel
from unseen.party import Disclosure, Door
from unseen.psi import Mode, intersect
from unseen.testing.simulate import run

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
ROWS = np.frombuffer(
    b"".join(hashlib.sha256(bytes([i // 256, i % 256])).digest() for i in range(900)), np.uint8
)
IDS = ROWS.reshape(-1, 32)
SETS = {"a": IDS[:600], "b": IDS[590:]}

FROZEN: dict[str, tuple[str, str, str]] = {
    "semi-honest": (
        "abba531c085fc26d07d580734eeb86b6",
        "e0bb37c48c11438a01db3149f735dfd3",
        "81cb3c9298a523d8f7fceec811f47b7d",
    ),
    "malicious": (
        "fe5c6f48da85b31d08bdabacf2547885",
        "4aa1362383c71207ae77c6ea967d209c",
        "b99855f910d6168c0073c5b74f13dc2b",
    ),
    "compact": (
        "9f1117f8c6a0cfca37ab3dc0c0f7babd",
        "72cfcaf3bc9ab6c94c9f9156ebbf6417",
        "f83e843679b0993e5bad562624cab640",
    ),
    "symmetric": (
        "abba531c085fc26d07d580734eeb86b6",
        "e0bb37c48c11438a01db3149f735dfd3",
        "81cb3c9298a523d8f7fceec811f47b7d",
    ),
}
MODES = {
    "semi-honest": Mode(),
    "malicious": Mode(security="malicious"),
    "compact": Mode(compact=True),
    "symmetric": Mode(assumption="symmetric"),
}


def conversation(mode: Mode) -> tuple[str, str, str]:
    streams: dict[str, Any] = {"a": hashlib.sha256(), "b": hashlib.sha256()}

    def wire(parcel: Parcel) -> bytes:
        streams[parcel.sender].update(parcel.payload)
        return parcel.payload

    outcome = run(
        lambda party: intersect(
            party, SETS[party.name], holders=("a", "b"), to=("a", "b"), method="vole", mode=mode
        ),
        ("a", "b"),
        disclosures=TOLD,
        wire=wire,
    )
    rows = outcome.results["a"].rows
    np.testing.assert_array_equal(np.sort(rows), np.arange(590, 600))
    return (
        streams["a"].hexdigest()[:32],
        streams["b"].hexdigest()[:32],
        hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:32],
    )


@pytest.mark.parametrize("name", list(MODES))
def test_the_conversation_is_frozen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_bytes", lambda count=32: bytes(range(count)))
    assert conversation(MODES[name]) == FROZEN[name]
