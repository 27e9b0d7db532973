"""Cross-validation and learning curves over aligned or joined rows, as tasks of a workflow (交叉验证、学习曲线).

    tried = cross_validate(flow, "cv", table=aligned["table"], roles={...}, train=("train-linear", {"family": "logistic"}))
    outcome = Local().run(flow)
    tried.results(outcome.at("bank"))["auc"].mean

Each common row is in one fold, the same at every holder (`folds`); each fold is held out once (`split`), the others train, and what was
learnt on them alone (`prepare`, `standardise`, `select`) is applied to it. The receiver gets the measures of every fold and, by the step
`average`, their mean with its interval (:mod:`unseen.learn.evaluate.folds`). Every fold is a task by itself: after a crash finished ones stay
finished, and the contract lists what each tells.

Of a hidden join (`train` with `joined`) places are put in folds, by the same coin of the holders, and a fold is measured on the rows that
its places happen to hold: nobody learns which or how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.jobs.step import step
from unseen.jobs.steps.average import MOST
from unseen.learn.evaluate.folds import Average, average

if TYPE_CHECKING:
    from unseen.client.outcome import PartyOutcome
    from unseen.client.workflow import TaskHandle, Workflow

StepOf = tuple[str, Mapping[str, Any]]
"""A step and its parameters."""
_SIDES = {"train", "test"}


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Names of the tasks that average, by the part of the training rows that was trained on: 1.0 for all, and of a learning curve others."""

    averages: Mapping[float, TaskHandle]

    def results(self, outcome: PartyOutcome, *, part: float = 1.0) -> dict[str, Average]:
        """Measure -> its mean, interval, and value on each fold, from what the receiver has."""
        meta = outcome.metrics(self.averages[part].name)
        return {
            name.removesuffix("_folds"): average(values)
            for name, values in meta.items()
            if name.endswith("_folds")
        }

    def curve(self, outcome: PartyOutcome, measure: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Parts of the training rows, ascending, and the measure, shape (parts, folds): scikit-learn's `train_sizes` and `test_scores`."""
        parts = sorted(self.averages)
        values = [self.results(outcome, part=part)[measure].values for part in parts]
        return np.array(parts), np.array(values)


def cross_validate(
    flow: Workflow,
    name: str,
    *,
    table: str,
    roles: Mapping[str, str | Sequence[str]],
    train: StepOf,
    prepare: Sequence[StepOf] = (),
    evaluate: Mapping[str, Any] | None = None,
    folds: int = 5,
    stratify: bool = False,
    train_sizes: Sequence[float] = (1.0,),
) -> CrossValidation:
    """Add the tasks of a cross-validation to a workflow; several `train_sizes` make a learning curve of it.

    Parameters
    ----------
    name
        What names of tasks begin with: at most 20 characters.
    table
        Rows in the same order at every holder, such as `align.table`; or joined rows in shares.
    roles
        holders, label_holder, receiver, and helper where there is one; each step takes those that it has.
    train
        The step that makes the model, and its parameters; with `joined` among these the table is of joined rows.
    prepare
        Steps that learn from training rows and apply it to held-out ones, one after the other; of joined rows such as change training rows
        alone (`standardise-joined`), whose models are for rows as they were joined.
    evaluate
        Parameters of `evaluate`; `joined` is as in training.
    folds
        From 2 to 20.
    stratify
        Every fold has the overall rate of the label (0 or 1); not of joined rows.
    train_sizes
        Which parts of the training rows to train on, from above 0 to 1.

    Raises
    ------
    UsageError
        An unknown step, one that does not fit its place, or numbers out of range.
    """
    joined = bool(train[1].get("joined"))
    _check(name, folds, train_sizes, train, prepare, stratify=stratify, joined=joined)
    rows = flow.task(
        f"{name}-folds", "folds", roles=_taken("folds", roles, drop=() if stratify else ("label_holder",)),
        inputs={"table": table}, params={"folds": folds, "stratify": stratify},
    )  # fmt: skip
    measured: dict[float, list[TaskHandle]] = {part: [] for part in train_sizes}
    for fold in range(folds):
        at_random = _taken("split", roles, drop=("label_holder",))
        cut = flow.task(
            f"{name}-{fold + 1}-split", "split", roles=at_random, inputs={"table": rows["table"]},
            params={"fold": fold},
        )  # fmt: skip
        for part in train_sizes:
            stem, sides = f"{name}-{fold + 1}", {"train": cut["train"], "test": cut["test"]}
            if part < 1:
                stem += f"-{round(100 * part)}"
                fewer = flow.task(
                    f"{stem}-part", "split", roles=at_random, inputs={"table": cut["train"]},
                    params={"test_fraction": 1 - part},
                )  # fmt: skip
                sides["train"] = fewer["train"]
            measured[part].append(
                _fold(
                    flow,
                    stem,
                    sides,
                    roles,
                    train,
                    prepare,
                    {**({"joined": True} if joined else {}), **(evaluate or {})},
                )
            )
    return CrossValidation(
        {
            part: flow.task(
                f"{name}-mean" + ("" if part == 1 else f"-{round(100 * part)}"),
                "average",
                roles=_taken("average", roles),
                inputs={f"fold-{place}": made["metrics"] for place, made in enumerate(each, 1)},
            )
            for part, each in measured.items()
        }
    )


def _fold(
    flow: Workflow,
    stem: str,
    sides: Mapping[str, str],
    roles: Mapping[str, str | Sequence[str]],
    train: StepOf,
    prepare: Sequence[StepOf],
    evaluate: Mapping[str, Any],
) -> TaskHandle:
    """Prepare, train, evaluate one fold."""
    for place, (which, params) in enumerate(prepare, 1):
        alone = not set(step(which).INPUTS) >= _SIDES
        done = flow.task(
            f"{stem}-prepare{place}",
            which,
            roles=_taken(which, roles),
            inputs={"table": sides["train"]} if alone else dict(sides),
            params=params,
        )
        sides = {**sides, "train": done["table"]} if alone else {side: done[side] for side in sides}
    which, params = train
    model = flow.task(
        f"{stem}-train", which, roles=_taken(which, roles), inputs={"table": sides["train"]}, params=params
    )
    return flow.task(
        f"{stem}-evaluate",
        "evaluate",
        roles=_taken("evaluate", roles),
        inputs={"model": model["model"], "table": sides["test"]},
        params=evaluate,
    )


def _taken(
    which: str, roles: Mapping[str, str | Sequence[str]], *, drop: Sequence[str] = ()
) -> dict[str, str | Sequence[str]]:
    """Those of the roles that a step has."""
    return {role: who for role, who in roles.items() if role in step(which).ROLES and role not in drop}


def _check(
    name: str,
    folds: int,
    train_sizes: Sequence[float],
    train: StepOf,
    prepare: Sequence[StepOf],
    *,
    stratify: bool,
    joined: bool,
) -> None:
    problems = []
    if not 2 <= folds <= MOST:  # noqa: PLR2004
        problems.append(f"folds are from 2 to {MOST}, not {folds}")
    if not train_sizes or any(not 0 < part <= 1 for part in train_sizes):
        problems.append("train_sizes are above 0 and at most 1")
    if len({round(100 * part) for part in train_sizes}) != len(train_sizes):
        problems.append("two of train_sizes are the same hundredth")
    if "model" not in step(train[0]).OUTPUTS or "table" not in step(train[0]).INPUTS:
        problems.append(f"the step '{train[0]}' makes no model of a table")
    if stratify and joined:
        problems.append("joined rows are not put in folds by label, which nobody sees: leave out `stratify`")
    wanted = {"table"} if joined else _SIDES
    rows = "joined rows in shares" if joined else "training and held-out rows"
    problems += [
        f"the step '{which}' does not take and give {rows}"
        for which, _ in prepare
        if not set(step(which).INPUTS) & set(step(which).OUTPUTS) >= wanted
    ]
    if problems:
        raise UsageError(f"The cross-validation '{name}' is not to be had so.", problems=tuple(problems))
