"""RFC 7748, Wycheproof and RFC 9380 (curve25519), on every instruction set and on the reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.kernels import backend, curve
from unseen.kernels.native import native
from unseen.kernels.reference import curve as reference

DATA = Path(__file__).parent / "data"
HASHES = json.loads((DATA / "curve25519_hash.json").read_text())
WYCHEPROOF = json.loads((DATA / "x25519_wycheproof.json").read_text())["tests"]
SETS = ["reference", *(native().instruction_sets() if native() else [])]

RFC7748 = [
    (
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ),
    (
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ),
]
ITERATED = {
    1: "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
    1000: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
}


def rows(texts: list[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(len(texts), 32)


@pytest.fixture(params=SETS)
def kernel(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The kernels on that instruction set, or the reference."""
    module = native()
    if module is None or request.param == "reference":
        yield reference
        return
    module.use(request.param)
    yield curve
    module.use(backend().removeprefix("native:"))


def test_rfc7748(kernel: Any) -> None:
    k, u, out = (rows(list(column)) for column in zip(*RFC7748, strict=True))
    np.testing.assert_array_equal(kernel.x25519(k, u), out)


def test_rfc7748_iterated(kernel: Any) -> None:
    k = u = rows(["09" + "00" * 31])
    for count in range(1, 1001):
        k, u = kernel.x25519(k, u), k
        if count in ITERATED:
            assert k.tobytes().hex() == ITERATED[count]


def test_wycheproof(kernel: Any) -> None:
    k, u, out = (rows(list(column)) for column in zip(*WYCHEPROOF, strict=True))
    np.testing.assert_array_equal(kernel.x25519(k, u), out)


@pytest.mark.parametrize("vector", HASHES["vectors"], ids=lambda vector: vector["msg"][:8] or "empty")
def test_rfc9380(kernel: Any, vector: dict[str, str]) -> None:
    message = np.frombuffer(vector["msg"].encode(), np.uint8).reshape(1, -1)
    found = kernel.hash_to_x(message, HASHES["dst"].encode())
    assert int.from_bytes(found.tobytes(), "little") == int(vector["Px"], 16)


@pytest.mark.parametrize("vector", HASHES["vectors"], ids=lambda vector: vector["msg"][:8] or "empty")
def test_rfc9380_step_by_step(vector: dict[str, str]) -> None:
    number = {name: int(text, 16) for name, text in vector.items() if name != "msg"}
    message, domain = vector["msg"].encode(), HASHES["dst"].encode()
    assert reference.field_elements(message, domain) == (number["u0"], number["u1"])
    assert reference.map_to_curve(number["u0"]) == (number["Q0x"], number["Q0y"])
    assert reference.map_to_curve(number["u1"]) == (number["Q1x"], number["Q1y"])
    assert reference.hash_to_curve(message, domain) == (number["Px"], number["Py"])
