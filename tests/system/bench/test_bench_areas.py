"""Every area runs, quickly and without rivals, and prints lines that hold what they must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
AREAS = sorted(path.parent.name for path in (ROOT / "bench").glob("*/__main__.py"))
MUST = (
    "bench",
    "case",
    "ours_s",
    "rival",
    "rival_s",
    "ratio",
    "bytes",
    "rounds",
    "peak_mib",
    "error",
    "trust",
)


PART = {
    "mpc": "mpc/multiply",
    "learn": "learn/logistic",
    "job": "job/train",
}  # of areas whose smallest cases take long together


def _runs() -> list[object]:
    whole = [pytest.param(area, None, marks=pytest.mark.long, id=f"{area}-whole") for area in PART]
    return [*(pytest.param(area, PART.get(area), id=area) for area in AREAS), *whole]


@pytest.mark.parametrize(("area", "only"), _runs())
def test_area_runs(area: str, only: str | None) -> None:
    if area == "splits" or (area == "quality" and "UNSEEN_DATA" not in os.environ):
        pytest.skip(
            "compares on public data sets only, in the folder that UNSEEN_DATA names, or has nothing without a rival"
        )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            f"bench.{area}",
            "--quick",
            "--no-rivals",
            *(("--only", only) if only else ()),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    for line in lines:
        assert set(MUST) <= set(line)
        assert line["bench"] == area
        assert line["case"].startswith(f"{area}/")
        assert line["ours_s"] > 0
