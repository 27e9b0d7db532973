"""What a party takes for each number, by the bench that publishes it: sorting in every check, all else in the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.mpc.__main__ import RIVALS, SLOW, WORKS

ROOT = Path(__file__).parents[3]
MOST = 6.0  # words of 8 bytes for each number of inputs and outputs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of its own")


def _rows() -> list[object]:
    rows = [
        (op, size, protocol)
        for op, work in WORKS.items()
        for size in list(work.sizes)[1:]
        for protocol in RIVALS
    ]
    return [
        pytest.param(
            *row, id="-".join(row), marks=() if row == ("sort", "2^16", "dealer2") else pytest.mark.long
        )
        for row in rows
        if row[0] in SLOW.get(row[2], WORKS)
    ]


@pytest.mark.parametrize(("op", "size", "protocol"), _rows())
def test_words_for_each_number(op: str, size: str, protocol: str) -> None:
    """In a process of its own: what is free on an older heap is filled again unevenly."""
    code = f"from bench.mpc.__main__ import WORKS, measure; print(measure({protocol!r}, WORKS[{op!r}], {size!r}).more['words'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) <= MOST
