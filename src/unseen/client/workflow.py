"""Say what shall be computed: a :class:`Workflow` becomes a contract that the parties sign.

    flow = Workflow("Screening model", purpose="screening")
    flow.party("hospital", roles=("holder", "receiver"))
    ...
    rows = flow.task("align", "psi", roles={"holders": ("hospital", "laboratory")}, inputs={"table": {...}})

Nothing is computed here and nothing is sent: `contract()` is a pure function of what was said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

import pyarrow as pa
from pydantic import ValidationError

from unseen.core import registry
from unseen.core.errors import UsageError
from unseen.data.read import read
from unseen.data.table import Table
from unseen.govern.contract import AssetTerms, BudgetTerms, ColumnTerms, Contract, Level, PartyTerms, RoleName
from unseen.jobs.planner import Plan, TaskSketch, plan
from unseen.jobs.step import STEPS

Reference = str | Mapping[str, str]


class Frame(Protocol):
    """A table of any library that speaks the Arrow PyCapsule interface: `pyarrow.Table`, a DataFrame of pandas or Polars."""

    def __arrow_c_stream__(self, requested_schema: object = None, /) -> object:
        """Its rows as a stream of record batches."""


class Environment(Protocol):
    """Where workflows run: `Local`, `Loopback`, `Consortium`."""

    def run(self, workflow: Workflow, /, **options: Any) -> Any:
        """Run it as far as this environment can."""


@dataclass(frozen=True, slots=True)
class TaskHandle:
    """A task of the workflow; `handle["table"]` names one of its outputs for later tasks."""

    name: str
    outputs: tuple[str, ...]

    def __getitem__(self, output: str) -> str:
        if output not in self.outputs:
            raise UsageError(
                f"Task '{self.name}' has no output '{output}'.",
                why=f"it has: {', '.join(self.outputs) or 'none'}",
            )
        return f"{self.name}.{output}"


class Workflow:
    """A growing description of a joint computation.

    Parameters
    ----------
    title
        One line for people.
    purpose
        The purpose that every asset's owner must allow.
    level
        Least security level of all steps.
    runs
        How often the contract may be run.
    days
        How long it is valid from the moment it is made.
    withhold
        Names of disclosures that the contract is not to list, such as "intersection" (who is common): tasks that need them are
        refused, with the offer of what does without.
    """

    def __init__(
        self,
        title: str,
        *,
        purpose: str,
        level: Level = "shared",
        runs: int = 1,
        days: float = 30,
        withhold: Sequence[str] = (),
    ) -> None:
        self.title = title
        self.purpose = purpose
        self.level = level
        self.runs = runs
        self.days = days
        self.withhold = tuple(withhold)
        self._parties: dict[str, tuple[str, tuple[RoleName, ...]]] = {}
        self._assets: dict[str, AssetTerms] = {}
        self._tables: dict[str, Table] = {}
        self._sketches: list[TaskSketch] = []

    def party(self, name: str, *, roles: Sequence[RoleName], title: str = "") -> str:
        """Add an organisation; returns its name."""
        self._parties[name] = (title or name, tuple(roles))
        return name

    def asset(self, terms: AssetTerms) -> str:
        """Add an asset on its owner's terms (from its catalogue); returns its reference."""
        self._assets[terms.name] = terms
        return terms.reference

    def table(
        self,
        name: str,
        *,
        holder: str,
        source: str | Path | Frame | Table,
        id_columns: Sequence[str] = (),
        label_columns: Sequence[str] = (),
        ignore_columns: Sequence[str] = (),
        steps: Sequence[str] | None = None,
        budget: BudgetTerms | None = None,
    ) -> str:
        """Add an asset together with its data, a file or a table (Arrow, pandas, Polars); returns its reference.

        For `Local()` and `Loopback()`, where one person has everybody's data. `ignore_columns` are no features. `steps` may work on it and on what
        comes of it: all that are installed, where nothing is said. `budget` bounds what answers about it tell in all; it is
        kept by nodes, not by `Local()`, which forgets.

        Raises
        ------
        UsageError
            The file cannot be read, or has no such columns.
        """
        roles = {
            "id_columns": id_columns,
            "label_columns": label_columns,
            "ignore_columns": ignore_columns,
        }
        if isinstance(source, Table):
            table = source
        elif isinstance(source, str | Path):
            table = read(source, **roles)
        else:
            table = Table.of(_arrow(source), **roles)
        self._tables[name] = table
        return self.asset(
            AssetTerms(
                name=name,
                holder=holder,
                columns=tuple(
                    ColumnTerms(name=column.name, type=column.type, role=column.role)
                    for column in table.schema
                ),
                rows=table.rows,
                steps=tuple(registry.names(STEPS) if steps is None else steps),
                purposes=(self.purpose,),
                budget=budget,
            )
        )

    @property
    def tables(self) -> Mapping[str, Table]:
        """Asset -> data, as far as given here."""
        return dict(self._tables)

    def task(
        self,
        name: str,
        step: str,
        *,
        roles: Mapping[str, str | Sequence[str]],
        inputs: Mapping[str, Reference] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> TaskHandle:
        """Add a task.

        Raises
        ------
        UsageError
            No such step.
        """
        from unseen.jobs.step import step as installed  # noqa: PLC0415 - loads the step's libraries

        parties = {role: (who,) if isinstance(who, str) else tuple(who) for role, who in roles.items()}
        self._sketches.append(TaskSketch(name, step, parties, dict(inputs or {}), dict(params or {})))
        return TaskHandle(name, tuple(installed(step).OUTPUTS))

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties, sorted."""
        return tuple(sorted(self._parties))

    @property
    def assets(self) -> tuple[AssetTerms, ...]:
        """The assets so far."""
        return tuple(self._assets.values())

    def plan(self) -> Plan:
        """Tasks, disclosures and estimates; see :func:`unseen.jobs.planner.plan`."""
        return plan(self._sketches, self.assets, level=self.level, withhold=self.withhold)

    def run(self, environment: Environment, **options: Any) -> Any:
        """The same as `environment.run(self)`: the environment is an argument, the job does not change."""
        return environment.run(self, **options)

    def contract(self, identities: Mapping[str, str], *, now: datetime | None = None) -> Contract:
        """The contract to be signed.

        Parameters
        ----------
        identities
            Party -> identity key (`ed25519:…`).

        Raises
        ------
        UsageError
            Parties without identity, references to nothing, purposes or steps an owner does not allow, tasks that tell what
            is withheld: all problems of a kind at once.
        """
        missing = [name for name in self.parties if name not in identities]
        if missing:
            raise UsageError(
                f"No identity is known of {', '.join(missing)}.", mend="invite them as peers first"
            )
        planned = self.plan()
        planned.check_complete()
        start = (now or datetime.now(UTC)).replace(microsecond=0)
        try:
            return Contract(
                title=self.title,
                purpose=self.purpose,
                parties=tuple(
                    PartyTerms(name=name, identity=identities[name], roles=roles, title=title)
                    for name, (title, roles) in sorted(self._parties.items())
                ),
                assets=self.assets,
                tasks=planned.tasks,
                disclosures=planned.disclosures,
                security_level=self.level,
                runs=self.runs,
                valid_from=start,
                valid_until=start + timedelta(days=self.days),
                nonce=token_hex(16),
            )
        except ValidationError as error:
            problems = tuple(str(item["msg"]).removeprefix("Value error, ") for item in error.errors())
            raise UsageError("This workflow cannot become a contract.", problems=problems) from error


def _arrow(frame: Frame) -> pa.Table:
    """Without the row numbers that pandas adds where rows were chosen or put in another order: they are nobody's column."""
    table = pa.table(frame)
    return table.select(
        [name for name in table.column_names if not re.fullmatch(r"__index_level_\d+__", name)]
    )
