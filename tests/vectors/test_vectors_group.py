"""RFC 9496's vectors, and those of expand_message_xmd in RFC 9380's suites."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError
from unseen.crypto import group
from unseen.crypto.expand import expand_message

DATA = Path(__file__).parent / "data"
RISTRETTO = json.loads((DATA / "ristretto255.json").read_text())
HASHES = json.loads((DATA / "curve25519_hash.json").read_text())
P = 2**255 - 19


def row(text: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(1, 32)


def test_multiples_of_the_generator() -> None:
    generator = row(RISTRETTO["multiples"][1])
    total = row(RISTRETTO["multiples"][0])
    for factor, text in enumerate(RISTRETTO["multiples"]):
        assert group.is_valid(bytes.fromhex(text))
        assert total.tobytes().hex() == text
        if factor:
            assert group.scalar_mult_base(factor.to_bytes(32, "little")).hex() == text
        total = group.add(total, generator, sender="b")


@pytest.mark.parametrize("text", RISTRETTO["bad_encodings"])
def test_bad_encodings(text: str) -> None:
    assert not group.is_valid(bytes.fromhex(text))
    for call in (
        lambda: group.scalar_mult((1).to_bytes(32, "little"), row(text), sender="b"),
        lambda: group.add(row(text), row(RISTRETTO["multiples"][0]), sender="b"),
    ):
        with pytest.raises(RemoteProtocolError):
            call()


@pytest.mark.parametrize("vector", RISTRETTO["hashed"], ids=lambda vector: vector["element"][:8])
def test_one_way_map(vector: dict[str, str]) -> None:
    digest = np.frombuffer(hashlib.sha512(vector["sha512_of"].encode()).digest(), np.uint8)
    assert group.from_uniform(digest.reshape(1, 64)).tobytes().hex() == vector["element"]


@pytest.mark.parametrize("vector", HASHES["vectors"], ids=lambda vector: vector["msg"][:8] or "empty")
def test_expansion(vector: dict[str, str]) -> None:
    uniform = expand_message(vector["msg"].encode(), HASHES["dst"].encode(), 96)
    found = [int.from_bytes(part, "big") % P for part in (uniform[:48], uniform[48:])]
    assert found == [int(vector["u0"], 16), int(vector["u1"], 16)]
