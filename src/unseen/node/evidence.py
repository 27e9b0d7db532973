"""This party's log, the mirrors of its peers' logs, and how nodes show and witness each other's news.

After every own entry each peer gets the new leaves and the signed head by mail: in full where it is a party of the
contract, as hashes otherwise. It checks that they continue what it had, and sends back its cosignature.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sql
import structlog
from pydantic import ValidationError

from unseen.core.durable import write_whole
from unseen.core.errors import RemoteProtocolError, UsageError, VerificationError
from unseen.crypto.sign import public_key
from unseen.govern.contract import Contract
from unseen.ledger.bundle import Bundle, LogExtract, write
from unseen.ledger.entries import Entry, Head, timestamp
from unseen.ledger.log import Leaves, Log, Mirror, check_head
from unseen.ledger.notes import Note, check_cosignature, cosign, parse_checkpoint, parse_note
from unseen.node import models as m
from unseen.node.database import Database, Transaction, facts
from unseen.node.home import Home
from unseen.node.identity import Identity
from unseen.node.mailroom import Mailroom
from unseen.node.peers import PeerBook

NEWS, COSIGNED, WANTED = "log", "log-cosigned", "log-wanted"
_SENT = "log-sent/"
_BATCH = 500
_PATIENCE_S = 5.0
_LOOK_AGAIN_S = 0.05
_ALL_RUNS = (1 << 63) - 1  # what peers write may be larger, and a worker is told no larger numbers
_log = structlog.get_logger("unseen.ledger")
Parties = Callable[[str], tuple[str, ...]]
Change = Callable[[], None]


class _News(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    start: int
    leaves: list[tuple[bytes, bytes]]
    note: str


class _Cosigned(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    size: int
    line: str


class _Wanted(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    start: int


class _Known(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The newest head of the other's log, with the other's own signature: only that proves that it had one."""

    size: int
    root: str
    signature: str


class Ledger:
    """See the module. Thread-safe."""

    def __init__(
        self, identity: Identity, home: Home, *, database: Database, mailroom: Mailroom, peers: PeerBook
    ) -> None:
        self.me = identity.name
        self._identity = identity
        self._folder = home.log
        self._database = database
        self._mailroom = mailroom
        self._peers = peers
        self._log = Log(home.log, identity.name, identity.key)
        self._mirrors: dict[str, Mirror] = {}
        self._lock = threading.RLock()
        self._parties: Parties = lambda _contract: ()
        self._changed: list[Change] = []
        self.behind = ""
        for kind, handler in (
            (NEWS, self._on_news),
            (COSIGNED, self._on_cosigned),
            (WANTED, self._on_wanted),
        ):
            mailroom.handle(kind, handler)

    def listen(self, *, parties: Parties, changed: Change) -> None:
        """Who knows the parties of a contract, and who wants to know when something was witnessed."""
        self._parties = parties
        self._changed.append(changed)

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._log.close()
            for mirror in self._mirrors.values():
                mirror.close()

    # ------------------------------------------------------------------ writing

    def append(
        self,
        kind: str,
        contract: str,
        body: Mapping[str, Any],
        *,
        job: str | None = None,
        task: str | None = None,
    ) -> int:
        """Write an entry; on disk when it returns. Call :meth:`publish` to show it, outside any transaction."""
        with self._lock:
            heads = {
                name: mirror.signed_head()
                for name, mirror in self._mirrors.items()
                if name in self._parties(contract)
            }
            entry = Entry.model_validate(
                {
                    "kind": kind,
                    "party": self.me,
                    "at": timestamp(),
                    "contract": contract,
                    "job": job,
                    "task": task,
                    "depends_on": heads,
                    "body": dict(body),
                }
            )
            return self._log.append(entry)

    def find(
        self, kind: str, contract: str, *, job: str | None = None, task: str | None = None
    ) -> int | None:
        """Index of the first own entry of that kind."""
        return _find(self._log.leaves.entries, kind, contract, job, task)

    def runs_of(self, contract: str) -> list[Entry]:
        """The runs of a contract that the own log knows of, as they began."""
        entries = list(self._log.leaves.entries.values())
        return [entry for entry in entries if entry.kind == "run-started" and entry.contract == contract]

    def stocks_taken(self) -> dict[str, dict[str, int]]:
        """Peer -> stock -> the last of its runs that was taken, as the own log and what is here of that peer's say.

        Of what lies between two, the word of a third counts for nothing: it could make both throw their stocks away.
        """
        own = _taken(self._log.leaves)
        peers = [peer for peer in self._peers.identities() if peer != self.me]
        theirs = {peer: _taken(self.mirror(peer).leaves) for peer in peers}
        return {
            peer: {stock: max(own.get(stock, 0), told.get(stock, 0)) for stock in own | told}
            for peer, told in theirs.items()
        }

    def publish(self) -> None:
        """Post what peers have not been sent yet."""
        with self._database.write() as transaction:
            self._publish(transaction)

    def _publish(self, transaction: Transaction) -> None:
        for peer in self._peers.identities():
            if peer != self.me:
                self._send(transaction, peer)

    def _send(self, transaction: Transaction, peer: str) -> None:
        leaves = self._log.leaves
        start, size = self._sent(transaction, peer), leaves.size
        while start < size:
            end = min(start + _BATCH, size)
            items = []
            for index in range(start, end):
                entry = leaves.entries[index]
                visible = peer in self._parties(entry.contract)
                items.append((leaves.hashes[index], entry.to_bytes() if visible else b""))
            news = _News(start, items, str(self._log.checkpoint(end)))
            self._mailroom.post(transaction, peer, NEWS, msgspec.msgpack.encode(news))
            start = end
        _set_fact(transaction, _SENT + peer, start)

    def _sent(self, transaction: Transaction, peer: str) -> int:
        value = transaction.execute(sql.select(facts.c.value).where(facts.c.name == _SENT + peer)).scalar()
        return int(value or 0)

    # ------------------------------------------------------------------ mail

    def _on_news(self, transaction: Transaction, sender: str, body: bytes) -> None:
        news = _decode(body, _News, sender)
        mirror = self.mirror(sender)
        if news.start > mirror.leaves.size:
            self._mailroom.post(
                transaction, sender, WANTED, msgspec.msgpack.encode(_Wanted(mirror.leaves.size))
            )
            return
        note = parse_note(news.note)
        try:
            head = mirror.extend(news.start, news.leaves, Note(note.text, note.signatures[:1]))
        except VerificationError as error:
            _log.error("a log does not continue", peer=sender, problem=error.to_dict())
            raise
        signature = cosign(note, self.me, self._identity.key, time=int(time.time()))
        answer = _Cosigned(head.size, signature.line())
        self._mailroom.post(transaction, sender, COSIGNED, msgspec.msgpack.encode(answer))
        transaction.afterwards(self._tell)

    def _on_cosigned(self, transaction: Transaction, sender: str, body: bytes) -> None:
        told = _decode(body, _Cosigned, sender)
        if not 0 < told.size <= self._log.leaves.size:
            raise RemoteProtocolError(f"{sender} witnessed {told.size} entries, we have fewer.", party=sender)
        signature = parse_note(f"x\n\n{told.line}").signatures[0]
        key = public_key(self._peers.identities()[sender])
        check_cosignature(self._log.checkpoint(told.size), signature, sender, key)
        self._log.cosigned(told.size, signature)
        transaction.afterwards(self._tell)

    def _on_wanted(self, transaction: Transaction, sender: str, body: bytes) -> None:
        wanted = _decode(body, _Wanted, sender)
        _set_fact(transaction, _SENT + sender, max(0, min(wanted.start, self._log.leaves.size)))
        self._send(transaction, sender)

    def _tell(self) -> None:
        threading.Thread(target=self._tell_all, name="witnessed", daemon=True).start()

    def _tell_all(self) -> None:
        for callback in self._changed:
            callback()

    # ------------------------------------------------------------------ what is known

    def mirror(self, peer: str) -> Mirror:
        """What we know of a peer's log."""
        with self._lock:
            if peer not in self._mirrors:
                key = public_key(self._peers.show(peer).identity)
                self._mirrors[peer] = Mirror(self._folder, peer, key)
            return self._mirrors[peer]

    def of(self, peer: str) -> bytes:
        """For the greeting: what we know of the peer's log."""
        head = self.mirror(peer).signed_head()
        return msgspec.msgpack.encode(_Known(head.size, head.root, head.signature or ""))

    def heard(self, peer: str, knowledge: bytes) -> None:
        """From the greeting: what the peer knows of ours. If it knows more than we have, we were set back.

        It must show our signature on that head: else any peer could stop this node from working.
        """
        known = _decode(knowledge, _Known, peer)
        if not known.size:
            return
        try:
            head = Head(size=known.size, root=known.root, signature=known.signature)
            check_head(head, self.me, self._identity.public)
        except (ValidationError, VerificationError) as error:
            what = f"{peer} claims to know a head of this node's log that this node has not signed."
            raise RemoteProtocolError(what, why=str(error), party=peer) from error
        size = self._log.leaves.size
        if known.size > size or self._log.leaves.root(known.size).hex() != known.root:
            self.behind = (
                f"{peer} knows {known.size} entries of this node's log, where {size} are here: "
                "this home was restored from an older backup, so spent runs might be spent again"
            )
            _log.error("this node is behind its own past", peer=peer, known=known.size, here=size)

    def outrun(self, peer: str) -> None:
        """The peer has letters of ours that we do not remember."""
        self.behind = self.behind or f"{peer} has mail of this node that this node does not remember"

    def is_final(self, contract: Contract) -> tuple[str, ...]:
        """Whom the contract's finality still waits for, as seen from here; empty if it is final."""
        others = [name for name in contract.party_names if name != self.me]
        own = self.find("contract-signed", contract.id)
        witnesses = set(self._log.witnesses(own)) if own is not None else set()
        waiting = [name for name in others if not self._has_signed(name, contract.id)]
        rule = contract.final_when_witnessed_by
        needed = len(others) if rule == "all" else min(int(rule), len(others))
        if len(witnesses & set(others)) < needed:
            waiting += [name for name in others if name not in witnesses]
        return tuple(dict.fromkeys(waiting))

    def _has_signed(self, peer: str, contract: str) -> bool:
        return _find(self.mirror(peer).leaves.entries, "contract-signed", contract, None, None) is not None

    def finished(self) -> list[tuple[int, Entry]]:
        """The own entries on finished tasks, with their indices."""
        entries = list(self._log.leaves.entries.items())
        return [(index, entry) for index, entry in entries if entry.kind == "task-finished"]

    def receipt(self, party: str, end: Entry) -> tuple[Entry, m.Receipt] | None:
        """What a party's log says of the end of the same task, and where; None where it has not reached this node.

        The mirror of a peer's log only takes what continues a head that the peer signed; that the newest one covers the
        entry is checked here again.

        Raises
        ------
        VerificationError
            The peer's newest head is not signed by it.
        """
        own = party == self.me
        leaves = self._log.leaves if own else self.mirror(party).leaves
        index = _find(leaves.entries, "task-finished", end.contract, end.job, end.task)
        if index is None:
            return None
        if own:
            witnesses, size = self._log.witnesses(index), leaves.size
        else:
            head = self.mirror(party).signed_head()
            check_head(head, party, public_key(self._peers.show(party).identity))
            witnesses, size = (self.me,), head.size
        if index >= size:
            return None
        leaf = leaves.hashes[index].hex()
        told = m.Receipt(party=party, index=index, leaf=leaf, head_size=size, witnessed_by=witnesses)
        return leaves.entries[index], told

    # ------------------------------------------------------------------ what people ask

    def heads(self) -> tuple[m.LedgerHead, ...]:
        """See :meth:`unseen.node.operations.Node.ledger_heads`."""
        peers = [name for name in sorted(self._peers.identities()) if name != self.me]
        size = self._log.leaves.size
        witnesses = self._log.witnesses(size - 1) if size else ()
        own = m.LedgerHead(
            party=self.me,
            size=size,
            root=self._log.leaves.root().hex(),
            witnessed_by=witnesses,
            pending=tuple(name for name in peers if name not in witnesses),
        )
        rest = []
        for name in peers:
            head = self.mirror(name).leaves.head()
            rest.append(m.LedgerHead(party=name, size=head.size, root=head.root, witnessed_by=(self.me,)))
        return (own, *rest)

    def entries(self, *, after: int = 0, limit: int = 100) -> tuple[m.LedgerEntry, ...]:
        """See :meth:`unseen.node.operations.Node.ledger_entries`."""
        leaves, shown = self._log.leaves, []
        for index in range(max(0, after), min(leaves.size, after + limit)):
            entry, witnesses = leaves.entries[index], self._log.witnesses(index)
            others = set(self._parties(entry.contract)) - {self.me}
            final = bool(others) and others <= set(witnesses)
            shown.append(
                m.LedgerEntry(
                    index=index,
                    kind=entry.kind,
                    at=datetime.strptime(entry.at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
                    leaf=leaves.hashes[index].hex(),
                    state="final" if final else "witnessed" if witnesses else "recorded",
                    witnessed_by=witnesses,
                    body=entry.model_dump(mode="json"),
                )
            )
        return tuple(shown)

    def bundle(self, contract_id: str) -> bytes:
        """See :meth:`unseen.node.operations.Node.evidence_bundle`."""
        parties = self._parties(contract_id)
        if not parties:
            raise UsageError(
                f"There is no contract '{contract_id}'.", mend="`unseen contract list` shows them"
            )
        mirrors = [self.mirror(name) for name in parties if name != self.me]
        deadline = time.monotonic() + _PATIENCE_S
        while self._is_behind(mirrors, contract_id) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        logs = {self.me: self._own_extract(mirrors, contract_id)}
        for mirror in mirrors:
            if mirror.note is not None:
                logs[mirror.party] = self._extract(mirror, contract_id)
        return write(Bundle(contract_id, self.me, logs))

    def _is_behind(self, mirrors: Sequence[Mirror], contract: str) -> bool:
        """Whether somebody saw more of another's log than has reached this node yet."""
        return any(
            head.size > mirror.signed_head().size
            for mirror in mirrors
            for head in _seen(mirrors, contract, mirror.party)
        )

    def _own_extract(self, mirrors: Sequence[Mirror], contract: str) -> LogExtract:
        """Up to the newest head that has witnesses and covers all that matters; else the whole log.

        What matters is the contract's last entry, and every head that an entry of the others leans on.
        """
        leaves = self._log.leaves
        best, last = self._log.best_size(), leaves.last_of(contract)
        least = max([(last or 0) + 1, *(head.size for head in _seen(mirrors, contract, self.me))])
        size = best if best >= least else leaves.size
        return _cut(self._log.checkpoint(size), leaves.hashes[:size], leaves.entries, contract)

    def _extract(self, mirror: Mirror, contract: str) -> LogExtract:
        """A peer's log as mirrored here, with our cosignature on its head."""
        note = mirror.note
        if note is None:
            raise VerificationError(f"Nothing of the log of {mirror.party} is known here.")
        size = parse_checkpoint(note).size
        ours = cosign(note, self.me, self._identity.key, time=int(time.time()))
        with_ours = Note(note.text, (*note.signatures, ours))
        return _cut(with_ours, mirror.leaves.hashes[:size], mirror.leaves.entries, contract)

    def export(self, contract_id: str, path: str) -> m.Exported:
        """See :meth:`unseen.node.operations.Node.evidence_export`."""
        place = Path(path)
        if place.exists():
            raise UsageError(f"{place} is there already.", mend="choose another file")
        if not place.parent.is_dir():
            raise UsageError(f"There is no folder {place.parent}.")
        content = self.bundle(contract_id)
        write_whole(place, content)
        return m.Exported(folder=str(place.parent), files=(place.name,), size_bytes=len(content))

    @property
    def size(self) -> int:
        """Number of own entries."""
        return self._log.leaves.size

    @property
    def root(self) -> str:
        """Root of the own log, hex."""
        return self._log.leaves.root().hex()


def _seen(mirrors: Sequence[Mirror], contract: str, party: str) -> list[Head]:
    """The heads of a party's log that the others' entries on a contract name."""
    return [
        entry.depends_on[party]
        for mirror in mirrors
        for entry in list(mirror.leaves.entries.values())
        if entry.contract == contract and party in entry.depends_on
    ]


def _cut(note: Note, hashes: list[bytes], entries: Mapping[int, Entry], contract: str) -> LogExtract:
    wanted = {
        index: entry.to_bytes()
        for index, entry in entries.items()
        if index < len(hashes) and entry.contract == contract
    }
    return LogExtract(str(note), b"".join(hashes), wanted)


def _find(
    entries: Mapping[int, Entry], kind: str, contract: str, job: str | None, task: str | None
) -> int | None:
    wanted = (kind, contract, job, task)
    found = [i for i, e in entries.items() if (e.kind, e.contract, e.job, e.task) == wanted]
    return min(found, default=None)


def _taken(leaves: Leaves) -> dict[str, int]:
    """Stock -> the last of its runs that was taken, as this log says."""
    last: dict[str, int] = {}
    for entry in list(leaves.entries.values()):
        if entry.kind == "stock-taken":
            stock, run = str(entry.body["stock"]), int(entry.body["run"])
            last[stock] = min(max(run, last.get(stock, 0)), _ALL_RUNS)
    return last


def _set_fact(transaction: Transaction, name: str, value: int) -> None:
    transaction.execute(sql.delete(facts).where(facts.c.name == name))
    transaction.execute(sql.insert(facts).values(name=name, value=value))


def _decode(body: bytes, kind: type[Any], sender: str) -> Any:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise RemoteProtocolError(
            f"{sender} sent news of its log that cannot be read.", why=str(error), party=sender
        ) from error
