"""A frozen prepared set: stored bytes of given ids and labels, made by independent code from RFC 9497's PRF.

`python tests/vectors/test_vectors_psi_table.py` writes the file anew: only with a new format name.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from unseen.crypto import oprf
from unseen.crypto.oprf import OprfMode
from unseen.psi import table as tables

FILE = Path(__file__).parent / "data" / "psi_table.json"
KEY = bytes.fromhex("e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909")  # RFC 9497 A.1.2
PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
SALT = bytes(range(32))
IDS = [bytes([number]) * 32 for number in range(4)]
LABELS = [b"", b"one", b"two!", b"three"]


def computed() -> bytes:
    """The stored form, by the description in docs/protocols/psi-oprf.md."""
    entries = []
    for name, label in zip(IDS, LABELS, strict=True):
        output = oprf.evaluate(KEY, np.frombuffer(name, np.uint8).reshape(1, 32), OprfMode.VOPRF).tobytes()
        tag = hashlib.sha512(b"unseen/psi-oprf/tag/1\n" + output).digest()[:12]
        key = hashlib.sha512(b"unseen/psi-oprf/label-key/1\n" + SALT + output).digest()[:32]
        padded = len(label).to_bytes(2, "little") + label.ljust(8, b"\0")
        entries.append((tag, AESGCM(key).encrypt(bytes(12), padded, tag)))
    entries.sort()
    head = (
        f'{{"entries":4,"format":"unseen/psi-table/1","mode":1,"public":"{PUBLIC}",'
        f'"salt":"{SALT.hex()}","version":3,"width":26}}'
    ).encode()
    body = len(head).to_bytes(4, "little") + head
    body += b"".join(tag for tag, _ in entries) + b"".join(sealed for _, sealed in entries)
    return body + hashlib.sha256(body).digest()


def test_the_file_is_what_independent_code_computes() -> None:
    assert computed().hex() == json.loads(FILE.read_text())["stored"]


def test_prepare_makes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.secrets, "token_bytes", lambda count: (SALT * count)[:count])
    rows = np.frombuffer(b"".join(IDS), np.uint8).reshape(4, 32)
    table = tables.prepare(KEY, rows, LABELS, version=3, label_bytes=8)
    assert table.to_bytes().hex() == json.loads(FILE.read_text())["stored"]


def test_it_opens() -> None:
    table = tables.from_bytes(bytes.fromhex(json.loads(FILE.read_text())["stored"]))
    rows = np.frombuffer(b"".join(IDS), np.uint8).reshape(4, 32)
    assert table.open(oprf.evaluate(KEY, rows, OprfMode.VOPRF)) == LABELS
    assert table.version == 3


if __name__ == "__main__":
    FILE.write_text(json.dumps({"stored": computed().hex()}, indent=1) + "\n")
