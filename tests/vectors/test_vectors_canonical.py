"""Canonical bytes against the vectors that RFC 8785 publishes."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from unseen.core.canonical import canonical_bytes
from unseen.core.errors import UsageError

VECTORS = json.loads((Path(__file__).parent / "data" / "rfc8785.json").read_text(encoding="utf-8"))


def double(text: str) -> float:
    number: float = struct.unpack(">d", bytes.fromhex(text))[0]
    return number


def test_object_of_the_standard() -> None:
    given = VECTORS["object"]
    assert canonical_bytes(json.loads(given["input"])).hex() == given["output_hex"]


def test_keys_are_sorted_by_utf16_code_units() -> None:
    given = VECTORS["sorting"]
    written = canonical_bytes(json.loads(given["input"]))
    assert list(json.loads(written).values()) == given["order"]


@pytest.mark.parametrize(("bits", "text"), VECTORS["numbers"])
def test_numbers_of_the_standard(bits: str, text: str) -> None:
    assert canonical_bytes(double(bits)).decode() == text


@pytest.mark.parametrize("bits", VECTORS["bad_numbers"])
def test_bad_numbers_of_the_standard(bits: str) -> None:
    with pytest.raises(UsageError, match="canonically"):
        canonical_bytes([double(bits)])
