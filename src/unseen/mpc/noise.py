"""Noise that nobody knows (密态差分隐私噪声): drawn under shares, from bits of which every holder brings a part.

Each holder draws words of output randomness, which is fixed once for a task: after a crash the noise is the same again,
so that nobody gets a second sample. What counts is the XOR of all holders' words, which is uniform, and unknown to
everybody, as long as one of them keeps its own to itself.

Against whom
    Parties as the engine's protocol is secure against. Holders who collude know the noise if all of them do; with two
    holders that is nobody who does not have all the data anyway. A helper brings no part and learns nothing.
Why not a summand of each holder
    Where each holder adds noise of its own, a receiver who is a holder takes its part off again; then either what is left
    must be enough alone (twice the variance between two), or privacy against the receiver is weaker than said.
Cost
    2 * 63 * places ANDs a number in 6 rounds, and 2 * places bits to numbers: nothing beside an intersection.

Source: :mod:`unseen.dp.laplace` for the coins; Champion, shelat, Ullman, "Securely Sampling Biased Coins with
Applications to Differential Privacy" (CCS 2019) for tossing them in a circuit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.dp.laplace import COIN_BITS, DiscreteLaplace
from unseen.mpc import planes
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Planes
from unseen.party import Party


def discrete_laplace(engine: Engine, mechanism: DiscreteLaplace, shape: tuple[int, ...]) -> SecretArray:
    """Secret integers of the mechanism's law, of this shape. Everyone calls it alike."""
    protocol = engine.protocol
    coins = (*shape, 2, mechanism.places)
    party = engine.stream("noise")
    words = _shared_words(protocol, party, math.prod(coins))
    limits = _public_planes(np.broadcast_to(mechanism.thresholds, coins).reshape(-1))
    # word + threshold runs over 2^64 with chance threshold / 2^64: the carry out is the coin
    carried = planes.carry_out(protocol, words & limits, words ^ protocol.public_bits(limits))
    digits = engine.as_number(engine.boolean(planes.unpack(carried, coins)[:, 0]))
    weights = np.uint64(1) << np.arange(mechanism.places, dtype=np.uint64)
    numbers = (digits.share * weights).sum(axis=-1, dtype=np.uint64)
    return engine.number(numbers[..., 0] - numbers[..., 1], 0)


def drawn(party: Party, count: int) -> NDArray[np.uint64]:
    """This holder's words: output randomness, the same in every attempt."""
    return party.output_rng.u64(count)


def _shared_words(protocol: Protocol, party: Party, count: int) -> Planes:
    """Planes (components, 64, words) of the XOR of all holders' words."""
    shares = None
    for holder in protocol.holders:
        own = drawn(party, count) if party.name == holder else None
        bits = None if own is None else _bits(own)
        shared = protocol.share_bits(bits, owner=holder, shape=(COIN_BITS, count))
        shares = shared if shares is None else shares ^ shared
    assert shares is not None
    return np.concatenate([planes.pack(shares[:, place]) for place in range(COIN_BITS)], axis=1)


def _public_planes(words: NDArray[np.uint64]) -> NDArray[Any]:
    return np.concatenate([planes.pack(row[None])[0] for row in _bits(words)])


def _bits(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Shape (64, words), lowest place first."""
    places = np.arange(COIN_BITS, dtype=np.uint64)[:, None]
    return ((words[None] >> places) & np.uint64(1)).astype(np.uint8)
