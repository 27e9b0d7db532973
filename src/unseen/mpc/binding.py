"""An input that is bound to a commitment: what a party shares is what it committed to, for example on a ledger.

    commitment, blind = commit(values)                     # beforehand, at the owner; the commitment is published
    x = committed_share(engine, values, commitment, blind=blind, owner="hospital", shape=(n, d))

The commitment is Pedersen's, in a group of about 2^252 elements; shares are modulo 2^64. What connects them are integers:

1. The owner shares x modulo 2^64, and 128 masks m_k, uniform in [0, 2^112), modulo 2^64; it commits to the masks.
2. The other holders toss a coin: 128 rows of bits b_ki.
3. The engine opens  y_k = sum of b_ki x_i + m_k  modulo 2^64.
4. The owner says z_k, the same sums as integers, and proves that the commitments say so (:mod:`unseen.crypto.short`).
5. Everybody else checks the proof, and that z_k = y_k modulo 2^64.

Soundness
    The proof holds only if z_k are the sums of the committed numbers as integers (but for 2^-127), so modulo 2^64 too. If the
    shared x' differs from x in any place by d_i, modulo 2^64, then sum of b_ki d_i + (m'_k - m_k) is 0 in a row with a chance of at
    most one half, whatever d_i is (2^63 too: so bits, and 128 of them, and no larger coefficients), as x', m', x and m were fixed
    before the coin. All rows: 2^-128. What is bound is the number modulo 2^64, that is, what the engine computes with.
Who is caught
    Under every protocol an owner that shares other data than it committed to (another file, an altered column) and otherwise
    follows the protocol. An owner that deviates at will is caught under `replicated3` and `replicated3_malicious`, where the two
    others have all components of y: its own word is not needed. Under `dealer` and `pair2` its word is needed: it can shift y
    back, and a later step in the same way. Additive shares of two parties bind nobody.
What it leaks
    z_k is within 2^-57 of uniform in [0, 2^112), and y_k follows from it. So nothing but n, and that the sizes of the owner's
    numbers add up to at most 2^48 in units of 2^-bits: who has larger ones is told before anything is sent.
Cost
    A commitment of 32 bytes, 3 kB and a proof of 32 (4 + 2 log2(n + 128)) bytes, three rounds besides the sharing. A curve product
    for each number at the owner's commitment, some four at its proof, one at each verifier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.canonical import tagged
from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.crypto import bounds, norm, pedersen, scalars, short
from unseen.crypto.inner import Reader
from unseen.crypto.transcript import Transcript
from unseen.kernels import matmul
from unseen.mpc.array import SecretArray
from unseen.mpc.coin import toss
from unseen.mpc.engine import Engine
from unseen.mpc.fixed import FRACTION_BITS, Ring, encode
from unseen.mpc.shares import Share
from unseen.party import Masked, Message, Party, Public, require

_PROTOCOL = "unseen/committed-share/v1"
_LONGEST = 2.0**40
_WIDEST = 26  # of bounds, the logarithm: larger numbers cannot be bound


class MasksCommitted(Message, frozen=True, tag="mpc.binding.masks/1"):
    """The owner's commitment to its masks."""

    commitment: Public[bytes]


class Sums(Message, frozen=True, tag="mpc.binding.sums/1"):
    """The masked sums as integers of 14 bytes, and the proof that they are those of the commitments."""

    sums: Masked
    proof: Public[bytes]


class Length(Message, frozen=True, tag="mpc.binding.length/1"):
    """The owner's proof that what it committed to is no longer than agreed."""

    proof: Public[bytes]


class Bounds(Message, frozen=True, tag="mpc.binding.bounds/1"):
    """The owner's proof that each number it committed to is within bounds."""

    proof: Public[bytes]


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment to an array, and what opens it: `blind` stays with the owner."""

    element: bytes
    blind: int

    def __repr__(self) -> str:
        return f"Commitment({self.element.hex()}, <secret>)"


def commit(values: ArrayLike, *, bits: int = FRACTION_BITS) -> Commitment:
    """Commit to an array as the engine will hold it, with `bits` fraction bits, row by row.

    Raises
    ------
    UsageError
        A number that does not fit the format, or numbers whose sizes add up to more than 2^(48 - bits).
    """
    numbers = _integers(values, bits)
    short.require_small(numbers)
    blind = scalars.random_scalar()
    return Commitment(pedersen.commit_vector(numbers, blind), blind)


def committed_share(
    engine: Engine,
    values: ArrayLike | None,
    commitment: bytes,
    *,
    owner: str,
    shape: tuple[int, ...],
    blind: int | None = None,
    bits: int | None = None,
    dtype: type = float,
) -> SecretArray:
    """:meth:`Engine.share` of an array that its owner has committed to; see the module. All parties call it alike.

    Parameters
    ----------
    values, blind
        The array and the blind of its commitment at the owner, None elsewhere.
    commitment
        To the same array with the same fraction bits (:func:`commit`); all parties have it from elsewhere.
    dtype
        `float` (fixed point) or `int`.

    Raises
    ------
    VerificationError
        The owner shared other numbers than those committed to; at the owner itself before anything is sent.
    UsageError
        At the owner: numbers too large to be proved about.
    LocalProtocolError
        An empty array, Booleans, or no blind at the owner.
    """
    count = int(np.prod(shape))
    bits = (0 if dtype is int else engine.bits) if bits is None else bits
    if not count or dtype is bool:
        raise LocalProtocolError(f"A bound input is an array of numbers, not of shape {shape} and {dtype}.")
    protocol, party = engine.protocol, engine.protocol.party
    mine = party.name == owner
    numbers: list[int] = []
    if mine:
        if values is None or blind is None:
            raise LocalProtocolError(f"{owner} shares a bound array without its values or its blind.")
        numbers = _integers(values, bits)
        short.require_small(numbers)
        pedersen.check_vector(commitment, numbers, blind, what=f"What {owner} is about to share")
    shared = engine.share(values, owner=owner, shape=shape, bits=bits, dtype=dtype)
    masks, masks_commitment = short.commit_masks(count) if mine else (None, b"")
    words = np.array([mask % (1 << 64) for mask in masks.values], np.uint64) if masks else None
    mask_share = protocol.share(words, owner=owner, shape=(short.SUMS,))
    if party.name not in protocol.holders:
        protocol.open_masked(mask_share, owner=owner)
        return shared

    others = [name for name in protocol.holders if name != owner]
    if mine:
        for peer in others:
            party.send(peer, MasksCommitted(masks_commitment))
    else:
        masks_commitment = party.recv(owner, MasksCommitted).commitment
    coin = toss(party, tossers=others or [owner], everyone=protocol.holders)
    transcript = _transcript(party, owner, (commitment, masks_commitment), shape, bits, coin)
    rows = transcript.draw_bits("rows", short.SUMS, count)
    opened = protocol.open_masked(_combined(rows, shared.share, mask_share), owner=owner)
    pair = (commitment, masks_commitment)
    if masks and blind is not None:
        z = short.to_bytes(short.sums(numbers, masks, rows))
        proof = short.prove(numbers, blind, masks, commitments=pair, rows=rows, transcript=transcript)
        for peer in others:
            party.send(peer, Sums(np.frombuffer(z, np.uint8).reshape(short.SUMS, -1), proof))
    if opened is not None:
        _check(party.recv(owner, Sums), owner, pair, rows, opened, transcript)
    return shared


def prove_length(
    party: Party,
    values: ArrayLike | None,
    commitment: bytes,
    *,
    holders: Sequence[str],
    owner: str,
    count: int,
    longest: float,
    blind: int | None = None,
    bits: int = FRACTION_BITS,
) -> None:
    """The owner proves to the other holders that the numbers it committed to are, as one vector, at most `longest` long.

    With :func:`committed_share` of the same commitment that bounds what it can bring into a computation: no record of its own can
    weigh more than all of them together may (:mod:`unseen.crypto.norm`). By how much numbers may be longer as they are rounded to
    `bits` is added to `longest`: half a unit for each, as if all were one vector. The holders call it alike; a helper does not.

    Raises
    ------
    UsageError
        At the owner: they are longer; at all: more than 65,536 numbers, or no length.
    VerificationError
        The proof does not hold.
    """
    bound = _units(count, longest, bits)
    statement = norm.Statement(commitment, count, bound)
    session = tagged("committed-length", 1, [*party.session.to_list(), owner, count, str(bound)])
    if party.name != owner:
        proof = party.recv(owner, Length).proof
        try:
            norm.verify(statement, proof, Transcript(session))
        except VerificationError as error:
            error.party = owner
            raise
        return
    if values is None or blind is None:
        raise LocalProtocolError(f"{owner} proves a length without its values or its blind.")
    proof = norm.prove(statement, _integers(values, bits), blind, Transcript(session))
    for peer in holders:
        if peer != owner:
            party.send(peer, Length(proof))


def prove_bounds(
    party: Party,
    values: ArrayLike | None,
    commitment: bytes,
    *,
    holders: Sequence[str],
    owner: str,
    count: int,
    within: float,
    blind: int | None = None,
    bits: int = FRACTION_BITS,
) -> None:
    """The owner proves to the other holders that each number it committed to is in [-within, within) (:mod:`unseen.crypto.bounds`).

    The holders call it alike; a helper does not. See :func:`check_proofs` for what can be proved.

    Raises
    ------
    UsageError
        At the owner: a number is outside; at all: :func:`check_proofs`.
    VerificationError
        The proof does not hold.
    """
    check_proofs(count, within=within, bits=bits)
    high = round(within * 2.0**bits)
    statement = bounds.Statement(commitment, count, -high, high.bit_length())
    session = tagged("committed-bounds", 1, [*party.session.to_list(), owner, count, str(high)])
    if party.name != owner:
        proof = party.recv(owner, Bounds).proof
        try:
            bounds.verify(statement, proof, Transcript(session))
        except VerificationError as error:
            error.party = owner
            raise
        return
    if values is None or blind is None:
        raise LocalProtocolError(f"{owner} proves bounds without its values or its blind.")
    proof = bounds.prove(statement, _integers(values, bits), blind, Transcript(session))
    for peer in holders:
        if peer != owner:
            party.send(peer, Bounds(proof))


def prove(
    party: Party,
    values: ArrayLike | None,
    commitment: bytes,
    *,
    longest: float | None,
    within: float | None,
    **of: Any,
) -> None:
    """:func:`prove_length` and :func:`prove_bounds`, whichever was agreed; `of`: what these take besides."""
    if longest is not None:
        prove_length(party, values, commitment, longest=longest, **of)
    if within is not None:
        prove_bounds(party, values, commitment, within=within, **of)


def check_proofs(
    count: int, *, longest: float | None = None, within: float | None = None, bits: int = FRACTION_BITS
) -> None:
    """Whether a length, or bounds, of so many numbers can be proved at all: to be asked before anything is shared.

    Raises
    ------
    UsageError
        More than 65,536 numbers; a length that is not above 0 and below 2^40; bounds that are not a power of two below 2^27.
    """
    if longest is not None:
        _units(count, longest, bits)
    if within is None:
        return
    exponent = math.log2(within) if within > 0 else math.nan
    fits = exponent.is_integer() and -bits <= exponent <= _WIDEST
    if not fits or not 0 < count <= bounds.MOST_ENTRIES:
        raise UsageError(
            f"There is no proof that {count} numbers are between -{within} and {within}.",
            why=f"it takes up to {bounds.MOST_ENTRIES} numbers, and bounds that are a power of two below 2^{_WIDEST + 1}",
            mend="take fewer rows, round the bounds up to a power of two, or leave them out",
        )


def _units(count: int, longest: float, bits: int) -> int:
    """The square of a length in units of 2^-bits, with room for rounding."""
    units = longest * 2.0**bits + 0.5 * math.sqrt(count) if 0 < longest < _LONGEST and count > 0 else 0.0
    bound = int(units * units)
    if not 0 < bound < 1 << 128 or not 0 < count <= norm.MOST_ENTRIES:
        raise UsageError(
            f"There is no proof that {count} numbers are at most {longest} long.",
            why=f"it takes up to {norm.MOST_ENTRIES} numbers, and a length above 0",
            mend="take fewer rows, or leave the length out",
        )
    return bound


def _check(
    told: Sums,
    owner: str,
    pair: tuple[bytes, bytes],
    rows: short.Bits,
    opened: Ring,
    transcript: Transcript,
) -> None:
    require(told.sums, shape=(short.SUMS, short.SUM_BYTES), dtype=np.uint8, sender=owner)
    z = short.from_bytes(told.sums.tobytes())
    try:
        reader = Reader(told.proof, f"The proof of {owner}")
        claim = short.claim(pair, rows, z, reader, transcript)
        reader.end()
        claim.check(f"The proof of {owner}")
    except VerificationError as error:
        error.party = owner
        raise
    if [value % (1 << 64) for value in z] != opened.tolist():
        raise VerificationError(
            f"What {owner} shared is not what it committed to.",
            why="sums of the shared numbers differ from those of the committed ones (among three parties, of whom a third "
            "deviates, that one could be the cause too)",
            mend=f"ask {owner} which data it used; nothing was computed",
        )


def _combined(rows: short.Bits, values: Share, masks: Share) -> Share:
    """Shares of the masked sums: linear, so every component for itself."""
    factors = rows.astype(np.uint64)
    flat = np.ascontiguousarray(values).reshape(len(values), -1, 1)
    return np.stack([matmul(factors, part)[:, 0] + mask for part, mask in zip(flat, masks, strict=True)])


def _transcript(
    party: Party,
    owner: str,
    pair: tuple[bytes, bytes],
    shape: tuple[int, ...],
    bits: int,
    coin: bytes,
) -> Transcript:
    session = tagged("committed-share", 1, [*party.session.to_list(), owner, list(shape), bits])
    transcript = Transcript(session)
    transcript.begin(_PROTOCOL, commitment=pair[0], masks=pair[1], coin=coin)
    return transcript


def _integers(values: ArrayLike, bits: int) -> list[int]:
    ring: NDArray[np.int64] = encode(np.asarray(values), bits).view(np.int64)
    numbers: list[int] = ring.reshape(-1).tolist()
    return numbers
