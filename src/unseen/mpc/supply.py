"""Where dealt randomness comes from: a helper on the line, or a stock that it dealt ahead (:mod:`.stock`).

A protocol with a helper asks its supply for everything that passes between the helper and a holder, and says beforehand
what it is about to use it for. So the same lines run against the helper, against a stock, and when a stock is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from typing import Protocol as Interface

from unseen.crypto.prg import Prg
from unseen.party import Message, Party

M = TypeVar("M", bound=Message)


class Supply(Interface):
    """What stands between the helper and a holder."""

    def note(self, kind: str, shape: tuple[int, ...], dtype: type[Any]) -> None:
        """Say what comes next. All parties say the same.

        Raises
        ------
        LocalProtocolError
            Something else was dealt ahead.
        """

    def rng(self, peer: str) -> Prg:
        """Randomness in common with the helper at a holder, with the holder `peer` at the helper."""

    def send(self, holder: str, message: Message) -> None:
        """From the helper to a holder."""

    def recv(self, helper: str, message_type: type[M]) -> M:
        """At a holder, the next message of the helper."""


class Source(Interface):
    """What an engine can be given in place of a helper on the line."""

    def begin(self, party: Party, holders: Sequence[str], helper: str | None) -> tuple[Party, Supply]:
        """For one engine: the party that it is to speak through, and its supply."""


class FromLink:
    """The helper is there and deals as the program runs."""

    def __init__(self, party: Party) -> None:
        self._party = party

    def note(self, kind: str, shape: tuple[int, ...], dtype: type[Any]) -> None:
        """The helper runs the same program: nothing to compare."""

    def rng(self, peer: str) -> Prg:
        """Seeded by the link."""
        return self._party.shared_rng(peer)

    def send(self, holder: str, message: Message) -> None:
        """As soon as the holder has taken most of what was dealt before: all that a helper does is send."""
        self._party.pace(holder)
        self._party.send(holder, message)

    def recv(self, helper: str, message_type: type[M]) -> M:
        """Wait for it."""
        return self._party.recv(helper, message_type)
