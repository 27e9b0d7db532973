"""A workflow file becomes a contract; the file's form is in docs/cli.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseen.client.cross_validation import cross_validate
from unseen.client.workflow import TaskHandle, Workflow
from unseen.core.errors import UsageError
from unseen.govern.contract import MODEL, AssetTerms, Contract, Level, RoleName
from unseen.node.operations import Node

_VERSION = re.compile(r"model-[0-9a-f]{64}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PartyPart(_Part):
    """`[parties.NAME]`."""

    roles: tuple[RoleName, ...]
    title: str = ""


class TaskPart(_Part):
    """`[[tasks]]`."""

    name: str
    step: str
    roles: dict[str, str | tuple[str, ...]]
    inputs: dict[str, str | dict[str, str]] = {}
    params: dict[str, Any] = {}


class StepPart(_Part):
    """A step and its parameters, where names and inputs follow from the place."""

    step: str
    params: dict[str, Any] = {}


class CrossValidationPart(_Part):
    """`[[cross_validations]]`: tasks that :func:`unseen.client.cross_validation.cross_validate` adds after the others."""

    name: str = Field(min_length=1, max_length=20)
    table: str
    roles: dict[str, str | tuple[str, ...]]
    train: StepPart
    prepare: tuple[StepPart, ...] = ()
    evaluate: dict[str, Any] = {}
    folds: int = 5
    stratify: bool = False
    train_sizes: tuple[float, ...] = (1.0,)


class WorkflowFile(_Part):
    """The whole file. `assets` are HOLDER/NAME, `withhold` names of disclosures that the contract is not to list."""

    format: Literal[1] = 1
    title: str
    purpose: str
    level: Level = "shared"
    runs: int = Field(default=1, ge=1)
    days: float = Field(default=30, gt=0)
    parties: dict[str, PartyPart] = Field(min_length=1)
    withhold: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    tasks: tuple[TaskPart, ...] = Field(min_length=1)
    cross_validations: tuple[CrossValidationPart, ...] = ()


def read(path: Path) -> WorkflowFile:
    """Read and check a workflow file.

    Raises
    ------
    UsageError
        No such file, not TOML, or wrong fields: all of them are listed.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read.", why=str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML.", why=str(error)) from error
    try:
        return WorkflowFile.model_validate(values)
    except ValidationError as error:
        problems = tuple(
            f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise UsageError(f"{path} has mistakes.", mend="correct them all", problems=problems) from error


def contract_of(path: Path, node: Node) -> Contract:
    """The contract that a workflow file describes, with keys and terms as `node` knows them.

    Raises
    ------
    UsageError
        The file is wrong, a party is no peer, an asset was not offered, or terms do not allow it.
    """
    file = read(path)
    me = node.identity()
    identities = {me.name: me.identity} | {peer.name: peer.identity for peer in node.peer_list()}
    flow = Workflow(
        file.title,
        purpose=file.purpose,
        level=file.level,
        runs=file.runs,
        days=file.days,
        withhold=file.withhold,
    )
    for name, party in file.parties.items():
        flow.party(name, roles=party.roles, title=party.title)
    for terms in _terms(file.assets, node):
        flow.asset(terms)
    handles: dict[str, TaskHandle] = {}
    for task in file.tasks:
        inputs: dict[str, str | dict[str, str]] = {}
        for name, source in task.inputs.items():
            if isinstance(source, str):
                inputs[name] = _reference(source, handles, task.name, node)
            else:
                inputs[name] = {
                    party: _reference(part, handles, task.name, node) for party, part in source.items()
                }
        handles[task.name] = flow.task(
            task.name, task.step, roles=task.roles, inputs=inputs, params=task.params
        )
    for asked in file.cross_validations:
        _reference(asked.table, handles, asked.name, node)
        cross_validate(
            flow,
            asked.name,
            table=asked.table,
            roles=asked.roles,
            train=(asked.train.step, asked.train.params),
            prepare=[(part.step, part.params) for part in asked.prepare],
            evaluate=asked.evaluate,
            folds=asked.folds,
            stratify=asked.stratify,
            train_sizes=asked.train_sizes,
        )
    return flow.contract(identities)


def _reference(reference: str, handles: Mapping[str, TaskHandle], task: str, node: Node) -> str:
    """The reference as the contract takes it: models by their whole versions; outputs only of tasks above, which must have them."""
    name, dot, output = reference.partition(".")
    if reference.startswith(MODEL):
        version = reference.removeprefix(MODEL)
        return reference if _VERSION.fullmatch(version) else MODEL + node.model_show(version).version
    if reference.startswith("asset:"):
        return reference
    if not dot or name not in handles:
        raise UsageError(
            f"Task '{task}' takes '{reference}', which is nothing.",
            why=f"above it are the tasks {', '.join(handles) or 'none'}",
            mend="write asset:NAME, TASK.OUTPUT of a task above, or model:VERSION of an earlier job",
        )
    handles[name][output]
    return reference


def _terms(references: tuple[str, ...], node: Node) -> list[AssetTerms]:
    known = {f"{asset.terms.holder}/{asset.terms.name}": asset.terms for asset in node.asset_list()}
    missing = [reference for reference in references if reference not in known]
    if missing:
        raise UsageError(
            f"Not in the catalogue: {', '.join(missing)}.",
            why=f"it has: {', '.join(sorted(known)) or 'nothing'}",
            mend="write HOLDER/NAME; ask the holder to `unseen asset offer` what is theirs",
        )
    return [known[reference] for reference in references]
