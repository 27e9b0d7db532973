"""What the scenes compute: a joint model by column. Two holders train together, a helper deals randomness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unseen.client.workflow import Workflow
from unseen.scenes.partition import Holding

PURPOSE = "screening"
HELPER = "helper"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen: share of rows held out, L2 penalty, Newton iterations, inputs bound to commitments."""

    test_fraction: float = 0.25
    penalty: float = 1.0
    iterations: int = 10
    bound: bool = False


def workflow(holdings: Sequence[Holding], settings: Settings) -> Workflow:
    """Align, split, standardise, train, evaluate, predict: the main job.

    `holdings[0]` has the label and is the receiver.
    """
    receiver, other = (holding.party for holding in holdings)
    flow = Workflow(f"Joint model of {receiver} and {other}", purpose=PURPOSE, level="shared")
    flow.party(receiver, roles=("holder", "receiver"), title=receiver.capitalize())
    flow.party(other, roles=("holder",), title=other.capitalize())
    flow.party(HELPER, roles=("computer",), title="Helper")
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
    holders = (receiver, other)
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
    together = {"holders": holders, "helper": HELPER}
    model = flow.task(
        "train",
        "train-logistic",
        roles={**together, "label_holder": receiver},
        inputs={"table": scaled["train"]},
        params={
            "penalty": settings.penalty,
            "iterations": settings.iterations,
            "coefficients_to_owners": True,
            "bound": settings.bound,
        },
    )
    flow.task(
        "evaluate",
        "evaluate-binary",
        roles={**together, "receiver": receiver},
        inputs={"model": model["model"], "table": scaled["test"]},
    )
    flow.task(
        "predict",
        "predict",
        roles={**together, "receiver": receiver},
        inputs={"model": model["model"], "table": scaled["test"]},
    )
    return flow
