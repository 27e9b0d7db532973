"""A frozen run of the Diffie-Hellman intersection: what is on the wire for given ids and exponents.

`python tests/vectors/test_vectors_psi_dh.py` writes the file anew: only with a new version in the messages' tags. The
values are computed by the reference, OpenSSL and hashlib; the run must send the same.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from unseen.crypto.prg import Prg
from unseen.kernels.reference import curve as reference
from unseen.party import Disclosure, Door
from unseen.psi import Mode, intersect
from unseen.psi.protocols import dh
from unseen.testing.simulate import run

FILE = Path(__file__).parent / "data" / "psi_dh.json"
EXPONENTS = {"a": bytes(range(32)), "b": bytes(range(100, 132))}
IDS = {
    name: [hashlib.sha256(text.encode()).digest() for text in texts]
    for name, texts in {"a": ["ann", "bob", "cho"], "b": ["bob", "dee", "ann", "eve"]}.items()
}


def times(name: str, point: bytes) -> bytes:
    secret = X25519PrivateKey.from_private_bytes(EXPONENTS[name])
    return secret.exchange(X25519PublicKey.from_public_bytes(point))


def computed() -> dict[str, Any]:
    domain = b"unseen-psi-dh-curve25519_XMD:SHA-512_ELL2_RO_"
    out: dict[str, Any] = {"exponents": {name: value.hex() for name, value in EXPONENTS.items()}}
    for name, other in (("a", "b"), ("b", "a")):
        points = [reference.hash_to_curve(row, domain) for row in IDS[name]]
        masked = [times(name, point[0].to_bytes(32, "little")) for point in points if point]
        doubly = [times(other, point) for point in masked]
        tags = [hashlib.sha512(b"unseen/psi-dh/tag/2\n" + point).digest()[:16] for point in doubly]
        out[name] = {
            "ids": [row.hex() for row in IDS[name]],
            "masked": [point.hex() for point in masked],
            "tags": [tag.hex() for tag in tags],
        }
    return out


def test_the_file_is_what_independent_code_computes() -> None:
    assert computed() == json.loads(FILE.read_text())


def test_a_run_sends_what_is_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = json.loads(FILE.read_text())
    monkeypatch.setattr(
        dh, "_exponent", lambda party: np.frombuffer(EXPONENTS[party.name], np.uint8).reshape(1, 32)
    )
    monkeypatch.setattr(Prg, "permutation", lambda _self, count: np.arange(count))
    sets = {name: np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 32) for name, rows in IDS.items()}
    told = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
    outcome = run(
        lambda party: intersect(
            party, sets[party.name], holders=("a", "b"), to=("a", "b"), method="dh", mode=Mode()
        ),
        ("a", "b"),
        disclosures=told,
    )
    seen = {name: {type(item.message): item.message for item in view} for name, view in outcome.views.items()}
    for receiver, sender in (("a", "b"), ("b", "a")):
        points = seen[receiver][dh.MaskedIds].points
        assert [row.tobytes().hex() for row in points] == vector[sender]["masked"]
    pad = Prg(seen["a"][dh.TagSeed].seed.value)
    tags = seen["a"][dh.SealedTags].tags ^ dh._pad(pad, 3, 16)
    assert [row.tobytes().hex() for row in tags] == vector["a"]["tags"]
    assert list(seen["b"][dh.Common].bits.value) == [0b0101]
    assert list(outcome.results["a"].rows) == [1, 0]
    assert list(outcome.results["b"].rows) == [0, 2]


if __name__ == "__main__":
    FILE.write_text(json.dumps(computed(), indent=1) + "\n")
