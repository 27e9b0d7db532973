"""Range and norm proofs, alone, aggregated, batched; the two arguments under them."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.crypto import group, inner, linear, norm, pedersen, scalars, short
from unseen.crypto import range as ranges
from unseen.crypto.inner import Reader
from unseen.crypto.transcript import Transcript


def fresh(session: bytes = b"job 1") -> Transcript:
    return Transcript(session)


def made(values: list[int], bits: int) -> tuple[ranges.Statement, bytes]:
    blinds = scalars.random_scalars(len(values))
    statement = ranges.Statement(pedersen.commit_each(values, blinds), bits)
    return statement, ranges.prove(statement, values, blinds, fresh())


@pytest.mark.parametrize(
    ("values", "bits", "size"),
    [
        ([0], 64, 672),
        ([2**64 - 1], 64, 672),
        ([1], 1, 288),
        ([5, 0, 7], 3, 544),
        ([12345, 2**20 - 1, 0, 1, 99], 20, 736),
        ([2**127], 128, 736),
    ],
)
def test_ranges(values: list[int], bits: int, size: int) -> None:
    statement, proof = made(values, bits)
    assert len(proof) == size
    ranges.verify(statement, proof, fresh())
    with pytest.raises(VerificationError):
        ranges.verify(statement, proof, fresh(b"job 2"))
    other = group.to_array([pedersen.commit(values[0], 1), *statement.commitments[1:]])
    with pytest.raises(VerificationError):
        ranges.verify(ranges.Statement(other, bits), proof, fresh())


def test_what_is_out_of_range_is_not_proved() -> None:
    for value in (256, -1):
        with pytest.raises(UsageError):
            made([value], 8)
    with pytest.raises(LocalProtocolError):
        ranges.prove(made([1, 2], 8)[0], [1], [1], fresh())
    for commitments, bits in ((pedersen.bases(1), 0), (pedersen.bases(1), 129), (pedersen.bases(0), 8)):
        with pytest.raises(LocalProtocolError):
            ranges.Statement(commitments, bits)


def test_the_order_of_commitments_matters() -> None:
    statement, proof = made([1, 2, 3, 4], 8)
    turned = ranges.Statement(np.ascontiguousarray(statement.commitments[::-1]), 8)
    with pytest.raises(VerificationError):
        ranges.verify(turned, proof, fresh())


def test_many_are_checked_at_once() -> None:
    proofs = [made([value], 16) for value in (1, 2, 3)]
    claims = [ranges.claim(statement, proof, fresh()) for statement, proof in proofs]
    inner.check_all(claims, "The range proofs")
    claims.append(ranges.claim(proofs[0][0], proofs[1][1], fresh()))
    with pytest.raises(VerificationError, match="The range proofs"):
        inner.check_all(claims, "The range proofs")


def test_two_wrongs_do_not_cancel() -> None:
    """The same wrong claim twice, once negated: without random weights the sum would vanish."""
    statement, proof = made([1], 4)
    wrong = ranges.claim(ranges.Statement(pedersen.commit_each([2], [3]), 4), proof, fresh())
    negated = inner.Claim()
    negated.add_claim(-1, wrong)
    plain = inner.Claim()
    plain.add_claim(1, wrong)
    plain.add_claim(1, negated)
    plain.check("Their plain sum")
    with pytest.raises(VerificationError):
        inner.check_all([wrong, negated], "They")
    del statement


@pytest.mark.parametrize("count", [1, 3, 8])
def test_linear_forms(count: int) -> None:
    values, form = list(range(-1, count - 1)), scalars.random_scalars(count)
    commitment = pedersen.commit_vector(values, 7)
    statement = linear.Statement([(1, commitment)], form, scalars.inner(form, values))
    proof = linear.prove(statement, values, 7, fresh())
    reader = Reader(proof, "The proof")
    linear.claim(statement, reader, fresh()).check("The proof")
    reader.end()
    wrong = linear.Statement([(1, commitment)], form, statement.value + 1)
    with pytest.raises(VerificationError):
        linear.claim(wrong, Reader(proof, "The proof"), fresh()).check("The proof")
    with pytest.raises(LocalProtocolError):
        linear.prove(wrong, values, 7, fresh())


@pytest.mark.parametrize("values", [[0], [3, -4], [1, 2, 3, 4, 5], [2**20] * 40])
def test_norms(values: list[int]) -> None:
    total = sum(value * value for value in values)
    commitment = pedersen.commit_vector(values, 11)
    for bound in {max(total, 1), total + 5}:
        statement = norm.Statement(commitment, len(values), bound)
        proof = norm.prove(statement, values, 11, fresh())
        norm.verify(statement, proof, fresh())
        for other in (
            norm.Statement(commitment, len(values) + 1, bound),
            norm.Statement(commitment, len(values), bound + 1),
            norm.Statement(pedersen.commit_vector(values, 12), len(values), bound),
        ):
            with pytest.raises(VerificationError):
                norm.verify(other, proof, fresh())
    if total > 1:
        with pytest.raises(UsageError):
            norm.prove(norm.Statement(commitment, len(values), total - 1), values, 11, fresh())


def test_what_the_masks_would_not_hide_is_refused() -> None:
    short.require_small([2**47, -(2**47)])
    with pytest.raises(UsageError, match=r"2\^48"):
        short.require_small([2**47, -(2**47), 1])


def test_masked_sums_are_uniform_and_the_same_for_other_numbers() -> None:
    """Every byte of every sum over fresh masks: chi-square with 255 degrees of freedom, p > 10^-6."""
    values, counts = [2**40, -(2**39), 77], np.zeros((short.SUM_BYTES, 256))
    rows = np.random.default_rng(1).integers(0, 2, (short.SUMS, 3)).astype(np.uint8)
    for _ in range(40):
        masks, _ = short.commit_masks(3)
        data = np.frombuffer(short.to_bytes(short.sums(values, masks, rows)), np.uint8)
        for place, column in enumerate(data.reshape(-1, short.SUM_BYTES).T):
            counts[place] += np.bincount(column, minlength=256)
    expected = counts.sum(axis=1, keepdims=True) / 256
    statistic = ((counts - expected) ** 2 / expected).sum(axis=1)
    assert (statistic < 255 + 6 * np.sqrt(2 * 255)).all()


def test_numbers_of_numpy_are_numbers_and_fractions_are_refused() -> None:
    values, blinds = np.array([3, 65_535]), scalars.random_scalars(2)
    statement = ranges.Statement(pedersen.commit_each([3, 65_535], blinds), 16)
    np.testing.assert_array_equal(pedersen.commit_each(values, blinds), statement.commitments)  # type: ignore[arg-type]
    ranges.verify(statement, ranges.prove(statement, values, blinds, fresh()), fresh())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no whole number"):
        pedersen.commit(1.5, blinds[0])  # type: ignore[arg-type]
