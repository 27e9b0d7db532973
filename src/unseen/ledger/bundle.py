"""An evidence bundle: everything about one contract, from the logs of all its parties, in one file that stands alone.

For each party it holds all leaf hashes of its log, the entries on this contract in full, and the signed head with the
others' cosignatures. So whoever has the parties' public keys can recompute every root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from unseen.core.errors import VerificationError
from unseen.ledger import merkle
from unseen.ledger.entries import Entry
from unseen.ledger.log import check_head
from unseen.ledger.notes import Note, check_note, cosigners, parse_checkpoint, parse_note

MAGIC = b"unseen-evidence\x00"
FORMAT = 1


class LogExtract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One party's log: signed head, leaf hashes, and index -> bytes of the entries on the contract."""

    note: str
    leaves: bytes
    entries: dict[int, bytes]


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Contract id and the extracts by party."""

    contract: str
    made_by: str
    logs: dict[str, LogExtract]
    format: int = FORMAT


def write(bundle: Bundle) -> bytes:
    """Bytes of a bundle."""
    return MAGIC + msgspec.msgpack.encode(bundle)


def read(data: bytes) -> Bundle:
    """Take a bundle apart; nothing is verified.

    Raises
    ------
    VerificationError
        It is none, or of an unknown format.
    """
    try:
        if not data.startswith(MAGIC):
            raise ValueError("it does not begin like one")  # noqa: TRY301 - one way out
        bundle = msgspec.msgpack.decode(data[len(MAGIC) :], type=Bundle)
    except (msgspec.DecodeError, ValueError) as error:
        raise VerificationError("This is not an evidence bundle.", why=str(error)) from error
    if bundle.format != FORMAT:
        raise VerificationError(f"The bundle has format {bundle.format}; this version knows {FORMAT}.")
    return bundle


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, and the log it is pinned on.

    `behind` says that the log in the bundle may be right, but its author had signed a longer one before: the rest was
    kept back by its author, or has not reached the maker of the bundle.
    """

    log: str
    what: str
    behind: bool = False


@dataclass(slots=True)
class CheckedLog:
    """One party's log after checking: its entries on the contract by index, and who witnessed its head and when."""

    party: str
    size: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    witnesses: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Checked:
    """All logs after checking, and everything that was found wrong."""

    logs: dict[str, CheckedLog]
    findings: list[Finding]


def check(bundle: Bundle, keys: Mapping[str, bytes]) -> Checked:
    """Recompute everything with the parties' public keys (32 raw bytes each). Collects, never raises."""
    checked = Checked({}, [])
    leaves: dict[str, list[bytes]] = {}
    for party in sorted(keys):
        extract = bundle.logs.get(party)
        if extract is None:
            checked.findings.append(Finding(party, "its log is missing from the bundle"))
            continue
        log = CheckedLog(party)
        try:
            leaves[party] = _check_log(bundle, party, extract, keys, log, checked.findings)
        except VerificationError as error:
            checked.findings.append(Finding(party, str(error.what)))
            continue
        checked.logs[party] = log
    for party in sorted(set(bundle.logs) - set(keys)):
        checked.findings.append(Finding(party, "there is a log of somebody who is no party of the contract"))
    trees = {party: merkle.Tree(hashes) for party, hashes in leaves.items()}
    for log in checked.logs.values():
        _check_dependencies(log, trees, keys, checked.findings)
    return checked


def _check_log(
    bundle: Bundle,
    party: str,
    extract: LogExtract,
    keys: Mapping[str, bytes],
    log: CheckedLog,
    findings: list[Finding],
) -> list[bytes]:
    note = parse_note(extract.note)
    check_note(note, party, keys[party])
    head = parse_checkpoint(note)
    if len(extract.leaves) % merkle.HASH_BYTES:
        raise VerificationError("its leaf hashes are cut off")
    hashes = [
        extract.leaves[place : place + merkle.HASH_BYTES]
        for place in range(0, len(extract.leaves), merkle.HASH_BYTES)
    ]
    if head.origin != party or head.size != len(hashes) or head.root != merkle.root(hashes):
        raise VerificationError(
            "its signed head is not that of its entries: something was changed, left out or added"
        )
    log.size = head.size
    log.witnesses = _witnesses(note, party, keys, findings)
    for index, data in sorted(extract.entries.items()):
        if not 0 <= index < len(hashes) or merkle.leaf_hash(data) != hashes[index]:
            findings.append(Finding(party, f"entry {index} is not the one in its log"))
            continue
        try:
            entry = Entry.from_bytes(data)
        except VerificationError as error:
            findings.append(Finding(party, f"entry {index}: {error.what}"))
            continue
        if (entry.party, entry.contract) != (party, bundle.contract):
            findings.append(Finding(party, f"entry {index} belongs to another party or contract"))
            continue
        log.entries[index] = entry
    _check_sequence(log, findings)
    return hashes


def _witnesses(note: Note, party: str, keys: Mapping[str, bytes], findings: list[Finding]) -> dict[str, int]:
    found: dict[str, int] = {}
    for signature in note.signatures:
        single = Note(note.text, (signature,))
        try:
            found |= cosigners(single, {name: key for name, key in keys.items() if name != party})
        except VerificationError as error:
            findings.append(Finding(party, f"a cosignature on its head is wrong: {error.what}"))
    return found


def _check_sequence(log: CheckedLog, findings: list[Finding]) -> None:
    """Each entry names the one before it on the same contract: none in between may be left out."""
    before: int | None = None
    for index, entry in sorted(log.entries.items()):
        if entry.previous != before:
            findings.append(
                Finding(
                    log.party,
                    f"an entry is missing: entry {index} follows entry {entry.previous}, not {before}",
                )
            )
        before = index


def _check_dependencies(
    log: CheckedLog, trees: Mapping[str, merkle.Tree], keys: Mapping[str, bytes], findings: list[Finding]
) -> None:
    """The heads of others that an entry names must be beginnings of the others' logs.

    One that is not is pinned on the other only with its signature on that head: else anybody could accuse anybody.
    """
    for index, entry in sorted(log.entries.items()):
        for peer, head in entry.depends_on.items():
            known = trees.get(peer)
            if known is None:
                continue
            fits = head.size <= len(known) and known.root(head.size).hex() == head.root
            if fits and head.signature is None:
                continue
            try:
                check_head(head, peer, keys[peer])
            except VerificationError:
                told = f"entry {index} names a head of {peer} that {peer} has not signed"
                findings.append(Finding(log.party, told))
                continue
            if head.size > len(known):
                told = f"{log.party} saw {head.size} entries (entry {index}), the bundle has {len(known)}"
                findings.append(Finding(peer, told, behind=True))
            elif not fits:
                told = f"its first {head.size} entries are not those that {log.party} saw (entry {index})"
                findings.append(Finding(peer, told))
