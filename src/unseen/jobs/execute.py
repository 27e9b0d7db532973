"""Run one task at one party, once its links are there: what a worker process and `Local()` have in common.

No process, socket or file is touched here except through what comes in.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import msgspec

from unseen.core.events import ProgressSink, silent
from unseen.govern.contract import TaskTerms
from unseen.jobs.artefacts import BOUND, COMMITTED, Artefact
from unseen.jobs.step import Roles, check_pinned, parse_params
from unseen.kernels.memory import arrays_in_pages
from unseen.link.channel import Link
from unseen.party import DisclosurePolicy, Gate, Party, Pool, Session
from unseen.party.gate import Journal
from unseen.party.kept import Kept
from unseen.party.party import Sign, VerifySigned

_BYTES_PER_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class SignedTranscript(msgspec.Struct, frozen=True):
    """What both ends of a link signed: statement, signatures, and the certificates (DER) of the signing keys.

    Empty where there is none: in one process nobody signs.
    """

    peer: str
    statement: bytes
    ours: bytes
    theirs: bytes
    our_certificate: bytes = b""
    their_certificate: bytes = b""


class Passage(msgspec.Struct, frozen=True):
    """One passage through this party's gate."""

    name: str
    index: int
    door: str
    to: tuple[str, ...]
    elements: int


class ResumedFrom(msgspec.Struct, frozen=True):
    """A checkpoint that `attempt` stored after `done` of `total` passages of this `unit`, as "epoch"."""

    unit: str
    done: int
    total: int
    attempt: int


class FromStock(msgspec.Struct, frozen=True):
    """One run that the task took from a stock, and how many transfers and products it had to make beyond it."""

    stock: str
    run: int
    runs_left: int
    made: int


class TaskRecord(msgspec.Struct, frozen=True):
    """What is told about a finished task: for the ledger and the report. Holds no data.

    Attributes
    ----------
    seconds
        Wall time.
    bytes_sent, bytes_received
        Payload bytes of all links of this party.
    rounds
        Largest number of rounds on any link.
    memory_bytes
        Peak resident memory of the process.
    committed
        Output -> the commitment to its numbers, hex, where there is one.
    bound
        Holder -> the commitment that its input was checked against, hex, where the step did so.
    stocks
        What it took of randomness made ahead (:mod:`unseen.jobs.stocks`).
    resumed
        The checkpoint that this attempt went on from, if it did.
    """

    seconds: float
    bytes_sent: int
    bytes_received: int
    rounds: int
    memory_bytes: int
    passages: tuple[Passage, ...]
    transcripts: tuple[SignedTranscript, ...]
    committed: dict[str, str] = {}
    bound: dict[str, str] = {}
    stocks: tuple[FromStock, ...] = ()
    resumed: ResumedFrom | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Outputs of a task at one party, and the record of it."""

    outputs: Mapping[str, Artefact]
    record: TaskRecord


def _passages(journal: Journal) -> tuple[Passage, ...]:
    """What any attempt let out, each once: what an attempt told before it broke off was told, and the next may not repeat it."""
    told = (
        Passage(item.name, item.index, item.door.value, item.to, item.elements) for item in journal.entries
    )
    return tuple(dict.fromkeys(told))


@arrays_in_pages()
def run_task(
    terms: TaskTerms,
    session: Session,
    *,
    me: str,
    links: Mapping[str, Link],
    policy: DisclosurePolicy,
    journal: Journal,
    inputs: Mapping[str, Artefact],
    progress: ProgressSink = silent,
    pool: Pool | None = None,
    sign: Sign | None = None,
    verify: VerifySigned | None = None,
    silence_s: float = 600.0,
    kept: Kept | None = None,
) -> Finished:
    """Run the step at party `me`. All parties of the task run this at once.

    Parameters
    ----------
    links
        Peer -> open link, to each other party of the task.
    silence_s
        How long a peer may say nothing.
    kept
        Where this party's stocks are.

    Raises
    ------
    DeniedError
        The installed step is not the one that the contract pins, or the gate held something back.
    UnseenError
        Whatever the step raises.
    """
    installed = check_pinned(terms.step, version=terms.version, pinned=terms.fingerprint)
    params, roles = parse_params(terms.step, terms.params), Roles(terms.roles)
    party = Party(
        me,
        links,
        session=session,
        gate=Gate(me, policy, journal, attempt=session.attempt),
        progress=progress,
        pool=pool,
        sign=sign,
        verify=verify,
        timeout_s=silence_s,
        kept=kept,
    )
    start = time.perf_counter()
    outputs = installed.run(party, inputs, params, roles)
    party.sign_transcripts()
    stats = party.stats().values()
    record = TaskRecord(
        seconds=time.perf_counter() - start,
        bytes_sent=sum(link.bytes_sent for link in stats),
        bytes_received=sum(link.bytes_received for link in stats),
        rounds=max((link.rounds for link in stats), default=0),
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_RSS_UNIT,
        passages=_passages(journal),
        transcripts=tuple(
            SignedTranscript(item.peer, item.statement, item.ours, item.theirs) for item in party.transcripts
        ),
        stocks=tuple(
            FromStock(item.stock, item.run, item.runs_left, item.unmet())
            for item in (kept.drawn if kept else ())
        ),
        committed={name: made.meta[COMMITTED] for name, made in outputs.items() if COMMITTED in made.meta},
        bound={
            holder: commitment
            for made in outputs.values()
            for holder, commitment in made.meta.get(BOUND, {}).items()
        },
        resumed=None if party.resumed is None else ResumedFrom(**asdict(party.resumed)),
    )
    return Finished(outputs, record)
