"""Scene credit columns (联合特征工程): a bank and a telecom make their columns ready for a joint model of defaults.

The customers are made up. Whether one defaults depends on income and late payments (at the bank) and on unpaid bills and the age
of the contract (at the telecom); `shoe_size` means nothing, `salary` is income in another currency.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from unseen.client.workflow import TaskHandle, Workflow

PURPOSE = "credit-risk"
ROWS = 600
SILENT = 0.1
"""Share of customers whose income the bank does not know."""
BANK, TELECOM, HELPER = "bank", "telecom", "helper"
AT_LEAST = 5
RULES = (
    {"do": "impute", "by": "median", "flag": True, "of": BANK, "columns": ("income",)},
    {"do": "clip", "low": 0.01, "high": 0.99},
    {"do": "one-hot", "unseen": "other"},
)


def customers(*, seed: int = 7, rows: int = ROWS) -> dict[str, pa.Table]:
    """Both tables, the same customers in other orders."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C-{number:06d}" for number in rng.permutation(10**6)[:rows]])
    income, late = rng.lognormal(10, 0.6, rows), rng.poisson(0.8, rows)
    unpaid, months = rng.poisson(1.0, rows), rng.gamma(3, 12, rows)
    plan = rng.choice(["prepaid", "basic", "premium"], rows, p=[0.3, 0.5, 0.2])
    chance = (
        -1.4
        - 0.9 * (np.log(income) - 10)
        + 0.6 * late
        + 0.7 * unpaid
        - 0.02 * months
        + 0.5 * (plan == "prepaid")
    )
    default = (rng.random(rows) < 1 / (1 + np.exp(-chance))).astype(np.int64)
    known = np.where(rng.random(rows) < SILENT, np.nan, income)
    bank = {
        "customer": ids,
        "default": default,
        "income": pa.array(known, from_pandas=True),
        "salary": income * 7.1,
        "late": late,
    }
    telecom = {
        "customer": ids,
        "unpaid": unpaid,
        "months": months,
        "shoe_size": rng.normal(40, 2, rows),
        "plan": plan,
    }
    return {
        BANK: pa.table(bank).take(rng.permutation(rows)),
        TELECOM: pa.table(telecom).take(rng.permutation(rows)),
    }


def holders_of(flow: Workflow, tables: dict[str, pa.Table]) -> dict[str, str]:
    """Bank and telecom with their tables as parties of a workflow; holder -> reference of its asset."""
    flow.party(BANK, roles=("holder", "receiver"), title="Bank")
    flow.party(TELECOM, roles=("holder",), title="Telecom")
    return {
        name: flow.table(
            f"{name}-customers",
            holder=name,
            source=table,
            id_columns=("customer",),
            label_columns=("default",) if name == BANK else (),
        )
        for name, table in tables.items()
    }


def study(tables: dict[str, pa.Table] | None = None) -> Workflow:
    """Rows aligned and cut, columns filled, clipped and encoded."""
    tables = tables or customers()
    flow = Workflow("Columns for a joint credit model", purpose=PURPOSE)
    flow.party(HELPER, roles=("computer",), title="Helper")
    holders, references = (BANK, TELECOM), holders_of(flow, tables)
    aligned = flow.task("align", "psi", roles={"holders": holders}, inputs={"table": references})
    by_label = {"holders": holders, "label_holder": BANK}
    folds = flow.task(
        "folds",
        "folds",
        roles=by_label,
        inputs={"table": aligned["table"]},
        params={"folds": 4, "stratify": True},
    )
    cut = flow.task(
        "split", "split", roles={"holders": holders}, inputs={"table": folds["table"]}, params={"fold": 0}
    )
    _ready(flow, cut)
    return flow


def _ready(flow: Workflow, cut: TaskHandle) -> None:
    roles = {"holders": (BANK, TELECOM)}
    ready = flow.task(
        "prepare",
        "prepare",
        roles=roles,
        inputs={"train": cut["train"], "test": cut["test"]},
        params={"rules": RULES},
    )
    flow.task("again", "transform", roles=roles, inputs={"rules": ready["rules"], "table": cut["test"]})
    weighed = flow.task(
        "bin",
        "bin",
        roles={**roles, "label_holder": BANK},
        inputs={"table": cut["train"]},
        params={"at_least": AT_LEAST, "fine": 10, "tell": "both", "merge": "monotone"},
    )
    flow.task("weights", "transform", roles=roles, inputs={"rules": weighed["rules"], "table": cut["test"]})
    flow.task(
        "trees",
        "train-gbdt",
        roles={**roles, "label_holder": (BANK,), "helper": (HELPER,)},
        inputs={"table": ready["train"]},
        params={"rounds": 2, "depth": 2, "bins": 4},
    )
    flow.task(
        "describe",
        "describe",
        roles={**roles, "receivers": BANK},
        inputs={"table": cut["train"]},
        params={"columns": {TELECOM: ("unpaid", "months")}, "at_least": 20},
    )
    flow.task(
        "select",
        "select",
        roles={**roles, "label_holder": BANK},
        inputs={"train": ready["train"], "test": ready["test"]},
        params={"iv": 0.02, "stability": 0.25, "correlation": 0.9, "vif": 10},
    )
    flow.task(
        "correlate",
        "correlate",
        roles={**roles, "receivers": BANK},
        inputs={"table": ready["train"]},
        params={"columns": {BANK: ("income", "late"), TELECOM: ("unpaid", "months")}, "vif": True},
    )
