"""What a job left behind is shown while the node drops what is not kept of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.jobs.artefacts import Artefact
from unseen.jobs.spec import Output
from unseen.node.exports import Exports
from unseen.node.home import Home
from unseen.node.store import ArtefactStore

JOB, TASK = "job-1", "split"
JOBS: Any = SimpleNamespace(show=lambda job: SimpleNamespace(id=job))


class Store(ArtefactStore):
    """One output, which goes the moment after it was found."""

    goes = True

    def outputs(self, _job: str) -> Any:
        yield TASK, "train", Output("", b"", "table")

    def path(self, job: str, reference: str) -> Path:
        place = super().path(job, reference)
        if self.goes:
            place.unlink()
        return place


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(Home(tmp_path), b"k" * 32)
    made.goes = False
    folder = made.begin(JOB, TASK, 1).parent.parent / TASK
    folder.mkdir()
    sealed = made.put_input(JOB, "train", Artefact("table", {"values": np.arange(3)}))
    sealed.rename(folder / "train")
    return made


def test_what_is_kept_is_shown_with_its_size(store: Store) -> None:
    (view,) = Exports(store, JOBS).artefacts(JOB)
    assert view.arrays == {"values": (3,)}
    assert view.size_bytes == store.path(JOB, "split.train").stat().st_size


def test_what_goes_while_it_is_read_counts_as_gone(store: Store) -> None:
    store.goes = True
    (view,) = Exports(store, JOBS).artefacts(JOB)
    assert (view.kind, view.arrays, view.size_bytes) == ("table", {}, 0)
    with pytest.raises(UsageError, match="There is no 'split"):
        store.read(JOB, "split.train")
