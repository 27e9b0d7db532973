"""Replicated sharing over Z_2^64 among three parties of whom one may deviate at will. Nobody deals anything.

A number x is x0 + x1 + x2; party i holds x_i and x_(i+1). As `replicated3`, but nothing is taken on one party's word, and
all is checked before anything is revealed: what is revealed is right, or the computation ends without it.

Against whom
    One party that deviates in any way (honest majority), with abort: it may stop the computation, and may be the only one
    to get a result that is for it too; it may put in what it likes. Two who put their shares together know everything.
What it leaks
    Shapes, and the order of operations. Whatever a party receives is under a pad of the other two, and that a check fails
    tells the party that deviated nothing it did not know.
Assumption
    AES-128 in counter mode is a pseudo-random generator; SHA-256 finds every difference and, of data with 128 bits that the
    receiver lacks, tells nothing. A deviation passes a check with probability at most 2^-40, per check.
Cost
    :func:`price`, checking included; the contract tests hold it against what is measured.

* Products: :mod:`.gates` (buckets of triples). A matrix product is checked by random combinations of its rows and columns.
* Openings: each component comes from one of its holders and by digest from the other (:mod:`.wires`).
* Putting in: what an owner sends fixes one component at one party and the rest follows from keys, so it is always some value.
* Truncation, comparison, bits, waves: :mod:`.words`. Truncation is the exact floor of the number plus a public uniform
  offset, so the rounding depends on no share.
* Shuffles: three hops, each proved by random columns that move along.

The first check that fails ends the protocol object; it then refuses everything. The text says "one of the others deviated",
as which of two it was cannot be told; a message of a wrong form names its sender.

Sources: those of :mod:`.gates`; Araki, Furukawa, Lindell, Nof, Ohara (CCS 2016) for products; Mohassel and Rindal, "ABY3"
(CCS 2018) for bits of components; Laur, Willemson, Zhang (ISC 2011) for the hops of a shuffle. The check of a hop is our
own; it is proved where it stands.
"""

from __future__ import annotations

from unseen.mpc.protocol import Statement
from unseen.mpc.protocols.replicated3.replicated import three
from unseen.mpc.protocols.replicated3_malicious.pricing import price
from unseen.mpc.protocols.replicated3_malicious.sharing import Replicated3Malicious
from unseen.party import Party

__all__ = ["STATEMENT", "open_protocol", "price"]

STATEMENT = Statement(
    summary="Three parties who all hold shares; one of them may deviate, which ends the computation.",
    holders=range(3, 4),
    helper=False,
    adversary="malicious with abort",
    may_collude="nobody: any two parties together see all",
    assumption="AES-128 in counter mode is a pseudo-random generator, SHA-256 is collision-resistant",
)


def open_protocol(party: Party, *, holders: tuple[str, ...], helper: str | None) -> Replicated3Malicious:
    """The protocol among three parties; a helper, where one is named, is the third.

    Raises
    ------
    LocalProtocolError
        Other than three parties.
    """
    return Replicated3Malicious(party, three(holders, helper))
