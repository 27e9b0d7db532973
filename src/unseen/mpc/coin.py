"""A coin that several parties toss and nobody could foresee: each commits to its part before it sees another's.

Against whom: any number of tossers that deviate, as long as one does not; who sees the others' parts first may only stop. Source: Blum,
"Coin Flipping by Telephone" (1981). Rounds: 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from unseen.core.errors import RemoteProtocolError, VerificationError
from unseen.crypto import commit
from unseen.party import Message, Party, Public

COIN_BYTES = 32
_DOMAIN = b"unseen/mpc/coin/v1\n"


class CoinCommitted(Message, frozen=True, tag="mpc.coin.committed/1"):
    """Commitment to the sender's part."""

    commitment: Public[str]


class CoinPart(Message, frozen=True, tag="mpc.coin.part/1"):
    """The sender's part and what opens the commitment to it."""

    part: Public[bytes]
    salt: Public[bytes]


def toss(party: Party, *, tossers: Sequence[str], everyone: Sequence[str]) -> bytes:
    """32 bytes, the same at `everyone`, of whom `tossers` toss. Whoever is not among `everyone` does not call it.

    Raises
    ------
    VerificationError
        A party did not show what it had committed to.
    RemoteProtocolError
        A part of another length.
    """
    others = [name for name in everyone if name != party.name]
    from_whom = [name for name in tossers if name != party.name]
    part, salt = party.rng.bytes(COIN_BYTES), commit.fresh_salt()
    tosses = party.name in tossers
    if tosses:
        for peer in others:
            party.send(peer, CoinCommitted(commit.commit(part, salt)))
    committed = {peer: party.recv(peer, CoinCommitted).commitment for peer in from_whom}
    if tosses:
        for peer in others:
            party.send(peer, CoinPart(part, salt))
    parts = {party.name: part} if tosses else {}
    for peer in from_whom:
        told = party.recv(peer, CoinPart)
        if len(told.part) != COIN_BYTES:
            raise RemoteProtocolError(f"{peer} sent {len(told.part)} bytes of a coin.", party=peer)
        try:
            commit.check(committed[peer], told.part, told.salt, what=f"The coin of {peer}")
        except VerificationError as error:
            error.party = peer
            raise
        parts[peer] = told.part
    return hashlib.sha256(_DOMAIN + b"".join(parts[name] for name in sorted(tossers))).digest()
