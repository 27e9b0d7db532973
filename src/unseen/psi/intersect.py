"""The one door to private set intersection: choose a protocol, by name or by cost, and get aligned rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.party import Message, Party, Public
from unseen.psi.ids import checked
from unseen.psi.plan import AUTO, choose
from unseen.psi.protocol import Aligned, Mode, revealing

_FEWEST = 2


class SetSize(Message, frozen=True, tag="psi.set-size/1"):
    """How many ids the sender brings: the one thing about a set that the other holders always learn."""

    count: Public[int]


def intersect(
    party: Party,
    ids: NDArray[np.uint8] | None,
    *,
    holders: Sequence[str],
    to: Sequence[str],
    method: str = AUTO,
    mode: Mode | None = None,
    sizes: Mapping[str, int] | None = None,
    network: Network | None = None,
    allow_empty: bool = False,
    distinct: bool = False,
) -> Aligned | None:
    """Find the rows that all holders have. Everyone calls it alike; None at parties without a result.

    Parameters
    ----------
    ids
        Unique identifiers, uint8 of shape (rows, 32), see :func:`unseen.data.identifiers.identifiers`.
    holders
        The parties that bring ids: two or more.
    to
        The holders that learn the result: disclosure "intersection".
    method
        A protocol's name, or "auto": the one that :func:`unseen.psi.plan.choose` expects to be fastest.
    sizes
        Public size of each holder's set, or a bound that hides it; None: the holders tell each other how many they have.
    network
        What "auto" assumes of the network; the same at all holders.
    allow_empty
        Whether no common rows are a result rather than an error.
    distinct
        The caller has made sure that no id comes twice; else that is looked for.

    Raises
    ------
    UsageError
        No common rows, repeated ids, more ids than their bound, or a number of holders that no protocol can do.
    DeniedError
        The contract does not list the disclosure.
    """
    if len(set(holders)) != len(holders) or len(holders) < _FEWEST or not set(to) <= set(holders):
        raise UsageError(
            "An intersection is for two holders or more, some or all of whom get the result.",
            why=f"holders are {', '.join(holders) or 'nobody'}; the result is for {', '.join(to) or 'nobody'}",
        )
    if party.name not in holders:
        return None
    ours = checked(ids, distinct=distinct)
    public = dict(sizes) if sizes is not None else _tell_sizes(party, holders, len(ours))
    if set(public) != set(holders):
        raise UsageError(
            "An intersection takes the public size of each holder's set.",
            why=f"holders are {', '.join(holders)}; sizes are given of {', '.join(public)}",
        )
    if len(ours) > public[party.name]:
        raise UsageError(f"There are {len(ours)} ids where {public[party.name]} are the agreed bound.")
    asked = mode or Mode()
    if method == AUTO:
        choice = choose(tuple(public[name] for name in holders), asked, network or Network())
        method, asked = choice.method, choice.mode
    chosen = revealing(method)
    if len(holders) not in chosen.HOLDERS:
        raise UsageError(
            f"The protocol '{method}' is for {_words(chosen.HOLDERS)} holders, not {len(holders)}.",
            mend="choose another one, or leave it to auto",
        )
    if asked.security not in chosen.SECURITIES:
        raise UsageError(f"The protocol '{method}' is not secure against {asked.security} parties.")
    aligned = chosen.intersect(party, ours, sizes=public, to=tuple(to), mode=asked)
    if aligned is not None and not aligned.size and not allow_empty:
        raise UsageError(
            "The holders have no rows in common.",
            mend="compare how each of you writes the ids: the same kind of id, the same type, leading zeros",
        )
    return aligned


def _tell_sizes(party: Party, holders: Sequence[str], count: int) -> dict[str, int]:
    others = tuple(name for name in holders if name != party.name)
    told = party.exchange(SetSize(count), SetSize, peers=others)
    for peer, said in told.items():
        if said.count < 0:
            raise RemoteProtocolError(f"{peer} has {said.count} ids, it says.", party=peer)
    return {name: count if name == party.name else told[name].count for name in holders}


def _words(count: range) -> str:
    return str(count.start) if len(count) == 1 else f"{count.start} to {count.stop - 1}"
