"""A linear combination of a committed vector is so much: <λ, v> = z, for public λ and z, by a proof of logarithmic length.

The prover masks v by a uniform vector s (A = <s, G> + k H, t = <λ, s>), gets a challenge c, and opens s + c v: not in full, but by
the inner-product argument, in which λ is folded by both sides.

Against whom
    A prover who deviates (knowledge sound: discrete logarithms in ristretto255, SHA-512 as a random oracle), and a curious
    verifier (zero knowledge in the same model: what is opened is uniform).
Size
    32 bytes times (4 + 2 log2 n).

Source: Attema and Cramer, "Compressed Sigma-Protocol Theory and Practical Application to Plug & Play Secure Algorithmics"
(CRYPTO 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unseen.core.errors import LocalProtocolError
from unseen.crypto import group, inner, pedersen, scalars
from unseen.crypto.inner import Claim, Reader
from unseen.crypto.scalars import ORDER
from unseen.crypto.transcript import Transcript

_PROTOCOL = "unseen/linear/v1"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is proved: <form, v> = value, where `committed` (factors times elements) adds up to a commitment to v."""

    committed: Sequence[tuple[int, bytes]]
    form: Sequence[int]
    value: int

    @property
    def count(self) -> int:
        """Places: the next power of two."""
        return 1 << inner.rounds(len(self.form))


def prove(statement: Statement, vector: Sequence[int], blind: int, transcript: Transcript) -> bytes:
    """Prove it, for the vector and the blind that `committed` adds up to.

    Raises
    ------
    LocalProtocolError
        It is not so.
    """
    if scalars.inner(statement.form, vector) != statement.value % ORDER:
        raise LocalProtocolError("The combination has another value: nothing is proved.")
    form, values = _padded(statement.form, statement.count), _padded(vector, statement.count)
    _begin(statement, transcript)
    masks, mask_blind = scalars.random_scalars(statement.count), scalars.random_scalar()
    head = pedersen.commit_vector(masks, mask_blind) + scalars.to_bytes(scalars.inner(form, masks))
    transcript.absorb("masks", head)
    c = transcript.challenge("challenge")
    opened = [(mask + c * value) % ORDER for mask, value in zip(masks, values, strict=True)]
    head += (said := scalars.to_bytes(mask_blind + c * blind))
    bases = pedersen.bases(statement.count)
    return head + inner.prove(opened, form, (bases, None), inner.draw_unit(said, transcript), transcript)


def claim(statement: Statement, reader: Reader, transcript: Transcript) -> Claim:
    """What must vanish if the proof holds.

    Raises
    ------
    VerificationError
        The proof is too short, or a number in it is not canonical.
    """
    _begin(statement, transcript)
    masks, product = reader.element(), reader.take(group.SCALAR_BYTES)
    transcript.absorb("masks", masks + product)
    c = transcript.challenge("challenge")
    said = reader.take(group.SCALAR_BYTES)
    unit = inner.draw_unit(said, transcript)
    out = Claim()
    out.add(1, masks)
    for factor, element in statement.committed:
        out.add(c * factor, element)
    out.add(-scalars.from_bytes(said, what=reader.what), pedersen.BLINDING)
    out.add(scalars.from_bytes(product, what=reader.what) + c * statement.value, unit)
    inner.reduce(
        out, statement.count, unit, reader, transcript, right=_padded(statement.form, statement.count)
    )
    return out


def _begin(statement: Statement, transcript: Transcript) -> None:
    factors, elements = zip(*statement.committed, strict=True)
    transcript.begin(
        _PROTOCOL,
        bases=pedersen.BLINDING + pedersen.PRODUCT,
        factors=scalars.to_rows(factors).tobytes(),
        committed=b"".join(elements),
        form=scalars.to_rows(statement.form).tobytes(),
        value=scalars.to_bytes(statement.value),
    )


def _padded(vector: Sequence[int], count: int) -> list[int]:
    if len(vector) > count:
        raise LocalProtocolError(f"A vector of {len(vector)} places where the form has {count}.")
    return [*vector, *[0] * (count - len(vector))]
