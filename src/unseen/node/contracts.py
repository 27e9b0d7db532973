"""The contract desk: proposals, signatures, refusals and withdrawals, and whether a run may begin.

What this party decides is written into its log first, then into the database together with the mail that tells the
others. What others decide comes by mail, with their signature, and is checked. Letters of different senders overtake one another: a
decision may come before the contract that another party proposed. It is kept until that comes.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sql
import structlog
from pydantic import ValidationError

from unseen.core.errors import (
    DeniedError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    UsageError,
    VerificationError,
)
from unseen.crypto.sign import verify as verify_by_key
from unseen.govern.authorise import check_run, check_terms
from unseen.govern.contract import Contract
from unseen.govern.signatures import sign, verify, withdrawal
from unseen.govern.summary import summarise
from unseen.jobs.evidence import facts_of
from unseen.jobs.planner import EarlierModels, check_honest, costs_of, unknown
from unseen.jobs.step import check_pinned
from unseen.node import models as m
from unseen.node import spending
from unseen.node.catalogue import Catalogue
from unseen.node.database import Database, Transaction, contracts, early_decisions, signatures
from unseen.node.evidence import Ledger
from unseen.node.identity import Identity
from unseen.node.mailroom import Mailroom
from unseen.node.peers import PeerBook
from unseen.node.room import Room

Withdrawn = Callable[[Transaction, str, str], None]
"""Takes (transaction, contract id, reason)."""
PROPOSAL, DECISION = "contract", "contract-decision"
MOST_EARLY = 256
"""Decisions of one party on contracts that have not come, the latest ones; so that no party can fill the disk."""
_log = structlog.get_logger("unseen.contracts")


class _Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the sender decided: signed, refused or withdrawn."""

    contract: str
    state: str
    signature: str = ""
    reason: str = ""


class ContractDesk:
    """See the module. Thread-safe."""

    def __init__(
        self,
        identity: Identity,
        *,
        database: Database,
        mailroom: Mailroom,
        peers: PeerBook,
        catalogue: Catalogue,
        ledger: Ledger,
        room: Room,
    ) -> None:
        self.me = identity.name
        self._identity = identity
        self._database = database
        self._mailroom = mailroom
        self._peers = peers
        self._catalogue = catalogue
        self._ledger = ledger
        self._room = room
        self._known: dict[str, Contract] = {}
        self._withdrawn: list[Withdrawn] = []
        self._check_models: Callable[[Contract], None] = lambda _contract: None
        self._earlier: EarlierModels = unknown
        mailroom.handle(PROPOSAL, self._on_proposal)
        mailroom.handle(DECISION, self._on_decision)

    def on_withdrawal(self, callback: Withdrawn) -> None:
        """Who cancels running jobs when a signature is taken back."""
        self._withdrawn.append(callback)

    def on_models(self, check: Callable[[Contract], None], earlier: EarlierModels) -> None:
        """Who checks that this party may bring the models that a contract names, and knows what they are."""
        self._check_models, self._earlier = check, earlier

    # ------------------------------------------------------------------ what people ask

    def propose(self, body: Mapping[str, Any]) -> m.ContractView:
        """See :meth:`unseen.node.operations.Node.contract_propose`."""
        try:
            contract = Contract.model_validate(dict(body))
        except ValidationError as error:
            problems = tuple(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}".removeprefix(": ").removeprefix(
                    "Value error, "
                )
                for item in error.errors()
            )
            raise UsageError("This is not a contract.", problems=problems) from error
        if self.me not in contract.party_names:
            raise UsageError(f"{self.me} is no party of this contract.")
        self._check(contract)
        if self._row(contract.id) is None:
            self._ledger.append("contract-proposed", contract.id, {"contract": contract.to_json()})
            others = [name for name in contract.party_names if name != self.me]
            text = msgspec.json.encode(contract.to_json())
            with self._database.write() as transaction:
                self._keep(transaction, contract)
                for peer in others:
                    self._mailroom.post(transaction, peer, PROPOSAL, text)
        return self.sign(contract.id)

    def list(self) -> tuple[m.ContractView, ...]:
        """Newest first, short; one that was altered on disk does not hide the others."""
        with self._database.read() as view:
            rows = view.execute(sql.select(contracts).order_by(contracts.c.received_at.desc())).all()
        return tuple(self._short(row) for row in rows)

    def _short(self, row: sql.Row[Any]) -> m.ContractView:
        try:
            return self._view(row.id, short=True)
        except VerificationError as error:
            at = datetime.fromtimestamp(row.received_at, UTC)
            return m.ContractView(
                id=row.id,
                title=error.what,
                state="altered",
                parties=(),
                signatures=(),
                runs=0,
                runs_used=row.runs_used,
                valid_from=at,
                valid_until=at,
                received_at=at,
            )

    def find(self, beginning: str) -> str:
        """The whole id of the contract whose id begins so.

        Raises
        ------
        UsageError
            None or several do.
        """
        with self._database.read() as view:
            query = sql.select(contracts.c.id).where(contracts.c.id.startswith(beginning, autoescape=True))
            ids = view.execute(query).scalars().all()
        if len(ids) != 1 or not beginning:
            raise UsageError(
                f"{len(ids) or 'No'} contracts of this node begin with '{beginning}'.",
                mend="`unseen contract list` shows them",
            )
        return str(ids[0])

    def show(self, contract_id: str) -> m.ContractView:
        """One in full."""
        return self._view(self.find(contract_id), short=False)

    def sign(self, contract_id: str) -> m.ContractView:
        """See :meth:`unseen.node.operations.Node.contract_sign`."""
        contract = self.contract(self.find(contract_id))
        state = self._state_of(contract.id, self.me)
        if state in {"refused", "withdrawn"}:
            raise DeniedError(f"This party has {state} the contract.", mend="propose a new one")
        if state != "signed":
            if contract.valid_until <= datetime.now(UTC):
                raise DeniedError("The contract has expired.", clause="validity", mend="propose a new one")
            self._check(contract)
            signature = base64.b64encode(sign(contract, self._identity.key)).decode()
            body = {"identity": self._identity.text, "signature": signature}
            self._ledger.append("contract-signed", contract.id, body)
            self._decide(contract, _Decision(contract.id, "signed", signature))
        self._ledger.publish()
        return self.show(contract.id)

    def refuse(self, contract_id: str, reason: str = "") -> m.ContractView:
        """See :meth:`unseen.node.operations.Node.contract_refuse`."""
        contract = self.contract(self.find(contract_id))
        if self._state_of(contract.id, self.me) == "signed":
            raise UsageError("This party has signed the contract.", mend="withdraw the signature instead")
        self._ledger.append("contract-refused", contract.id, {"reason": reason})
        self._decide(contract, _Decision(contract.id, "refused", reason=reason))
        self._ledger.publish()
        return self.show(contract.id)

    def withdraw(self, contract_id: str, reason: str = "") -> m.ContractView:
        """See :meth:`unseen.node.operations.Node.contract_withdraw`."""
        contract = self.contract(self.find(contract_id))
        if self._state_of(contract.id, self.me) != "signed":
            raise UsageError("This party has not signed the contract.")
        signature = base64.b64encode(self._identity.sign(withdrawal(contract, reason))).decode()
        self._ledger.append("contract-withdrawn", contract.id, {"reason": reason, "signature": signature})
        self._decide(contract, _Decision(contract.id, "withdrawn", signature, reason))
        self._ledger.publish()
        return self.show(contract.id)

    def contract(self, contract_id: str) -> Contract:
        """The contract of that id.

        Raises
        ------
        UsageError
            There is none.
        VerificationError
            What lies in the database is not what its id says.
        """
        if contract_id not in self._known:
            row = self._row(contract_id)
            if row is None:
                raise UsageError(
                    f"There is no contract '{contract_id}'.", mend="`unseen contract list` shows them"
                )
            self._known[contract_id] = _unaltered(contract_id, row.body)
        return self._known[contract_id]

    def parties_of(self, contract_id: str) -> tuple[str, ...]:
        """Parties of a contract; none if it is not known here."""
        try:
            return self.contract(contract_id).party_names
        except UsageError:
            return ()

    # ------------------------------------------------------------------ what the scheduler asks

    def admit(self, transaction: Transaction, contract: Contract, job: str) -> None:
        """Check that a run may begin now, and count it; see :class:`unseen.node.scheduler.Contracts`."""
        if self._ledger.behind:
            raise DeniedError(
                f"{self.me} refuses work.",
                why=self._ledger.behind,
                mend="restore a newer backup, or make new contracts with a new node",
                party=self.me,
            )
        self._check_decisions(transaction.connection, contract)
        used = transaction.execute(
            sql.select(contracts.c.runs_used).where(contracts.c.id == contract.id)
        ).scalar_one()
        signed = self._signatures(transaction.connection, contract.id)
        check_run(contract, now=datetime.now(UTC), signatures=signed, runs_used=int(used))
        self._check(contract)
        if waiting := self._ledger.is_final(contract):
            raise UnavailableError(
                "The contract is not final yet.",
                why=f"signatures are not yet witnessed; waiting for: {', '.join(waiting)}",
                mend="try again when these nodes have been reached",
            )
        self._room.check(contract, costs_of(contract, earlier=self._earlier))
        spending.charge(transaction, contract, job, self._catalogue.own_terms())
        transaction.execute(
            sql.update(contracts)
            .where(contracts.c.id == contract.id)
            .values(runs_used=contracts.c.runs_used + 1)
        )
        transaction.afterwards(lambda: self.note_run(contract.id, job, int(used) + 1))

    def note_run(self, contract_id: str, job: str, number: int, started_by: str = "") -> None:
        """Write into the log that a run was counted; once."""
        if self._ledger.find("run-started", contract_id, job=job) is None:
            spent = spending.body_of(self._database, job)
            body = {"number": number, "started_by": started_by, **spent}
            self._ledger.append("run-started", contract_id, body, job=job)

    def catch_up(self) -> None:
        """Count the runs that the log knows of and the database does not: a backup copies the log after the database."""
        with self._database.write() as transaction:
            for row in transaction.execute(sql.select(contracts.c.id, contracts.c.runs_used)).all():
                runs = self._ledger.runs_of(row.id)
                spending.catch_up(transaction, runs)
                if (known := len(runs)) > row.runs_used:
                    query = sql.update(contracts).where(contracts.c.id == row.id)
                    transaction.execute(query.values(runs_used=known))

    def check_task(self, contract: Contract, task: str) -> None:
        """Check once more, right before a task."""
        terms = contract.task(task)
        check_pinned(terms.step, version=terms.version, pinned=terms.fingerprint)
        with self._database.read() as view:
            self._check_decisions(view, contract)
            signed = self._signatures(view, contract.id)
        check_run(contract, now=datetime.now(UTC), signatures=signed, runs_used=0, starting=False)
        self._room.check_now(task, costs_of(contract, earlier=self._earlier))

    # ------------------------------------------------------------------ mail

    def _on_proposal(self, transaction: Transaction, sender: str, body: bytes) -> None:
        try:
            contract = Contract.model_validate(msgspec.json.decode(body))
        except (ValidationError, msgspec.DecodeError) as error:
            raise RemoteProtocolError(
                f"{sender} proposed something that is no contract.", party=sender
            ) from error
        if sender not in contract.party_names or self.me not in contract.party_names:
            raise RemoteProtocolError(f"{sender} proposed a contract that is not between us.", party=sender)
        found = transaction.execute(sql.select(contracts.c.id).where(contracts.c.id == contract.id)).first()
        if found is None:
            self._keep(transaction, contract)
            self._take_early(transaction, contract)

    def _on_decision(self, transaction: Transaction, sender: str, body: bytes) -> None:
        try:
            told = msgspec.json.decode(body, type=_Decision)
        except msgspec.DecodeError as error:
            raise RemoteProtocolError(
                f"{sender} decided something that cannot be read.", party=sender
            ) from error
        row = transaction.execute(
            sql.select(contracts.c.body).where(contracts.c.id == told.contract)
        ).one_or_none()
        if row is None:
            self._keep_early(transaction, sender, told.contract, body)
        else:
            self._take_decision(transaction, sender, _unaltered(told.contract, row.body), told)

    @staticmethod
    def _keep_early(transaction: Transaction, sender: str, contract: str, body: bytes) -> None:
        early = early_decisions.c
        transaction.execute(sql.insert(early_decisions).values(contract=contract, party=sender, body=body))
        latest = sql.select(early.id).where(early.party == sender).order_by(early.id.desc()).limit(MOST_EARLY)
        transaction.execute(sql.delete(early_decisions).where(early.party == sender, early.id.not_in(latest)))

    def _take_early(self, transaction: Transaction, contract: Contract) -> None:
        here = early_decisions.c.contract == contract.id
        kept = sql.select(early_decisions).where(here).order_by(early_decisions.c.id)
        for row in transaction.execute(kept).all():
            try:
                told = msgspec.json.decode(row.body, type=_Decision)
                self._take_decision(transaction, row.party, contract, told)
            except UnseenError as error:  # as of any letter that is wrong: it does not hold up the contract
                _log.warning("early decision refused", peer=row.party, problem=error.to_dict())
        transaction.execute(sql.delete(early_decisions).where(here))

    def _take_decision(
        self, transaction: Transaction, sender: str, contract: Contract, told: _Decision
    ) -> None:
        if sender not in contract.party_names or told.state not in {"signed", "refused", "withdrawn"}:
            raise RemoteProtocolError(f"{sender} decided something that it cannot decide.", party=sender)
        if told.state == "signed":
            verify(contract, sender, _signature(sender, told))
        if told.state == "withdrawn":
            identity = contract.party(sender).identity
            statement = withdrawal(contract, told.reason)
            verify_by_key(identity, statement, _signature(sender, told), who=f"the withdrawal of {sender}")
        self._record(transaction, sender, told)

    def _decide(self, contract: Contract, decision: _Decision) -> None:
        with self._database.write() as transaction:
            self._record(transaction, self.me, decision)
            for peer in contract.party_names:
                if peer != self.me:
                    self._mailroom.post(transaction, peer, DECISION, msgspec.json.encode(decision))

    def _record(self, transaction: Transaction, party: str, told: _Decision) -> None:
        where = (signatures.c.contract == told.contract) & (signatures.c.party == party)
        known = transaction.execute(
            sql.select(signatures.c.state, signatures.c.signature).where(where)
        ).one_or_none()
        if known is not None and (known.state != "signed" or told.state == "signed"):
            return  # final
        transaction.execute(sql.delete(signatures).where(where))
        kept = known.signature if told.state == "withdrawn" and known is not None else told.signature
        transaction.execute(
            sql.insert(signatures).values(
                contract=told.contract,
                party=party,
                state=told.state,
                at=time.time(),
                reason=told.reason,
                signature=kept,
            )
        )
        if told.state == "withdrawn":
            for callback in self._withdrawn:
                callback(transaction, told.contract, f"{party} withdrew its signature")

    # ------------------------------------------------------------------ small things

    def _check(self, contract: Contract) -> None:
        for task in contract.tasks:
            if self.me in task.parties:
                check_pinned(task.step, version=task.version, pinned=task.fingerprint)
        check_honest(contract, me=self.me)
        check_terms(contract, me=self.me, assets=self._catalogue.own_terms(), pinned=self._peers.identities())
        self._check_models(contract)

    @staticmethod
    def _check_decisions(view: sql.Connection, contract: Contract) -> None:
        query = sql.select(signatures.c.party, signatures.c.state).where(
            signatures.c.contract == contract.id, signatures.c.state != "signed"
        )
        for row in view.execute(query):
            raise DeniedError(
                f"{row.party} has {row.state} the contract.", clause="signatures", party=row.party
            )

    @staticmethod
    def _signatures(view: sql.Connection, contract_id: str) -> dict[str, bytes]:
        query = sql.select(signatures.c.party, signatures.c.signature).where(
            signatures.c.contract == contract_id, signatures.c.state == "signed"
        )
        return {row.party: base64.b64decode(row.signature) for row in view.execute(query)}

    def _keep(self, transaction: Transaction, contract: Contract) -> None:
        transaction.execute(
            sql.insert(contracts).values(
                id=contract.id, body=contract.to_json(), received_at=time.time(), runs_used=0
            )
        )

    def _row(self, contract_id: str) -> sql.Row[Any] | None:
        with self._database.read() as view:
            return view.execute(sql.select(contracts).where(contracts.c.id == contract_id)).one_or_none()

    def _state_of(self, contract_id: str, party: str) -> str | None:
        with self._database.read() as view:
            query = sql.select(signatures.c.state).where(
                signatures.c.contract == contract_id, signatures.c.party == party
            )
            return view.execute(query).scalar()

    def _view(self, contract_id: str, *, short: bool) -> m.ContractView:
        row, contract = self._row(contract_id), self.contract(contract_id)
        if row is None:
            raise UsageError(f"There is no contract '{contract_id}'.")
        with self._database.read() as view:
            query = sql.select(signatures).where(signatures.c.contract == contract_id)
            known = {item.party: item for item in view.execute(query)}
        lines = tuple(_line(name, known.get(name)) for name in contract.party_names)
        costs = {} if short else costs_of(contract, earlier=self._earlier)
        return m.ContractView(
            id=contract.id,
            title=contract.title,
            state=_state(contract, lines),
            parties=contract.party_names,
            signatures=lines,
            runs=contract.runs,
            runs_used=row.runs_used,
            valid_from=contract.valid_from,
            valid_until=contract.valid_until,
            received_at=datetime.fromtimestamp(row.received_at, UTC),
            summary="" if short else summarise(contract, facts=facts_of, costs=costs),
            contract={} if short else contract.to_json(),
            costs=m.CostView.of(costs),
            too_large=() if short else self._room.lacking(contract, costs),
        )


def _signature(sender: str, told: _Decision) -> bytes:
    try:
        return base64.b64decode(told.signature, validate=True)
    except ValueError as error:
        raise RemoteProtocolError(f"{sender} sent a signature that is none.", party=sender) from error


def _line(name: str, row: sql.Row[Any] | None) -> m.SignatureView:
    if row is None:
        return m.SignatureView(party=name, state="pending")
    return m.SignatureView(
        party=name, state=row.state, at=datetime.fromtimestamp(row.at, UTC), reason=row.reason
    )


def _state(contract: Contract, lines: tuple[m.SignatureView, ...]) -> m.ContractState:
    states = {line.state for line in lines}
    if "refused" in states:
        return "refused"
    if "withdrawn" in states:
        return "withdrawn"
    if contract.valid_until <= datetime.now(UTC):
        return "expired"
    return "signed" if states == {"signed"} else "proposed"


def _unaltered(contract_id: str, body: Any) -> Contract:
    """The contract as it lies in the database, if it is the one of that id."""
    try:
        contract = Contract.model_validate(body)
    except ValidationError:
        contract = None
    if contract is None or contract.id != contract_id:
        raise VerificationError(
            f"What this node keeps as {contract_id} is another contract.",
            why="its content does not have that hash: the database was altered or damaged",
            mend="restore a backup of the node; find out who can write into its folder",
        )
    return contract
