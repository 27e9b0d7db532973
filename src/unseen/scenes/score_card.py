"""Scene scorecard (联合评分卡): the bank and the telecom of :mod:`.credit_columns` make a scorecard of a joint model of defaults.

Each holder cuts its own columns into bins, whose weights of evidence come from labels that only the bank has, and gets the table
of points of its own columns; of an applicant the bank learns the sum.
"""

from __future__ import annotations

import pyarrow as pa

from unseen.client.workflow import Workflow
from unseen.scenes.credit_columns import BANK, HELPER, PURPOSE, TELECOM, customers, holders_of


def study(tables: dict[str, pa.Table] | None = None) -> Workflow:
    """Rows aligned and cut, columns binned and weighed, a logistic model of the weights, points made of it."""
    tables = tables or customers()
    flow = Workflow("Joint scorecard", purpose=PURPOSE)
    flow.party(HELPER, roles=("computer",), title="Helper")
    holders, references = (BANK, TELECOM), holders_of(flow, tables)
    alone = {"holders": holders}
    aligned = flow.task("align", "psi", roles=alone, inputs={"table": references})
    cut = flow.task("split", "split", roles=alone, inputs={"table": aligned["table"]})
    bins = flow.task(
        "bin",
        "bin",
        roles={**alone, "label_holder": BANK},
        inputs={"table": cut["train"]},
        params={"fine": 8, "most": 4},
    )
    woe = {
        part: flow.task(
            f"weigh-{part}",
            "transform",
            roles=alone,
            inputs={"rules": bins["rules"], "table": cut[part]},
        )
        for part in ("train", "test")
    }
    together = {**alone, "helper": HELPER, "label_holder": BANK}
    model = flow.task(
        "train",
        "train-linear",
        roles=together,
        inputs={"table": woe["train"]["table"]},
        params={"coefficients_to_owners": True, "iterations": 6},
    )
    flow.task(
        "card",
        "scorecard",
        roles={**together, "receiver": BANK},
        inputs={"model": model["model"], "train": woe["train"]["table"], "table": woe["test"]["table"]},
    )
    return flow
