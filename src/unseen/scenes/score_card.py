"""Scene scorecard (联合评分卡): the bank and the telecom of :mod:`.credit_columns` make a scorecard of a joint model of defaults.

Each holder gets the table of points of its own columns; of an applicant the bank learns the sum.
"""

from __future__ import annotations

import pyarrow as pa

from unseen.client.workflow import Workflow
from unseen.scenes.credit_columns import BANK, PURPOSE, TELECOM, customers

HELPER = "helper"
RULES = (
    {"do": "impute", "by": "median", "of": BANK, "columns": ("income",)},
    {"do": "clip", "low": 0.01, "high": 0.99},
    {"do": "one-hot", "unseen": "other"},
)


def study(tables: dict[str, pa.Table] | None = None) -> Workflow:
    """Rows aligned and cut, columns prepared, a logistic model trained, points made of it."""
    tables = tables or customers()
    flow = Workflow("Joint scorecard", purpose=PURPOSE)
    flow.party(BANK, roles=("holder", "receiver"), title="Bank")
    flow.party(TELECOM, roles=("holder",), title="Telecom")
    flow.party(HELPER, roles=("computer",), title="Helper")
    holders = (BANK, TELECOM)
    references = {
        name: flow.table(
            f"{name}-customers",
            holder=name,
            source=table,
            id_columns=("customer",),
            label_columns=("default",) if name == BANK else (),
        )
        for name, table in tables.items()
    }
    alone = {"holders": holders}
    aligned = flow.task("align", "psi", roles=alone, inputs={"table": references})
    cut = flow.task("split", "split", roles=alone, inputs={"table": aligned["table"]})
    ready = flow.task(
        "prepare",
        "prepare",
        roles=alone,
        inputs={"train": cut["train"], "test": cut["test"]},
        params={"rules": RULES},
    )
    together = {**alone, "helper": HELPER, "label_holder": BANK}
    model = flow.task(
        "train",
        "train-linear",
        roles=together,
        inputs={"table": ready["train"]},
        params={"coefficients_to_owners": True, "iterations": 6},
    )
    flow.task(
        "card",
        "scorecard",
        roles={**together, "receiver": BANK},
        inputs={"model": model["model"], "train": ready["train"], "table": ready["test"]},
    )
    return flow
