"""Additive sharing over Z_2^64 among N >= 2 holders, with a helper that deals randomness.

Against whom
    Semi-honest parties. Any N - 1 holders together learn nothing; nor does the helper, which receives no message at all.
    The helper and a holder must not collude.
What it leaks
    Shapes, and the order of operations. All that is opened on the way is x + r with r uniform, and, by sorting, places of
    rows in an order that no holder knows, which the helper does not see (:mod:`.order`).
Assumption
    AES-128 in counter mode is a pseudo-random generator (the dealt shares are expanded from seeds). With `fss`, AES-128 under a
    public key is a random permutation (:mod:`.keys`).
Cost
    :func:`price`, which the contract tests hold against what is measured. The bytes from the helper go to the last
    holder only: the shares of the others are expanded from seeds.

Sources: Beaver, "Efficient Multiparty Protocols Using Circuit Randomization" (CRYPTO 1991); Catrina and Saxena,
"Secure Computation with Fixed-Point Numbers" (FC 2010) for truncation by an opened mask, here with the correction
for wrap-around, so that its error is 0 or 1 ulp and never 2^(64 - f) (local truncation, which fails that way, is
not used); :mod:`.wrap` for two holders; Rotaru and Wood, "MArBled Circuits" (INDOCRYPT 2019) for bits shared twice; Chase, Ghosh, Poburinnaya,
"Secret-Shared Shuffle" (ASIACRYPT 2020) for the shuffle, with the correlation dealt by the helper.
"""

from __future__ import annotations

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc.protocol import Price, Statement
from unseen.mpc.protocols.dealer.sharing import Dealer
from unseen.mpc.supply import Supply
from unseen.party import Party

STATEMENT = Statement(
    summary="Two to sixteen data holders, and a helper that deals randomness and sees nothing.",
    holders=range(2, 17),
    helper=True,
    adversary="semi-honest",
    may_collude="all holders but one, without the helper",
    assumption="AES-128 in counter mode is a pseudo-random generator; with fss, under a public key a random permutation",
    ahead=True,
    fss=True,
)


_TWO = 2


def open_protocol(
    party: Party,
    *,
    holders: tuple[str, ...],
    helper: str | None,
    supply: Supply | None = None,
    fss: bool = False,
) -> Dealer:
    """The protocol among these parties; others of the task take no part. With a `supply` the helper need not be there.

    Raises
    ------
    LocalProtocolError
        Fewer than two holders or more than sixteen, or a helper that is one of them.
    UsageError
        Function secret sharing among more than two.
    """
    if (
        helper is None
        or len(holders) not in STATEMENT.holders
        or helper in holders
        or len(set(holders)) != len(holders)
    ):
        raise LocalProtocolError(
            "This protocol takes two to sixteen holders and a helper who is none of them.",
            why=f"holders: {', '.join(holders)}; helper: {helper}",
            mend="a party must never deal to itself: name a third organisation as helper",
        )
    if fss and len(holders) != _TWO:
        raise UsageError(
            f"Comparisons by function secret sharing are for two holders, not {len(holders)}.",
            why="a key is made for two; with more, some two of them would have what opens the others' secrets",
            mend="leave out fss=True, or compute among two",
        )
    return Dealer(party, holders, helper, supply, fss=fss)


def price(operation: str, elements: int, parties: int) -> Price:
    """What `operation` on that many elements costs among that many holders."""
    pairs = parties * (parties - 1)  # who opens something sends it to every other holder
    shift = (0.125, 4.0) if parties == _TWO else (8.0, 16.0)  # a bit and a half word; a word and two
    rounds, opened, dealt = {
        "share": (0, 0.0, 0.0),
        "multiply": (1, 16.0, 8.0),
        "truncate": (1, *shift),
        "multiply and truncate": (2, 16.0 + shift[0], 8.0 + shift[1]),
        "less": (7, 31.125, 23.375),  # c and 123 ANDs of planes, 62 of them with a mask in common
        "less by keys": (1, 8.0, 2 * 57 * 16 + 0.125),  # c; 57 words to each holder, and the top bit of r
        "bit to number": (1, 0.125, 8.0),
        "shuffle": (parties, 0.0, 8.0 * parties * parties),
    }[operation]
    return Price(rounds, round(elements * (opened * pairs + dealt)))
