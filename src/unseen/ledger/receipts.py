"""A receipt: one entry, proof that it is in its author's log, and who witnessed that. Stands alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from unseen.ledger import merkle
from unseen.ledger.entries import Entry
from unseen.ledger.log import Log
from unseen.ledger.notes import check_note, cosigners, parse_checkpoint, parse_note


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entry bytes, index, inclusion proof, checkpoint note."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    note: str


def make(log: Log, index: int) -> Receipt:
    """The receipt for an entry of the own log, on the newest head that has most witnesses and covers it."""
    size = log.best_size() if log.best_size() > index else log.leaves.size
    proof = merkle.inclusion_proof(log.leaves.hashes[:size], index)
    return Receipt(log.leaves.entries[index].to_bytes(), index, tuple(proof), str(log.checkpoint(size)))


def check(receipt: Receipt, keys: Mapping[str, bytes]) -> tuple[Entry, tuple[str, ...]]:
    """The entry, and who witnessed it.

    Raises
    ------
    VerificationError
        Anything in it does not hold.
    """
    entry = Entry.from_bytes(receipt.entry)
    note = parse_note(receipt.note)
    check_note(note, entry.party, keys.get(entry.party, b""))
    head = parse_checkpoint(note)
    merkle.check_inclusion(
        merkle.leaf_hash(receipt.entry), receipt.index, head.size, receipt.proof, head.root
    )
    return entry, tuple(sorted(cosigners(note, keys)))
