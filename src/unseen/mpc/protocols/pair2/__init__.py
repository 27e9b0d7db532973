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
    :data:`.cross.LEAST` products at a time on, ring learning with errors too.
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
from unseen.mpc.protocols.pair2 import cross
from unseen.mpc.protocols.pair2.dealt import Dealt
from unseen.mpc.protocols.pair2.sharing import Pair2
from unseen.mpc.stock import Block
from unseen.party import Party

STATEMENT = Statement(
    summary="Two data holders and nobody else.",
    holders=range(2, 3),
    helper=False,
    adversary="semi-honest",
    may_collude="there are only two",
    assumption="Diffie-Hellman in ristretto255; AES-128 under a public key is a random permutation; ring learning with errors",
    ahead=True,
)

_CHOSEN = 4.0  # bytes a transfer, the chooser's bit included
_RANDOM = 31 / 8
_TRIPLE = 2 * _RANDOM  # one each way
_LEAVES = 16
_BATCH = (
    1_654_784  # bytes of 8192 products by encryption: two ciphertexts and an answer for each of four primes
)


def open_protocol(
    party: Party, *, holders: tuple[str, ...], helper: str | None, supply: Block | None = None
) -> Pair2:
    """The protocol between these two. With a `supply` they use first what they made ahead.

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
    return Pair2(party, holders, Dealt(supply) if supply else None)


def price(operation: str, elements: int, parties: int, *, drop: int = 20) -> Price:  # noqa: ARG001 - always two
    """What `operation` on that many elements costs; transfers come 128 at a time. Keys of encryption, 0.3 MB, come once."""
    few = elements - cross.in_batches(elements)
    product = -(-cross.in_batches(elements) // cross.BATCH) * _BATCH + few * 2 * (64 * _CHOSEN + cross.EACH)
    steps = 2 * (few > 0) + 2 * (few < elements)
    truncation = elements * (_CHOSEN + -(-drop // 8))
    # 64 transfers and 16 words of four bytes; 15 ANDs, of which all but the last have two right operands
    less = 64 * _CHOSEN + _LEAVES * 4 + (_LEAVES - 1) * _TRIPLE + 2 * (14 * 3 + 2) / 8
    levels = (elements - 1).bit_length()
    switches = (2 * levels - 1) * (1 << levels) / 2
    rounds, size_bytes = {
        "share": (0, 0.0),
        "multiply": (steps, product),
        "truncate": (2, truncation),
        "multiply and truncate": (steps + 2, product + truncation),
        "less": (7, elements * less),
        "bit to number": (2, elements * (_CHOSEN + 8)),
        "shuffle": (3, 2 * (switches * (_CHOSEN + 16) + 8 * elements)),
    }[operation]
    return Price(rounds, round(size_bytes))
