"""From a task's record to a log entry, and from an evidence bundle to an audit: where ledger and governance meet."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import ValidationError

from unseen.core.errors import UnseenError, VerificationError
from unseen.crypto.sign import public_key
from unseen.govern.audit import AuditReport, Evidence, LogEntry, audit
from unseen.govern.contract import Contract, TaskTerms
from unseen.govern.summary import StepFacts, repeated
from unseen.jobs.execute import FromStock, ResumedFrom, TaskRecord
from unseen.jobs.step import assumed_by, step, told_by
from unseen.ledger.bundle import Bundle, check, read
from unseen.ledger.entries import Entry


def task_body(
    terms: TaskTerms, attempt: int, record: TaskRecord, *, inputs: dict[str, str], outputs: dict[str, str]
) -> dict[str, Any]:
    """Body of a `task-finished` entry; inputs and outputs are commitments by name."""
    return {
        "attempt": attempt,
        "step": terms.step,
        "version": terms.version,
        "fingerprint": terms.fingerprint,
        "inputs": inputs,
        "outputs": outputs,
        "disclosures": [
            {
                "name": item.name,
                "index": item.index,
                "door": item.door,
                "to": list(item.to),
                "elements": str(item.elements),
            }
            for item in record.passages
        ],
        "transcripts": [
            {
                "peer": item.peer,
                **{
                    name: base64.b64encode(getattr(item, name)).decode()
                    for name in ("statement", "ours", "theirs", "our_certificate", "their_certificate")
                },
            }
            for item in _last_of_each_peer(record)
        ],
        "measured": {
            "milliseconds": str(round(record.seconds * 1000)),
            "bytes_sent": str(record.bytes_sent),
            "bytes_received": str(record.bytes_received),
            "rounds": str(record.rounds),
            "memory_bytes": str(record.memory_bytes),
        },
        **{name: told for name in ("committed", "bound") if (told := getattr(record, name))},
        **({"stocks": [_from_stock(item) for item in record.stocks]} if record.stocks else {}),
        **({} if record.resumed is None else {"resumed": _resumed(record.resumed)}),
    }


def _from_stock(told: FromStock) -> dict[str, Any]:
    return {
        "stock": told.stock,
        "run": str(told.run),
        "runs_left": str(told.runs_left),
        "made": str(told.made),
    }


def _resumed(told: ResumedFrom) -> dict[str, Any]:
    return {"unit": told.unit, "done": str(told.done), "total": str(told.total), "attempt": told.attempt}


def _last_of_each_peer(record: TaskRecord) -> list[Any]:
    """The last statement covers all that was said before it."""
    return list({item.peer: item for item in record.transcripts}.values())


def facts_of(name: str) -> StepFacts:
    """What an installed step says of itself; says so if it is not installed here."""
    try:
        installed = step(name)
    except UnseenError:
        return StepFacts(
            f"(the step '{name}' is not installed here)", "Unknown: the step is not installed here."
        )
    return StepFacts(installed.SUMMARY, installed.TRUST, told_by, assumed_by)


def audit_bundle(data: bytes) -> AuditReport:
    """Audit an evidence bundle, offline. The parties' keys are those in the contract, whose id is its hash.

    Raises
    ------
    VerificationError
        It is no bundle, or the contract is not in it.
    """
    bundle = read(data)
    contract = contract_of(bundle)
    keys = {party.name: public_key(party.identity) for party in contract.parties}
    checked = check(bundle, keys)
    return audit(
        Evidence(
            contract=contract,
            logs={
                name: [
                    LogEntry(index, entry.kind, entry.at, entry.job, entry.task, entry.body)
                    for index, entry in sorted(log.entries.items())
                ]
                for name, log in checked.logs.items()
            },
            witnesses={name: sorted(log.witnesses) for name, log in checked.logs.items()},
            findings=[(item.log, item.what) for item in checked.findings if not item.behind],
            behind=[(item.log, item.what) for item in checked.findings if item.behind],
            trust={task.step: facts_of(task.step).trust for task in contract.tasks},
            repeated=repeated(contract, facts=facts_of),
        )
    )


def contract_of(bundle: Bundle) -> Contract:
    """The contract that a bundle is about: the one whose hash is the bundle's contract id.

    Raises
    ------
    VerificationError
        No entry in it holds that contract.
    """
    for extract in bundle.logs.values():
        for stored in extract.entries.values():
            try:
                entry = Entry.from_bytes(stored)
                if entry.kind == "contract-proposed":
                    contract = Contract.model_validate(entry.body["contract"])
                    if contract.id == bundle.contract:
                        return contract
            except (ValidationError, UnseenError):
                continue
    raise VerificationError(
        "The bundle does not hold the contract that it is about.",
        mend="ask a party of the contract for a complete bundle: `unseen export evidence`",
    )
