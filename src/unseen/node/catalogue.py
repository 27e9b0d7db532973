"""The assets of this node, and those whose terms peers offered. The files stay where they are."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sql
from pydantic import ValidationError

from unseen.core import registry
from unseen.core.errors import DeniedError, RemoteProtocolError, UsageError
from unseen.crypto.commit import commit, fresh_salt
from unseen.data.read import read
from unseen.data.table import Table
from unseen.govern.contract import AssetTerms, BudgetTerms, ColumnTerms
from unseen.govern.spending import account
from unseen.jobs.step import STEPS
from unseen.node.database import Database, Transaction, assets
from unseen.node.mailroom import Mailroom
from unseen.node.models import AddAsset, AssetView
from unseen.node.peers import PeerBook
from unseen.node.spending import spent_of

MAIL = "asset"
_DEFAULT = "personal"


class Catalogue:
    """See the module. Thread-safe."""

    def __init__(self, me: str, *, database: Database, mailroom: Mailroom, peers: PeerBook) -> None:
        self.me = me
        self._database = database
        self._mailroom = mailroom
        self._peers = peers
        mailroom.handle(MAIL, self._on_mail)

    def add(self, request: AddAsset) -> AssetView:
        """See :meth:`unseen.node.operations.Node.asset_add`."""
        table = _read(request.path, request.model_dump())
        names = {column.name for column in table.schema}
        problems = [
            f"sensitivity: there is no column '{name}'" for name in request.sensitivity if name not in names
        ]
        known = registry.names(STEPS)
        problems += [f"there is no step '{name}'" for name in request.steps if name not in known]
        if problems:
            raise UsageError(
                f"'{request.name}' cannot be added.",
                mend="`unseen step list` shows the steps",
                problems=tuple(problems),
            )
        salt = fresh_salt()
        terms = AssetTerms(
            name=request.name,
            holder=self.me,
            columns=tuple(
                ColumnTerms(
                    name=column.name,
                    type=column.type,
                    role=column.role,
                    sensitivity=request.sensitivity.get(column.name, _DEFAULT),
                )
                for column in table.schema
            ),
            rows=table.rows,
            steps=request.steps,
            purposes=request.purposes,
            legal_basis=request.legal_basis,
            budget=_budget(request),
            commitment=commit(_digest(Path(request.path)), salt),
        )
        own = {**request.model_dump(mode="json"), "salt": salt.hex()}
        with self._database.write() as transaction:
            if transaction.execute(_query(self.me, request.name)).first() is not None:
                raise UsageError(
                    f"There is an asset '{request.name}' already.",
                    mend="choose another name, or remove the old one: `unseen asset remove`",
                )
            transaction.execute(
                sql.insert(assets).values(
                    holder=self.me,
                    name=request.name,
                    terms=terms.model_dump(mode="json"),
                    added_at=time.time(),
                    own=own,
                )
            )
        return self.show(request.name)

    def offer(self, name: str, to: tuple[str, ...]) -> None:
        """See :meth:`unseen.node.operations.Node.asset_offer`."""
        terms = self.show(name).terms
        for peer in to:
            self._peers.show(peer)
        body = msgspec.json.encode(terms.model_dump(mode="json"))
        with self._database.write() as transaction:
            for peer in to:
                self._mailroom.post(transaction, peer, MAIL, body)

    def _on_mail(self, transaction: Transaction, sender: str, body: bytes) -> None:
        try:
            terms = AssetTerms.model_validate(msgspec.json.decode(body))
        except (ValidationError, msgspec.DecodeError) as error:
            raise RemoteProtocolError(
                f"{sender} offered an asset that cannot be read.", party=sender
            ) from error
        if terms.holder != sender:
            raise RemoteProtocolError(f"{sender} offered an asset of {terms.holder}.", party=sender)
        transaction.execute(sql.delete(assets).where(assets.c.holder == sender, assets.c.name == terms.name))
        transaction.execute(
            sql.insert(assets).values(
                holder=sender,
                name=terms.name,
                terms=terms.model_dump(mode="json"),
                added_at=time.time(),
                own=None,
            )
        )

    def list(self) -> tuple[AssetView, ...]:
        """Own first, then by holder."""
        with self._database.read() as view:
            rows = view.execute(
                sql.select(assets).order_by(assets.c.holder != self.me, assets.c.holder, assets.c.name)
            )
            return tuple(_view(row) for row in rows)

    def show(self, name: str, *, holder: str | None = None) -> AssetView:
        """One, with a look at whether its file changed."""
        row = self._row(name, holder or self.me)
        view = _view(row)
        if row.own is None:
            return view
        told = spent_of(self._database, account(view.terms))
        return view.model_copy(
            update={
                "changed": not _unchanged(row),
                "answers_told": told.answers,
                "epsilon_spent": told.epsilon,
            }
        )

    def remove(self, name: str) -> None:
        """Take an own asset out."""
        self._row(name, self.me)
        with self._database.write() as transaction:
            transaction.execute(sql.delete(assets).where(assets.c.holder == self.me, assets.c.name == name))

    def own_terms(self) -> dict[str, AssetTerms]:
        """This node's assets by name."""
        return {view.terms.name: view.terms for view in self.list() if view.terms.holder == self.me}

    def table(self, name: str) -> Table:
        """The data of an own asset, if they still are those that were added.

        Raises
        ------
        DeniedError
            The file was changed.
        UsageError
            It is gone, or cannot be read.
        """
        row = self._row(name, self.me)
        table = _read(row.own["path"], row.own)
        if not _unchanged(row):
            raise DeniedError(
                f"The file of '{name}' is not the one that was added.",
                why=f"{row.own['path']} was changed",
                mend="put the old file back; or remove the asset, add it again and propose a new contract",
                clause=f"asset {name}",
                party=self.me,
            )
        return table

    def _row(self, name: str, holder: str) -> sql.Row[Any]:
        with self._database.read() as view:
            row = view.execute(_query(holder, name)).one_or_none()
        if row is None:
            raise UsageError(
                f"There is no asset '{name}'" + (f" of {holder}." if holder != self.me else " of this node."),
                mend="`unseen asset list` shows them",
            )
        return row


def _query(holder: str, name: str) -> sql.Select[Any]:
    return sql.select(assets).where(assets.c.holder == holder, assets.c.name == name)


def _budget(request: AddAsset) -> BudgetTerms | None:
    """The owner's bound; none if it gave none."""
    if request.epsilon is None and request.answers is None and not request.budget:
        return None
    return BudgetTerms(name=request.budget or request.name, epsilon=request.epsilon, answers=request.answers)


def _view(row: sql.Row[Any]) -> AssetView:
    return AssetView(
        terms=AssetTerms.model_validate(row.terms),
        path=None if row.own is None else row.own["path"],
        added_at=datetime.fromtimestamp(row.added_at, UTC),
    )


def _read(path: str, options: dict[str, Any]) -> Table:
    return read(
        path,
        id_columns=options["id_columns"],
        label_columns=options["label_columns"],
        ignore_columns=options["ignore_columns"],
    )


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read.", why=str(error.strerror)) from error


def _unchanged(row: sql.Row[Any]) -> bool:
    try:
        digest = _digest(Path(row.own["path"]))
    except UsageError:
        return False
    return bool(commit(digest, bytes.fromhex(row.own["salt"])) == row.terms["commitment"])
