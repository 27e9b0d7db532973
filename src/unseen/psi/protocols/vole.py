"""Intersection by an oblivious pseudo-random function from vector OLE (RR22): the default for sets of like size.

One holder, the *evaluator*, gets F(x) for its ids from :mod:`unseen.psi.vole_oprf`; the other, who holds the key, sends the
values F(y) of its own ids, cut to tags, in ascending order. The evaluator compares. If the key holder gets the result too,
the evaluator tells it which of its tags were met.

Against whom
    Two holders, semi-honest or (mode `malicious`) deviating, with abort; nobody else takes part. No protocol keeps a holder
    from bringing ids that it does not have. In the malicious mode an evaluator can bring more than it says: up to the slots of the
    store, 1.24 to 1.4 times its public size. A key holder that gets the result believes the evaluator which tags were met.
What it leaks
    The public sizes (or the bounds that the holders agreed on), and to those who get the result which of their ids the other has.
    The common rows are in the order of their tags, which is uniform to both.
Assumption
    See :mod:`unseen.psi.vole_oprf`. Tags have 40 + log2(sizes' product) bits (semi-honest) or 128 (malicious): two
    different ids are taken for equal with probability at most 2^-40 in a whole run.
Cost
    Per id of the evaluator 16 bytes a slot, 1.35 slots (compact: 12 bytes, 1.24 slots); per id of the key holder a tag of about
    8 to 9 bytes after coding; one bit a tag back. 3 rounds beside the VOLE's.

Source: Raghuraman and Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE" (CCS 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError
from unseen.kernels import tags
from unseen.party import Message, Party, Released, require
from unseen.psi import vole_oprf
from unseen.psi.protocol import DISCLOSURE, Aligned, Mode, Output, Security
from unseen.psi.tags import length

SUMMARY = "vector OLE: the fastest for sets of like size"
OUTPUT: Output = "rows"
SECURITIES: tuple[Security, ...] = ("semi-honest", "malicious")
HOLDERS = range(2, 3)
LEAKS = "each holder learns the (bound on the) size of the other's set; who gets the result learns which of its ids the other has"

_CODE_BITS = 1.5  # of a difference in Golomb-Rice code, beyond the tag's length less log2 of their number
_ROUNDS = 9
_SETUP_BYTES = 600_000
_SETUP_S = 0.03
_SECONDS_EVALUATE, _SECONDS_COMPACT, _SECONDS_HOLD = 150e-9, 300e-9, 60e-9
_SECONDS_MALICIOUS = 60e-9
_SECONDS_SYMMETRIC, _SYMMETRIC_BYTES = 2e-6, 250


class CodedTags(Message, frozen=True, tag="psi-vole.tags/1"):
    """The key holder's tags, ascending, as differences in Golomb-Rice code (see :mod:`unseen.kernels.tags`)."""

    coded: Released[NDArray[np.uint8]]


class Met(Message, frozen=True, tag="psi-vole.met/1"):
    """Which of the tags the evaluator has too: one bit each, in their order, least significant first."""

    bits: Released[NDArray[np.uint8]]


def assumption(mode: Mode) -> str:
    """See :class:`unseen.psi.protocol.Protocol`."""
    noise = "dual LPN with regular noise" if mode.assumption == "lpn" else "no LPN"
    oracle = (
        "SHA-256 as a random oracle"
        if mode.security == "malicious" or mode.compact
        else "correlation-robust AES"
    )
    return f"{noise}, {oracle}; computational Diffie-Hellman in ristretto255 for the base transfers"


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """See :class:`unseen.psi.protocol.Protocol`; constants measured on one core a party."""
    few, many = sorted(sizes)
    slots = vole_oprf.shape_of(few, mode).slots
    width = tag_bytes({"": few, " ": many}, mode)
    per_slot = vole_oprf.slot_bytes(mode) + (0 if mode.assumption == "lpn" else _SYMMETRIC_BYTES)
    coded = many * max(1.0, width - max(0.0, math.log2(max(2, many)) - _CODE_BITS) / 8)
    back = many / 8
    sent = slots * per_slot + coded + back + _SETUP_BYTES
    local = few * (_SECONDS_COMPACT if mode.compact else _SECONDS_EVALUATE) + many * _SECONDS_HOLD + _SETUP_S
    if mode.assumption != "lpn":
        local += slots * _SECONDS_SYMMETRIC
    if mode.security == "malicious":
        local += (few + many) * _SECONDS_MALICIOUS
    seconds = local + _ROUNDS * network.latency_s + sent / network.bytes_per_s
    return Cost(seconds, round(sent), _ROUNDS, 120 * few + 80 * many + (64 << 20))


def roles(sizes: Mapping[str, int], to: tuple[str, ...]) -> tuple[str, str]:
    """(evaluator, key holder): the evaluator learns first; of two who both learn, the one with fewer ids."""
    if len(to) == 1:
        (evaluator,) = to
    else:
        evaluator = min(sizes, key=lambda name: (sizes[name], name))
    return evaluator, next(name for name in sizes if name != evaluator)


def tag_bytes(sizes: Mapping[str, int], mode: Mode) -> int:
    """Bytes of a tag: at most 2^-40 for any two different ids to meet, or the full width."""
    first, second = sizes.values()
    return length((first, second), compact=mode.security == "semi-honest")


def intersect(
    party: Party,
    ids: NDArray[np.uint8],
    *,
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,
) -> Aligned | None:
    """See :class:`unseen.psi.protocol.Protocol`."""
    if not to:
        return None
    evaluator, holder = roles(sizes, to)
    if not all(sizes.values()):
        return Aligned(np.zeros(0, np.int64)) if party.name in to else None
    if party.name == evaluator:
        return _evaluate(party, holder, ids, sizes, to, mode)
    return _hold(party, evaluator, ids, sizes, to, mode)


def _evaluate(
    party: Party,
    holder: str,
    ids: NDArray[np.uint8],
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,
) -> Aligned:
    party.progress(0, 3, "evaluating")
    width = tag_bytes(sizes, mode)
    values = vole_oprf.evaluate(party, holder, ids, size=sizes[party.name], mode=mode, width=width)
    mine, order = tags.sort_tags(values)
    party.progress(1, 3, "waiting for tags")
    coded = party.recv(holder, CodedTags).coded.value
    theirs = _decoded(coded, sizes[holder], width, holder)
    party.progress(2, 3, "comparing")
    at_mine, at_theirs = tags.match_tags(mine, theirs)
    if holder in to:
        met = np.zeros(len(theirs), np.bool_)
        met[at_theirs] = True
        bits = np.packbits(met, bitorder="little")
        party.send(holder, Met(party.release(DISCLOSURE, bits, to=(holder,), elements=len(met))))
    party.progress(3, 3, f"{len(at_mine)} rows in common")
    return Aligned(order[at_mine])


def _decoded(coded: NDArray[np.uint8], count: int, width: int, holder: str) -> NDArray[np.uint8]:
    try:
        return tags.decode_tags(coded, count, width)
    except ValueError as error:
        raise RemoteProtocolError(
            f"{holder} sent tags that cannot be read.", why=str(error), party=holder
        ) from error


def _hold(
    party: Party,
    evaluator: str,
    ids: NDArray[np.uint8],
    sizes: Mapping[str, int],
    to: tuple[str, ...],
    mode: Mode,
) -> Aligned | None:
    party.progress(0, 3, "agreeing on a key")
    key = vole_oprf.hold_key(party, evaluator, size=sizes[evaluator], mode=mode)
    party.progress(1, 3, "evaluating")
    width, size = tag_bytes(sizes, mode), sizes[party.name]
    values = key.evaluate(ids, party.pool, width=width)
    if len(ids) < size:  # up to the public size with tags of nobody
        filler = np.frombuffer(party.rng.bytes((size - len(ids)) * width), np.uint8)
        values = np.concatenate([values, filler.reshape(-1, width)])
    ordered, order = tags.sort_tags(values)
    told = party.release(DISCLOSURE, tags.encode_tags(ordered), to=(evaluator,), elements=size)
    party.send(evaluator, CodedTags(told))
    if party.name not in to:
        party.progress(3, 3, "done")
        return None
    party.progress(2, 3, "waiting for the result")
    bits = party.recv(evaluator, Met).bits.value
    require(bits, shape=((size + 7) // 8,), dtype=np.uint8, sender=evaluator)
    rows = order[np.flatnonzero(np.unpackbits(bits, bitorder="little")[:size])]
    spare = np.unpackbits(bits, bitorder="little")[size:].any()
    if spare or len(rows) > sizes[evaluator] or (rows >= len(ids)).any():
        raise RemoteProtocolError(
            f"{evaluator} says that it has ids which cannot be in common.",
            why="more than it has, or tags that stand for no id",
            party=evaluator,
        )
    party.progress(3, 3, f"{len(rows)} rows in common")
    return Aligned(rows)
