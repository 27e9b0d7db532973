"""What the parties agree on: the contract (合约), a value with one identity for all.

A contract names the parties and their keys, the assets and what their owners allow, the workflow task by task,
everything that will be disclosed to whom, for which purpose, how often and until when. It is content-addressed:
its id is the hash of its canonical bytes. Every party signs the id; nothing runs without all signatures.

This module is the value and its inner consistency. Signing is in `signatures`, the check before a run in
`authorise`, the plain words in `summary`, the gate's rules in `policy`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from unseen.core.canonical import digest
from unseen.core.ids import check_name

FORMAT = 1
MODEL = "model:"
"""Begins a reference to a holder's part of a model that an earlier job made; the version follows."""
_VERSION = re.compile(r"model:model-[0-9a-f]{64}")

Level = Literal["federated", "shared", "shared-malicious", "enclave"]
RoleName = Literal["holder", "computer", "receiver", "auditor"]
Name = Annotated[str, AfterValidator(check_name)]


class Terms(BaseModel):
    """Base: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")


class PartyTerms(Terms):
    """An organisation that takes part. `identity` pins its public key (`ed25519:…`)."""

    name: Name
    identity: str
    roles: tuple[RoleName, ...]
    title: str = ""


class ColumnTerms(Terms):
    """One column of an asset, as far as others may know of it."""

    name: str
    type: Literal["numeric", "integer", "boolean", "text", "timestamp"]
    role: Literal["id", "feature", "label", "other"] = "feature"
    sensitivity: Literal["public", "internal", "personal", "special"] = "personal"


class BudgetTerms(Terms):
    """What answers about an asset may tell, over all contracts and runs together.

    Attributes
    ----------
    name
        Assets whose budgets have the same name share one: tables that overlap should.
    epsilon
        All answers together (:mod:`unseen.dp.budget`); answers without noise are refused then. None: no limit.
    answers
        How many there may be. None: no limit.
    """

    name: Name
    epsilon: float | None = Field(default=None, gt=0)
    answers: int | None = Field(default=None, ge=0)


class AssetTerms(Terms):
    """A holder's data set and what its owner allows.

    `rows` is the size the others may know. `steps` and `purposes` are the owner's limits; the contract's own
    must lie within: every step that works on the data, or on what came of them (:meth:`Contract.tasks_on`). `commitment` binds the holder to the data without showing it (salted, hex).
    `budget` bounds what answers about it tell in all; None: no bound.
    """

    name: Name
    holder: Name
    columns: tuple[ColumnTerms, ...]
    rows: int = Field(ge=0)
    steps: tuple[str, ...]
    purposes: tuple[str, ...]
    legal_basis: str = ""
    commitment: str = ""
    budget: BudgetTerms | None = Field(
        default=None, exclude_if=lambda budget: budget is None
    )  # ids of old contracts stay

    @property
    def reference(self) -> str:
        """How tasks name it."""
        return f"asset:{self.name}"


class TaskTerms(Terms):
    """One task of the workflow.

    Attributes
    ----------
    step, version, fingerprint
        The installed step it runs; `fingerprint` is the SHA-256 of the step's source, hex.
    roles
        The step's role name -> parties, e.g. `{"holders": ("hospital", "laboratory"), "helper": ("helper",)}`.
    inputs
        Input name -> reference (`asset:NAME` or `TASK.OUTPUT`), one for all parties or party -> reference.
    """

    name: Name
    step: str
    version: int
    fingerprint: str
    params: dict[str, JsonValue] = {}
    roles: dict[str, tuple[Name, ...]]
    inputs: dict[str, str | dict[Name, str]] = {}

    @property
    def parties(self) -> tuple[str, ...]:
        """Everyone who takes part in this task, sorted."""
        return tuple(sorted({party for parties in self.roles.values() for party in parties}))

    def input_of(self, party: str) -> dict[str, str]:
        """Input name -> reference, as `party` sees it; inputs it has no part in are left out."""
        mine: dict[str, str] = {}
        for name, source in self.inputs.items():
            reference = source if isinstance(source, str) else source.get(party)
            if reference is not None:
                mine[name] = reference
        return mine


class DisclosureTerms(Terms):
    """One thing somebody will learn; see :class:`unseen.party.gate.Disclosure`."""

    task: Name
    name: str
    what: str
    to: tuple[Name, ...]
    door: Literal["reveal", "release"]
    max_elements: int | None = None
    times: int = 1


class Contract(Terms):
    """The whole agreement; see the module."""

    format: Literal[1] = 1
    title: str
    purpose: str
    parties: tuple[PartyTerms, ...]
    assets: tuple[AssetTerms, ...]
    tasks: tuple[TaskTerms, ...]
    disclosures: tuple[DisclosureTerms, ...]
    security_level: Level
    runs: int = Field(default=1, ge=1)
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    final_when_witnessed_by: int | Literal["all"] = "all"
    nonce: str = ""

    @cached_property
    def id(self) -> str:
        """`contract-` and the SHA-256 of the canonical bytes, hex."""
        return f"contract-{digest('contract', FORMAT, self.to_json()).hex()}"

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with changes; it has an id of its own, which pydantic would copy along."""
        made = super().model_copy(update=update, deep=deep)
        made.__dict__.pop("id", None)
        return made

    def to_json(self) -> dict[str, Any]:
        """JSON form: the one that is hashed, stored and sent."""
        return self.model_dump(mode="json")

    def party(self, name: str) -> PartyTerms:
        """The terms of one party; KeyError if it is none."""
        return _named(self.parties, name)

    def task(self, name: str) -> TaskTerms:
        """The terms of one task; KeyError if there is none."""
        return _named(self.tasks, name)

    def asset(self, name: str) -> AssetTerms:
        """The terms of one asset; KeyError if there is none."""
        return _named(self.assets, name)

    def inputs_of(self, task: str, party: str) -> dict[str, str]:
        """Input name -> reference of what `party` brings to a task.

        Its assets, outputs of tasks it took part in, and a holder's part of a model that an earlier job made (:data:`MODEL`).
        """
        held = {asset.reference for asset in self.assets if asset.holder == party}
        done = {earlier.name for earlier in self.tasks if party in earlier.parties}
        return {
            name: reference
            for name, reference in self.task(task).input_of(party).items()
            if reference in held
            or (reference.startswith(MODEL) and party in self.task(task).roles.get("holders", ()))
            or (not reference.startswith("asset:") and reference.partition(".")[0] in done)
        }

    def tasks_on(self, asset: str) -> tuple[TaskTerms, ...]:
        """The tasks that work on an asset: those that read it, and those that read what a task on it made.

        A task counts with all its outputs at all its parties: what a party gets out of it depends on every asset
        that went in.
        """
        reference = self.asset(asset).reference
        found: dict[str, TaskTerms] = {}
        for task in self.tasks:
            read = {source for party in task.parties for source in task.input_of(party).values()}
            if reference in read or any(source.partition(".")[0] in found for source in read):
                found[task.name] = task
        return tuple(found.values())

    @property
    def party_names(self) -> tuple[str, ...]:
        """All parties, sorted."""
        return tuple(sorted(party.name for party in self.parties))

    def is_valid_at(self, now: datetime) -> bool:
        """Whether `now` (aware) lies in the validity window."""
        return self.valid_from <= now.astimezone(UTC) < self.valid_until

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        problems = [*_duplicates(self), *_dangling_parties(self), *_dangling_inputs(self), *_limits(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self


N = TypeVar("N", PartyTerms, TaskTerms, AssetTerms)


def _named(items: tuple[N, ...], name: str) -> N:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(name)


def _duplicates(contract: Contract) -> list[str]:
    problems = []
    for kind, names in (
        ("party", [party.name for party in contract.parties]),
        ("asset", [asset.name for asset in contract.assets]),
        ("task", [task.name for task in contract.tasks]),
        ("disclosure", [f"{item.task}/{item.name}" for item in contract.disclosures]),
        ("identity", [party.identity for party in contract.parties]),
    ):
        problems += [f"{kind} '{name}' appears twice" for name in sorted(set(names)) if names.count(name) > 1]
    return problems


def _dangling_parties(contract: Contract) -> list[str]:
    known = set(contract.party_names)
    used = {asset.holder for asset in contract.assets}
    used |= {party for task in contract.tasks for party in task.parties}
    used |= {party for item in contract.disclosures for party in item.to}
    return [f"'{name}' is no party of this contract" for name in sorted(used - known)]


def _dangling_inputs(contract: Contract) -> list[str]:
    problems: list[str] = []
    holders = {asset.reference: asset.holder for asset in contract.assets}
    earlier: set[str] = set()
    for task in contract.tasks:
        for party in task.parties:
            problems += [
                _objection_to_input(task.name, party, reference, holders.get(reference), earlier)
                for reference in task.input_of(party).values()
            ]
        earlier.add(task.name)
    problems += [
        f"disclosure '{item.name}' names task '{item.task}', which is not in the workflow"
        for item in contract.disclosures
        if item.task not in earlier
    ]
    return [problem for problem in problems if problem]


def _objection_to_input(task: str, party: str, reference: str, holder: str | None, earlier: set[str]) -> str:
    if holder is not None and holder != party:
        return f"task '{task}' gives {party} the '{reference}' of {holder}"
    if reference.startswith(MODEL):
        return (
            ""
            if _VERSION.fullmatch(reference)
            else f"task '{task}' names '{reference}', which is no model's version"
        )
    if holder is None and reference.partition(".")[0] not in earlier:
        return f"task '{task}' needs '{reference}', which nothing before it makes"
    return ""


def _limits(contract: Contract) -> list[str]:
    problems = []
    if contract.valid_from >= contract.valid_until:
        problems.append("it ends before it begins")
    if contract.final_when_witnessed_by != "all" and not (
        1 <= contract.final_when_witnessed_by <= len(contract.parties)
    ):
        problems.append("finality asks for more witnesses than there are parties")
    for asset in contract.assets:
        if contract.purpose not in asset.purposes:
            problems.append(f"the owner of '{asset.name}' does not allow the purpose '{contract.purpose}'")
        problems += [
            f"the owner of '{asset.name}' does not allow the step '{task.step}'"
            for task in contract.tasks_on(asset.name)
            if task.step not in asset.steps
        ]
    return problems
