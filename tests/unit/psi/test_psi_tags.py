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
    table = rows(sorted(known))
    assert tags.strictly_sorted(table)
    expected = {value: place for place, value in enumerate(sorted(known))}
    found = tags.places(tags.as_words(table), tags.as_words(rows(asked)))
    assert list(found) == [expected.get(value, -1) for value in asked]


@pytest.mark.parametrize("width", [5, 8, 9, 12, 16])
def test_words_compare_as_bytes_do(width: int) -> None:
    table = np.random.default_rng(0).integers(0, 256, (500, width), np.uint8)
    first, second = tags.as_words(table)
    assert [row.tobytes() for row in table[np.lexsort((second, first))]] == sorted(
        row.tobytes() for row in table
    )


def test_what_is_not_strictly_sorted() -> None:
    table = np.array([[1] * 10, [2] * 10, [2] * 9 + [3]], np.uint8)
    assert tags.strictly_sorted(table)
    for wrong in ([0, 0], [1, 0], [0, 2, 1]):
        assert not tags.strictly_sorted(table[wrong])
    assert tags.strictly_sorted(table[:0])
    assert tags.repeated(table[[0, 1, 1]])
    assert not tags.repeated(table)


def test_lengths_bound_false_matches() -> None:
    for sizes in ((0, 5), (1, 1), (1 << 20, 1 << 20), (10**7, 10**7), (3, 10**8)):
        assert sizes[0] * sizes[1] / 2 ** (8 * tags.length(sizes, compact=True)) <= 2**-40
    assert tags.length((1 << 20, 1 << 20), compact=True) == 10
    assert tags.length((1, 1), compact=False) == 16
