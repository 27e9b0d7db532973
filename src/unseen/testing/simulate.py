"""Run all parties of a protocol as threads over the in-process link, and keep what each of them saw."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from unseen.link.channel import LinkStats, abort_all
from unseen.link.memory import Wire, faithful, mesh
from unseen.party import Disclosure, DisclosurePolicy, Gate, MemoryJournal, Message, Party, Pool, Session
from unseen.party.gate import Journal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """One message in a party's view."""

    receiver: str
    sender: str
    stream: str
    message: Message


@dataclass(slots=True)
class Run(Generic[T]):
    """What came of a simulated run."""

    results: dict[str, T] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    views: dict[str, list[Seen]] = field(default_factory=dict)
    stats: dict[str, dict[str, LinkStats]] = field(default_factory=dict)
    journals: dict[str, Journal] = field(default_factory=dict)

    @property
    def bytes_sent(self) -> int:
        """Payload bytes of all parties together."""
        return sum(stats.bytes_sent for peers in self.stats.values() for stats in peers.values())

    def rounds(self, party: str) -> int:
        """The largest number of rounds on any of the party's links."""
        return max((stats.rounds for stats in self.stats[party].values()), default=0)


def simulate(
    program: Callable[[Party], T],
    parties: Sequence[str],
    *,
    disclosures: Sequence[Disclosure] = (),
    policies: Mapping[str, DisclosurePolicy] | None = None,
    journals: Mapping[str, Journal] | None = None,
    wire: Wire = faithful,
    attempt: int = 1,
    timeout_s: float = 30.0,
    pool_workers: int = 1,
) -> Run[T]:
    """Run `program` at every party at once and wait for all of them.

    A party that fails aborts its links, so the others fail too, with the name of the first in their error; all errors are
    in `errors`. Use :func:`run` where success is expected.
    """
    links = mesh(parties, wire=wire)
    outcome: Run[T] = Run()
    policy = DisclosurePolicy("test-contract", "test-task", tuple(disclosures))

    def body(name: str) -> None:
        journal = outcome.journals[name]
        gate = Gate(name, (policies or {}).get(name, policy), journal, attempt=attempt)
        party = Party(
            name,
            links[name],
            session=Session("test-job", "test-task", attempt),
            gate=gate,
            pool=Pool(pool_workers),
            timeout_s=timeout_s,
        )
        view = outcome.views[name]
        party.observe(
            lambda receiver, sender, stream, message: view.append(Seen(receiver, sender, stream, message))
        )
        try:
            outcome.results[name] = program(party)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            outcome.errors[name] = error
            abort_all(links[name], error, "test-task")
        outcome.stats[name] = party.stats()

    threads = []
    for name in parties:
        outcome.journals[name] = (journals or {}).get(name) or MemoryJournal()
        outcome.views[name] = []
        threads.append(threading.Thread(target=body, args=(name,), name=f"party-{name}", daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout_s * 4)
        if thread.is_alive():
            outcome.errors.setdefault(thread.name, TimeoutError(f"{thread.name} hangs"))
    return outcome


def run(program: Callable[[Party], T], parties: Sequence[str], **options: Any) -> Run[T]:
    """:func:`simulate`, raising the first error (that of the party that failed first, where it is known)."""
    outcome = simulate(program, parties, **options)
    if outcome.errors:
        causes = sorted(outcome.errors.items(), key=lambda item: getattr(item[1], "party", None) in parties)
        name, error = causes[0]
        error.add_note(f"at party {name}; all errors: {outcome.errors}")
        raise error
    return outcome
