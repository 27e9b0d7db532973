"""Class Party: one party's end of a running protocol.

A protocol is an ordinary blocking function that every party runs at once (SPMD). It sends, receives and waits
through its Party and touches no socket, file, clock or global state.

Randomness comes in two kinds that must not be mixed. *Mask* randomness (`rng`, `shared_rng`) is fresh for every
attempt and stream; a crash never leads to a mask being used twice. *Output* randomness (`output_rng`: split,
row order, sampling, noise) is fixed once per task, so that a crash never gives anybody a second sample.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnavailableError,
)
from unseen.core.events import Progress, ProgressSink, silent
from unseen.crypto.derive import derive
from unseen.crypto.prg import Prg
from unseen.link.channel import Link, LinkStats
from unseen.party.checkpoint import Checkpoints, Resumed
from unseen.party.exchanged import Opening, Part, SignedHead, Standing
from unseen.party.gate import Door, Gate, Reveal, StoredPart
from unseen.party.kept import Kept
from unseen.party.messages import Message, Released, decode, encode, require
from unseen.party.outputs import Outputs
from unseen.party.pool import Pool

M = TypeVar("M", bound=Message)
T = TypeVar("T")
U = TypeVar("U", bound=np.unsignedinteger[Any])

Sign = Callable[[bytes], bytes]
VerifySigned = Callable[[str, bytes, bytes], None]

AHEAD_BYTES = 1 << 20
"""How much a party that runs ahead has waiting for a peer (:meth:`Party.pace`)."""


@dataclass(frozen=True, slots=True)
class Session:
    """Which run of which task this is; enters every derived seed and every signature."""

    job: str
    task: str
    attempt: int = 1

    def to_list(self) -> list[str | int]:
        """Coordinates for key derivation."""
        return [self.job, self.task, self.attempt]


@dataclass(frozen=True, slots=True)
class TranscriptRecord:
    """What both ends of a link signed before a reveal. `theirs` is empty where the peer did not sign."""

    peer: str
    statement: bytes
    ours: bytes
    theirs: bytes


class _Shared:
    """What a Party and its streams and groups have in common."""

    def __init__(self, root: bytes, outputs: Outputs, sign: Sign | None, verify: VerifySigned | None) -> None:
        self.root = root
        self.outputs = outputs
        self.resumed: Resumed | None = None
        self.sign = sign
        self.verify = verify
        self.used: set[tuple[str, ...]] = set()
        self.transcripts: list[TranscriptRecord] = []
        self.observers: list[Callable[[str, str, str, Message], None]] = []


class Party:
    """One party's end of a protocol; see the module.

    Parameters
    ----------
    name
        This party.
    links
        Peer name -> link.
    session
        Job, task and attempt.
    gate
        Made from the contract this party signed.
    sign, verify
        Signing key of this attempt (certified by the party's identity), and the check of a peer's signature:
        `verify(peer, statement, signature)` raises VerificationError. None in `Local()`.
    kept
        What this party keeps from one task to another.
    """

    def __init__(
        self,
        name: str,
        links: Mapping[str, Link],
        *,
        session: Session,
        gate: Gate,
        progress: ProgressSink = silent,
        pool: Pool | None = None,
        sign: Sign | None = None,
        verify: VerifySigned | None = None,
        timeout_s: float | None = 600.0,
        kept: Kept | None = None,
    ) -> None:
        self.name = name
        self.kept = kept
        self.session = session
        self.gate = gate
        self.pool = pool or Pool()
        self.timeout_s = timeout_s
        self._links = dict(links)
        self._progress = progress
        self._stream = "main"
        seed = gate.journal.load_output_seed(secrets.token_bytes(32))
        outputs = Outputs(seed, session.to_list()[:2])
        self._shared = _Shared(secrets.token_bytes(32), outputs, sign, verify)
        self._rngs: dict[str, Prg] = {}

    # ------------------------------------------------------------------ who

    @property
    def peers(self) -> tuple[str, ...]:
        """The other parties, sorted."""
        return tuple(sorted(self._links))

    @property
    def everyone(self) -> tuple[str, ...]:
        """All parties including this one, sorted: the same tuple at each."""
        return tuple(sorted([*self._links, self.name]))

    # ------------------------------------------------------------------ messages

    def send(self, peer: str, message: Message) -> None:
        """Queue `message` for `peer` and return."""
        self._link(peer).channel(self._stream).send(encode(message))

    def pace(self, peer: str) -> None:
        """Wait until all but :data:`AHEAD_BYTES` of what was sent to `peer` has left this side.

        For who sends more than it receives, and so runs ahead of the others: what they have not taken would fill its memory.
        The links do this without a message. `send` cannot do it of itself, or two who send much to one another before they
        receive would wait for ever. Call it where a step begins, before what the step itself sends, and if every message is
        received in the step that it is sent in: the party that is behind all others then waits for nothing of an earlier
        step, nor does anybody else in that step, as all parties have left the earlier ones; so it goes on.

        Raises
        ------
        UnavailableError
            `peer` takes nothing for longer than a message is waited for, or the link is lost.
        """
        self._link(peer).channel(self._stream).drain(AHEAD_BYTES, self.timeout_s)

    def recv(self, peer: str, message_type: type[M], *, timeout_s: float | None = None) -> M:
        """Wait for the next message of `peer`, which must be a `message_type`.

        Raises
        ------
        UnavailableError, RemoteProtocolError
            See :meth:`unseen.link.channel.Channel.recv`.
        """
        payload = self._link(peer).channel(self._stream).recv(timeout_s or self.timeout_s)
        message = decode(payload, message_type, sender=peer)
        for observe in self._shared.observers:
            observe(self.name, peer, self._stream, message)
        return message

    def exchange(
        self, outgoing: Mapping[str, M] | M, message_type: type[M], *, peers: Sequence[str] = ()
    ) -> dict[str, M]:
        """Send to all `peers` (default: everyone else), then receive one message from each.

        `outgoing` is one message for all, or peer -> message.
        """
        targets = tuple(outgoing) if isinstance(outgoing, Mapping) else tuple(peers) or self.peers
        for peer in targets:
            self.send(peer, outgoing[peer] if isinstance(outgoing, Mapping) else outgoing)
        return {peer: self.recv(peer, message_type) for peer in targets}

    def gather(
        self, peers: Sequence[str], message_type: type[M], *, until: float, at_least: int
    ) -> tuple[dict[str, M], tuple[str, ...]]:
        """Receive from each of `peers` for at most `until` seconds; the only call that tolerates absence.

        Returns (answers, missing).

        Raises
        ------
        UnavailableError
            Fewer than `at_least` answered.
        """
        deadline = time.monotonic() + until
        answers: dict[str, M] = {}
        for peer in peers:
            try:
                answers[peer] = self.recv(
                    peer, message_type, timeout_s=max(deadline - time.monotonic(), 0.001)
                )
            except UnavailableError:
                continue
        missing = tuple(peer for peer in peers if peer not in answers)
        if len(answers) < at_least:
            raise UnavailableError(
                f"{len(answers)} of {len(peers)} parties answered where {at_least} are due.",
                why=f"nothing came from {', '.join(missing)} within {until:g} s",
                mend="bring them back, or agree on a contract with a lower minimum",
            )
        return answers, missing

    def open_masked(self, values: NDArray[U], *, peers: Sequence[str] = (), xor: bool = False) -> NDArray[U]:
        """Add this party's summand and those of `peers` (mod 2^64, or by XOR). Internal to protocols.

        The sum must be uniformly masked by randomness that no receiver knows: it is no disclosure and does
        not pass the gate. The view tests check the uniformity.
        """
        combine = np.bitwise_xor if xor else np.add
        total: NDArray[U] | None = None
        for peer, opening in self.exchange(Opening(values), Opening, peers=peers).items():
            require(opening.values, shape=values.shape, dtype=values.dtype.type, sender=peer)
            total = combine(values if total is None else total, opening.values, out=total)
        return values.copy() if total is None else total

    # ------------------------------------------------------------------ children

    def stream(self, name: str) -> Party:
        """A child with its own frames, randomness and place in the transcript, to run side by side."""
        return self._child(f"{self._stream}/{name}", self._links)

    def group(self, peers: Sequence[str], *, name: str = "") -> Party:
        """A child that sees only `peers`. All members must call it alike."""
        members = sorted({*peers, self.name})
        links = {peer: self._link(peer) for peer in members if peer != self.name}
        return self._child(f"{self._stream}/{name or '+'.join(members)}", links)

    def _child(self, stream: str, links: Mapping[str, Link]) -> Party:
        self._claim("stream", stream)
        child = object.__new__(type(self))
        child.__dict__.update(self.__dict__)
        child._stream = stream
        child._links = dict(links)
        child._rngs = {}
        return child

    # ------------------------------------------------------------------ randomness

    @property
    def rng(self) -> Prg:
        """Mask randomness of this party alone: fresh for this attempt and stream."""
        return self._generator("own", self._shared.root, "own-mask")

    def shared_rng(self, peer: str) -> Prg:
        """Mask randomness in common with `peer`; both must draw the same shapes in the same order."""
        return self._generator(f"shared {peer}", self._link(peer).secret, "shared-mask")

    def shared_seed(self, peer: str, label: str) -> bytes:
        """A 32-byte seed in common with `peer`, for one use named `label`; a second use is refused."""
        self._claim("seed", self._stream, peer, label)
        return derive(self._link(peer).secret, "shared-seed", [*self.session.to_list(), self._stream, label])

    @property
    def output_rng(self) -> Prg:
        """Output randomness of this party: the same in every attempt of this task."""
        return self._shared.outputs.of(self._stream)

    def _generator(self, kind: str, secret: bytes, label: str) -> Prg:
        rng = self._rngs.get(kind)
        if rng is None:
            rng = self._rngs[kind] = Prg(derive(secret, label, [*self.session.to_list(), self._stream]))
        return rng

    def _claim(self, *use: str) -> None:
        if use in self._shared.used:
            raise LocalProtocolError(
                f"{' '.join(use)} is used twice.", why="one-time randomness would be used again"
            )
        self._shared.used.add(use)

    # ------------------------------------------------------------------ doors

    def release(self, name: str, value: T, *, to: Sequence[str], elements: int) -> Released[T]:
        """Let a value out in clear; see :meth:`unseen.party.gate.Gate.release`."""
        return self.gate.release(name, value, to=tuple(to), elements=elements)

    def reveal(
        self,
        name: str,
        part: NDArray[np.uint64] | None,
        *,
        givers: Sequence[str],
        to: Sequence[str],
        shape: tuple[int, ...],
        elements: int | None = None,
    ) -> dict[str, NDArray[np.uint64]] | None:
        """Turn one shared value into plaintext for the parties in `to`; see :class:`Reveal` and :meth:`reveal_all`."""
        (told,) = self.reveal_all([Reveal(name, part, tuple(to), shape, elements)], givers=givers)
        return told

    def reveal_all(
        self, reveals: Sequence[Reveal], *, givers: Sequence[str]
    ) -> list[dict[str, NDArray[np.uint64]] | None]:
        """Turn shared values into plaintext, each for its own receivers, in the rounds of one. Everyone calls it alike.

        Each giver passes its gate with every value under its own name, and stores its parts on disk; when all have, and
        both ends of every link have signed the transcript, the parts are sent. If an earlier attempt came that far, its
        parts are sent again instead of the new ones.

        Returns
        -------
        For each value giver -> part at a receiver (combining them is the caller's business), None elsewhere.

        Raises
        ------
        DeniedError
            This party's contract does not allow one of them; none is sent.
        RemoteProtocolError
            A giver claims to have lost a part that was sent before.
        VerificationError
            A peer signed another transcript.
        """
        indices = [self.gate.next_index(item.name) for item in reveals]
        self.sign_transcripts()
        chosen: list[NDArray[np.uint64] | None] = [None] * len(reveals)
        if self.name in givers:
            for item in reveals:
                if item.part is None or item.part.shape != item.shape:
                    raise LocalProtocolError(
                        f"'{item.name}' is revealed with a part of another shape than {item.shape}."
                    )
            self.gate.pass_all(Door.REVEAL, reveals, indices)
            chosen[:] = self._settle(reveals, indices, [peer for peer in givers if peer != self.name])
            for item, index, part in zip(reveals, indices, chosen, strict=True):
                for peer in item.to:
                    if peer != self.name and part is not None:
                        self.send(peer, Part(item.name, index, part))
        return [
            {
                giver: part
                if giver == self.name and part is not None
                else self._recv_part(giver, item.name, index, item.shape)
                for giver in givers
            }
            if self.name in item.to
            else None
            for item, index, part in zip(reveals, indices, chosen, strict=True)
        ]

    def _settle(
        self, reveals: Sequence[Reveal], indices: Sequence[int], others: list[str]
    ) -> list[NDArray[np.uint64]]:
        """Agree with the other givers on whose attempt's parts are sent; return ours, stored."""
        journal = self.gate.journal
        keys = [(item.name, index) for item, index in zip(reveals, indices, strict=True)]
        parts = [cast("NDArray[np.uint64]", item.part) for item in reveals]
        stored = [journal.load_part(*key) for key in keys]
        standings = [
            Standing(*key, old.attempt if old else 0, bool(old and old.sent))
            for key, old in zip(keys, stored, strict=True)
        ]
        claims = [
            [mine, *answers] for mine, answers in zip(standings, self._tell(standings, others), strict=True)
        ]
        waiting = []
        for place, each in enumerate(claims):
            if not any(claim.sent for claim in each):
                waiting.append(place)
            elif len({claim.attempt for claim in each}) > 1:
                raise RemoteProtocolError(
                    f"'{keys[place][0]}' was revealed in an earlier attempt, but not every giver has its part of it.",
                    why="a second reveal with other randomness would tell more than the contract allows",
                    mend="the job cannot be resumed; start a new run",
                )
        # what was not sent is taken of one attempt all together: values that are told at once may be worked out from one another
        attempts = {claim.attempt for place in waiting for claim in claims[place]}
        renewed = waiting if 0 in attempts or len(attempts) > 1 else []
        for place in renewed:
            stored[place] = StoredPart(self.session.attempt, parts[place].tobytes(), sent=False)
        chosen = [cast("StoredPart", old) for old in stored]
        for place in renewed:
            journal.store_part(*keys[place], chosen[place])
        self._tell([Standing(*keys[place], chosen[place].attempt, sent=False) for place in renewed], others)
        for key, old, part in zip(keys, chosen, parts, strict=True):
            if not old.sent:
                journal.store_part(*key, StoredPart(old.attempt, old.data, sent=True))
            if len(old.data) != part.nbytes:
                raise LocalProtocolError(
                    f"The stored part of '{key[0]}' has another size than before the crash."
                )
        return [
            np.frombuffer(old.data, np.uint64).reshape(part.shape)
            for old, part in zip(chosen, parts, strict=True)
        ]

    def _tell(self, standings: Sequence[Standing], others: list[str]) -> list[tuple[Standing, ...]]:
        """What the other givers say of each reveal, in one round."""
        for peer in others:
            for standing in standings:
                self.send(peer, standing)
        answers = {peer: [self.recv(peer, Standing) for _ in standings] for peer in others}
        return [tuple(answers[peer][place] for peer in others) for place in range(len(standings))]

    def _recv_part(self, giver: str, name: str, index: int, shape: tuple[int, ...]) -> NDArray[np.uint64]:
        message = self.recv(giver, Part)
        if (message.name, message.index) != (name, index) or message.values.shape != shape:
            raise RemoteProtocolError(
                f"{giver} revealed {message.name}#{message.index} {message.values.shape} where {name}#{index} {shape} is due.",
                party=giver,
            )
        return message.values

    def sign_transcripts(self) -> None:
        """Both ends of every link sign what was said on it so far. Everyone calls it alike.

        Raises
        ------
        VerificationError
            A peer's signature is not over the transcript this party has, or there is none.
        """
        heads = {peer: self._link(peer).transcript() for peer in self.peers}
        statements = {peer: self._statement(peer, head) for peer, head in heads.items()}
        sign = self._shared.sign
        ours = {peer: sign(statement) if sign else b"" for peer, statement in statements.items()}
        theirs = self.exchange({peer: SignedHead(ours[peer]) for peer in self.peers}, SignedHead)
        for peer, message in theirs.items():
            if self._shared.verify:  # no signature is a wrong one, too
                self._shared.verify(peer, statements[peer], message.signature)
            self._shared.transcripts.append(
                TranscriptRecord(peer, statements[peer], ours[peer], message.signature)
            )

    def _statement(self, peer: str, head: bytes) -> bytes:
        ends = "+".join(sorted([self.name, peer]))
        coordinates = "/".join(str(item) for item in self.session.to_list())
        return f"unseen/transcript-statement/v1\n{ends}\n{coordinates}\n{head.hex()}".encode()

    @property
    def transcripts(self) -> tuple[TranscriptRecord, ...]:
        """All statements signed so far."""
        return tuple(self._shared.transcripts)

    # ------------------------------------------------------------------ the rest

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Report progress of the running task; the note also says where this attempt went on, if it did."""
        words = (note, str(self.resumed) if self.resumed else "")
        self._progress(Progress(self.session.task, done, total, ", ".join(filter(None, words))))

    def checkpoints(self, unit: str, total: int) -> Checkpoints:
        """Where this task goes on after a crash: once a task, for `total` passages of this `unit` ("epoch")."""
        self._claim("checkpoints")
        return Checkpoints(self, self._shared.outputs, unit, total)

    def note_resumed(self, resumed: Resumed) -> None:
        """Keep where this attempt went on, for progress and the record."""
        self._shared.resumed = resumed
        self.progress(resumed.done, resumed.total)

    @property
    def resumed(self) -> Resumed | None:
        """The checkpoint that this attempt went on from, if it did."""
        return self._shared.resumed

    def stats(self) -> dict[str, LinkStats]:
        """Traffic by peer so far."""
        return {peer: link.stats() for peer, link in self._links.items()}

    def observe(self, observer: Callable[[str, str, str, Message], None]) -> None:
        """Call `observer(receiver, sender, stream, message)` on every message received; for view tests."""
        self._shared.observers.append(observer)

    def _link(self, peer: str) -> Link:
        try:
            return self._links[peer]
        except KeyError:
            raise LocalProtocolError(
                f"{self.name} has no link to '{peer}' here.", why=f"peers: {', '.join(self.peers)}"
            ) from None
