"""Results as files for people: `meta.json`, and one `.npy` or `.arrow` per array. Shares stay in the store.

Scores come with `scores.csv`, too, a row for each id. With `report`, measures of a model come with a page, `report.html`, and with its pictures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from pyarrow.csv import write_csv

from unseen.core.durable import whole_folder
from unseen.core.errors import DeniedError, UsageError
from unseen.data.table import Table as DataTable
from unseen.govern.report import render
from unseen.jobs import binned
from unseen.jobs.artefacts import SHARES, Artefact
from unseen.jobs.measures import Measured
from unseen.node import models as m
from unseen.node.store import ArtefactStore

_METRICS = "metrics"
_SCORES = "scores"
_RESULTS = frozenset({_METRICS, _SCORES, "points"})
_ARROW = frozenset({"arrow", "ids"})


class Jobs(Protocol):
    """What exports ask the scheduler."""

    def show(self, job_id: str) -> m.JobView:
        """One job."""

    def require_result(self, job_id: str) -> m.JobView:
        """One job that finished; UsageError if it runs, its own error if it failed."""


class Exports:
    """See the module."""

    def __init__(self, store: ArtefactStore, jobs: Jobs) -> None:
        self._store = store
        self._jobs = jobs

    def artefacts(self, job_id: str) -> tuple[m.ArtefactView, ...]:
        """See :meth:`unseen.node.operations.Node.artefacts`."""
        job = self._jobs.show(job_id)
        views = []
        for task, output, known in self._store.outputs(job.id):
            reference = f"{task}.{output}"
            try:
                views.append(_view(reference, *self._store.read_sized(job.id, reference)))
            except UsageError:  # dropped when the job was over
                views.append(
                    m.ArtefactView(reference=reference, kind=known.kind, arrays={}, meta={}, size_bytes=0)
                )
        return tuple(views)

    def received(self, job_id: str) -> tuple[m.ArtefactView, ...]:
        """Those that hold results for this party."""
        return tuple(view for view in self.artefacts(job_id) if view.kind in _RESULTS)

    def job_result(self, job_id: str) -> m.JobResult:
        """See :meth:`unseen.node.operations.Node.job_result`."""
        job = self._jobs.require_result(job_id)
        return m.JobResult(job=job, artefacts=self.received(job.id))

    def artefact(self, job_id: str, reference: str, folder: str) -> m.Exported:
        """See :meth:`unseen.node.operations.Node.artefact_export`."""
        job = self._jobs.show(job_id)
        artefact = self._store.read(job.id, reference)
        if artefact.kind in SHARES:
            raise DeniedError(
                f"'{reference}' holds shares.",
                why="a share alone is noise, and with the others' it would be what nobody may have",
                mend="use it in a contract: score rows with the step 'predict'",
            )
        place = _empty(folder)
        with whole_folder(place) as draft:
            files = _write(draft, artefact)
        return _exported(place, draft, files)

    def result(self, job_id: str, folder: str, *, report: bool) -> m.Exported:
        """See :meth:`unseen.node.operations.Node.result_export`."""
        job = self._jobs.require_result(job_id)
        place = _empty(folder)
        received = [
            (view.reference, self._store.read(job.id, view.reference)) for view in self.received(job.id)
        ]
        with whole_folder(place) as draft:
            files = [_text(draft / "job.json", job.model_dump(mode="json"))]
            for reference, artefact in received:
                inner = draft / reference
                inner.mkdir()
                files += _write(inner, artefact)
                if report and artefact.kind == _METRICS:
                    files += _report(inner, artefact, f"{job.title}: {reference}")
        return _exported(place, draft, files)


def _view(reference: str, artefact: Artefact, size: int) -> m.ArtefactView:
    return m.ArtefactView(
        reference=reference,
        kind=artefact.kind,
        arrays={name: tuple(array.shape) for name, array in artefact.arrays.items()},
        meta=dict(artefact.meta),
        size_bytes=size,
    )


def _empty(folder: str) -> Path:
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} is not empty.", mend="choose another folder")
    return place


def _write(place: Path, artefact: Artefact) -> list[Path]:
    files = [_text(place / "meta.json", {"kind": artefact.kind, **artefact.meta})]
    for name, array in artefact.arrays.items():
        if name in _ARROW:
            path = place / f"{name}.arrow"
            path.write_bytes(array.tobytes())
        else:
            path = place / f"{name}.npy"
            np.save(path, array, allow_pickle=False)
        files.append(path)
    if artefact.kind == _SCORES and "ids" in artefact.arrays:
        files.append(_rows(place / "scores.csv", artefact))
    return files


def _rows(path: Path, artefact: Artefact) -> Path:
    """Ids, and of each what the arrays have as long as there are ids: scores, of several classes one column each."""
    table = DataTable.from_ipc(artefact.arrays["ids"].tobytes()).data
    for name, array in artefact.arrays.items():
        if name in _ARROW or len(array) != table.num_rows:
            continue
        columns = (
            {name: array} if array.ndim == 1 else {f"{name}_{i}": each for i, each in enumerate(array.T)}
        )
        for called, values in columns.items():
            table = table.append_column(_free(called, table.column_names), pa.array(values))
    write_csv(table, str(path))
    return path


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, or where an id is called so the name with a line after it."""
    while name in taken:
        name += "_"
    return name


def _report(place: Path, artefact: Artefact, title: str) -> list[Path]:
    """A page and the pictures in it as files; nothing for measures that are neither of a model nor of bins."""
    if "bins" in artefact.meta:
        page, drawn = binned.page(artefact.meta, title)
    elif {"rows", "places"} & set(artefact.meta):
        page, drawn = Measured.of(artefact.meta, artefact.arrays).page(title)
    else:
        return []
    files = [place / "report.html"]
    files[0].write_text(render(page), encoding="utf-8")
    for name, picture in drawn.items():
        svg, png = place / f"{name}.svg", place / f"{name}.png"
        svg.write_text(picture.svg(), encoding="utf-8")
        png.write_bytes(picture.png())
        files += [svg, png]
    return files


def _text(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _exported(place: Path, draft: Path, files: list[Path]) -> m.Exported:
    names = tuple(str(path.relative_to(draft)) for path in files)
    size = sum((place / name).stat().st_size for name in names)
    return m.Exported(folder=str(place), files=names, size_bytes=size)
