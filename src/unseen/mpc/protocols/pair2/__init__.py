"""Additive sharing over Z_2^64 between two parties and nobody else, from oblivious transfer and lattice encryption.

Every share is known whole to its holder, so what costs something is always a product of what one party knows and what the
other knows: one transfer for a product of bits, 64 for a product of numbers, or encryption where there are many.

Against whom
    Semi-honest parties, either of them. There is no third one to trust.
What it leaks
    Shapes, and the order of operations. Whatever a party receives is under a pad that it does not have, or encrypted; what
    answers to ciphertexts tell besides is bounded statistically (:mod:`unseen.mpc.lattice`).
Assumption
    Those of transfers (:mod:`unseen.ot.softspoken`): computational Diffie-Hellman in ristretto255 for the set-up; AES-128 as
    a pseudo-random generator and, under a public key, as a random permutation; SHA-256 and SHA-512 as random oracles. From
    :data:`.cross.LEAST` products at a time on, ring learning with errors too. From :data:`.wires.FEW` transfers on, learning parity
    with noise (:mod:`unseen.ot.silent`), unless `assumption` is "symmetric".
Cost
    :func:`price`, which the contract tests hold against what is measured.

Sources: Gilboa, "Two Party RSA Key Generation" (CRYPTO 1999) for products; Huang and others, "Cheetah" (USENIX Security
2022) for matrices; Rathee et al., "CrypTFlow2" (CCS 2020) for comparisons and "SIRNN" (S&P 2021) for truncation; Demmler,
Schneider, Zohner, "ABY" (NDSS 2015) for arithmetic and Boolean shares side by side; Mohassel and Sadeghian, "How to Hide
Circuits in MPC" (EUROCRYPT 2013) for the shuffle.
"""

from __future__ import annotations

from unseen.core.errors import LocalProtocolError
from unseen.mpc.protocol import Price, Statement
from unseen.mpc.protocols.pair2 import cross, wires
from unseen.mpc.protocols.pair2.dealt import Dealt
from unseen.mpc.protocols.pair2.sharing import Pair2
from unseen.mpc.stock import Block
from unseen.ot import silent
from unseen.ot.correlation import Assumption
from unseen.party import Party

STATEMENT = Statement(
    summary="Two data holders and nobody else.",
    holders=range(2, 3),
    helper=False,
    adversary="semi-honest",
    may_collude="there are only two",
    assumption=(
        "Diffie-Hellman in ristretto255; AES-128 under a public key is a random permutation; ring learning with errors; learning "
        "parity with noise unless transfers are asked for without"
    ),
    ahead=True,
    lpn=True,
)

_SYMMETRIC = 31 / 8  # bytes of a transfer of a random bit
_BIT = 1 / 8  # of one's own choice
_PLACES, _LEAVES = 63, 21
_BATCH = (
    1_654_784  # bytes of 8192 products by encryption: two ciphertexts and an answer for each of four primes
)


def open_protocol(
    party: Party,
    *,
    holders: tuple[str, ...],
    helper: str | None,
    supply: Block | None = None,
    assumption: Assumption = "lpn",
) -> Pair2:
    """The protocol between these two. With a `supply` they use first what they made ahead.

    Parameters
    ----------
    assumption
        "symmetric": no transfers from LPN, however many are made.

    Raises
    ------
    LocalProtocolError
        Other than two parties.
    """
    if helper is not None or len(holders) != 2 or holders[0] == holders[1]:  # noqa: PLR2004
        raise LocalProtocolError(
            "This protocol takes two parties.",
            why=f"holders: {', '.join(holders)}; helper: {helper}",
            mend="name two holders and no helper, or choose dealer or replicated3",
        )
    return Pair2(party, holders, Dealt(supply) if supply else None, assumption=assumption)


def price(operation: str, elements: int, parties: int, *, drop: int = 20) -> Price:  # noqa: ARG001 - always two
    """What `operation` on that many elements costs; transfers come 128 at a time, silent ones 0.8 millions.

    Keys of encryption, 0.3 MB, and the set-up of silent transfers, 0.6 MB, come once.
    """
    few = elements - cross.in_batches(elements)
    product = (
        -(-cross.in_batches(elements) // cross.BATCH) * _BATCH + _transfers(128 * few) + few * 2 * cross.EACH
    )
    steps = 2 * (few > 0) + 2 * (few < elements)
    truncation = _transfers(elements) + elements * -(-drop // 8)
    # a word of two bytes for each leaf; an AND less, each of two random transfers, and all but the last with two right operands
    ands = _LEAVES - 1
    less = _transfers(_PLACES * elements, 2 * ands * elements) + elements * (
        _LEAVES * 2 + 2 * (3 * ands - 1) / 8
    )
    levels = (elements - 1).bit_length()
    switches = (2 * levels - 1) * (1 << levels)  # of both
    rounds, size_bytes = {
        "share": (0, 0.0),
        "multiply": (steps, product),
        "truncate": (2, truncation),
        "multiply and truncate": (steps + 2, product + truncation),
        "less": (8, less),
        "bit to number": (2, _transfers(elements) + elements * 8),
        "shuffle": (3, _transfers(switches) + switches * 16 + 16 * elements),
    }[operation]
    return Price(rounds, round(size_bytes))


def _transfers(chosen: int, random: int = 0) -> float:
    """Bytes of so many transfers, silent ones if they are enough, of own choices and of random ones."""
    each = _SYMMETRIC if chosen + random <= wires.FEW else silent.transfer_bytes(wires.PARAMETERS)
    return (chosen + random) * each + chosen * _BIT
