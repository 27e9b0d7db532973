"""A joint model from start to end on running nodes: assets, contract, signatures, job, results, evidence.

Only the public operations of a node are used (:class:`unseen.node.operations.Node`), each party through its own node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
from numpy.typing import NDArray

from unseen.node.models import ContractView, JobEvent, JobView
from unseen.node.operations import Node
from unseen.scenes.partition import Holding

Nodes = Mapping[str, Node]
Watch = Callable[[str, JobEvent], None]

WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """What the parties have afterwards, read from their nodes.

    Attributes
    ----------
    metrics
        AUC, KS, accuracy, log loss and row counts, as the receiver measured them.
    scores, labels, ids
        Of the held-out rows, in one order; at the receiver.
    false_positive_rate, true_positive_rate
        The ROC curve.
    columns, coefficients, owners
        Side by side over all holders: what each owner was told of its own columns.
    """

    job: JobView
    contract: ContractView
    metrics: Mapping[str, float]
    scores: NDArray[np.float64]
    labels: NDArray[np.float64]
    ids: tuple[str, ...]
    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
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
    metrics = next(item for item in receiver.artefacts(job) if item.reference == "evaluate.metrics").meta
    return Result(
        job=view,
        contract=receiver.contract_show(view.contract),
        metrics=metrics,
        scores=_array(place, "predict.scores", "scores"),
        labels=_array(place, "evaluate.metrics", "labels"),
        ids=_ids(place, holdings[0].key),
        false_positive_rate=_array(place, "evaluate.metrics", "false_positive_rate"),
        true_positive_rate=_array(place, "evaluate.metrics", "true_positive_rate"),
        columns=tuple(columns),
        owners=tuple(owners),
        coefficients=np.array(coefficients),
        intercept=intercept,
    )


def _array(place: Path, reference: str, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(place / reference / f"{name}.npy", allow_pickle=False)
    return array


def _ids(place: Path, key: str) -> tuple[str, ...]:
    with pa.memory_map(str(place / "predict.scores" / "ids.arrow")) as source:
        table = pa.ipc.open_stream(source).read_all()
    return tuple(str(value) for value in table.column(key).to_pylist())
