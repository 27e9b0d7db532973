"""The doors through which anything about a party's data leaves it, standing at the giver.

Default deny: a disclosure passes only if the contract this party signed lists it for this task, this door and
these receivers, within its count and size. What passes is in the journal, on disk, before it is sent.

A *reveal* (a share becomes plaintext for somebody) must never happen twice with different randomness: the part
a giver is about to send is stored first, all givers wait until all have stored theirs, and a later attempt
sends the stored parts again (:meth:`unseen.party.party.Party.reveal`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import DeniedError
from unseen.party.messages import Released

T = TypeVar("T")


class Door(StrEnum):
    """How something leaves."""

    REVEAL = "reveal"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One thing that a task tells somebody, as declared by its step and listed in the contract.

    `name` identifies it within the task. `max_elements` bounds the numbers (or rows) told each time; None
    where the size itself depends on the data. `times` bounds how often within one task.
    """

    name: str
    what: str
    to: tuple[str, ...]
    door: Door
    max_elements: int | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class DisclosurePolicy:
    """What the contract lets leave during one task. Compiled by `govern` from the signed contract."""

    contract: str
    task: str
    disclosures: tuple[Disclosure, ...] = ()

    def find(self, name: str) -> Disclosure | None:
        """The disclosure of that name, if listed."""
        return next((item for item in self.disclosures if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Journal entry: one passage through a door."""

    task: str
    name: str
    index: int
    door: Door
    to: tuple[str, ...]
    elements: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Reveal:
    """One shared value that is to become plaintext.

    Attributes
    ----------
    name
        What the contract calls it.
    part
        This party's part, uint64 of `shape`; None if it is no giver.
    to
        The receivers.
    elements
        How many numbers the parts together tell, for the contract; as many as a part has, unless said otherwise.
    """

    name: str
    part: NDArray[np.uint64] | None
    to: tuple[str, ...]
    shape: tuple[int, ...]
    elements: int | None = None

    @property
    def told(self) -> int:
        """How many numbers a receiver learns."""
        return math.prod(self.shape) if self.elements is None else self.elements


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A giver's part of a reveal, as first computed."""

    attempt: int
    data: bytes
    sent: bool


class Journal(Protocol):
    """Durable memory of a gate. Every method returns only after the fact is on disk."""

    @property
    def entries(self) -> Sequence[Disclosed]:
        """All that was recorded, in every attempt."""

    def record(self, entry: Disclosed) -> None:
        """Append an entry (the same entry of a later attempt is recorded as well)."""

    def load_part(self, name: str, index: int) -> StoredPart | None:
        """The stored part of that reveal, from this or an earlier attempt."""

    def store_part(self, name: str, index: int, part: StoredPart) -> None:
        """Store or overwrite a part."""

    def load_output_seed(self, fresh: bytes) -> bytes:
        """The seed of this task's output randomness: `fresh` the first time, the same ever after."""

    def store_checkpoint(self, slot: int, data: bytes) -> None:
        """Keep `data` in the place of that number, instead of what is there: wholly, or after a crash not at all."""

    def load_checkpoint(self, slot: int) -> bytes | None:
        """What is kept there; None if nothing, or nothing that is whole."""


class MemoryJournal:
    """A journal that lives as long as the process: for tests and `Local()`."""

    def __init__(self) -> None:
        self.entries: list[Disclosed] = []
        self._parts: dict[tuple[str, int], StoredPart] = {}
        self._seed: bytes | None = None
        self._checkpoints: dict[int, bytes] = {}

    def record(self, entry: Disclosed) -> None:
        """Append."""
        self.entries.append(entry)

    def load_part(self, name: str, index: int) -> StoredPart | None:
        """Look up."""
        return self._parts.get((name, index))

    def store_part(self, name: str, index: int, part: StoredPart) -> None:
        """Store."""
        self._parts[name, index] = part

    def load_output_seed(self, fresh: bytes) -> bytes:
        """The first seed wins."""
        self._seed = self._seed or fresh
        return self._seed

    def store_checkpoint(self, slot: int, data: bytes) -> None:
        """Store."""
        self._checkpoints[slot] = data

    def load_checkpoint(self, slot: int) -> bytes | None:
        """Look up."""
        return self._checkpoints.get(slot)


class Gate:
    """Checks and records every passage of one party's data during one attempt of one task. Thread-safe."""

    def __init__(self, party: str, policy: DisclosurePolicy, journal: Journal, *, attempt: int = 1) -> None:
        self.party = party
        self.policy = policy
        self.journal = journal
        self._attempt = attempt
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def next_index(self, name: str) -> int:
        """How often `name` was asked for before in this attempt; counts up. Every holder counts alike."""
        with self._lock:
            index = self._counts.get(name, 0)
            self._counts[name] = index + 1
            return index

    def counts(self) -> dict[str, int]:
        """How often each name was asked for so far."""
        with self._lock:
            return dict(self._counts)

    def go_on(self, counts: Mapping[str, int]) -> None:
        """Count on from there: this attempt begins where an earlier one had got to."""
        with self._lock:
            for name, count in counts.items():
                self._counts[name] = max(count, self._counts.get(name, 0))

    def pass_through(self, door: Door, name: str, *, index: int, to: tuple[str, ...], elements: int) -> None:
        """Record one passage, or refuse it.

        Raises
        ------
        DeniedError
            The contract does not list it, or lists it for others, another door, fewer elements or times.
        """
        self._check(door, name, index=index, to=to, elements=elements)
        self.journal.record(Disclosed(self.policy.task, name, index, door, to, elements, self._attempt))

    def pass_all(self, door: Door, reveals: Sequence[Reveal], indices: Sequence[int]) -> None:
        """The same of many: all are recorded, or if one is refused none.

        Raises
        ------
        DeniedError
            See :meth:`pass_through`.
        """
        for item, index in zip(reveals, indices, strict=True):
            self._check(door, item.name, index=index, to=item.to, elements=item.told)
        for item, index in zip(reveals, indices, strict=True):
            self.pass_through(door, item.name, index=index, to=item.to, elements=item.told)

    def _check(self, door: Door, name: str, *, index: int, to: tuple[str, ...], elements: int) -> None:
        listed = self.policy.find(name)
        reason = self._objection(listed, door, index, to, elements)
        if reason:
            raise DeniedError(
                f"The gate of {self.party} holds back '{name}' ({elements} elements, to {', '.join(to) or 'nobody'}).",
                why=reason,
                mend="put the disclosure into a contract that every party signs",
                clause=f"disclosures of task {self.policy.task} in {self.policy.contract}",
                party=self.party,
            )

    def _objection(
        self, listed: Disclosure | None, door: Door, index: int, to: tuple[str, ...], elements: int
    ) -> str:
        if listed is None:
            return "the contract does not list it"
        if listed.door != door:
            return f"the contract lists it as a {listed.door}, not as a {door}"
        if not set(to) <= set(listed.to):
            return f"the contract tells it to {', '.join(listed.to) or 'nobody'} only"
        if listed.max_elements is not None and elements > listed.max_elements:
            return f"the contract allows {listed.max_elements} elements"
        if index >= listed.times:
            return f"the contract allows it {listed.times} time(s) in a task"
        return ""

    def release(self, name: str, value: T, *, to: tuple[str, ...], elements: int) -> Released[T]:
        """Let `value` out in clear to `to`; the result is what a `released` message field carries.

        What is released must be a function of the task's inputs and of output randomness alone, so that a
        later attempt releases the same again.

        Raises
        ------
        DeniedError
            See :meth:`pass_through`.
        """
        self.pass_through(Door.RELEASE, name, index=self.next_index(name), to=to, elements=elements)
        return Released(value, Released._maker)  # noqa: SLF001 - the gate is the maker
