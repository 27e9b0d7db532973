"""What a step is: one file in `jobs/steps/`, a module with the names of :class:`Step`.

A step whose roles need not all be taken names those in `OPTIONAL_ROLES` (:func:`optional_roles`; likewise `OPTIONAL_INPUTS`); one whose trust depends on
who takes which role has a function `trust(params, roles)` (:func:`trust_of`), which `TRUST` sums up; one whose parameters name other
installed code has a function `pin(params)` that adds its version and fingerprint (:func:`pinned`).

Every step declares what it will disclose before it runs; the contract lists it, the gate enforces it, the audit
compares. The node runs only installed steps: the contract pins version and source fingerprint.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from unseen.core import registry
from unseen.core.cost import Cost, Network
from unseen.core.errors import DeniedError, UsageError
from unseen.dp.budget import EXACT, Spent
from unseen.govern.contract import TaskTerms
from unseen.jobs.artefacts import Artefact
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Door, Party

STEPS = "unseen.jobs.steps"
MadeModel: TypeAlias = tuple[str, Mapping[str, Any]]
"""Kind of a model and its public part."""


class StepParams(BaseModel):
    """Base of every step's `Params`: frozen, unknown fields refused.

    Attributes
    ----------
    BY_HOLDER
        Fields that are mappings by holder: another party's name there is a mistake, which the planner refuses.
    """

    BY_HOLDER: ClassVar[tuple[str, ...]] = ()
    model_config = ConfigDict(frozen=True, extra="forbid")

    def assumes(self, roles: Roles) -> Assumption | None:  # noqa: ARG002 - for those who say otherwise
        """What randomness rests on that two make between themselves in a task with these roles; None where they make none."""
        return None


@dataclass(frozen=True, slots=True)
class Roles:
    """Who does what in one task: the step's role name -> parties."""

    by_name: Mapping[str, tuple[str, ...]]

    def all(self, role: str) -> tuple[str, ...]:
        """All parties in that role, in the contract's order (may be empty)."""
        return tuple(self.by_name.get(role, ()))

    def maybe(self, role: str) -> str | None:
        """The one party in an optional role, or None.

        Raises
        ------
        UsageError
            Several.
        """
        return self.one(role) if self.all(role) else None

    @property
    def everyone(self) -> tuple[str, ...]:
        """All parties that have a role, sorted."""
        return tuple(sorted({party for parties in self.by_name.values() for party in parties}))

    def one(self, role: str) -> str:
        """The one party in that role.

        Raises
        ------
        UsageError
            None or several.
        """
        parties = self.all(role)
        if len(parties) != 1:
            raise UsageError(
                f"The role '{role}' has {len(parties)} parties where one is due.",
                mend=f"name one party as {role}",
            )
        return parties[0]

    def of(self, party: str) -> tuple[str, ...]:
        """Names of the roles that `party` has."""
        return tuple(role for role, parties in self.by_name.items() if party in parties)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Public sizes: rows and columns by party, known from the contract.

    `model`: of a step that uses a model, its kind and public part, where that is known: as the `makes(params, columns)` of the task that
    makes it says, or of an earlier job's. `part`: which part of the rows is scored, where some were held out for it.
    """

    rows: Mapping[str, int]
    columns: Mapping[str, int]
    model: MadeModel | None = None
    part: float = 1.0

    def scored(self, holders: Sequence[str]) -> int:
        """How many rows a step scores: that part of the shortest table."""
        return round(min((self.rows.get(holder, 0) for holder in holders), default=0) * self.part)


class Step(Protocol):
    """The names a step module has. Roles and inputs are described in words for people."""

    VERSION: int
    SUMMARY: str
    ROLES: Mapping[str, str]
    INPUTS: Mapping[str, str]
    OUTPUTS: Mapping[str, str]
    LEVELS: tuple[str, ...]
    TRUST: str
    Params: type[StepParams]

    def disclosures(self, params: Any, roles: Roles) -> tuple[Disclosure, ...]:
        """Everything a run will tell anybody."""

    def estimate(self, params: Any, roles: Roles, sizes: Sizes, network: Network) -> Cost:
        """What a run is expected to cost."""

    def run(
        self, party: Party, inputs: Mapping[str, Artefact], params: Any, roles: Roles
    ) -> Mapping[str, Artefact]:
        """Run at one party; outputs this party has no part in are left out."""


def step(name: str) -> Step:
    """The installed step of that name."""
    return cast("Step", registry.load(STEPS, name))


def optional_roles(installed: Step) -> frozenset[str]:
    """Roles of the step that nobody need take."""
    found: frozenset[str] = getattr(installed, "OPTIONAL_ROLES", frozenset())
    return found


def optional_inputs(installed: Step) -> frozenset[str]:
    """Inputs of the step that may be left out."""
    found: frozenset[str] = getattr(installed, "OPTIONAL_INPUTS", frozenset())
    return found


def trust_of(installed: Step, params: Any, roles: Roles) -> str:
    """Whom one must trust in a task with these parameters and roles, in words."""
    of: Callable[[Any, Roles], str] | None = getattr(installed, "trust", None)
    return installed.TRUST if of is None else of(params, roles)


def told_by(terms: TaskTerms) -> Spent | None:
    """What one run of a task tells of sets of rows, which adds up (:mod:`unseen.govern.spending`); None: nothing.

    The step's `spends(params, roles)`, where it has that. Else a step that reveals something answers once, without noise: no step
    evades a budget by saying nothing.
    """
    try:
        installed, roles = step(terms.step), Roles(terms.roles)
        params = parse_params(terms.step, terms.params)
        spends: Callable[[Any, Roles], Spent | None] | None = getattr(installed, "spends", None)
        if spends is not None:
            return spends(params, roles)
        told = installed.disclosures(params, roles)
    except UsageError:
        return None  # not installed here, or no task of it: no such task runs
    return EXACT if any(item.door is Door.REVEAL for item in told) else None


def assumed_by(terms: TaskTerms) -> Assumption | None:
    """What the randomness of a task rests on, see :meth:`StepParams.assumes`; None too where its step is not installed here."""
    try:
        return parse_params(terms.step, terms.params).assumes(Roles(terms.roles))
    except UsageError:
        return None  # no such task runs


def pinned(installed: Step, params: StepParams) -> StepParams:
    """The parameters as they go into a contract: with the version and fingerprint of installed code that they name."""
    pin: Callable[[StepParams], StepParams] | None = getattr(installed, "pin", None)
    return params if pin is None else pin(params)


def fingerprint(name: str) -> str:
    """SHA-256 of the step's source file, hex: what a contract pins."""
    module = registry.load(STEPS, name)
    return hashlib.sha256(inspect.getsource(module).encode()).hexdigest()


def check_pinned(name: str, *, version: int, pinned: str) -> Step:
    """The installed step, if it is the one that the contract names.

    Raises
    ------
    DeniedError
        Another version or another source than the contract pins.
    """
    installed = step(name)
    if version != installed.VERSION or fingerprint(name) != pinned:
        raise DeniedError(
            f"The installed step '{name}' is not the one in the contract.",
            why=f"the contract pins version {version}, source {pinned[:12]}…; "
            f"installed is version {installed.VERSION}, source {fingerprint(name)[:12]}…",
            mend="install the same release of unseen as the other parties, or propose a new contract",
            clause=f"step {name}",
        )
    return installed


def parse_params(name: str, params: Mapping[str, Any]) -> StepParams:
    """Validate a step's parameters; all field errors at once.

    Raises
    ------
    UsageError
        Unknown, missing or impossible parameters.
    """
    try:
        return step(name).Params.model_validate(dict(params))
    except ValidationError as error:
        problems = tuple(
            ": ".join(
                part
                for part in (".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, "))
                if part
            )
            for item in error.errors()
        )
        raise UsageError(
            f"The parameters of step '{name}' are wrong.",
            mend=f"see `unseen step show {name}` for its parameters",
            problems=problems,
            step=name,
        ) from error
