"""Every proof for every small tree holds, and no other does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import VerificationError
from unseen.ledger import merkle

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(40)]


@pytest.mark.parametrize("size", range(1, 34))
def test_all_inclusion_proofs(size: int) -> None:
    top = merkle.root(LEAVES[:size])
    for index in range(size):
        proof = merkle.inclusion_proof(LEAVES[:size], index)
        merkle.check_inclusion(LEAVES[index], index, size, proof, top)
        for wrong in (LEAVES[(index + 1) % 40], LEAVES[39]):
            with pytest.raises(VerificationError):
                merkle.check_inclusion(wrong, index, size, proof, top)
        for other in {(index + 1) % size, size} - {index}:
            with pytest.raises(VerificationError):
                merkle.check_inclusion(LEAVES[index], other, size, proof, top)


@pytest.mark.parametrize("size", range(1, 34))
def test_all_consistency_proofs(size: int) -> None:
    top = merkle.root(LEAVES[:size])
    with pytest.raises(VerificationError):
        merkle.check_consistency(0, merkle.root([]), size, top, [])
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(LEAVES[:size], old)
        merkle.check_consistency(old, merkle.root(LEAVES[:old]), size, top, proof)
        if 0 < old < size:
            with pytest.raises(VerificationError):
                merkle.check_consistency(old, LEAVES[39], size, top, proof)
            with pytest.raises(VerificationError):
                merkle.check_consistency(old, merkle.root(LEAVES[:old]), size, LEAVES[39], proof)
            with pytest.raises(VerificationError):
                merkle.check_consistency(old, merkle.root(LEAVES[:old]), size, top, [*proof, top])


@settings(deadline=None)
@given(st.integers(2, 33), st.data())
def test_a_changed_proof_does_not_hold(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(LEAVES[:size], index)
    place = data.draw(st.integers(0, len(proof) - 1))
    bad = [*proof]
    bad[place] = bytes([bad[place][0] ^ 1]) + bad[place][1:]
    for changed in (bad, proof[:-1], [*proof, proof[0]]):
        with pytest.raises(VerificationError):
            merkle.check_inclusion(LEAVES[index], index, size, changed, merkle.root(LEAVES[:size]))


def test_there_is_no_proof_of_what_is_not_there() -> None:
    for index in (-1, 5):
        with pytest.raises(VerificationError):
            merkle.inclusion_proof(LEAVES[:5], index)
    with pytest.raises(VerificationError):
        merkle.consistency_proof(LEAVES[:5], 6)
    with pytest.raises(VerificationError):
        merkle.check_consistency(6, LEAVES[0], 5, LEAVES[0], [])


@pytest.mark.parametrize("size", range(34))
def test_the_growing_tree_agrees_with_the_definition(size: int) -> None:
    tree = merkle.Tree(LEAVES)
    assert tree.root(size) == merkle.root(LEAVES[:size])
    for index in range(size):
        assert tree.inclusion(index, size) == merkle.inclusion_proof(LEAVES[:size], index)
        assert tree.consistency(index, size) == merkle.consistency_proof(LEAVES[:size], index)
