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
        "871a0a291175b584f14edc5b5a525ba3",
        "7a78b089ae809f582248574cbd6bc113",
        "92d6c4591d676a3075cc159587a6247b",
    ),
    "malicious": (
        "8b33af8753e6ed30efbc318061ca8f08",
        "ab53bb463e7c2782246eaf968ef33615",
        "532ade966ed5bcdcbb850307683500d3",
    ),
    "compact": (
        "d2cf7bce82b2e1d93c1db1fc755e4240",
        "a49c6912fd1d3d7682616dcf1e1f3d1d",
        "582c97c37c57b400d066c60ce00a8d15",
    ),
    "symmetric": (
        "871a0a291175b584f14edc5b5a525ba3",
        "7a78b089ae809f582248574cbd6bc113",
        "92d6c4591d676a3075cc159587a6247b",
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
