"""RFC 9497's vectors of suite ristretto255-SHA512, modes OPRF and VOPRF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.crypto import oprf
from unseen.crypto.oprf import OprfMode

FILE = json.loads((Path(__file__).parent / "data" / "oprf.json").read_text())
CASES = [(mode, vector) for mode in FILE["modes"] for vector in mode["vectors"]]
NAMES = [f"mode {mode['mode']}, inputs {len(v['input'])} of {len(v['input'][0]) // 2}" for mode, v in CASES]


def rows(*texts: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(len(texts), -1)


@pytest.mark.parametrize("mode", FILE["modes"], ids=["OPRF", "VOPRF"])
def test_keys(mode: dict[str, Any]) -> None:
    seed, info = bytes.fromhex(FILE["seed"]), bytes.fromhex(FILE["info"])
    key = oprf.derive_key(seed, info, OprfMode(mode["mode"]))
    assert key.hex() == mode["key"]
    if "public" in mode:
        assert oprf.public_key(key).hex() == mode["public"]


@pytest.mark.parametrize(("mode", "vector"), CASES, ids=NAMES)
def test_exchange(mode: dict[str, Any], vector: dict[str, Any]) -> None:
    kind, key = OprfMode(mode["mode"]), bytes.fromhex(mode["key"])
    for place, text in enumerate(vector["input"]):
        x, blind = rows(text), rows(vector["blind"][place])
        blinded = oprf.blind(x, blind, kind)
        assert blinded.tobytes().hex() == vector["blinded"][place]
        evaluated = oprf.blind_evaluate(key, blinded, sender="client")
        assert evaluated.tobytes().hex() == vector["evaluated"][place]
        output = oprf.finalize(x, blind, evaluated, sender="server")
        assert output.tobytes().hex() == vector["output"][place]
        assert oprf.evaluate(key, x, kind).tobytes() == output.tobytes()


@pytest.mark.parametrize(("mode", "vector"), [case for case in CASES if "proof" in case[1]])
def test_proof(mode: dict[str, Any], vector: dict[str, Any]) -> None:
    key, public = bytes.fromhex(mode["key"]), bytes.fromhex(mode["public"])
    blinded, evaluated = rows(*vector["blinded"]), rows(*vector["evaluated"])
    proof = oprf.prove(key, blinded, evaluated, nonce=bytes.fromhex(vector["nonce"]))
    assert proof.hex() == vector["proof"]
    oprf.verify(public, blinded, evaluated, proof, sender="server")
