"""From what somebody wants computed to what a contract says: pinned steps, declared disclosures, expected cost.

For every task the planner checks that the step gives the asked security level, pins its version and source, asks it
for its disclosures and its estimate, and says in words why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.govern.contract import AssetTerms, DisclosureTerms, Level, TaskTerms
from unseen.jobs.step import Roles, Sizes, Step, fingerprint, parse_params, step

_STRENGTH = {"federated": 0, "shared": 1, "shared-malicious": 2, "enclave": 2}


@dataclass(frozen=True, slots=True)
class TaskSketch:
    """One task as a person names it: installed step, role -> parties, input -> reference, parameters."""

    name: str
    step: str
    roles: Mapping[str, tuple[str, ...]]
    inputs: Mapping[str, str | Mapping[str, str]]
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes into the contract, and what a run is expected to cost, by task.

    `reasons` says in words what was chosen for each task and why.
    """

    tasks: tuple[TaskTerms, ...]
    disclosures: tuple[DisclosureTerms, ...]
    costs: Mapping[str, Cost]
    reasons: Mapping[str, str]


def plan(
    sketches: Sequence[TaskSketch],
    assets: Sequence[AssetTerms],
    *,
    level: Level,
    network: Network | None = None,
) -> Plan:
    """Plan a workflow.

    Raises
    ------
    UsageError
        Unknown steps, wrong parameters, missing roles, a level that a step does not give: all problems at once.
    """
    tasks: list[TaskTerms] = []
    disclosures: list[DisclosureTerms] = []
    costs: dict[str, Cost] = {}
    reasons: dict[str, str] = {}
    problems: list[str] = []
    sizes = sizes_of(assets)
    for sketch in sketches:
        try:
            installed = step(sketch.step)
            tasks.append(_pin(sketch, installed, level))
            roles = Roles(sketch.roles)
            params = parse_params(sketch.step, sketch.params)
            disclosures += _declare(sketch.name, installed, params, roles)
            costs[sketch.name] = installed.estimate(params, roles, sizes, network or Network())
            reasons[sketch.name] = _reason(installed, level)
        except UsageError as error:
            details = error.problems or (f"{error.what} {error.why}".strip(),)
            problems += [f"task '{sketch.name}': {detail}" for detail in details]
    if problems:
        raise UsageError(
            "This workflow cannot be planned.",
            mend="`unseen step show NAME` shows a step's roles and parameters",
            problems=tuple(problems),
        )
    return Plan(tuple(tasks), tuple(disclosures), costs, reasons)


def sizes_of(assets: Sequence[AssetTerms]) -> Sizes:
    """Public sizes of the data that the holders bring."""
    rows = {terms.holder: terms.rows for terms in assets}
    columns = {
        terms.holder: sum(1 for column in terms.columns if column.role == "feature") for terms in assets
    }
    return Sizes(rows, columns)


def _pin(sketch: TaskSketch, installed: Step, level: Level) -> TaskTerms:
    unknown = sorted(set(sketch.roles) - set(installed.ROLES))
    missing = sorted(role for role in installed.ROLES if not sketch.roles.get(role))
    if unknown or missing:
        raise UsageError(
            f"The step '{sketch.step}' has other roles.",
            why=f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}",
        )
    lacking = sorted(set(installed.INPUTS) ^ set(sketch.inputs))
    if lacking:
        raise UsageError(
            f"The step '{sketch.step}' has other inputs.",
            why=f"it takes: {', '.join(installed.INPUTS) or 'none'}; these do not match: {', '.join(lacking)}",
        )
    if max(_STRENGTH[known] for known in installed.LEVELS) < _STRENGTH[level]:
        raise UsageError(
            f"The step '{sketch.step}' does not give the security level '{level}'.",
            why=f"it gives: {', '.join(installed.LEVELS)}",
        )
    return TaskTerms(
        name=sketch.name,
        step=sketch.step,
        version=installed.VERSION,
        fingerprint=fingerprint(sketch.step),
        params=dict(parse_params(sketch.step, sketch.params).model_dump(mode="json")),
        roles={role: tuple(parties) for role, parties in sketch.roles.items()},
        inputs={
            name: source if isinstance(source, str) else dict(source)
            for name, source in sketch.inputs.items()
        },
    )


def _declare(task: str, installed: Step, params: Any, roles: Roles) -> list[DisclosureTerms]:
    return [
        DisclosureTerms(
            task=task,
            name=item.name,
            what=item.what,
            to=item.to,
            door=item.door.value,
            max_elements=item.max_elements,
            times=item.times,
        )
        for item in installed.disclosures(params, roles)
    ]


def _reason(installed: Step, level: Level) -> str:
    fitting = [known for known in installed.LEVELS if _STRENGTH[known] >= _STRENGTH[level]]
    chosen = min(fitting, key=lambda known: _STRENGTH[known])
    return f"level '{chosen}', the least of this step that is enough for '{level}'. {installed.TRUST}"
