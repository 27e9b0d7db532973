"""Forgers against proofs, and against weakened copies of them, which must fall: so the tests would notice the weakness.

The weakened copies are those that sank others: challenges that leave out part of the statement ("Frozen Heart"), numbers with two
encodings, the identity as a base, places of a vector that no part of a proof looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from unseen.core.errors import VerificationError
from unseen.crypto import bounds, group, inner, linear, norm, pedersen, quadratic, scalars, short, sigma
from unseen.crypto import range as ranges
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

G, H = pedersen.VALUE, pedersen.BLINDING
Proof = Callable[[Transcript], object]


class Forgetful(Transcript):
    """Leaves out of every challenge what has one of these names."""

    def __init__(self, session: bytes, *forgotten: str) -> None:
        super().__init__(session)
        self.forgotten = forgotten

    def begin(self, protocol: str, **statement: bytes) -> None:
        super().begin(
            protocol, **{name: part for name, part in statement.items() if name not in self.forgotten}
        )

    def absorb(self, name: str, *parts: bytes) -> None:
        if name not in self.forgotten:
            super().absorb(name, *parts)


class Listening(Forgetful):
    """Notes all challenges."""

    def __init__(self, *forgotten: str, session: bytes = b"job 1") -> None:
        super().__init__(session, *forgotten)
        self.heard: list[bytes] = []

    def draw(self, name: str, count: int) -> bytes:
        self.heard.append(super().draw(name, count))
        return self.heard[-1]


def combination(*products: tuple[int, bytes]) -> bytes:
    factors, elements = zip(*products, strict=True)
    return group.sum_of_products(scalars.to_rows(factors), group.to_array(elements), sender="us")


@contextmanager
def patched(place: object, name: str, value: object) -> Iterator[None]:
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


# ---------------------------------------------------------------- every part of a statement is in the challenge


def challenges(make: Proof, *forgotten: str, session: bytes = b"job 1") -> list[bytes]:
    transcript = Listening(*forgotten, session=session)
    with suppress(VerificationError):
        make(transcript)
    return transcript.heard


def range_proof(commitment: bytes, bits: int = 4, first: bytes = G) -> Proof:
    statement = ranges.Statement(group.to_array([commitment]), bits)
    proof = first + bytes(32 * 20)
    return lambda transcript: ranges.claim(statement, proof, transcript)


def bounds_proof(
    commitment: bytes = G, entries: int = 3, low: int = -8, bits: int = 4, first: bytes = G
) -> Proof:
    statement = bounds.Statement(commitment, entries, low, bits)
    return lambda transcript: bounds.verify(statement, first * entries + G * 2 + bytes(10000), transcript)


def norm_proof(commitment: bytes = G, entries: int = 3, bound: int = 9, first: bytes = G) -> Proof:
    statement = norm.Statement(commitment, entries, bound)
    return lambda transcript: norm.claims(statement, first * 3 + bytes(10000), transcript)


def schnorr(image: bytes, base: bytes = G, name: str = "x") -> Proof:
    relation = sigma.Relation(name, 1, (sigma.Equation(image, ((0, base),)),))
    return lambda transcript: sigma.verify(relation, scalars.to_bytes(1) * 2, transcript)


def with_base(make: Proof, name: str) -> Proof:
    def run(transcript: Transcript) -> None:
        with patched(pedersen, name, pedersen.bases(9)[8].tobytes()):
            make(transcript)

    return run


BIT = pedersen.commit(1, 5)
PAIRS: dict[str, tuple[Proof, Proof, str]] = {
    # two statements that differ in one part, and that part's name
    "range: commitment": (range_proof(BIT), range_proof(H), "commitments"),
    "range: bits": (range_proof(BIT, 3), range_proof(BIT, 4), "bits"),
    "range: first message": (range_proof(BIT), range_proof(BIT, first=H), "bits"),
    "range: base of the value": (range_proof(BIT), with_base(range_proof(BIT), "VALUE"), "bases"),
    "range: base of the blind": (range_proof(BIT), with_base(range_proof(BIT), "BLINDING"), "bases"),
    "bounds: commitment": (bounds_proof(), bounds_proof(H), "commitment"),
    "bounds: entries": (bounds_proof(), bounds_proof(entries=4), "entries"),
    "bounds: low": (bounds_proof(), bounds_proof(low=-7), "low"),
    "bounds: bits": (bounds_proof(), bounds_proof(bits=5), "bits"),
    "bounds: commitments to each number": (bounds_proof(), bounds_proof(first=H), "commitments"),
    "norm: commitment": (norm_proof(), norm_proof(H), "commitment"),
    "norm: bound": (norm_proof(), norm_proof(bound=8), "bound"),
    "norm: entries": (norm_proof(), norm_proof(entries=4), "entries"),
    "norm: first message": (norm_proof(), norm_proof(first=H), "commitments"),
    "sigma: element": (schnorr(BIT), schnorr(H), "relation"),
    "sigma: base": (schnorr(BIT), schnorr(BIT, H), "relation"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_part_of_a_statement_changes_the_first_challenge(name: str) -> None:
    one, other, _ = PAIRS[name]
    assert challenges(one)[0] != challenges(other)[0]
    assert challenges(one)[0] != challenges(one, session=b"job 2")[0]


@pytest.mark.parametrize("name", [name for name in PAIRS if "entries" not in name])
def test_a_copy_that_leaves_it_out_is_noticed(name: str) -> None:
    """The first challenges of the forgetful copy agree: the test above would fail on it."""
    one, other, part = PAIRS[name]
    forgotten = (part, "commitments") if name.startswith("sigma") else (part,)
    assert challenges(one, *forgotten)[0] == challenges(other, *forgotten)[0]


# ---------------------------------------------------------------- forgeries


def test_schnorr_with_the_element_chosen_last() -> None:
    """Weak Fiat-Shamir: T and s first, then Y = (s G - T) / c, whose logarithm nobody knows."""
    t, s = pedersen.bases(1)[0].tobytes(), scalars.random_scalar()
    weak = Forgetful(b"job 1", "relation")
    weak.begin("unseen/sigma/v1/discrete-log")
    weak.absorb("commitments", t)
    c = weak.challenge("challenge")
    inverse = scalars.inverse(c)
    image = combination((s * inverse, G), (-inverse, t))
    proof = scalars.to_bytes(c) + scalars.to_bytes(s)
    forgetful = Forgetful(b"job 1", "relation")
    with patched(forgetful, "begin", lambda protocol, **_: Transcript.begin(forgetful, protocol)):
        sigma.verify(sigma.discrete_log(image), proof, forgetful)
    with pytest.raises(VerificationError):
        sigma.verify(sigma.discrete_log(image), proof, Transcript(b"job 1"))


def test_range_with_the_commitment_chosen_last() -> None:
    """The Bulletproofs bug of 2022: with V out of the hash, T_1 is shifted and V made to fit: a number out of range."""
    blind, shift = scalars.random_scalars(2)
    statement = ranges.Statement(pedersen.commit_each([3], [blind]), 4)
    weak = Listening("commitments")
    first_call = iter([True])
    commit = pedersen.commit

    def shifted(value: int, blind: int) -> bytes:
        return commit(value + shift if next(first_call, False) else value, blind)

    with patched(pedersen, "commit", shifted):
        proof = ranges.prove(statement, [3], [blind], weak)
    _, z, x = (int.from_bytes(data, "little") % ORDER for data in weak.heard[:3])
    value = 3 - shift * x * scalars.inverse(z * z)
    forged = ranges.Statement(group.to_array([pedersen.commit(value, blind)]), 4)
    assert value % ORDER > 15
    ranges.verify(forged, proof, Forgetful(b"job 1", "commitments"))
    with pytest.raises(VerificationError):
        ranges.verify(forged, proof, Transcript(b"job 1"))


def test_equal_logs_under_the_identity() -> None:
    """0 = w 0 for every w: with the identity as a base any two logarithms would be equal."""
    w, identity = scalars.random_scalar(), bytes(32)
    image = combination((w, G))
    with pytest.raises(VerificationError):
        sigma.equal_logs([image, identity], [G, identity])
    with patched(sigma.Relation, "__post_init__", lambda _self: None):
        relation = sigma.equal_logs([image, identity], [G, identity])
        sigma.verify(relation, sigma.prove(relation, [w], Transcript(b"job 1")), Transcript(b"job 1"))


def test_a_second_encoding_of_an_answer() -> None:
    w = scalars.random_scalar()
    relation = sigma.discrete_log(combination((w, G)))
    proof = sigma.prove(relation, [w], Transcript(b"job 1"))
    answer = int.from_bytes(proof[32:], "little") + ORDER
    other = proof[:32] + answer.to_bytes(32, "little")
    with pytest.raises(VerificationError):
        sigma.verify(relation, other, Transcript(b"job 1"))
    with patched(scalars, "from_bytes", lambda data, what: int.from_bytes(data, "little")):
        sigma.verify(relation, other, Transcript(b"job 1"))


def test_a_bit_that_is_two() -> None:
    """Both challenges of the OR-proof chosen by the forger: they must add up to the hash."""
    blind = scalars.random_scalar()
    commitment = pedersen.commit(2, blind)
    numbers = scalars.random_scalars(4)
    with pytest.raises(VerificationError):
        sigma.verify_bit(commitment, b"".join(map(scalars.to_bytes, numbers)), Transcript(b"job 1"))


def square_root(value: int) -> int | None:
    """Modulo the order, which is 5 modulo 8."""
    root = pow(value, (ORDER + 3) // 8, ORDER)
    for candidate in (root, root * pow(2, (ORDER - 1) // 4, ORDER) % ORDER):
        if candidate * candidate % ORDER == value % ORDER:
            return candidate
    return None


def combined(statement: linear.Statement, vector: list[int], blind: int, transcript: Transcript) -> bytes:
    """What `linear.prove` does, of a vector with numbers where the form has none."""
    linear._begin(statement, transcript)
    form, values = linear._padded(statement.form, statement.count), linear._padded(vector, statement.count)
    masks, mask_blind = scalars.random_scalars(statement.count), scalars.random_scalar()
    head = pedersen.commit_vector(masks, mask_blind) + scalars.to_bytes(scalars.inner(form, masks))
    transcript.absorb("masks", head)
    c = transcript.challenge("challenge")
    opened = [(mask + c * value) % ORDER for mask, value in zip(masks, values, strict=True)]
    said = scalars.to_bytes(mask_blind + c * blind)
    unit = inner.draw_unit(said, transcript)
    return head + said + inner.prove(opened, form, (pedersen.bases(statement.count), None), unit, transcript)


def test_a_long_vector_with_something_behind_it() -> None:
    """A number behind the masks' places, whose square brings the sum down modulo the order."""
    values, bound = [1000] * 300, 50
    total, root = 0, None
    while root is None:
        total += 1
        root = square_root(total - sum(value * value for value in values))
    behind = [*values, *[0] * 140, root]  # 300 numbers, 128 places for masks, 12 more
    statement = norm.Statement(pedersen.commit_vector(behind, 7), 300, bound)

    def squares(of: norm.Statement, rest: bytes, transcript: Transcript) -> tuple[quadratic.Equation, int]:
        """As it was before: all places are alike."""
        return looked_at(norm.Statement(of.commitment, 512, of.bound), rest, transcript)

    looked_at = norm._squares

    def forged() -> bytes:
        padded = [*behind, *[0] * (512 - len(behind))]
        masks, masks_commitment = short.commit_masks(300)
        right_blind, rest_blind = scalars.random_scalars(2)
        head = masks_commitment + pedersen.commit_vector(padded, right_blind, pedersen.RIGHT)
        rest = pedersen.commit(bound - total, rest_blind)
        transcript = Transcript(b"job 1")
        rows = norm._begin(statement, head + rest, transcript)
        z = short.sums(values, masks, rows)
        pair = (statement.commitment, masks_commitment)
        said, e = short._statement(pair, rows, z, transcript)
        vector = [*(e * value for value in values), *masks.values, *[0] * 12, e * root]
        first = combined(said, vector, e * 7 + masks.blind, transcript)
        equation, e = norm._squares(statement, rest, transcript)
        witness = quadratic.Witness(
            [e * value % ORDER for value in padded], padded, e * 7 + right_blind, [rest_blind]
        )
        second = quadratic.prove(equation, witness, transcript)
        third = ranges.prove(
            ranges.Statement(group.to_array([rest]), 6), [bound - total], [rest_blind], transcript
        )
        return head + rest + short.to_bytes(z) + first + second + third

    with patched(norm, "_squares", squares):
        proof = forged()
        norm.verify(statement, proof, Transcript(b"job 1"))  # the weak copy falls
        with pytest.raises(VerificationError):
            norm.verify(norm.Statement(statement.commitment, 300, bound + 1), proof, Transcript(b"job 1"))
    with pytest.raises(VerificationError):
        norm.verify(statement, forged(), Transcript(b"job 1"))
