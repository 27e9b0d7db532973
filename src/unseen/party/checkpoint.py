"""Checkpoints: where a long task goes on after a crash, instead of at its beginning.

At a passage of a task (an epoch, a tree) every party stores what it needs to go on, sealed and on its disk, and tells the others;
who has heard that all have it may forget the one before. So each party holds two at most, and there is always one that all hold,
wherever a crash falls. The next attempt asks everybody what they hold and goes on from the newest that all have whole.

Which ones belong together
    A checkpoint is named by its passage *and* by the attempt that wrote it. Two attempts share their secrets in other ways, so
    what one party stored in the first attempt is never put together with what another stored of the same passage in the second.
What is stored
    Shares, this party's own numbers, and public ones. Never a mask, a seed or a key: the next attempt draws all of them anew,
    so that a value that both attempts open under a mask is open under two independent ones, which say no more than one.
    How often each disclosure was asked for, and how far output randomness was drawn, are stored too: what the first attempt
    told, the next tells again with the same number and so from the same stored part, and noise is never drawn a second time.
Security
    A party that lies about what it holds makes the others begin at an earlier passage, as if it had crashed there. One that
    tells different parties different things is found out before anything else is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from unseen import __version__
from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.party.messages import Array, Message, Public, packed, unpacked

if TYPE_CHECKING:
    from unseen.party.outputs import Outputs
    from unseen.party.party import Party

MOST = 32
"""How often one task is stored at most: of many short passages every so manyth, for each waits for the disks of all."""
_SLOTS = (0, 1)
_Name: TypeAlias = tuple[int, int]  # passages done, attempt that stored it


class Held(Message, frozen=True, tag="party.held/1"):
    """Checkpoints that the sender has whole on its disk: how many passages are done, and which attempt stored it."""

    unit: Public[str]
    names: Public[tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Resumed:
    """That this attempt went on from a checkpoint, which `attempt` had stored after `done` of `total` passages."""

    unit: str
    done: int
    total: int
    attempt: int

    def __str__(self) -> str:
        return f"went on from {self.unit} {self.done} of {self.total}"


class _Stored(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What lies on the disk. `counts` are of disclosures, `drawn` of output randomness by stream."""

    release: str
    unit: str
    total: int
    done: int
    attempt: int
    counts: dict[str, int]
    drawn: dict[str, int]
    heads: dict[str, tuple[str, tuple[int, ...]]]
    arrays: dict[str, bytes]


class Checkpoints:
    """Those of one task at one party; :meth:`unseen.party.party.Party.checkpoints` makes it. Everybody calls it alike.

    Parameters
    ----------
    unit, total
        What a passage is, in words, and how many there are.
    """

    def __init__(self, party: Party, outputs: Outputs, unit: str, total: int) -> None:
        self._party = party
        self._outputs = outputs
        self.unit = unit
        self.total = total
        self._every = max(1, math.ceil(total / MOST))
        self._next = 0
        self._begun = False

    def resume(self) -> tuple[int, Mapping[str, Array]]:
        """How many passages are done, and what was stored after them; (0, nothing) if the task is at its beginning.

        Call it where the first passage begins. Costs nothing in a first attempt, two rounds later.

        Raises
        ------
        RemoteProtocolError
            A peer speaks of other passages, or told others other things than this party.
        """
        if self._begun:
            raise LocalProtocolError("A task looks for its checkpoint once, before the first passage.")
        self._begun = True
        if self._party.session.attempt == 1:
            return 0, {}
        slots = {(stored.done, stored.attempt): slot for slot in _SLOTS if (stored := self._read(slot))}
        common = set(slots).intersection(*self._ask(tuple(sorted(slots))))
        newest = max(common, key=lambda name: (name[1], name[0]), default=None)
        chosen = () if newest is None else (newest,)
        for peer, told in zip(self._party.peers, self._ask(chosen), strict=True):
            if told != chosen:
                raise RemoteProtocolError(
                    f"{peer} would go on from another checkpoint than {self._party.name}.",
                    why="it was told other things by somebody",
                    mend="start a new run",
                    party=peer,
                )
        return (0, {}) if newest is None else self._take(slots[newest])

    def _take(self, slot: int) -> tuple[int, Mapping[str, Array]]:
        stored = self._read(slot)
        if stored is None:
            raise LocalProtocolError("A checkpoint that was there is gone.", mend="look at the node's disk")
        self._next = 1 - slot
        self._party.gate.go_on(stored.counts)
        self._outputs.go_on(stored.drawn)
        self._party.note_resumed(Resumed(self.unit, stored.done, self.total, stored.attempt))
        arrays = {name: unpacked(*head, stored.arrays[name]) for name, head in stored.heads.items()}
        return stored.done, arrays

    def due(self, done: int) -> bool:
        """Whether :meth:`save` would store this passage."""
        return done % self._every == 0 or done == self.total

    def save(self, done: int, state: Mapping[str, Array]) -> None:
        """After passage `done` (from 1): store `state`, if it is due; when this returns all parties have theirs on disk.

        Parameters
        ----------
        state
            What this party needs to go on; may be empty. See the module for what must not be in it.

        Raises
        ------
        UnavailableError
            The disk is full, or a peer did not store its own.
        """
        if not self._begun:
            raise LocalProtocolError("A task must look for a checkpoint before it stores one.")
        if not self.due(done):
            return
        parts = {name: packed(array) for name, array in state.items()}
        stored = _Stored(
            __version__,
            self.unit,
            self.total,
            done,
            self._party.session.attempt,
            self._party.gate.counts(),
            self._outputs.positions(),
            {name: (code, shape) for name, (code, shape, _) in parts.items()},
            {name: data for name, (_, _, data) in parts.items()},
        )
        self._party.gate.journal.store_checkpoint(self._next, msgspec.msgpack.encode(stored))
        mine = ((done, self._party.session.attempt),)
        for peer, told in zip(self._party.peers, self._ask(mine), strict=True):
            if told != mine:
                raise RemoteProtocolError(
                    f"{peer} stored another checkpoint than {self.unit} {done}.",
                    mend=f"both parties need the same contract and version; compare with {peer}",
                    party=peer,
                )
        self._next = 1 - self._next

    def _read(self, slot: int) -> _Stored | None:
        """What lies there, if it is whole, of this release and of these passages."""
        data = self._party.gate.journal.load_checkpoint(slot)
        if data is None:
            return None
        try:
            stored = msgspec.msgpack.decode(data, type=_Stored)
        except (msgspec.DecodeError, ValueError):
            return None  # of a release that stored them in another way
        same = (stored.release, stored.unit, stored.total) == (__version__, self.unit, self.total)
        return stored if same else None

    def _ask(self, names: tuple[_Name, ...]) -> list[tuple[_Name, ...]]:
        """Tell all peers these names; what each of them tells."""
        answers = self._party.exchange(Held(self.unit, names), Held)
        for peer, answer in answers.items():
            if answer.unit != self.unit:
                raise RemoteProtocolError(
                    f"{peer} is at another place of the task: it counts in '{answer.unit[:40]}', not in '{self.unit}'.",
                    party=peer,
                )
        return [answers[peer].names for peer in self._party.peers]
