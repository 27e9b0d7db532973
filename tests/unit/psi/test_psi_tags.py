"""Tags: sorting and finding, first words that agree by chance, and lengths that bound false matches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.psi import tags

# few values, so that first words, second words and whole tags coincide
TAG = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: bytes([pair[0], *[0] * 8, pair[1]]))


def rows(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), 10)


@settings(deadline=None)
@given(st.sets(TAG), st.lists(TAG, max_size=30))
def test_places_are_those_of_a_dictionary(known: set[bytes], asked: list[bytes]) -> None:
    table = rows(list(known))
    order = tags.order(tags.as_words([table]))
    assert [row.tobytes() for row in table[order]] == sorted(known)
    words = tags.as_words([table[order]])
    assert tags.strictly_sorted(words)
    expected = {value: place for place, value in enumerate(sorted(known))}
    found = tags.places(words, tags.as_words([rows(asked)]))
    assert list(found) == [expected.get(value, -1) for value in asked]


@pytest.mark.parametrize("width", [1, 5, 8, 9, 12, 16])
def test_every_width_sorts_as_bytes_do(width: int) -> None:
    table = np.random.default_rng(0).integers(0, 256, (500, width), np.uint8)
    words = tags.as_words([table[:100], table[100:100], table[100:]])
    order = tags.order(words)
    assert [row.tobytes() for row in table[order]] == sorted(row.tobytes() for row in table)


def test_what_is_not_strictly_sorted() -> None:
    table = np.array([[1] * 10, [2] * 10, [2] * 9 + [3]], np.uint8)
    assert tags.strictly_sorted(tags.as_words([table]))
    for wrong in ([0, 0], [1, 0], [0, 2, 1]):
        assert not tags.strictly_sorted(tags.as_words([table[wrong]]))
    assert tags.strictly_sorted(tags.as_words([]))


def test_lengths_bound_false_matches() -> None:
    for sizes in ((0, 5), (1, 1), (1 << 20, 1 << 20), (10**7, 10**7), (3, 10**8)):
        assert sizes[0] * sizes[1] / 2 ** (8 * tags.length(sizes, compact=True)) <= 2**-40
    assert tags.length((1 << 20, 1 << 20), compact=True) == 10
    assert tags.length((1, 1), compact=False) == 16
