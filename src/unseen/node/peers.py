"""Other organisations: invited by a signed text, accepted by comparing a fingerprint, pinned ever after.

An invitation carries name, identity key and addresses, signed by that key. The signature proves nothing about
*who* holds the key: that is what the fingerprint, told by another way (telephone, in person), is for. An
invitation is no secret and grants nothing; both sides must accept each other before a link comes about.
"""

from __future__ import annotations

import base64
import binascii
import json
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql

from unseen.core.canonical import canonical_bytes, tagged
from unseen.core.errors import UnseenError, UsageError, VerificationError
from unseen.core.ids import check_name
from unseen.crypto.sign import fingerprint, same_fingerprint, verify
from unseen.node.config import parse_address
from unseen.node.database import Database, Transaction, contracts, jobs, peers
from unseen.node.identity import Identity
from unseen.node.models import (
    JOB_OVER,
    AcceptPeer,
    IdentityView,
    Invitation,
    InvitationView,
    PeerView,
    Problem,
)

_BEGIN = "-----BEGIN UNSEEN INVITATION-----"
_END = "-----END UNSEEN INVITATION-----"
_FIELDS = {"format", "name", "identity", "addresses", "signature"}
_MAX_CHARS = 20_000
_MAX_ADDRESSES = 16

Change = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PeerLine:
    """How the connection with a peer stands; `problem` is why there is none."""

    connected: bool = False
    last_seen: float | None = None
    waiting: int = 0
    problem: UnseenError | None = None


def write_invitation(identity: Identity, addresses: tuple[str, ...]) -> str:
    """The text to hand over."""
    body: dict[str, Any] = {
        "format": 1,
        "name": identity.name,
        "identity": identity.text,
        "addresses": list(addresses),
    }
    body["signature"] = identity.sign(tagged("invitation", 1, body)).hex()
    encoded = base64.b64encode(canonical_bytes(body)).decode()
    return "\n".join([_BEGIN, *textwrap.wrap(encoded, 64), _END]) + "\n"


def read_invitation(text: str) -> InvitationView:
    """Check an invitation.

    Raises
    ------
    UsageError
        It is none, or was cut in copying.
    VerificationError
        Its signature is not by the key in it.
    """
    try:
        body = _unwrap(text)
        signature = bytes.fromhex(body.pop("signature"))
        name, identity = check_name(body["name"], kind="party"), str(body["identity"])
        addresses = tuple(str(address) for address in body["addresses"][:_MAX_ADDRESSES])
        for address in addresses:
            parse_address(address)
        view = InvitationView(
            name=name, identity=identity, fingerprint=fingerprint(identity), addresses=addresses
        )
    except (ValueError, TypeError, KeyError, AttributeError, UsageError) as error:
        raise UsageError(
            "This is not an invitation.",
            why=str(error).partition("\n")[0],
            mend=f"copy the whole text, from {_BEGIN} to {_END}",
        ) from error
    verify(identity, tagged("invitation", 1, body), signature, who=f"the invitation of {name}")
    return view


def _unwrap(text: str) -> dict[str, Any]:
    if len(text) > _MAX_CHARS:
        raise ValueError("it is too long")
    _, begin, rest = text.partition(_BEGIN)
    inner, end, _ = rest.partition(_END)
    if not begin or not end:
        raise ValueError("its first or last line is missing")
    try:
        body = json.loads(base64.b64decode("".join(inner.split()), validate=True))
    except (binascii.Error, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("letters in it are wrong") from error
    if not isinstance(body, dict) or set(body) != _FIELDS or body["format"] != 1:
        raise TypeError("it was written by another version of unseen")
    return body


class PeerBook:
    """The peers of this node. Thread-safe."""

    def __init__(self, database: Database, identity: Identity, addresses: tuple[str, ...]) -> None:
        self._database = database
        self._identity = identity
        self._addresses = addresses
        self._on_accept: list[Change] = []
        self._on_remove: list[Callable[[Transaction, str], None]] = []
        self._line: Callable[[str], PeerLine] = lambda _peer: PeerLine()

    def listen(
        self,
        *,
        accepted: Change,
        removed: Callable[[Transaction, str], None],
        line: Callable[[str], PeerLine],
    ) -> None:
        """Who wants to know of changes, and who knows whether a peer is connected."""
        self._on_accept.append(accepted)
        self._on_remove.append(removed)
        self._line = line

    def me(self) -> IdentityView:
        """This party."""
        return IdentityView(
            name=self._identity.name,
            identity=self._identity.text,
            fingerprint=fingerprint(self._identity.text),
            addresses=self._addresses,
        )

    def invite(self) -> Invitation:
        """An invitation to this party."""
        return Invitation(
            text=write_invitation(self._identity, self._addresses),
            fingerprint=fingerprint(self._identity.text),
        )

    def inspect(self, text: str) -> InvitationView:
        """What an invitation says; see :func:`read_invitation`."""
        return read_invitation(text)

    def accept(self, request: AcceptPeer) -> PeerView:
        """Pin the peer that an invitation names; see :meth:`unseen.node.operations.Node.peer_accept`."""
        invitation = read_invitation(request.text)
        if invitation.identity == self._identity.text or invitation.name == self._identity.name:
            raise UsageError(
                "This invitation is this node's own, or that of another party of the same name.",
                mend="accept the invitation that the other organisation made; names must differ",
            )
        if not same_fingerprint(request.fingerprint, invitation.fingerprint):
            raise VerificationError(
                f"The fingerprint is not that of this invitation of {invitation.name}.",
                why="the invitation may have been exchanged on its way",
                mend=f"ask {invitation.name} by telephone for the fingerprint its node shows",
                party=invitation.name,
            )
        with self._database.write() as transaction:
            self._pin(transaction, invitation)
            for callback in self._on_accept:
                transaction.afterwards(lambda callback=callback: callback(invitation.name))  # type: ignore[misc]
        return self.show(invitation.name)

    def _pin(self, transaction: Transaction, invitation: InvitationView) -> None:
        known = transaction.execute(
            sql.select(peers.c.name, peers.c.identity).where(
                (peers.c.name == invitation.name) | (peers.c.identity == invitation.identity)
            )
        ).all()
        if any((row.name, row.identity) != (invitation.name, invitation.identity) for row in known):
            raise VerificationError(
                f"'{known[0].name}' is already pinned, with another key or under another name.",
                why="a new key for a known peer is either a new node or somebody who pretends to be it",
                mend=f"if {invitation.name} says it made a new node, remove the old peer first",
                party=invitation.name,
            )
        values = {"addresses": list(invitation.addresses), "accepted_at": time.time()}
        if known:
            transaction.execute(sql.update(peers).where(peers.c.name == invitation.name).values(**values))
        else:
            transaction.execute(
                sql.insert(peers).values(name=invitation.name, identity=invitation.identity, **values)
            )

    def list(self) -> tuple[PeerView, ...]:
        """All, by name."""
        with self._database.read() as view:
            rows = view.execute(sql.select(peers).order_by(peers.c.name)).all()
        return tuple(self._view(row) for row in rows)

    def show(self, name: str) -> PeerView:
        """One.

        Raises
        ------
        UsageError
            There is no such peer.
        """
        with self._database.read() as view:
            row = view.execute(sql.select(peers).where(peers.c.name == name)).one_or_none()
        if row is None:
            raise UsageError(
                f"'{name}' is no peer of this node.",
                mend="exchange invitations: `unseen peer invite`, `unseen peer accept`",
            )
        return self._view(row)

    def _view(self, row: sql.Row[Any]) -> PeerView:
        line = self._line(row.name)
        problem = None if line.connected else line.problem
        return PeerView(
            name=row.name,
            identity=row.identity,
            fingerprint=fingerprint(row.identity),
            addresses=tuple(row.addresses),
            accepted_at=datetime.fromtimestamp(row.accepted_at, UTC),
            connected=line.connected,
            last_seen=None if line.last_seen is None else datetime.fromtimestamp(line.last_seen, UTC),
            mail_waiting=line.waiting,
            problem=None if problem is None else Problem.model_validate(problem.to_dict()),
        )

    def identities(self) -> dict[str, str]:
        """Name -> identity key of all peers and of this party."""
        with self._database.read() as view:
            found = view.execute(sql.select(peers.c.name, peers.c.identity)).all()
        return {**{row.name: row.identity for row in found}, self._identity.name: self._identity.text}

    def remove(self, name: str) -> None:
        """Forget a peer; see :meth:`unseen.node.operations.Node.peer_remove`."""
        self.show(name)
        with self._database.write() as transaction:
            running = transaction.execute(
                sql.select(jobs.c.id, contracts.c.body)
                .join(contracts, contracts.c.id == jobs.c.contract)
                .where(jobs.c.state.not_in(JOB_OVER))
            ).all()
            for job in running:
                if any(party["name"] == name for party in job.body["parties"]):
                    raise UsageError(
                        f"{name} takes part in a running job.",
                        why=job.id,
                        mend=f"wait for it, or `unseen job cancel {job.id}`",
                    )
            transaction.execute(sql.delete(peers).where(peers.c.name == name))
            for callback in self._on_remove:
                callback(transaction, name)
