"""What the scenes compute: a joint model by column. Two holders train with a helper that deals randomness, three alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from unseen.client.workflow import TaskHandle, Workflow
from unseen.scenes.partition import Holding

HELPER = "helper"
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen.

    Attributes
    ----------
    purpose
        What the assets may be used for.
    test_fraction
        Share of rows held out.
    penalty, iterations
        L2 penalty, Newton iterations.
    bound
        Inputs are bound to commitments in the log.
    show, at_least
        Whether the evaluation shows the receiver the scores of the rows, or measures alone; then the least number of rows of
        either class in a group that it tells.
    trees
        So many boosted trees of depth 3 are trained beside the logistic regression; 0: none.
    card
        The receiver gets the points of a scorecard for the rows too.
    handover
        The receiver gets the whole logistic model, to use and export it.
    """

    purpose: str = "screening"
    test_fraction: float = 0.25
    penalty: float = 1.0
    iterations: int = 10
    bound: bool = False
    show: Literal["measures", "scores"] = "scores"
    at_least: int = 10
    trees: int = 0
    card: bool = False
    handover: bool = False


def parties(holdings: Sequence[Holding]) -> tuple[str, ...]:
    """Who takes part: the holders, and for two of them a helper."""
    names = tuple(holding.party for holding in holdings)
    return (*names, HELPER) if len(names) == _PAIR else names


def workflow(holdings: Sequence[Holding], settings: Settings) -> Workflow:
    """Align, split, standardise, train, evaluate, predict: the main job.

    `holdings[0]` has the label and is the receiver, who gets the scores of the held-out rows in the last task.
    """
    receiver, *others = holders = tuple(holding.party for holding in holdings)
    flow = Workflow(
        f"Joint model of {', '.join(holders[:-1])} and {holders[-1]}",
        purpose=settings.purpose,
        level="shared",
    )
    flow.party(receiver, roles=("holder", "receiver"), title=receiver.capitalize())
    for other in others:
        flow.party(other, roles=("holder",), title=other.capitalize())
    together: dict[str, str | tuple[str, ...]] = {"holders": holders}
    if HELPER in parties(holdings):
        flow.party(HELPER, roles=("computer",), title="Helper")
        together["helper"] = HELPER
    references = {
        holding.party: flow.table(
            holding.asset,
            holder=holding.party,
            source=holding.table,
            id_columns=(holding.key,),
            label_columns=(holding.label,) if holding.label else (),
        )
        for holding in holdings
    }
    rows = flow.task("align", "psi", roles={"holders": holders}, inputs={"table": references})
    halves = flow.task(
        "split",
        "split",
        roles={"holders": holders},
        inputs={"table": rows["table"]},
        params={"test_fraction": settings.test_fraction},
    )
    scaled = flow.task(
        "standardise",
        "standardise",
        roles={"holders": holders},
        inputs={"train": halves["train"], "test": halves["test"]},
        params={"commit": settings.bound},
    )
    model = flow.task(
        "train",
        "train-linear",
        roles={**together, "label_holder": receiver},
        inputs={"table": scaled["train"]},
        params={
            "l2": settings.penalty,
            "iterations": settings.iterations,
            "coefficients_to_owners": True,
            "bound": settings.bound,
        },
    )
    flow.task(
        "evaluate",
        "evaluate",
        roles={**together, "label_holder": receiver, "receiver": receiver},
        inputs={"model": model["model"], "table": scaled["test"]},
        params={"show": settings.show, "at_least": settings.at_least},
    )
    if settings.trees:
        _boost(flow, settings, together, receiver, scaled)
    if settings.card:
        flow.task(
            "card",
            "scorecard",
            roles={**together, "label_holder": receiver, "receiver": receiver},
            inputs={"model": model["model"], "train": scaled["train"], "table": scaled["test"]},
        )
    if settings.handover:
        flow.task(
            "handover",
            "reveal-model",
            roles={**together, "receiver": receiver},
            inputs={"model": model["model"]},
        )
    flow.task(
        "predict",
        "predict",
        roles={**together, "receiver": receiver},
        inputs={"model": model["model"], "table": scaled["test"]},
    )
    return flow


def boosting(rounds: int) -> dict[str, Any]:
    """How boosted trees are grown in the scenes."""
    return {"rounds": rounds, "depth": 3, "bins": 16, "learning_rate": 0.3}


def _boost(
    flow: Workflow,
    settings: Settings,
    together: Mapping[str, str | tuple[str, ...]],
    receiver: str,
    scaled: TaskHandle,
) -> None:
    model = flow.task(
        "boost",
        "train-gbdt",
        roles={**together, "label_holder": receiver},
        inputs={"table": scaled["train"]},
        params=boosting(settings.trees),
    )
    flow.task(
        "boost-evaluate",
        "evaluate",
        roles={**together, "label_holder": receiver, "receiver": receiver},
        inputs={"model": model["model"], "table": scaled["test"]},
        params={"show": settings.show, "at_least": settings.at_least, "measures": ["ranking"]},
    )
    flow.task(
        "boost-predict",
        "predict",
        roles={**together, "receiver": receiver},
        inputs={"model": model["model"], "table": scaled["test"]},
    )
