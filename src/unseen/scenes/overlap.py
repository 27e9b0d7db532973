"""Scene overlap (重合人群统计): a hospital and a laboratory learn figures about their common patients; nobody learns who these are."""

from __future__ import annotations

from pathlib import Path

from unseen.client.workflow import Workflow
from unseen.scenes.partition import breast_cancer, from_folder

PURPOSE = "statistics"
AT_LEAST = 20
EDGES = (0.0, 0.1, 0.2, 0.3)


def study(data: Path | None = None) -> Workflow:
    """How often the illness is found at each level of one of the laboratory's measurements, in groups of 20 patients or more."""
    hospital, laboratory = from_folder(data) if data else breast_cancer()
    flow = Workflow(f"Common patients of {hospital.party} and {laboratory.party}", purpose=PURPOSE)
    flow.party(hospital.party, roles=("holder", "receiver"), title=hospital.party.capitalize())
    flow.party(laboratory.party, roles=("holder",), title=laboratory.party.capitalize())
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
    flow.task(
        "levels",
        "common-statistics",
        roles={"holders": (hospital.party, laboratory.party), "receivers": hospital.party},
        inputs={"table": references},
        params={
            "ask": "histogram",
            "of": (hospital.party, hospital.label),
            "by": (laboratory.party, laboratory.features[-1]),
            "edges": EDGES,
            "at_least": AT_LEAST,
        },
    )
    return flow
