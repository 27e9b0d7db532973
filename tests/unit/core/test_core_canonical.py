"""What is hashed and signed: one form for each value, no two values in one form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.canonical import canonical_bytes, digest, tagged
from unseen.core.errors import UsageError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_it_is_json_that_reads_back_as_the_value(value: Any) -> None:
    assert json.loads(canonical_bytes(value)) == value


@given(st.dictionaries(TEXT, SCALARS))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical_bytes(dict(reversed(value.items()))) == canonical_bytes(value)


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**64, -(2**70)])
def test_integers_beyond_2_to_the_53_are_refused_and_go_as_strings(number: int) -> None:
    with pytest.raises(UsageError) as caught:
        canonical_bytes({"n": number})
    assert "strings" in caught.value.mend
    assert canonical_bytes({"n": str(number)}) == f'{{"n":"{number}"}}'.encode()
    assert canonical_bytes(2**53 - 1) == b"9007199254740991"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, "\ud800", {"\udfff": 1}, b"x", {1}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(UsageError):
        canonical_bytes(value)


def test_tags_keep_kinds_and_versions_apart() -> None:
    assert tagged("contract", 1, {"a": 1}) == b'unseen/contract/v1\n{"a":1}'
    seen = {digest(domain, version, {}) for domain in ("contract", "entry") for version in (1, 11)}
    assert len(seen) == 4
