"""From what somebody wants computed to what a contract says: pinned steps, declared disclosures, expected cost.

For every task the planner checks that the step gives the asked security level, pins its version and source, asks it
for its disclosures and its estimate, and says in words why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from unseen.core.cost import Cost, Network
from unseen.core.errors import DeniedError, UnseenError, UsageError
from unseen.govern.contract import MODEL, AssetTerms, Contract, DisclosureTerms, Level, TaskTerms
from unseen.jobs.offers import Offer, offer
from unseen.jobs.step import (
    MadeModel,
    Roles,
    Sizes,
    Step,
    StepParams,
    fingerprint,
    optional_inputs,
    optional_roles,
    parse_params,
    pinned,
    step,
    trust_of,
)

_RESTS_ON = {
    None: "",
    "lpn": " Much of what two make between themselves rests on learning parity with noise (LPN).",
    "symmetric": " Nothing rests on learning parity with noise (LPN).",
}
_STRENGTH = {"federated": 0, "shared": 1, "shared-malicious": 2, "enclave": 2}


EarlierModels: TypeAlias = Callable[[str], MadeModel | None]
"""`model:` and a version -> kind and public part, None where that is not known here."""


def unknown(_reference: str) -> MadeModel | None:
    """Where no model is known by its version."""
    return None


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

    `reasons` says in words what was chosen for each task and why, and what hides the intersection where the task tells it
    (`offers`). `lacking`: task -> disclosures that it needs and that were withheld; such a plan is for no contract.
    """

    tasks: tuple[TaskTerms, ...]
    disclosures: tuple[DisclosureTerms, ...]
    costs: Mapping[str, Cost]
    reasons: Mapping[str, str]
    offers: Mapping[str, Offer] = field(default_factory=dict)
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def check_complete(self) -> None:
        """Check that every task may tell what it tells.

        Raises
        ------
        UsageError
            A disclosure was withheld: names the task, and the step that does without it.
        """
        problems = tuple(
            f"task '{task}' tells '{', '.join(names)}', which this contract does not list"
            + (f"; {self.offers[task]}" if task in self.offers else "")
            for task, names in self.lacking.items()
        )
        if problems:
            raise UsageError(
                "Tasks tell more than this contract is to list.",
                why="each party's gate would hold it back, and the run would fail",
                mend="take the steps that are offered, or list the disclosures",
                problems=problems,
            )


def plan(
    sketches: Sequence[TaskSketch],
    assets: Sequence[AssetTerms],
    *,
    level: Level,
    network: Network | None = None,
    withhold: Sequence[str] = (),
) -> Plan:
    """Plan a workflow.

    Parameters
    ----------
    withhold
        Names of disclosures that the contract is not to list, such as "intersection": who is common.

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
    offers: dict[str, Offer] = {}
    lacking: dict[str, tuple[str, ...]] = {}
    sizes = sizes_of(assets)
    helper = next((who for sketch in sketches for who in sketch.roles.get("helper", ())), None)
    for sketch in sketches:
        try:
            installed = step(sketch.step)
            tasks.append(_pin(sketch, installed, level))
            roles = Roles(sketch.roles)
            params = pinned(installed, parse_params(sketch.step, sketch.params))
            declared = _declare(sketch.name, installed, params, roles)
            disclosures += [item for item in declared if item.name not in withhold]
            if held := tuple(item.name for item in declared if item.name in withhold):
                lacking[sketch.name] = held
            made = _sizes_for(sketch, sketches, sizes, unknown)
            costs[sketch.name] = installed.estimate(params, roles, made, network or Network())
            reasons[sketch.name] = _reason(installed, params, roles, level)
            found = offer(installed, params, roles, sizes, network or Network(), helper=helper)
            if found is not None:
                offers[sketch.name] = found
                reasons[sketch.name] += f" It tells who is common; {found}."
        except UsageError as error:
            details = error.problems or (f"{error.what} {error.why}".strip(),)
            problems += [f"task '{sketch.name}': {detail}" for detail in details]
    if problems:
        raise UsageError(
            "This workflow cannot be planned.",
            mend="`unseen step show NAME` shows a step's roles and parameters",
            problems=tuple(problems),
        )
    return Plan(tuple(tasks), tuple(disclosures), costs, reasons, offers, lacking)


def offers_of(contract: Contract, *, network: Network | None = None) -> dict[str, Offer]:
    """Task -> what hides the intersection that it tells of."""
    sketches = [
        TaskSketch(task.name, task.step, task.roles, task.inputs, task.params) for task in contract.tasks
    ]
    return dict(plan(sketches, contract.assets, level=contract.security_level, network=network).offers)


def costs_of(
    contract: Contract, *, network: Network | None = None, earlier: EarlierModels = unknown
) -> dict[str, Cost]:
    """Task -> what a run is expected to take, of those tasks whose step is installed here as the contract pins it.

    Never fails: the contract may be anybody's, and its sizes anything. `earlier` knows models by their versions; of one that it does not
    know the estimate is that of a linear one.
    """
    sketches = [
        TaskSketch(task.name, task.step, task.roles, task.inputs, task.params) for task in contract.tasks
    ]
    sizes, found = sizes_of(contract.assets), {}
    for sketch, terms in zip(sketches, contract.tasks, strict=True):
        try:
            installed = step(sketch.step)
            if terms.version != installed.VERSION:
                continue
            made = _sizes_for(sketch, sketches, sizes, earlier)
            params = parse_params(sketch.step, sketch.params)
            found[sketch.name] = installed.estimate(params, Roles(sketch.roles), made, network or Network())
        except (UnseenError, ArithmeticError, LookupError, ValueError):
            continue
    return found


def check_honest(contract: Contract, *, me: str) -> None:
    """Check that a contract says of its tasks what their steps say of themselves.

    People sign what they read. A proposer writes that text, so it must not be the proposer's word: each disclosure
    must be one that the installed step declares, in the same words, by the same door, to nobody else and not more of
    it; and no step may be sold as safer than it is.

    Parameters
    ----------
    me
        This party: steps of tasks that it takes no part in need not be installed here.

    Raises
    ------
    DeniedError
        The contract says something else.
    """
    for terms in contract.tasks:
        try:
            installed = step(terms.step)
        except UsageError:
            if me in terms.parties:
                raise
            continue
        if (installed.VERSION, fingerprint(terms.step)) != (terms.version, terms.fingerprint):
            continue  # the run is refused where the party takes part in it; what it declares is not known here
        sketch = TaskSketch(terms.name, terms.step, terms.roles, terms.inputs, terms.params)
        try:
            _pin(sketch, installed, contract.security_level)
            params = parse_params(terms.step, terms.params)
            params.assumes(Roles(terms.roles))
        except UsageError as error:
            raise _dishonest(terms.name, str(error).replace("\n", " ")) from error
        try:
            listed = _declare(terms.name, installed, params, Roles(terms.roles))
        except DeniedError:  # it names other installed code than is here
            if me in terms.parties:
                raise
            continue
        declared = {item.name: item for item in listed}
        for item in contract.disclosures:
            if item.task == terms.name and (objection := _objection(item, declared.get(item.name))):
                raise _dishonest(terms.name, objection)


def _objection(listed: DisclosureTerms, declared: DisclosureTerms | None) -> str:
    """How a disclosure in the contract goes beyond what the step declares; empty if it does not."""
    if declared is None:
        return f"the step knows no disclosure '{listed.name}'"
    if (listed.what, listed.door) != (declared.what, declared.door):
        return f"'{listed.name}' is described as '{listed.what}'; the step says '{declared.what}'"
    if not set(listed.to) <= set(declared.to):
        return f"'{listed.name}' would go to {', '.join(sorted(set(listed.to) - set(declared.to)))} too"
    least = declared.max_elements
    if listed.times > declared.times or (
        least is not None and (listed.max_elements is None or listed.max_elements > least)
    ):
        return f"'{listed.name}' would tell more than the step declares"
    return ""


def _dishonest(task: str, why: str) -> DeniedError:
    return DeniedError(
        f"The contract says something else of '{task}' than the installed step.",
        why=why,
        mend="do not sign it; let it be made again with `unseen contract draft`",
        clause=f"disclosures of {task}",
    )


def sizes_of(assets: Sequence[AssetTerms]) -> Sizes:
    """Public sizes of the data that the holders bring."""
    rows = {terms.holder: terms.rows for terms in assets}
    columns = {
        terms.holder: sum(1 for column in terms.columns if column.role == "feature") for terms in assets
    }
    return Sizes(rows, columns)


def _sizes_for(
    sketch: TaskSketch, sketches: Sequence[TaskSketch], sizes: Sizes, earlier: EarlierModels
) -> Sizes:
    """The sizes with the model that a task uses, if another one makes it and says so, or it is an earlier job's, and with what it scores."""
    reference = sketch.inputs.get("model")
    if not isinstance(reference, str):
        return sizes
    sizes = replace(sizes, part=_part(sketch.inputs.get("table"), sketches))
    if reference.startswith(MODEL):
        return replace(sizes, model=earlier(reference))
    task = reference.partition(".")[0]
    for maker in sketches:
        makes = getattr(step(maker.step), "makes", None) if maker.name == task else None
        if makes is not None:
            try:
                return replace(sizes, model=makes(parse_params(maker.step, maker.params), sizes.columns))
            except UsageError:  # said of the maker, once
                return sizes
    return sizes


def _part(table: str | Mapping[str, str] | None, sketches: Sequence[TaskSketch]) -> float:
    """Which part of the rows a table has, by the `part(params, output)` of the tasks that cut it."""
    known, part = {sketch.name: sketch for sketch in sketches}, 1.0
    while isinstance(table, str):
        task, _, output = table.partition(".")
        maker = known.pop(task, None)  # once: what goes in circles ends
        if maker is None:
            return part
        try:
            cuts = getattr(step(maker.step), "part", None)
            part *= 1.0 if cuts is None else cuts(parse_params(maker.step, maker.params), output)
        except UsageError:  # said of the maker, once
            return part
        table = maker.inputs.get(output, maker.inputs.get("table"))  # as `prepare` names them alike
    return part


def _pin(sketch: TaskSketch, installed: Step, level: Level) -> TaskTerms:
    unknown = sorted(set(sketch.roles) - set(installed.ROLES))
    needed = set(installed.ROLES) - optional_roles(installed)
    missing = sorted(role for role in needed if not sketch.roles.get(role))
    if unknown or missing:
        raise UsageError(
            f"The step '{sketch.step}' has other roles.",
            why=f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}",
        )
    lacking = sorted(
        (set(installed.INPUTS) ^ set(sketch.inputs)) - (optional_inputs(installed) - set(sketch.inputs))
    )
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
    params, holders = parse_params(sketch.step, sketch.params), tuple(sketch.roles.get("holders", ()))
    for name in params.BY_HOLDER:
        strangers = sorted(set(getattr(params, name)) - set(holders))
        if strangers:
            raise UsageError(
                f"`{name}` is by holder, and {', '.join(strangers)} is none.",
                why=f"holders: {', '.join(holders)}",
            )
    return TaskTerms(
        name=sketch.name,
        step=sketch.step,
        version=installed.VERSION,
        fingerprint=fingerprint(sketch.step),
        params=dict(pinned(installed, params).model_dump(mode="json")),
        roles={role: tuple(parties) for role, parties in sketch.roles.items() if parties},
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


def _reason(installed: Step, params: StepParams, roles: Roles, level: Level) -> str:
    fitting = [known for known in installed.LEVELS if _STRENGTH[known] >= _STRENGTH[level]]
    chosen = min(fitting, key=lambda known: _STRENGTH[known])
    whom = f"{trust_of(installed, params, roles)}{_RESTS_ON[params.assumes(roles)]}"
    return f"level '{chosen}', the least of this step that is enough for '{level}'. {whom}"
