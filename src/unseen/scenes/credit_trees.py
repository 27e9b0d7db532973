"""Scene credit trees (半同态梯度提升树): a bank and a telecom grow trees for defaults, sums under the bank's encryption.

The customers are those of :mod:`unseen.scenes.credit_columns`. The contract allows the level `federated`: the bank sees sums of
derivatives by the telecom's bins, the telecom sees which customers are together in a node.
"""

from __future__ import annotations

import pyarrow as pa

from unseen.client.workflow import Workflow
from unseen.scenes.credit_columns import BANK, PURPOSE, TELECOM, customers, holders_of

TELECOM_COLUMNS = ["customer", "unpaid", "months", "shoe_size"]


def study(tables: dict[str, pa.Table] | None = None) -> Workflow:
    """Rows aligned, trees grown."""
    tables = tables or customers()
    tables = {BANK: tables[BANK], TELECOM: tables[TELECOM].select(TELECOM_COLUMNS)}
    flow = Workflow("Trees for a joint credit model", purpose=PURPOSE, level="federated")
    holders, references = (BANK, TELECOM), holders_of(flow, tables)
    aligned = flow.task("align", "psi", roles={"holders": holders}, inputs={"table": references})
    flow.task(
        "trees",
        "train-gbdt-federated",
        roles={"holders": holders, "label_holder": BANK},
        inputs={"table": aligned["table"]},
        params={"rounds": 3, "depth": 3, "bins": 8},
    )
    return flow
