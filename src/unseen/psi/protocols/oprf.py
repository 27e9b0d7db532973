"""Intersection by an oblivious pseudo-random function: for a large set of a server and a small one of a client.

The server holds a key; tags of F(key, y) stand for its set. The client gets F(key, x) for its ids without showing them
(RFC 9497, ristretto255-SHA512), and compares. :func:`intersect` does both in one run under a fresh key.
:func:`serve` and :func:`query` use a set that was prepared once (:mod:`unseen.psi.table`), which clients keep: a look-up
then costs 64 bytes per id and no pass over the set, and can bring labels.

Against whom
    Semi-honest parties. Beyond that: a client that deviates learns F(key, x) for as many x as it sends elements and no
    more (so bound how many: `most`, and the node's quota). A server that deviates sees uniform elements in any case;
    by answering under another key it can make a client miss its matches, and see whether the client then behaves
    differently, or tell clients apart by giving each a key of its own. In mode VOPRF, with a public key that the client
    knows beforehand and a table of one digest for all, neither passes unnoticed; in mode OPRF both do. No mode keeps a
    server from preparing a set of its choice.
What it leaks
    The public sizes. To the client, in `intersect`: which of its ids the server has; in `query`: the same, their labels,
    and which version of the table it keeps is shown to the server. Queries of one client are not linkable by content:
    each is blinded afresh. If the server gets the result too, it is told which of its entries matched.
Assumption
    One-more gap Diffie-Hellman in ristretto255; SHA-512 as a random oracle; AES-256-GCM for labels.
Cost
    Server: a hash and a multiplication per own id, once; one per queried id. Client: two. 32 bytes per queried id each
    way, a tag per id of the server. 3 messages one after another; against a kept table 4, small ones.

Source: Jarecki, Kiayias and Krawczyk, "Round-Optimal Password-Protected Secret Sharing" (ASIACRYPT 2014); Resende and
Aranha, "Faster Unbalanced Private Set Intersection" (FC 2018); RFC 9497.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.cost import Cost, Network
from unseen.core.errors import DeniedError, RemoteProtocolError, UsageError, VerificationError
from unseen.crypto import group, oprf
from unseen.crypto.oprf import OprfMode
from unseen.kernels.tags import match_tags, sort_tags
from unseen.party import Ciphertext, Masked, Message, Party, Public, Released, require
from unseen.psi import tags
from unseen.psi.protocol import DISCLOSURE, Aligned, Mode, Output, Security
from unseen.psi.table import Table, from_bytes, tags_of

Rows = NDArray[np.uint8]

LOOKUP = "lookup"
"""The disclosure of :func:`serve`: which of the queried ids are in the set, and their labels, to the client."""

_ELEMENT = group.ELEMENT_BYTES
_ID_BYTES = 32
_PIECE = 1 << 14  # elements in one message: both sides must cut alike; one proof covers one
_TABLE_PIECE = 1 << 22

SUMMARY = "oblivious PRF: for a small set against a large one"
OUTPUT: Output = "rows"
SECURITIES: tuple[Security, ...] = ("semi-honest",)
HOLDERS = range(2, 3)
LEAKS = "each holder learns the size of the other's set, and which of its own ids the other has too if it gets the result"

# Measured: hash, multiplication and hash of an id; blinding and unblinding one, and answering it.
_SECONDS_PER_OWN = 6.5e-6
_SECONDS_PER_QUERIED = 2.5e-5
_ROUNDS = 3


class Blinded(Message, frozen=True, tag="psi-oprf.blinded/1"):
    """A piece of the client's ids as elements under fresh blinds: uniform, shape (n, 32)."""

    elements: Masked


class Evaluated(Message, frozen=True, tag="psi-oprf.evaluated/1"):
    """The same times the server's key: pseudo-random to the client until it has tags to compare with."""

    elements: Ciphertext


class Tags(Message, frozen=True, tag="psi-oprf.tags/1"):
    """Tags of all ids of the server, sorted, shape (n, tag bytes): tells the client which ids are common."""

    tags: Released[NDArray[np.uint8]]


class Matched(Message, frozen=True, tag="psi-oprf.matched/1"):
    """A bit for each of the server's tags: whether that id is common."""

    bits: Released[NDArray[np.uint8]]


class Request(Message, frozen=True, tag="psi-oprf.request/1"):
    """A client asks: how many elements follow, and the digest of the table it keeps (empty: none)."""

    elements: Public[int]
    have: Public[bytes]


class Offer(Message, frozen=True, tag="psi-oprf.offer/1"):
    """The server's table: its digest, and how many bytes follow (0 if the client has it)."""

    digest: Public[bytes]
    size_bytes: Public[int]


class TablePiece(Message, frozen=True, tag="psi-oprf.table-piece/1"):
    """Bytes of the table: noise to whoever lacks the key."""

    data: Ciphertext


class Answer(Message, frozen=True, tag="psi-oprf.answer/1"):
    """The elements of all pieces times the server's key, and its proofs (none in mode OPRF)."""

    elements: Released[NDArray[np.uint8]]
    proofs: Public[list[bytes]]


def assumption(_mode: Mode) -> str:
    """See :class:`unseen.psi.protocol.Protocol`."""
    return "one-more gap Diffie-Hellman in ristretto255; SHA-512 as a random oracle"


def estimate(sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
    """The smaller set is queried; the larger one travels as tags."""
    small, large = min(sizes), max(sizes)
    listed = large * tags.length(sizes, compact=mode.compact)
    sent = 2 * small * _ELEMENT + listed + large // 8
    busy = large * _SECONDS_PER_OWN + small * _SECONDS_PER_QUERIED
    seconds = busy + _ROUNDS * network.latency_s + (small * _ELEMENT + listed) / network.bytes_per_s
    return Cost(seconds, sent, _ROUNDS, 200 * large)


def intersect(
    party: Party, ids: Rows, *, sizes: Mapping[str, int], to: tuple[str, ...], mode: Mode
) -> Aligned | None:
    """See :class:`unseen.psi.protocol.Protocol`. The client is who gets the result; if both do, who has fewer ids."""
    peer = next(name for name in sizes if name != party.name)
    width = tags.length((sizes[party.name], sizes[peer]), compact=mode.compact)
    client = min(to, key=lambda name: (sizes[name], name))
    filling = np.frombuffer(party.rng.bytes(_ID_BYTES * (sizes[party.name] - len(ids))), np.uint8)
    rows = np.concatenate([ids, filling.reshape(-1, _ID_BYTES)])
    if client == party.name:
        found = _ask(party, peer, rows, theirs=sizes[peer], width=width, tell=peer in to)
    else:
        found = _answer(party, peer, rows, theirs=sizes[peer], width=width, told=party.name in to)
    party.progress(3, 3, f"{len(found)} rows in common")
    return Aligned(found) if party.name in to else None


def _ask(party: Party, server: str, ids: Rows, *, theirs: int, width: int, tell: bool) -> NDArray[np.int64]:
    """The client's side of :func:`intersect`: places of the common ids, in the order of their tags."""
    ids = ids[order := party.rng.permutation(len(ids))]
    scalars = oprf.blinds(len(ids))
    starts = range(0, len(ids), _PIECE)
    for start in starts:
        party.progress(0, 3, f"blinding: {start} of {len(ids)}")
        piece = slice(start, start + _PIECE)
        party.send(server, Blinded(oprf.blind(ids[piece], scalars[piece], OprfMode.OPRF)))
    made = []
    for start in starts:
        piece = slice(start, start + _PIECE)
        evaluated = party.recv(server, Evaluated).elements
        require(evaluated, shape=(len(ids[piece]), _ELEMENT), dtype=np.uint8, sender=server)
        outputs = oprf.finalize(ids[piece], scalars[piece], evaluated, sender=server)
        made.append(tags_of(outputs)[:, :width])
    party.progress(2, 3, "comparing")
    listed = party.recv(server, Tags).tags.value
    require(listed, shape=(theirs, width), dtype=np.uint8, sender=server)
    if not tags.strictly_sorted(listed):
        raise RemoteProtocolError(f"{server} sent tags that are not sorted, or one twice.", party=server)
    mine, by_tag = sort_tags(np.concatenate([np.zeros((0, width), np.uint8), *made]))
    at_mine, places = match_tags(mine, listed)
    hits = by_tag[at_mine]
    if tell:
        flags = np.zeros(theirs, np.bool_)
        flags[places] = True
        bits = np.packbits(flags, bitorder="little")
        party.send(server, Matched(party.release(DISCLOSURE, bits, to=(server,), elements=len(hits))))
    return order[hits]


def _answer(
    party: Party, client: str, ids: Rows, *, theirs: int, width: int, told: bool
) -> NDArray[np.int64]:
    """The server's side of :func:`intersect`."""
    key = group.scalar_random()
    for start in range(0, theirs, _PIECE):
        party.progress(0, 3, f"answering: {start} of {theirs}")
        blinded = party.recv(client, Blinded).elements
        due = (min(_PIECE, theirs - start), _ELEMENT)
        require(blinded, shape=due, dtype=np.uint8, sender=client)
        party.send(client, Evaluated(oprf.blind_evaluate(key, blinded, sender=client)))
    pieces = [ids[start : start + _PIECE] for start in range(0, len(ids), _PIECE)]

    def tags_of_piece(piece: Rows) -> Rows:
        return tags_of(oprf.evaluate(key, piece, OprfMode.OPRF))[:, :width]

    parts = []
    for first in range(0, len(pieces), party.pool.workers):
        party.progress(1, 3, f"own ids: {first * _PIECE} of {len(ids)}")
        parts += party.pool.map(tags_of_piece, pieces[first : first + party.pool.workers])
    own = np.concatenate(parts) if parts else np.zeros((0, width), np.uint8)
    listed, order = sort_tags(own)
    released = party.release(DISCLOSURE, listed, to=(client,), elements=theirs)
    party.send(client, Tags(released))
    if not told:
        return np.zeros(0, np.int64)
    bits = party.recv(client, Matched).bits.value
    require(bits, shape=(-(-len(ids) // 8),), dtype=np.uint8, sender=client)
    flags = np.unpackbits(bits, bitorder="little")
    if flags[len(ids) :].any():
        raise RemoteProtocolError(f"{client} marks ids beyond the list as common.", party=client)
    return order[np.flatnonzero(flags)]


# ---------------------------------------------------------------- look-ups in a prepared set


@dataclass(frozen=True, slots=True)
class Found:
    """What a query brought: for each id its label (b"" in a set without labels), None where the set lacks it.

    `table` is to be kept for the next query.
    """

    labels: list[bytes | None]
    table: Table


def serve(party: Party, client: str, table: Table, key: bytes, *, most: int) -> int:
    """Answer one query of `client` against a prepared set; returns how many elements it had.

    Passes the gate with disclosure "lookup". Quota and rate over many queries are the caller's.

    Raises
    ------
    DeniedError
        The client asks for more than `most` elements.
    """
    request = party.recv(client, Request)
    if not 0 < request.elements <= most:
        raise DeniedError(
            f"{client} asks for {request.elements} look-ups at once where 1 to {most} are allowed.",
            party=client,
        )
    have = request.have == table.digest
    stored = b"" if have else table.to_bytes()
    party.send(client, Offer(table.digest, len(stored)))
    for start in range(0, len(stored), _TABLE_PIECE):
        party.send(client, TablePiece(np.frombuffer(stored[start : start + _TABLE_PIECE], np.uint8)))
    evaluated, proofs = [], []
    for start in range(0, request.elements, _PIECE):
        blinded = party.recv(client, Blinded).elements
        due = (min(_PIECE, request.elements - start), _ELEMENT)
        require(blinded, shape=due, dtype=np.uint8, sender=client)
        evaluated.append(oprf.blind_evaluate(key, blinded, sender=client))
        if table.mode == OprfMode.VOPRF:
            proofs.append(oprf.prove(key, blinded, evaluated[-1]))
    told = party.release(LOOKUP, np.concatenate(evaluated), to=(client,), elements=request.elements)
    party.send(client, Answer(told, proofs))
    return request.elements


def query(
    party: Party,
    server: str,
    ids: Rows,
    *,
    have: Table | None = None,
    size: int | None = None,
    public: bytes | None = None,
    most_bytes: int = 1 << 32,
) -> Found:
    """Look up ids, uint8 (n, length), in the set that `server` prepared.

    Parameters
    ----------
    have
        The table kept from an earlier query.
    size
        Public number of look-ups, filled up with noise; None: n itself.
    public
        The server's public key, known beforehand: answers without proof under it are refused. None: a server without
        proofs is believed, and one with proofs is held to the key in its table.
    most_bytes
        How large a table may be.

    Raises
    ------
    VerificationError
        The server's answers or its table are not what it promised.
    """
    size = len(ids) if size is None else size
    if not 0 < len(ids) <= size:
        raise UsageError(f"{len(ids)} ids where 1 to {size} are to be looked up.")
    filling = np.frombuffer(party.rng.bytes((size - len(ids)) * ids.shape[1]), np.uint8)
    rows = np.concatenate([ids, filling.reshape(-1, ids.shape[1])])
    party.send(server, Request(size, have.digest if have else b""))
    table = _kept_or_new(party, server, have, most_bytes)
    if public is not None and (table.mode != OprfMode.VOPRF or table.public != public):
        raise VerificationError(f"{server} serves under another public key than was agreed on.", party=server)
    scalars = oprf.blinds(size)
    pieces = [slice(start, start + _PIECE) for start in range(0, size, _PIECE)]
    blinded = [oprf.blind(rows[piece], scalars[piece], table.mode) for piece in pieces]
    for elements in blinded:
        party.send(server, Blinded(elements))
    answer = party.recv(server, Answer)
    evaluated = answer.elements.value
    require(evaluated, shape=(size, _ELEMENT), dtype=np.uint8, sender=server)
    if table.mode == OprfMode.VOPRF:
        if len(answer.proofs) != len(pieces):
            raise VerificationError(
                f"{server} sent {len(answer.proofs)} proofs for {len(pieces)}.", party=server
            )
        for piece, elements, proof in zip(pieces, blinded, answer.proofs, strict=True):
            oprf.verify(table.public, elements, evaluated[piece], proof, sender=server)
    outputs = oprf.finalize(rows, scalars, evaluated, sender=server)
    return Found(table.open(outputs[: len(ids)]), table)


def _kept_or_new(party: Party, server: str, have: Table | None, most_bytes: int) -> Table:
    offer = party.recv(server, Offer)
    if have is not None and offer.digest == have.digest and not offer.size_bytes:
        return have
    if not 0 < offer.size_bytes <= most_bytes:
        raise RemoteProtocolError(
            f"{server} offers a table of {offer.size_bytes} bytes where {most_bytes} are allowed.",
            party=server,
        )
    data = bytearray()
    while len(data) < offer.size_bytes:
        piece = party.recv(server, TablePiece).data
        due = min(_TABLE_PIECE, offer.size_bytes - len(data))
        require(piece, shape=(due,), dtype=np.uint8, sender=server)
        data += piece.tobytes()
    table = from_bytes(bytes(data))
    if table.digest != offer.digest:
        raise VerificationError(f"{server} sent another table than it offered.", party=server)
    if have is not None and table.version <= have.version:
        raise VerificationError(
            f"{server} offers version {table.version} of its set where version {have.version} is kept.",
            why="an older set, or another one under the same number",
            party=server,
        )
    return table
