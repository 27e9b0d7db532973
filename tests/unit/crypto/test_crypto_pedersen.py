"""Pedersen commitments: they add up, hide and bind; sums of products in the group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, VerificationError
from unseen.crypto import group, pedersen, scalars, sodium

NUMBERS = st.integers(-(2**260), 2**260)


@settings(max_examples=20, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_commitments_add_up(v: int, w: int, r: int, s: int, factor: int) -> None:
    both = group.to_array([pedersen.commit(v, r), pedersen.commit(w, s)])
    assert pedersen.combine([1, 1], both, sender="b") == pedersen.commit(v + w, r + s)
    assert pedersen.combine([factor, -3], both, sender="b") == pedersen.commit(
        factor * v - 3 * w, factor * r - 3 * s
    )


def test_vectors_add_up() -> None:
    v, w = [1, -2, 3], [10, 20]
    both = group.to_array([pedersen.commit_vector(v, 5), pedersen.commit_vector(w, 7)])
    assert pedersen.combine([2, 1], both, sender="b") == pedersen.commit_vector([12, 16, 6], 17)
    assert pedersen.commit_vector([*w, 0, 0], 7) == both[1].tobytes()


def test_many_at_once_are_as_one_by_one() -> None:
    values, blinds = [0, 1, -1, 2**63, scalars.ORDER - 1], scalars.random_scalars(5)
    each = pedersen.commit_each(values, blinds)
    assert [row.tobytes() for row in each] == [
        pedersen.commit(v, r) for v, r in zip(values, blinds, strict=True)
    ]
    with pytest.raises(LocalProtocolError):
        pedersen.commit_each(values, blinds[1:])


def test_the_same_number_twice_looks_different() -> None:
    """And bit by bit uniform (but for the two bits that encodings never have)."""
    rows = pedersen.commit_each([7] * 400, scalars.random_scalars(400))
    assert len({row.tobytes() for row in rows}) == 400
    ones = np.unpackbits(rows, axis=1, bitorder="little").sum(axis=0).astype(int)[1:255]
    assert (np.abs(ones - 200) < 6 * 10).all()


def test_a_commitment_opens_to_what_it_was_made_of_only() -> None:
    commitment, vector = pedersen.commit(5, 9), pedersen.commit_vector([5, 6], 9)
    pedersen.check(commitment, 5, 9, what="The bid")
    pedersen.check_vector(vector, [5, 6], 9, what="The column")
    for value, blind in ((6, 9), (5, 8)):
        with pytest.raises(VerificationError, match="The bid"):
            pedersen.check(commitment, value, blind, what="The bid")
    for values, blind in (([6, 5], 9), ([5, 6], 8), ([5, 6, 1], 9)):
        with pytest.raises(VerificationError, match="The column"):
            pedersen.check_vector(vector, values, blind, what="The column")


def test_all_bases_differ() -> None:
    families = (pedersen.bases(300), pedersen.bases(300, pedersen.RIGHT))
    elements = [*map(bytes, np.concatenate(families)), pedersen.VALUE, pedersen.BLINDING, pedersen.PRODUCT]
    assert len(set(elements)) == 603
    np.testing.assert_array_equal(pedersen.bases(7), families[0][:7])
    with pytest.raises(ValueError, match="read-only"):
        pedersen.bases(7)[0] = 0


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 70])
def test_sums_of_products(count: int) -> None:
    elements = pedersen.bases(count)
    factors = scalars.to_rows([0, 1, -1, *scalars.random_scalars(count)][:count])
    total = group.sum_of_products(factors, elements, sender="b")
    each = group.products(factors, elements, sender="b")
    added = np.zeros((1, 32), np.uint8)
    for row in each:
        added = group.add(added, row[None], sender="b")
    assert total == added.tobytes() == sodium.ristretto_sum(factors, elements)[0].tobytes()


def test_what_is_no_element_is_refused_by_name() -> None:
    elements = np.array(pedersen.bases(9))
    elements[8] = 255
    for product in (group.products, group.sum_of_products):
        with pytest.raises(RemoteProtocolError, match="clinic"):
            product(scalars.to_rows([0] * 9), elements, sender="clinic")
        with pytest.raises(LocalProtocolError):
            product(scalars.to_rows([1] * 8), elements, sender="clinic")


def test_a_number_has_one_encoding() -> None:
    assert scalars.from_bytes(scalars.to_bytes(-1), what="x") == scalars.ORDER - 1
    for data in (scalars.ORDER.to_bytes(32, "little"), b"\xff" * 32, bytes(31)):
        with pytest.raises(VerificationError):
            scalars.from_bytes(data, what="x")
