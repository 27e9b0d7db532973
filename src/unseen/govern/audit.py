"""Audit: what the evidence of all parties proves, what one party merely states, and what no evidence covers.

Works on values that were taken out of an evidence bundle; touches no file and no network. Marks:

===========  ==========================================================================================
proved       follows from signatures, Merkle roots, or two independent parties saying the same
stated       one party says so, and nobody can check it from outside
not covered  the evidence says nothing about it
broken       the evidence contradicts the contract or itself; names the log it is pinned on
===========  ==========================================================================================
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from unseen.core.errors import UnseenError, VerificationError
from unseen.crypto.certificates import check_certificate, verify_signature
from unseen.crypto.sign import public_key
from unseen.govern.contract import Contract, TaskTerms
from unseen.govern.signatures import verify

Mark = Literal["proved", "stated", "not covered", "broken"]
Verdict = Literal["holds", "incomplete", "broken"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry on the contract, from a log that was checked."""

    index: int
    kind: str
    at: str
    job: str | None
    task: str | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything an audit looks at.

    Attributes
    ----------
    logs
        Party -> its entries on the contract, in order; parties whose log could not be checked are left out.
    witnesses
        Party -> names of those who cosigned the head of its log.
    findings
        (log, what is wrong with it), from checking the logs themselves.
    behind
        (log, what of it is missing): others had seen more of it than is here.
    trust
        Step name -> who must not collude with whom.
    repeated
        What repeated runs tell, in words (:func:`unseen.govern.summary.repeated`).
    """

    contract: Contract
    logs: Mapping[str, Sequence[LogEntry]]
    witnesses: Mapping[str, Sequence[str]]
    findings: Sequence[tuple[str, str]]
    trust: Mapping[str, str] = field(default_factory=dict)
    behind: Sequence[tuple[str, str]] = ()
    repeated: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report. `by` is who states it, or the log it is pinned on."""

    section: str
    mark: Mark
    what: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result."""

    contract: str
    title: str
    verdict: Verdict
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "contract": self.contract,
            "title": self.title,
            "verdict": self.verdict,
            "lines": [
                {"section": line.section, "mark": line.mark, "what": line.what, "by": line.by}
                for line in self.lines
            ],
        }

    def to_text(self) -> str:
        """For a terminal."""
        rows = [f"{self.title}: {self.verdict}", f"contract {self.contract}"]
        section = ""
        for line in self.lines:
            if line.section != section:
                section = line.section
                rows += ["", section]
            by = f" ({line.by})" if line.by else ""
            rows.append(f"  [{line.mark:^11}] {line.what}{by}")
        return "\n".join(rows) + "\n"


class _Findings:
    """Collects lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.missing = False

    def add(self, section: str, mark: Mark, what: str, by: str = "") -> None:
        self.lines.append(Line(section, mark, what, by))

    def lacks(self, section: str, what: str, by: str) -> None:
        """Something is not there (yet)."""
        self.missing = True
        self.add(section, "not covered", what, by)

    @property
    def verdict(self) -> Verdict:
        if any(line.mark == "broken" for line in self.lines):
            return "broken"
        return "incomplete" if self.missing else "holds"


def audit(evidence: Evidence) -> AuditReport:
    """Look at everything; never raises for what is wrong, it is in the report."""
    found = _Findings()
    _logs(evidence, found)
    _agreement(evidence, found)
    for job in _jobs(evidence):
        _run(evidence, job, found)
    _number_of_runs(evidence, found)
    _privacies(evidence, found)
    contract = evidence.contract
    return AuditReport(contract.id, contract.title, found.verdict, tuple(found.lines))


# ---------------------------------------------------------------------- the logs and the agreement


def _logs(evidence: Evidence, found: _Findings) -> None:
    section = "Logs"
    for log, what in evidence.findings:
        found.add(section, "broken", f"log of {log}: {what}", log)
    for log, what in evidence.behind:
        found.lacks(section, f"the log of {log} goes on after what is here: {what}", log)
    bad = {log for log, _ in (*evidence.findings, *evidence.behind)}
    for party in evidence.contract.party_names:
        if party in evidence.logs and party not in bad:
            names = sorted(evidence.witnesses.get(party, ()))
            if names:
                told = f"the log of {party} is complete and unchanged up to a head that {', '.join(names)} witnessed"
                found.add(section, "proved", told)
            else:
                found.lacks(section, f"the newest head of {party}'s log has no witness yet", party)


def _agreement(evidence: Evidence, found: _Findings) -> None:
    section, contract = "Agreement", evidence.contract
    for party in contract.party_names:
        signed = [entry for entry in evidence.logs.get(party, ()) if entry.kind == "contract-signed"]
        if not signed:
            found.lacks(section, f"no signature of {party} is in its log", party)
        for entry in signed[:1]:
            try:
                verify(contract, party, base64.b64decode(str(entry.body["signature"])))
            except (UnseenError, ValueError):
                found.add(section, "broken", f"the signature of {party} is not on this contract", party)
            else:
                found.add(section, "proved", f"{party} signed this contract with the key that it names")
        for entry in evidence.logs.get(party, ()):
            if entry.kind == "contract-withdrawn":
                found.add(section, "proved", f"{party} took its signature back on {entry.at}", party)


def _jobs(evidence: Evidence) -> list[str]:
    jobs: dict[str, str] = {}
    for entries in evidence.logs.values():
        for entry in entries:
            if entry.job:
                jobs[entry.job] = min(entry.at, jobs.get(entry.job, entry.at))
    return sorted(jobs, key=lambda job: (jobs[job], job))


def _number_of_runs(evidence: Evidence, found: _Findings) -> None:
    allowed = evidence.contract.runs
    for party, entries in evidence.logs.items():
        started = {entry.job for entry in entries if entry.kind == "run-started"}
        if len(started) > allowed:
            found.add(
                "Runs", "broken", f"{party} took part in {len(started)} runs, {allowed} are allowed", party
            )
    if not any(line.section == "Runs" and line.mark == "broken" for line in found.lines):
        found.add(
            "Runs", "proved", f"no party counted more than the {allowed} run(s) that the contract allows"
        )


# ---------------------------------------------------------------------- one run


def _run(evidence: Evidence, job: str, found: _Findings) -> None:
    section, contract = f"Run {job}", evidence.contract
    for party, entries in evidence.logs.items():
        mine = [entry for entry in entries if entry.job == job]
        starts = [entry for entry in mine if entry.kind == "run-started"]
        if not starts and mine:
            found.add(section, "broken", f"{party} worked on a run that it never counted", party)
        for entry in starts:
            for budget, told in sorted(entry.body.get("spent", {}).items()):
                what = f"{told['answers']} answer(s) charged to '{budget}': epsilon {told['epsilon']}, {told['exact']} without noise"
                found.add(section, "stated", what, party)
            if not contract.is_valid_at(_time(entry.at)):
                found.add(
                    section, "broken", f"{party} began it on {entry.at}, outside the contract's time", party
                )
        ended = [entry for entry in mine if entry.kind == "run-ended"]
        if starts and not ended:
            found.lacks(section, f"{party} has not written how it ended", party)
        for entry in ended:
            found.add(section, "stated", f"it {entry.body['state']} at {party}", party)
    for terms in contract.tasks:
        _task(evidence, job, terms, found)


def _task(evidence: Evidence, job: str, terms: TaskTerms, found: _Findings) -> None:
    section = f"Run {job}"
    records = {
        party: [e for e in entries if (e.job, e.task, e.kind) == (job, terms.name, "task-finished")]
        for party, entries in evidence.logs.items()
        if party in terms.parties
    }
    if not any(records.values()):
        if _finished(evidence, job):
            for party in terms.parties:
                found.add(section, "broken", f"'{terms.name}' is not recorded though the run finished", party)
        return
    for party in terms.parties:
        entries = records.get(party, [])
        if not entries and party in evidence.logs:
            mark = "broken" if _finished(evidence, job, party) else None
            if mark:
                found.add(
                    section,
                    "broken",
                    f"{party} has no record of '{terms.name}' though its run finished",
                    party,
                )
            else:
                found.lacks(section, f"{party} has no record of '{terms.name}'", party)
        if len(entries) > 1:
            found.add(section, "broken", f"{party} recorded '{terms.name}' {len(entries)} times", party)
        for entry in entries[:1]:
            _record(evidence, party, terms, entry, found)
    first = {party: items[0] for party, items in records.items() if items}
    _transcripts(evidence, job, terms, first, found)
    _resumed(terms, first, found)
    if terms.params.get("bound"):
        _bound(evidence, terms, first, found)


def _finished(evidence: Evidence, job: str, party: str | None = None) -> bool:
    return any(
        entry.kind == "run-ended" and entry.job == job and entry.body["state"] == "finished"
        for name, entries in evidence.logs.items()
        if party in (None, name)
        for entry in entries
    )


def _record(evidence: Evidence, party: str, terms: TaskTerms, entry: LogEntry, found: _Findings) -> None:
    section, body = f"Run {entry.job}", entry.body
    version = (body["step"], body["version"], body["fingerprint"])
    if version != (terms.step, terms.version, terms.fingerprint):
        found.add(
            section, "broken", f"{party} ran another step in '{terms.name}' than the contract pins", party
        )
    else:
        found.add(
            section, "stated", f"'{terms.name}': {party} ran {terms.step}, version {terms.version}", party
        )
    problems = compare_disclosures(evidence.contract, terms.name, body["disclosures"])
    for problem in problems:
        found.add(section, "broken", f"'{terms.name}': the gate of {party} let out {problem}", party)
    if not problems:
        count = len(body["disclosures"])
        told = (
            f"'{terms.name}': all {count} disclosure(s) that the gate of {party} recorded are in the contract"
        )
        found.add(section, "stated", told, party)
    if body["outputs"]:
        found.add(
            section, "stated", f"'{terms.name}': {party} committed to {len(body['outputs'])} output(s)", party
        )


def compare_disclosures(contract: Contract, task: str, recorded: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was let out during a task beyond what the contract lists; empty if nothing."""
    listed = {item.name: item for item in contract.disclosures if item.task == task}
    problems = []
    for passage in recorded:
        name, terms = str(passage["name"]), listed.get(str(passage["name"]))
        if terms is None:
            problems.append(f"'{name}', which the contract does not list")
        elif passage["door"] != terms.door:
            problems.append(f"'{name}' by the door {passage['door']} instead of {terms.door}")
        elif not set(passage["to"]) <= set(terms.to):
            problems.append(f"'{name}' to {', '.join(sorted(set(passage['to']) - set(terms.to)))}")
        elif terms.max_elements is not None and int(passage["elements"]) > terms.max_elements:
            problems.append(f"{passage['elements']} elements of '{name}', {terms.max_elements} are allowed")
        elif int(passage["index"]) >= terms.times:
            problems.append(f"'{name}' more than {terms.times} time(s)")
    return problems


def _transcripts(
    evidence: Evidence, job: str, terms: TaskTerms, records: Mapping[str, LogEntry], found: _Findings
) -> None:
    """Every pair of parties must have signed the same statement about what they said to each other."""
    section = f"Run {job}"
    for one in terms.parties:
        for other in terms.parties:
            if one < other and one in records and other in records:
                problem = _pair(evidence, terms, one, other, records)
                if problem:
                    found.add(section, "broken", f"'{terms.name}': {problem}", f"{one}, {other}")
                else:
                    told = f"'{terms.name}': {one} and {other} signed the same record of all they said to each other"
                    found.add(section, "proved", told)


def _resumed(terms: TaskTerms, records: Mapping[str, LogEntry], found: _Findings) -> None:
    """Which checkpoint the task went on from: all must say the same."""
    said = {party: entry.body.get("resumed") for party, entry in records.items()}
    if not any(said.values()):
        return
    section = f"Run {next(iter(records.values())).job}"
    if any(told != next(iter(said.values())) for told in said.values()):
        what = f"'{terms.name}': the parties do not agree which checkpoint it went on from"
        found.add(section, "broken", what, ", ".join(said))
        return
    said_by_all = next(iter(said.values()))
    told = said_by_all if isinstance(said_by_all, Mapping) else {}
    what = (
        f"'{terms.name}' went on from a checkpoint: {told.get('unit')} {told.get('done')} of {told.get('total')}, "
        f"stored in attempt {told.get('attempt')}; the signed records are of what was said since"
    )
    found.add(section, "stated", what, ", ".join(said))


def _bound(evidence: Evidence, terms: TaskTerms, records: Mapping[str, LogEntry], found: _Findings) -> None:
    """What each holder brought must have been checked by the others against what its own log had said before."""
    holders = [party for party in terms.roles.get("holders", ()) if party in records]
    for holder in holders:
        said = _committed(evidence, terms, holder, records[holder])
        others = [party for party in holders if party != holder]
        section = f"Run {records[holder].job}"
        if said is None:
            told = f"'{terms.name}': {holder} had not committed to its input, which the contract wants"
            found.add(section, "broken", told, holder)
            continue
        for party in others:
            if records[party].body.get("bound", {}).get(holder) != said:
                told = f"'{terms.name}': {party} did not check the input of {holder} against what {holder} had committed to"
                found.add(section, "broken", told, party)
        if all(records[party].body.get("bound", {}).get(holder) == said for party in others):
            checked = ", ".join(others)
            told = f"'{terms.name}': the input of {holder} passed the check against the commitment in its log ({checked})"
            found.add(section, "proved", told)


def _committed(evidence: Evidence, terms: TaskTerms, holder: str, at: LogEntry) -> str | None:
    """The commitment to a party's input of a task that its log had before."""
    for reference in evidence.contract.inputs_of(terms.name, holder).values():
        task, _, output = reference.partition(".")
        for entry in evidence.logs.get(holder, ()):
            same = (entry.job, entry.task, entry.kind) == (at.job, task, "task-finished")
            if same and entry.index < at.index and output in entry.body.get("committed", {}):
                return str(entry.body["committed"][output])
    return None


def _pair(evidence: Evidence, terms: TaskTerms, one: str, other: str, records: Mapping[str, LogEntry]) -> str:
    said = {name: _last_with(records[name].body, peer) for name, peer in ((one, other), (other, one))}
    if said[one] is None or said[other] is None:
        return f"{one} and {other} did not both keep what they signed"
    first, second = said[one], said[other]
    if first is None or second is None or first["statement"] != second["statement"]:
        return f"{one} and {other} signed different records of what they said"
    for name, item in ((one, first), (other, second)):
        try:
            _check_signature(evidence, terms, name, records[name], item)
        except (UnseenError, ValueError, KeyError) as error:
            return f"the signature of {name} under it does not verify ({error})".replace("\n", " ")
    return ""


def _last_with(body: Mapping[str, Any], peer: str) -> Mapping[str, Any] | None:
    kept = [item for item in body["transcripts"] if item["peer"] == peer]
    return kept[-1] if kept else None


def _check_signature(
    evidence: Evidence, terms: TaskTerms, party: str, entry: LogEntry, item: Mapping[str, Any]
) -> None:
    """A signature by the short-lived key of this very task and attempt, certified by the pinned identity."""
    use = f"{entry.job}/{terms.name}/{entry.body['attempt']}"
    certificate = check_certificate(
        base64.b64decode(item["our_certificate"]),
        party=party,
        identity=public_key(evidence.contract.party(party).identity),
        use=use,
        now=_time(entry.at),
    )
    statement = base64.b64decode(item["statement"])
    if f"\n{use}\n".encode() not in statement:
        raise VerificationError("The statement is about another task.")
    verify_signature(certificate, statement, base64.b64decode(item["ours"]))


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# ---------------------------------------------------------------------- what it means


def _privacies(evidence: Evidence, found: _Findings) -> None:
    section = "The four privacies"
    told = sorted({f"{item.what} (to {', '.join(item.to)})" for item in evidence.contract.disclosures})
    for name, text in (
        ("Input privacy", "tables did not leave their holders except for what is listed under 'learns'"),
        (
            "Training-data privacy",
            "no row of a holder can be read from what the others received, but for what they learn",
        ),
        ("Model privacy", "coefficients are known to those that the contract names, and to nobody else"),
        ("Output privacy", "results went to the receivers that the contract names"),
    ):
        found.add(section, "stated", f"{name}: {text}", "each party, by its gate")
    for text in told:
        found.add("What was agreed to be learned", "proved", text)
    for trust in dict.fromkeys(evidence.trust.values()):
        found.add("Trust model", "not covered", f"assumed, not shown: {trust}")
    for text in evidence.repeated:
        found.add("What repeated runs tell", "not covered", text)
    for text in (
        "whether parties met outside the protocol and put together what they hold",
        "whether a party ran changed software and kept what passed through it",
        "whether the data a party brought are true",
    ):
        found.add("Not covered by any evidence", "not covered", text)
