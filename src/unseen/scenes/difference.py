"""Scene difference (组间差异): by how much a laboratory's measurement differs between a hospital's ill and healthy patients.

The question is a function that all parties have installed (:mod:`unseen.jobs.functions.group_difference`); its two columns
lie with two of them, and nobody learns a record of another.
"""

from __future__ import annotations

from pathlib import Path

from unseen.client.workflow import Workflow
from unseen.scenes.partition import breast_cancer, from_folder

PURPOSE = "statistics"
HELPER = "helper"
AT_LEAST = 20


def study(data: Path | None = None) -> Workflow:
    """The workflow with its data, for any environment."""
    hospital, laboratory = from_folder(data) if data else breast_cancer()
    flow = Workflow(f"Differences between patients of {hospital.party}", purpose=PURPOSE)
    flow.party(hospital.party, roles=("holder", "receiver"), title=hospital.party.capitalize())
    flow.party(laboratory.party, roles=("holder",), title=laboratory.party.capitalize())
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
    holders = (hospital.party, laboratory.party)
    rows = flow.task("align", "psi", roles={"holders": holders}, inputs={"table": references})
    flow.task(
        "difference",
        "run-function",
        roles={"holders": holders, "receivers": hospital.party, "helper": HELPER},
        inputs={"table": rows["table"]},
        params={
            "function": "group-difference",
            "columns": {
                "value": (laboratory.party, (laboratory.features[-1],)),
                "group": (hospital.party, (str(hospital.label),)),
            },
            "options": {"at_least": AT_LEAST},
        },
    )
    return flow
