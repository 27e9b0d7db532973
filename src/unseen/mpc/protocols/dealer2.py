"""Two data holders and a helper that deals randomness: :mod:`unseen.mpc.protocols.dealer` held to two holders.

A contract that names it cannot be run among more. Security, cost and sources are those of that package; with two holders
truncation is cheaper (:mod:`unseen.mpc.protocols.dealer.wrap`), and circuits can be garbled.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.errors import LocalProtocolError
from unseen.mpc.protocols import dealer
from unseen.mpc.protocols.dealer.sharing import Dealer
from unseen.mpc.supply import Supply
from unseen.party import Party

STATEMENT = replace(
    dealer.STATEMENT,
    summary="Two data holders, and a helper that deals randomness and sees nothing.",
    holders=range(2, 3),
)
price = dealer.price


def open_protocol(
    party: Party,
    *,
    holders: tuple[str, ...],
    helper: str | None,
    supply: Supply | None = None,
    fss: bool = False,
) -> Dealer:
    """The protocol between these two and their helper.

    Raises
    ------
    LocalProtocolError
        Other than two holders, or a helper that is one of them.
    """
    if len(holders) not in STATEMENT.holders:
        raise LocalProtocolError(
            "This protocol takes two holders and a helper.",
            why=f"holders: {', '.join(holders)}; helper: {helper}",
            mend="choose dealer, which takes more holders",
        )
    return dealer.open_protocol(party, holders=holders, helper=helper, supply=supply, fss=fss)
