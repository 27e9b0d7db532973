"""A joint model from start to end on running nodes: assets, contract, signatures, job, results, evidence.

Only the public operations of a node are used (:class:`unseen.node.operations.Node`), each party through its own node.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
from numpy.typing import NDArray

from unseen.jobs.measures import Measured
from unseen.node.models import ContractView, JobView
from unseen.node.operations import Node
from unseen.scenes.partition import Holding

Nodes = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Result:
    """What the parties have afterwards, read from their nodes.

    Attributes
    ----------
    measured
        What the evaluation under shares told the receiver.
    scores, ids
        Of the held-out rows, in one order; at the receiver.
    boosted
        What the boosted trees say of the same rows, if there are any.
    columns, coefficients, owners
        Side by side over all holders: what each owner was told of its own columns.
    """

    job: JobView
    contract: ContractView
    measured: Measured
    scores: NDArray[np.float64]
    boosted: NDArray[np.float64] | None
    ids: tuple[str, ...]
    columns: tuple[str, ...]
    owners: tuple[str, ...]
    coefficients: NDArray[np.float64]
    intercept: float


def collect(nodes: Nodes, holdings: Sequence[Holding], job: str, folder: Path) -> Result:
    """Read the receiver's results, and each holder's own coefficients."""
    receiver = nodes[holdings[0].party]
    view = receiver.job_show(job)
    place = folder / holdings[0].party / "results"
    receiver.result_export(job, str(place))
    columns: list[str] = []
    owners: list[str] = []
    coefficients: list[float] = []
    intercept = 0.0
    for holding in holdings:
        model = next(
            item for item in nodes[holding.party].artefacts(job) if item.reference == "train.model"
        ).meta
        columns += model["columns"]
        owners += [holding.party] * len(model["columns"])
        coefficients += model["known"].get("coefficients", [])
        intercept += sum(model["known"].get("intercept", [0.0]))
    return Result(
        job=view,
        contract=receiver.contract_show(view.contract),
        measured=_measured(place / "evaluate.metrics"),
        scores=_scores(place / "predict.scores"),
        boosted=_scores(place / "boost-predict.scores")
        if (place / "boost-predict.scores").exists()
        else None,
        ids=_ids(place, holdings[0].key),
        columns=tuple(columns),
        owners=tuple(owners),
        coefficients=np.array(coefficients),
        intercept=intercept,
    )


def _measured(place: Path) -> Measured:
    meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
    arrays = {path.stem: np.load(path, allow_pickle=False) for path in place.glob("*.npy")}
    return Measured.of(meta, arrays)


def _scores(place: Path) -> NDArray[np.float64]:
    scores: NDArray[np.float64] = np.load(place / "scores.npy", allow_pickle=False)
    return scores


def _ids(place: Path, key: str) -> tuple[str, ...]:
    with pa.memory_map(str(place / "predict.scores" / "ids.arrow")) as source:
        table = pa.ipc.open_stream(source).read_all()
    return tuple(str(value) for value in table.column(key).to_pylist())
