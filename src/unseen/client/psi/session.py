"""One meeting of the two sides over a link: agree, go on where both stopped, intersect partition by partition, write."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from unseen.client.psi import output
from unseen.client.psi.journal import MOST_ATTEMPTS, Entry, Journal, commitment, entry
from unseen.client.psi.load import Loaded
from unseen.client.psi.options import Options
from unseen.client.psi.partition import Common, common
from unseen.client.psi.summary import Clock, Summary, peak_memory
from unseen.client.psi.terms import (
    DIGEST_BYTES,
    FORMAT,
    RUN_BYTES,
    Agreed,
    Mark,
    Plan,
    Settled,
    Start,
    Terms,
    agreement,
    agreement_digest,
    check_numbers,
    check_start,
    plan,
    settle,
)
from unseen.core.errors import RemoteProtocolError, UsageError, VerificationError
from unseen.core.events import Progress, ProgressSink
from unseen.link.channel import Link
from unseen.party import Disclosure, DisclosurePolicy, Door, Gate, MemoryJournal, Party, Pool, Session
from unseen.psi.protocol import DISCLOSURE

_RECV_S = 6 * 3600.0
_FINE = 1000


@dataclass(frozen=True, slots=True)
class Signing:
    """How this side signs what was agreed, and checks the other's signature."""

    sign: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What was agreed: the plan, the journal's entry, and the first partition that is still to be done."""

    settled: Settled
    plan: Plan
    entry: Entry
    next: int


class Meeting:
    """See the module."""

    def __init__(
        self,
        link: Link,
        options: Options,
        loaded: Loaded,
        journal: Journal,
        *,
        clock: Clock,
        progress: ProgressSink,
        signing: Signing | None,
    ) -> None:
        self._link, self._options, self._loaded, self._journal = link, options, loaded, journal
        self._clock, self._progress, self._signing = clock, progress, signing
        self._me, self._peer = link.me, link.peer

    def run(self) -> Summary:
        """Everything, to the end."""
        with self._clock.phase("agree"):
            standing = self._agree()
        with self._clock.phase("intersect"):
            found, ids = self._intersect(standing)
        with self._clock.phase("write"):
            written = self._write(standing, found)
        if standing.plan.parts > 1:
            self._exchange_mark("finished")
            self._journal.clear()
        return self._summary(standing, ids, written)

    # ------------------------------------------------------------------ agreeing

    def _agree(self) -> Standing:
        party = self._party("agree", ())
        mine = self._terms()
        theirs = party.exchange(mine, Terms, peers=(self._peer,))[self._peer]
        check_numbers(self._peer, theirs)
        settled = settle(self._me, self._peer, mine, theirs)
        kept = self._journal.load(self._loaded.fingerprint)
        salt = bytes.fromhex(kept.salt) if kept else secrets.token_bytes(DIGEST_BYTES)
        start = self._start(kept, salt)
        other = party.exchange(start, Start, peers=(self._peer,))[self._peer]
        check_start(self._peer, other)
        resumed = self._resumes(start, other)
        nonces = sorted([start.nonce, other.nonce])
        run = start.run if resumed else hashlib.sha256(nonces[0] + nonces[1]).digest()[:RUN_BYTES]
        planned = plan(settled, {self._me: start.size, self._peer: other.size})
        agreed = agreement(settled, planned, run, {self._me: start.commitment, self._peer: other.commitment})
        digest = agreement_digest(agreed)
        self._sign(party, digest)
        if kept is None or not resumed:
            kept = entry(
                run=run,
                agreement=digest,
                salt=salt,
                fingerprint=self._loaded.fingerprint,
                parts=planned.parts,
            )
        elif kept.agreement != digest.hex():
            raise UsageError(
                "The options or the data are not those of the interrupted run.",
                why="a run goes on only as both sides agreed to it",
                mend="use the same options and files as before at both sides, or start anew: --fresh at both",
            )
        first = min(start.done, other.done) if resumed else 0
        if planned.parts > 1:
            if kept.attempts >= MOST_ATTEMPTS:
                raise UsageError(
                    f"The run was interrupted {kept.attempts} times.",
                    why="a side that deviates could ask about other ids each time",
                    mend="find out why, then start anew: --fresh at both sides",
                )
            # What is run again comes in another order: a side that had finished it must not think so any more.
            kept = msgspec.structs.replace(kept, done=first)
            self._journal.save(kept)
            self._mark(party, "ready")
            kept = msgspec.structs.replace(kept, begun=True, attempts=kept.attempts + 1)
            self._journal.save(kept)
        return Standing(settled, planned, kept, first)

    def _terms(self) -> Terms:
        asked = self._options
        named = {"me": (self._me,), "peer": (self._peer,), "both": tuple(sorted((self._me, self._peer)))}
        return Terms(
            FORMAT,
            tuple(kind.name for kind in self._loaded.columns.values()),
            asked.protocol,
            asked.security,
            asked.symmetric,
            named[asked.output_to] if asked.output_to else (),
            asked.output is not None,
            asked.memory_bytes,
            asked.parts,
            asked.latency_ms / 1e3,
            asked.bandwidth_mbit * 1e6 / 8,
        )

    def _start(self, kept: Entry | None, salt: bytes) -> Start:
        size = self._options.bound if self._options.bound is not None else self._loaded.ids
        return Start(
            size,
            commitment(salt, self._loaded.fingerprint),
            bytes.fromhex(kept.run) if kept else b"",
            kept.done if kept else 0,
            bool(kept and kept.begun),
            secrets.token_bytes(DIGEST_BYTES),
        )

    def _resumes(self, mine: Start, theirs: Start) -> bool:
        """Whether an interrupted run goes on; both sides come to the same answer.

        A side whose journal says that nothing was sent yet may start anew: the other cannot have learnt anything.
        """
        if mine.run and mine.run == theirs.run:
            return True
        if mine.begun or theirs.begun:
            raise UsageError(
                "One side goes on with an interrupted run, the other starts another.",
                why="a second run on other data would tell more than the first was agreed to",
                mend="bring back what the other side had, or start anew: --fresh at both sides",
            )
        return False

    def _sign(self, party: Party, digest: bytes) -> None:
        message = b"unseen/psi-agreement/signature/v1\n" + digest
        signature = self._signing.sign(message) if self._signing else b""
        theirs = party.exchange(Agreed(digest, signature), Agreed, peers=(self._peer,))[self._peer]
        if theirs.digest != digest:
            raise VerificationError(
                "The two sides understood the agreement differently.",
                mend="bring both to the same release of unseen",
                party=self._peer,
            )
        if self._signing:
            self._signing.verify(message, theirs.signature)

    def _exchange_mark(self, point: str) -> None:
        self._mark(self._party(point, ()), point)

    def _mark(self, party: Party, point: str) -> None:
        theirs = party.exchange(Mark(point), Mark, peers=(self._peer,))[self._peer]
        if theirs.point != point:
            raise RemoteProtocolError(
                f"The {self._peer} is elsewhere: {theirs.point[:40]!r}.", party=self._peer
            )

    # ------------------------------------------------------------------ computing

    def _party(
        self, task: str, disclosures: tuple[Disclosure, ...], sink: ProgressSink | None = None
    ) -> Party:
        policy = DisclosurePolicy("unseen psi", task, disclosures)
        return Party(
            self._me,
            {self._peer: self._link},
            session=Session("psi", task),
            gate=Gate(self._me, policy, MemoryJournal()),
            progress=sink or self._progress,
            pool=Pool(),
            timeout_s=_RECV_S,
        )

    def _intersect(self, standing: Standing) -> tuple[output.Found | None, int]:
        parts = standing.plan.parts
        results: list[Common] = []
        for part in range(standing.next, parts):
            sink = self._sink(part, parts)
            told = Disclosure(
                DISCLOSURE, "which of its own ids the other has too", standing.settled.receivers, Door.RELEASE
            )
            result = common(
                self._party(f"partition-{part}", (told,), sink),
                self._loaded,
                standing.settled,
                standing.plan.choice,
                part=part,
                parts=parts,
                bounds=standing.plan.bounds,
                every=self._options.duplicates == "all",
            )
            if parts > 1:
                self._keep(standing, part, result)
            if result is not None:
                results.append(result)
            sink(Progress("intersect", 1, 1, ""))
        if self._me not in standing.settled.receivers:
            return None, 0
        earlier = [self._kept(part) for part in range(standing.next)] if parts > 1 else []
        return _joined([*earlier, *results])

    def _sink(self, part: int, parts: int) -> ProgressSink:
        def tell(seen: Progress) -> None:
            within = _FINE * seen.done // max(1, seen.total)
            note = f"partition {part + 1} of {parts} {seen.note}".strip() if parts > 1 else seen.note
            self._progress(Progress("intersect", part * _FINE + within, parts * _FINE, note))

        return tell

    def _keep(self, standing: Standing, part: int, result: Common | None) -> None:
        """Put a partition's rows on disk, then count it as finished."""
        if result is not None:
            numbers = [np.array([result.ids], np.int64), result.rows]
            numbers += [result.groups] if result.groups is not None else []
            self._journal.store(part, np.concatenate(numbers))
        self._journal.save(msgspec.structs.replace(standing.entry, done=part + 1))

    def _kept(self, part: int) -> Common:
        stored = self._journal.rows(part)
        if self._options.duplicates == "all":
            rows, groups = np.split(stored[1:], 2)
            return Common(rows, groups, int(stored[0]))
        return Common(stored[1:], None, int(stored[0]))

    def _write(self, standing: Standing, found: output.Found | None) -> int | None:
        asked = self._options
        if found is None or asked.output is None:
            return None
        self._progress(Progress("write", 0, 1, ""))
        written = output.write(
            Path(asked.output).expanduser(),
            self._loaded,
            found,
            rows=asked.rows,
            order=asked.order,
            memory_bytes=standing.settled.memory_bytes,
        )
        self._progress(Progress("write", 1, 1, f"{written} rows"))
        return written

    # ------------------------------------------------------------------ telling

    def _summary(self, standing: Standing, ids: int, written: int | None) -> Summary:
        stats = self._link.stats()
        choice, planned = standing.plan.choice, standing.plan
        receives = self._me in standing.settled.receivers
        return Summary(
            me=self._me,
            protocol=choice.method,
            reason=choice.reason,
            security=choice.mode.security,
            assumption=choice.assumption,
            trust=_trust(choice.mode.security),
            learned={
                who: _learned(who in standing.settled.receivers, planned.sizes[other], planned.parts)
                for who, other in ((self._me, self._peer), (self._peer, self._me))
            },
            leaks=choice.leaks,
            rows=self._loaded.rows,
            ids=self._loaded.ids,
            peer_ids=planned.sizes[self._peer],
            matched=ids if receives else None,
            written=written,
            output=str(self._options.output) if written is not None else None,
            partitions=planned.parts,
            resumed_at=standing.next,
            seconds={name: round(value, 4) for name, value in self._clock.seconds.items()},
            bytes_sent=stats.bytes_sent,
            bytes_received=stats.bytes_received,
            wire_bytes_sent=stats.wire_bytes_sent,
            wire_bytes_received=stats.wire_bytes_received,
            rounds=stats.rounds,
            peak_memory_bytes=peak_memory(),
            agreement=standing.entry.agreement,
        )


def _joined(results: list[Common]) -> tuple[output.Found, int]:
    empty = np.zeros(0, np.int64)
    numbers, ids = [empty], 0
    for result in results:
        if result.groups is not None:
            numbers.append(result.groups + ids)
        ids += result.ids
    rows = np.concatenate([empty, *(result.rows for result in results)])
    numbered = any(result.groups is not None for result in results)
    return output.Found(rows, np.concatenate(numbers) if numbered else None), ids


def _trust(security: str) -> str:
    if security == "malicious":
        return "Two parties, either of which may deviate; no third party."
    return "Two semi-honest parties; no third party."


def _learned(receives: bool, size: int, parts: int) -> str:  # noqa: FBT001 - one of three facts
    what = f"that the other has {size:,} ids at most" + (
        f", cut into {parts} padded partitions" if parts > 1 else ""
    )
    return f"which of its own ids the other has too, and so how many; {what}" if receives else what
