"""Proofs of knowledge of secrets in the exponent: Schnorr, Okamoto, Chaum-Pedersen and their like, and "one of these is true".

All are one protocol (Maurer, "Unifying Zero-Knowledge Proofs of Knowledge", AFRICACRYPT 2009): secrets w_1 … w_k, and
equations, each of which says that an element is a sum of secrets times bases.

    Schnorr         Y = w G                              :func:`discrete_log`
    Okamoto         Y = w_1 B_1 + … + w_k B_k            :func:`representation`
    Chaum-Pedersen  Y = w G and Z = w H                  :func:`equal_logs`
    equal numbers   C = v G + r H and D = v G + s H      :func:`equal_values`
    a bit           C = r H  or  C - G = r H             :func:`prove_bit` (Cramer, Damgård, Schoenmakers, CRYPTO 1994)

The prover draws k_i, sends T = the equations of the k_i, gets the challenge c, answers s_i = k_i + c w_i. The proof is c and
the s_i, 32 bytes each: the verifier computes T = (equations of the s_i) - c Y and hashes again.

Against whom
    A prover who does not know the secrets (proofs of knowledge, special soundness, by the discrete logarithm in ristretto255
    and SHA-512 as a random oracle), and a verifier who wants them (zero knowledge, in the same model).
What it leaks
    That the equations hold. Challenges depend on bases, elements and session (:mod:`unseen.crypto.transcript`).
Refused
    Numbers not below the order, what encodes no element, the identity as a base or as an element, one base twice in an equation.
Timing
    Products with elements are constant time; "one of these" computes the same for the true one and the others. Python's integers
    are not constant time: see :mod:`unseen.crypto.scalars`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, VerificationError
from unseen.crypto import group, pedersen, scalars
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

_SIZE = group.SCALAR_BYTES
_IDENTITY = bytes(group.ELEMENT_BYTES)
_WHAT = "The proof"


@dataclass(frozen=True, slots=True)
class Equation:
    """`image` is the sum of secret number i times its base, for (i, base) in `terms`."""

    image: bytes
    terms: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """What a proof is about: its name, how many secrets there are, and the equations that hold for them.

    Raises
    ------
    VerificationError
        The identity as a base or an element, a base twice in one equation, a secret that is in none.
    """

    name: str
    secrets: int
    equations: tuple[Equation, ...]

    def __post_init__(self) -> None:
        used = {index for equation in self.equations for index, _ in equation.terms}
        distinct = all(
            len({base for _, base in equation.terms}) == len(equation.terms) for equation in self.equations
        )
        elements = [
            element
            for equation in self.equations
            for element in (equation.image, *(base for _, base in equation.terms))
        ]
        if used != set(range(self.secrets)) or not distinct or _IDENTITY in elements:
            raise VerificationError(
                f"'{self.name}' is no statement that can be proved.",
                why="a base is the identity or there twice, an element is the identity, or a secret is in no equation",
            )

    def to_bytes(self) -> bytes:
        """All of it: goes into every challenge."""
        parts = [_number(self.secrets), _number(len(self.equations))]
        for equation in self.equations:
            parts += [_number(len(equation.terms)), equation.image]
            parts += [_number(index) + base for index, base in equation.terms]
        return b"".join(parts)

    def commitments(self, answers: Sequence[int], challenge: int) -> list[bytes]:
        """T of each equation: its right side under `answers`, less `challenge` times its left side."""
        out = []
        for equation in self.equations:
            factors = [answers[index] for index, _ in equation.terms]
            elements = [base for _, base in equation.terms]
            rows = scalars.to_rows([*factors, -challenge])
            out.append(
                group.sum_of_products(rows, group.to_array([*elements, equation.image]), sender="the prover")
            )
        return out


# ---------------------------------------------------------------- what can be said


def discrete_log(public: bytes, base: bytes = pedersen.VALUE) -> Relation:
    """Schnorr: "I know w with public = w base"."""
    return Relation("discrete-log", 1, (Equation(public, ((0, base),)),))


def representation(image: bytes, bases: Sequence[bytes]) -> Relation:
    """Okamoto: "I know all w_i with image = sum of w_i bases_i"; with the bases of a commitment: "I can open it"."""
    return Relation("representation", len(bases), (Equation(image, tuple(enumerate(bases))),))


def equal_logs(images: Sequence[bytes], bases: Sequence[bytes]) -> Relation:
    """Chaum-Pedersen: "I know one w with images_i = w bases_i for all i"."""
    equations = tuple(Equation(image, ((0, base),)) for image, base in zip(images, bases, strict=True))
    return Relation("equal-logs", 1, equations)


def equal_values(left: bytes, right: bytes) -> Relation:
    """Say "I can open both commitments, and they are to the same number". Secrets: the number, the two blinds."""
    value, blinding = pedersen.VALUE, pedersen.BLINDING
    equations = (Equation(left, ((0, value), (1, blinding))), Equation(right, ((0, value), (2, blinding))))
    return Relation("equal-values", 3, equations)


# ---------------------------------------------------------------- all of these


def prove(relation: Relation, secrets: Sequence[int], transcript: Transcript) -> bytes:
    """A proof of 32 bytes and 32 for each secret.

    Raises
    ------
    LocalProtocolError
        The secrets do not fulfil the equations.
    """
    _require_true(relation, secrets)
    nonces = scalars.random_scalars(relation.secrets)
    challenge = _challenge((relation,), [relation.commitments(nonces, 0)], transcript)
    answers = [nonce + challenge * secret for nonce, secret in zip(nonces, secrets, strict=True)]
    return b"".join(map(scalars.to_bytes, (challenge, *answers)))


def verify(relation: Relation, proof: bytes, transcript: Transcript) -> None:
    """Check it.

    Raises
    ------
    VerificationError
        It does not hold for this relation in this session.
    """
    challenge, *answers = _numbers(proof, 1 + relation.secrets)
    expected = _challenge((relation,), [_commitments(relation, answers, challenge)], transcript)
    _require_equal(challenge, expected, relation.name)


# ---------------------------------------------------------------- one of these


def prove_one(
    relations: Sequence[Relation], known: int, secrets: Sequence[int], transcript: Transcript
) -> bytes:
    """A proof that one of the relations holds, which does not tell which: number `known`, for `secrets`.

    For every other one a conversation is made up from its end, under a challenge of its own; the challenges must add up to
    the hash, so one of them is not the prover's choice.

    Raises
    ------
    LocalProtocolError
        The secrets do not fulfil the equations of that relation.
    """
    _require_true(relations[known], secrets)
    free = scalars.random_scalars(len(relations))
    free[known] = 0
    answers = [scalars.random_scalars(relation.secrets) for relation in relations]
    made = [
        relation.commitments(some, challenge)
        for relation, some, challenge in zip(relations, answers, free, strict=True)
    ]
    free[known] = (_challenge(relations, made, transcript) - sum(free)) % ORDER
    answers[known] = [
        nonce + free[known] * secret for nonce, secret in zip(answers[known], secrets, strict=True)
    ]
    return b"".join(map(scalars.to_bytes, (*free, *(number for some in answers for number in some))))


def verify_one(relations: Sequence[Relation], proof: bytes, transcript: Transcript) -> None:
    """Check it.

    Raises
    ------
    VerificationError
        It does not hold for these relations in this session.
    """
    numbers = _numbers(proof, len(relations) + sum(relation.secrets for relation in relations))
    challenges, rest = numbers[: len(relations)], iter(numbers[len(relations) :])
    made = [
        _commitments(relation, [next(rest) for _ in range(relation.secrets)], challenge)
        for relation, challenge in zip(relations, challenges, strict=True)
    ]
    name = " or ".join(relation.name for relation in relations)
    _require_equal(sum(challenges) % ORDER, _challenge(relations, made, transcript), name)


def prove_bit(commitment: bytes, bit: int, blind: int, transcript: Transcript) -> bytes:
    """A proof of 128 bytes that the commitment is to 0 or to 1."""
    return prove_one(_bit(commitment), bit, [blind], transcript)


def verify_bit(commitment: bytes, proof: bytes, transcript: Transcript) -> None:
    """Check it.

    Raises
    ------
    VerificationError
        It does not hold.
    """
    verify_one(_bit(commitment), proof, transcript)


def _bit(commitment: bytes) -> tuple[Relation, Relation]:
    try:
        less = pedersen.combine([1, -1], group.to_array([commitment, pedersen.VALUE]), sender="the prover")
    except RemoteProtocolError as error:
        raise VerificationError("The commitment to a bit is no element of the group.") from error
    blinding = ((0, pedersen.BLINDING),)
    return Relation("is-0", 1, (Equation(commitment, blinding),)), Relation(
        "is-1", 1, (Equation(less, blinding),)
    )


# ---------------------------------------------------------------- pieces


def _challenge(relations: Sequence[Relation], made: Sequence[Sequence[bytes]], transcript: Transcript) -> int:
    for relation in relations:
        transcript.begin(f"unseen/sigma/v1/{relation.name}", relation=relation.to_bytes())
    for commitments in made:
        transcript.absorb("commitments", *commitments)
    return transcript.challenge("challenge")


def _commitments(relation: Relation, answers: Sequence[int], challenge: int) -> list[bytes]:
    try:
        return relation.commitments(answers, challenge)
    except RemoteProtocolError as error:
        raise VerificationError(
            f"'{relation.name}' is about something that is no element.", why=error.why
        ) from error


def _numbers(proof: bytes, count: int) -> list[int]:
    if len(proof) != count * _SIZE:
        raise VerificationError(f"{_WHAT} has {len(proof)} bytes where {count * _SIZE} are due.")
    return [scalars.from_bytes(proof[at : at + _SIZE], what=_WHAT) for at in range(0, len(proof), _SIZE)]


def _require_true(relation: Relation, secrets: Sequence[int]) -> None:
    if len(secrets) != relation.secrets or any(
        made != _IDENTITY for made in relation.commitments(secrets, 1)
    ):
        raise LocalProtocolError(f"'{relation.name}' does not hold for these secrets: nothing is proved.")


def _require_equal(challenge: int, expected: int, name: str) -> None:
    if not hmac.compare_digest(scalars.to_bytes(challenge), scalars.to_bytes(expected)):
        raise VerificationError(
            f"'{name}' was not proved.",
            why="the proof is not for this statement in this session, or its maker does not know the secrets",
        )


def _number(value: int) -> bytes:
    return value.to_bytes(4, "little")
