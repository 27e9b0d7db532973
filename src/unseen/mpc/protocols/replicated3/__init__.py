"""Replicated sharing over Z_2^64 among three parties, of whom no two collude. Nobody deals anything.

A number x is x0 + x1 + x2; party i holds x_i and x_(i+1). Sums are local, a product costs one ring element a party.

Against whom
    Semi-honest parties, at most one of them (honest majority). Two who put their shares together know everything.
What it leaks
    Shapes, and the order of operations. Whatever a party receives is under a pad of the other two.
Assumption
    AES-128 in counter mode is a pseudo-random generator: pads come from keys that two parties have in common.
Cost
    :func:`price`, which the contract tests hold against what is measured.

The *split*. Party 0 knows a = x0 + x1, parties 1 and 2 both know b = x2, and x = a + b. Truncation, comparison, bits
and waves are all made from it: a function of a times a function of b costs one masked number from party 0 to party 2,
and one exchange between parties 1 and 2, after which the product is shared.

* Truncation by f bits: x + 2^62 is below 2^63, so a + b wraps round exactly if the top bit of a or of b is set; the
  floor is (a >> f) + (b >> f) - 2^(64 - f) (a_63 or b_63), off by the carry of the low places only. So the error is 0
  or 1 unit, for every |x| < 2^62, never 2^(64 - f); the carry's probability is the fraction cut off. (As with every
  probabilistic truncation, that carry depends on the shares: the rounding is not independent of them.)
* A product is truncated before it is re-shared: parties 1 and 2 exchange their parts, party 0 keeps its own.
* A sign takes the places of a and b two by two: all products in a pair are one of party 0's values times one of b's.

Sources: Araki, Furukawa, Lindell, Nof, Ohara, "High-Throughput Semi-Honest Secure Three-Party Computation with an
Honest Majority" (CCS 2016) for sharing and products with zero-shares; Mohassel and Rindal, "ABY3" (CCS 2018) for
arithmetic and Boolean shares side by side; Rathee et al., "SIRNN" (S&P 2021) for the wrap of a number whose top bit is
known; Laur, Willemson, Zhang, "Round-Efficient Oblivious Database Manipulation" (ISC 2011) for the shuffle. Local
truncation as in SecureML and ABY3 (off by 2^(64 - f) now and then) is not used, nor products without zero-shares
(they give away the inputs after two products).
"""

from __future__ import annotations

from unseen.mpc.protocol import Price, Statement
from unseen.mpc.protocols.replicated3.replicated import three
from unseen.mpc.protocols.replicated3.sharing import Replicated3
from unseen.party import Party

STATEMENT = Statement(
    summary="Three parties who all hold shares; no two of them collude.",
    holders=range(3, 4),
    helper=False,
    adversary="semi-honest",
    may_collude="nobody: any two parties together see all",
    assumption="AES-128 in counter mode is a pseudo-random generator",
)
_HALF_WORD = 32


def open_protocol(party: Party, *, holders: tuple[str, ...], helper: str | None) -> Replicated3:
    """The protocol among three parties; a helper, where one is named, is the third.

    Raises
    ------
    LocalProtocolError
        Other than three parties.
    """
    return Replicated3(party, three(holders, helper))


def price(operation: str, elements: int, parties: int, *, drop: int = 20) -> Price:  # noqa: ARG001 - always three
    """What `operation` on that many elements costs; truncation by more than 32 bits costs 12 bytes more."""
    truncation = 20 if drop <= _HALF_WORD else 32
    rounds, size_bytes = {
        "share": (1, 8),
        "multiply": (1, 24),
        "truncate": (2, truncation),
        "multiply and truncate": (2, 16 + truncation),
        "less": (7, 50.5),  # 95 masked planes, 63 exchanged, 61 ANDs; a plane is an eighth of a byte
        "bit to number": (2, 24),
        "shuffle": (3, 48),
    }[operation]
    return Price(rounds, round(elements * size_bytes))
