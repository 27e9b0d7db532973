"""Every number of a committed vector is within bounds; what is not, or is another vector, cannot be proved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.crypto import bounds, pedersen, scalars, sigma
from unseen.crypto.bounds import Statement, prove, verify
from unseen.crypto.transcript import Transcript

VALUES = [-8, 7, 0, -1, 3]
BLIND = scalars.random_scalar()
COMMITMENT = pedersen.commit_vector(VALUES, BLIND)
GOOD = Statement(COMMITMENT, len(VALUES), -8, 4)


def of(statement: Statement = GOOD, values: list[int] = VALUES, blind: int = BLIND) -> bytes:
    return prove(statement, values, blind, Transcript(b"here"))


PROOF = of()


def test_numbers_within_the_bounds_are_proved_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    verify(GOOD, PROOF, Transcript(b"here"))
    with monkeypatch.context() as small:
        small.setattr(bounds, "_PLACES", 8)  # pieces of two numbers
        verify(GOOD, of(), Transcript(b"here"))
    for low, bits in ((-100, 12), (-8, 64), (-(1 << 40), 41)):
        statement = Statement(COMMITMENT, len(VALUES), low, bits)
        verify(statement, of(statement), Transcript(b"here"))


@pytest.mark.parametrize(("low", "bits"), [(-7, 4), (-8, 3), (0, 4)])
def test_others_are_named_by_their_place(low: int, bits: int) -> None:
    with pytest.raises(UsageError, match=r"Number \d of 5 is not in"):
        of(Statement(COMMITMENT, len(VALUES), low, bits))


@pytest.mark.parametrize(
    "other",
    [
        Statement(COMMITMENT, len(VALUES), -7, 4),
        Statement(COMMITMENT, len(VALUES), -8, 3),
        Statement(COMMITMENT, len(VALUES) + 1, -8, 4),
        Statement(pedersen.commit_vector([*VALUES[:4], 4], BLIND), len(VALUES), -8, 4),
        Statement(pedersen.commit_vector(VALUES, BLIND + 1), len(VALUES), -8, 4),
    ],
)
def test_a_proof_is_of_one_statement(other: Statement) -> None:
    with pytest.raises(VerificationError):
        verify(other, PROOF, Transcript(b"here"))


def test_and_of_one_session() -> None:
    with pytest.raises(VerificationError):
        verify(GOOD, PROOF, Transcript(b"elsewhere"))


def test_a_changed_byte_anywhere_is_found() -> None:
    size = len(PROOF)
    for place in [*np.random.default_rng(5).choice(size, 24, replace=False).tolist(), 0, size - 1]:
        changed = bytearray(PROOF)
        changed[place] ^= 1
        with pytest.raises(VerificationError):
            verify(GOOD, bytes(changed), Transcript(b"here"))
    for cut in (PROOF[:-1], PROOF + b"\0", b""):
        with pytest.raises(VerificationError):
            verify(GOOD, cut, Transcript(b"here"))


def lie(monkeypatch: pytest.MonkeyPatch) -> tuple[Statement, bytes]:
    """The vector has 100 where the prover shows 5, and the mask's vector makes up for it in an entry that should be empty."""
    committed, shown = [100, *VALUES[1:]], [5, *VALUES[1:]]
    statement = Statement(pedersen.commit_vector(committed, BLIND), len(VALUES), -8, 4)
    with monkeypatch.context() as lying:
        honest = pedersen.commit_vector
        false = _only_once(lambda v, blind: honest([v[0] - 95, *v[1:]], blind), honest)
        lying.setattr(pedersen, "commit_vector", false)
        lying.setattr(sigma, "_require_true", lambda *_: None)
        return statement, of(statement, shown)


def _only_once(first: Any, later: Any) -> Any:
    """What the prover says of its mask is a lie, the rest is as it should be."""
    calls = iter([first])

    def commit(values: list[int], blind: int, *family: bytes) -> Any:
        return next(calls, later)(values, blind, *family)

    return commit


def test_a_vector_that_makes_up_for_the_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    statement, proof = lie(monkeypatch)
    with pytest.raises(VerificationError):
        verify(statement, proof, Transcript(b"here"))


def test_that_lie_is_what_the_proof_about_the_mask_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the lie is taken."""
    monkeypatch.setattr(sigma, "prove", lambda *_: bytes(128))
    monkeypatch.setattr(sigma, "verify", lambda *_: None)
    statement, proof = lie(monkeypatch)
    verify(statement, proof, Transcript(b"here"))


def test_numbers_of_another_vector_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as lying:
        lying.setattr(
            pedersen, "commit_each", lambda v, blinds, of=pedersen.commit_each: of([v[0] + 1, *v[1:]], blinds)
        )
        proof = of()
    with pytest.raises(VerificationError):
        verify(GOOD, proof, Transcript(b"here"))


def test_proofs_of_the_same_numbers_have_nothing_in_common() -> None:
    pieces = [{proof[at : at + 32] for at in range(0, len(proof), 32)} for proof in (PROOF, of())]
    assert not pieces[0] & pieces[1]


@pytest.mark.parametrize(
    ("entries", "low", "bits"), [(0, 0, 4), (1 << 17, 0, 4), (3, 0, 0), (3, 0, 65), (3, 1 << 65, 4)]
)
def test_what_is_no_statement_is_refused(entries: int, low: int, bits: int) -> None:
    with pytest.raises(LocalProtocolError, match="No proof of bounds"):
        Statement(COMMITMENT, entries, low, bits)
