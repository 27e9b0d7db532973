"""A node refuses a run that it has no disk or memory for, before anything begins, and says so in the contract."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unseen.core.cost import Cost, run_of
from unseen.core.errors import DeniedError, UnavailableError, UsageError
from unseen.node import daemon
from unseen.node.config import JobsConfig, NodeConfig
from unseen.node.room import Room

CONTRACT: Any = SimpleNamespace(
    tasks=(
        SimpleNamespace(name="align", parties=("bank", "telecom")),
        SimpleNamespace(name="train", parties=("bank", "telecom")),
        SimpleNamespace(name="others", parties=("telecom",)),
    )
)
COSTS = {
    "align": Cost(1.0, 1, 1, 10**6),
    "train": Cost(1.0, 1, 1, 3 * 10**9, {"bank": 6 * 10**9, "telecom": 10**9}),
    "others": Cost(1.0, 1, 1, 10**12, {"telecom": 10**12}),
}

Of = Callable[..., Room]


@pytest.fixture
def room_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Of:
    """A room with so much free disk, and these limits."""

    def made(free: int, **limits: int) -> Room:
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
        return Room("bank", JobsConfig(scratch=tmp_path, **limits))

    return made


def test_what_fits_passes(room_of: Of) -> None:
    fitting = room_of(6 * 10**9, scratch_bytes=6 * 10**9, memory_bytes=3 * 10**9)
    assert fitting.lacking(CONTRACT, COSTS) == ()
    fitting.check(CONTRACT, COSTS)
    fitting.check_now("train", COSTS)


@pytest.mark.parametrize(
    ("free", "limits", "why"),
    [
        (5 * 10**9, {}, r"6.0 GB of temporary files here, and .* has 5.0 GB free"),
        (10**12, {"scratch_bytes": 10**9}, r"6.0 GB .* allows 1.0 GB \(jobs.scratch_bytes\)"),
        (10**12, {"memory_bytes": 2 * 10**9}, r"3.0 GB of memory .* 2.0 GB \(jobs.memory_bytes\)"),
    ],
)
def test_what_does_not_fit_is_refused_by_task(
    room_of: Of, free: int, limits: dict[str, int], why: str, tmp_path: Path
) -> None:
    small = room_of(free, **limits)
    with pytest.raises(DeniedError, match=why) as caught:
        small.check(CONTRACT, COSTS)
    (told,) = small.lacking(CONTRACT, COSTS)
    assert told.startswith("Task 'train'")
    assert caught.value.what.startswith("bank has too little room")
    assert caught.value.why == told
    assert str(tmp_path) in caught.value.mend


def test_right_before_a_task_a_full_disk_only_delays(room_of: Of) -> None:
    full = room_of(10**9)
    full.check_now("align", COSTS)
    with pytest.raises(UnavailableError, match="too little room") as caught:
        full.check_now("train", COSTS)
    assert "free space" in caught.value.mend
    room_of(10**12, scratch_bytes=1).check_now("train", COSTS)  # limits were asked when it was let in


def test_a_folder_that_is_gone_has_no_room(tmp_path: Path) -> None:
    gone = Room("bank", JobsConfig(scratch=tmp_path / "gone"))
    with pytest.raises(DeniedError, match="0 B free"):
        gone.check(CONTRACT, COSTS)


def test_of_tasks_that_follow_one_another_each_partys_largest_counts() -> None:
    whole = run_of(COSTS.values())
    assert whole.scratch == {"bank": 6 * 10**9, "telecom": 10**12}
    assert whole.scratch_bytes == 6 * 10**9 + 10**12


def test_temporary_files_go_where_the_owner_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setattr("tempfile.tempdir", None)
    place = tmp_path / "large" / "disk"
    config = NodeConfig(name="bank", home=tmp_path, jobs=JobsConfig(scratch=place))
    daemon._place_scratch(config)
    assert place.is_dir()
    assert Room("bank", JobsConfig()).folder == place
    (tmp_path / "file").touch()
    wrong = config.model_copy(update={"jobs": JobsConfig(scratch=tmp_path / "file" / "x")})
    with pytest.raises(UsageError, match="temporary file") as caught:
        daemon._place_scratch(wrong)
    assert "jobs.scratch" in caught.value.mend
