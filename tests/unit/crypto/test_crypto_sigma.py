"""Proofs of knowledge: whole, simulated, misused; and the transcript under them."""

from __future__ import annotations

import pytest

from unseen.core.errors import LocalProtocolError, VerificationError
from unseen.crypto import group, pedersen, scalars, sigma
from unseen.crypto.sigma import Equation, Relation
from unseen.crypto.transcript import Transcript

G, H = pedersen.VALUE, pedersen.BLINDING


def fresh(session: bytes = b"job 1") -> Transcript:
    return Transcript(session)


def times(factor: int, element: bytes) -> bytes:
    return group.sum_of_products(scalars.to_rows([factor]), group.to_array([element]), sender="us")


def cases() -> dict[str, tuple[Relation, list[int]]]:
    w, r, s = scalars.random_scalars(3)
    bases = [row.tobytes() for row in pedersen.bases(4)]
    image = group.sum_of_products(scalars.to_rows([w, r, s, 1]), pedersen.bases(4), sender="us")
    return {
        "schnorr": (sigma.discrete_log(times(w, G)), [w]),
        "okamoto": (sigma.representation(image, bases), [w, r, s, 1]),
        "chaum-pedersen": (sigma.equal_logs([times(w, G), times(w, H)], [G, H]), [w]),
        "equal": (sigma.equal_values(pedersen.commit(w, r), pedersen.commit(w, s)), [w, r, s]),
    }


@pytest.mark.parametrize("name", cases())
def test_proofs(name: str) -> None:
    relation, secrets = cases()[name]
    proof = sigma.prove(relation, secrets, fresh())
    assert len(proof) == 32 * (1 + len(secrets))
    sigma.verify(relation, proof, fresh())
    with pytest.raises(VerificationError):
        sigma.verify(relation, proof, fresh(b"job 2"))
    assert sigma.prove(relation, secrets, fresh()) != proof  # nonces are fresh
    with pytest.raises(LocalProtocolError):
        sigma.prove(relation, [secrets[0] + 1, *secrets[1:]], fresh())


@pytest.mark.parametrize("bit", [0, 1])
def test_a_bit(bit: int) -> None:
    blind = scalars.random_scalar()
    commitment = pedersen.commit(bit, blind)
    proof = sigma.prove_bit(commitment, bit, blind, fresh())
    assert len(proof) == 128
    sigma.verify_bit(commitment, proof, fresh())
    for wrong in (pedersen.commit(2, blind), pedersen.commit(1 - bit, blind), b"\xff" * 32):
        with pytest.raises(VerificationError):
            sigma.verify_bit(wrong, proof, fresh())
    with pytest.raises(LocalProtocolError):
        sigma.prove_bit(pedersen.commit(2, blind), bit, blind, fresh())


@pytest.mark.parametrize("known", [0, 1, 2])
def test_one_of_several(known: int) -> None:
    pairs = list(cases().values())
    relations = [relation for relation, _ in pairs[:3]]
    proof = sigma.prove_one(relations, known, pairs[known][1], fresh())
    sigma.verify_one(relations, proof, fresh())
    with pytest.raises(VerificationError):
        sigma.verify_one([relations[1], relations[0], relations[2]], proof, fresh())
    with pytest.raises(VerificationError):
        sigma.verify_one(relations, proof[:-32] + scalars.to_bytes(5), fresh())


def test_several_proofs_are_one_chain() -> None:
    """Each proof depends on those before it; they cannot be shown in another order."""
    (one, secret), (two, other) = list(cases().values())[:2]
    prover = fresh()
    first, second = sigma.prove(one, secret, prover), sigma.prove(two, other, prover)
    verifier = fresh()
    sigma.verify(one, first, verifier)
    sigma.verify(two, second, verifier)
    with pytest.raises(VerificationError):
        sigma.verify(two, second, fresh())


def test_what_says_nothing_is_no_statement() -> None:
    identity = bytes(32)
    for equations in (
        (Equation(identity, ((0, G),)),),
        (Equation(G, ((0, identity),)),),
        (Equation(H, ((0, G), (1, G))),),
        (Equation(H, ((1, G),)),),
        (),
    ):
        with pytest.raises(VerificationError):
            Relation("x", 2 if len(equations) and equations[0].terms[0][0] else 1, equations)


def test_what_is_no_element_is_no_proof() -> None:
    relation = sigma.discrete_log(b"\x02" * 31 + b"\xff")
    with pytest.raises(VerificationError):
        sigma.verify(relation, bytes(64), fresh())


# ---------------------------------------------------------------- the transcript


def drawn(*calls: tuple) -> bytes:
    transcript = fresh()
    transcript.begin("p", a=b"1")
    for name, *parts in calls:
        transcript.absorb(name, *parts)
    return transcript.draw("x", 16)


def test_no_two_sequences_are_the_same_bytes() -> None:
    """Lengths, names, order, grouping: each matters."""
    sequences = [
        (),
        (("a", b"bc"),),
        (("ab", b"c"),),
        (("a", b"b", b"c"),),
        (("a", b"b"), ("a", b"c")),
        (("a", b"c"), ("a", b"b")),
        (("a", b"bc"), ("", b"")),
        (("a", b""),),
        (("a",),),
    ]
    assert len({drawn(*calls) for calls in sequences}) == len(sequences)


def test_challenges_differ_and_are_reproducible() -> None:
    def three(session: bytes) -> list[int]:
        transcript = fresh(session)
        transcript.begin("p", a=b"1")
        return [transcript.challenge(name) for name in ("x", "x", "y")]

    assert three(b"s") == three(b"s")
    assert len({*three(b"s"), *three(b"t")}) == 6


def test_nothing_is_drawn_before_a_statement() -> None:
    with pytest.raises(LocalProtocolError, match="before the statement"):
        fresh().challenge("x")
    with pytest.raises(LocalProtocolError, match="session"):
        Transcript(b"")
