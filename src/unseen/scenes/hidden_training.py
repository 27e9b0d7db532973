"""Scene hidden training (密态求交训练): a hospital and a laboratory train a joint model on their common patients; nobody learns who they are.

Each scales its columns on all its own rows, then the tables are joined in shares, cut to the number of places that the two agree on,
scaled again over the rows that are there, and trained on. Each holder learns the coefficients of its own columns and nothing else.
"""

from __future__ import annotations

from pathlib import Path

from unseen.client.workflow import Workflow
from unseen.scenes.partition import breast_cancer, from_folder

PURPOSE = "screening"
HELPER = "helper"
AT_MOST = 500
"""Of 512 rows at each, more common ones than that would be lost."""


def study(data: Path | None = None) -> Workflow:
    """Scale, join, scale again, train."""
    hospital, laboratory = from_folder(data) if data else breast_cancer()
    holders = (hospital.party, laboratory.party)
    flow = Workflow("A model of common patients whom nobody knows", purpose=PURPOSE)
    flow.party(hospital.party, roles=("holder", "receiver"), title=hospital.party.capitalize())
    flow.party(laboratory.party, roles=("holder", "receiver"), title=laboratory.party.capitalize())
    flow.party(HELPER, roles=("computer",), title="Helper")
    references = {
        holding.party: flow.table(
            holding.asset,
            holder=holding.party,
            source=holding.table,
            id_columns=(holding.key,),
            label_columns=(holding.label,) if holding.label else (),
        )
        for holding in (hospital, laboratory)
    }
    roles = {"holders": holders, "helper": HELPER}
    scaled = flow.task(
        "scale",
        "standardise",
        roles={"holders": holders},
        inputs={"train": references, "test": references},
    )
    joined = flow.task(
        "join",
        "join",
        roles=roles,
        inputs={"table": scaled["train"]},
        params={"hidden": True, "scaled": True, "at_most": AT_MOST},
    )
    members = flow.task("scale-members", "standardise-joined", roles=roles, inputs={"table": joined["table"]})
    flow.task(
        "train",
        "train-linear",
        roles={**roles, "label_holder": hospital.party},
        inputs={"table": members["table"]},
        params={"joined": True, "coefficients_to_owners": True},
    )
    return flow
