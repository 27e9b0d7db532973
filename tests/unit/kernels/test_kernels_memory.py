"""Arrays in pages: they hold what they should, and a process holds no more than was in use at one time."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy._core.multiarray import get_handler_name  # type: ignore[attr-defined]

from unseen.kernels.memory import arrays_in_pages
from unseen.kernels.native import native

pytestmark = pytest.mark.skipif(native() is None, reason="without native kernels NumPy allocates as ever")

SIZES = (1, 64, 4096, (1 << 15) - 8, 1 << 15, 100_000, 1 << 20, (5 << 20) + 24)
MIB = 1 << 20


def test_only_in_the_block_and_only_in_this_context() -> None:
    elsewhere = []
    with arrays_in_pages():
        inside = np.ones(100_000)
        with arrays_in_pages():
            pass
        still = np.ones(3)
        thread = threading.Thread(target=lambda: elsewhere.append(get_handler_name(np.ones(3))))
        thread.start()
        thread.join()
    names = [get_handler_name(one) for one in (inside, still, np.ones(100_000))]
    assert [*names, *elsewhere] == ["unseen", "unseen", "default_allocator", "default_allocator"]
    assert inside.sum() == 100_000


@pytest.mark.parametrize("size", SIZES)
def test_zeros_are_zeros_and_growing_keeps_what_was_there(size: int) -> None:
    with arrays_in_pages():
        for _ in range(3):
            dirty = np.full(size + 4096, 255, np.uint8)
            del dirty
            assert not np.zeros(size, np.uint8).any()
        for other in SIZES:
            array = np.arange(size, dtype=np.uint8)
            array.resize(other, refcheck=False)
            least = min(size, other)
            assert (array[:least] == np.arange(least, dtype=np.uint8)).all()


def test_blocks_are_their_owners_alone() -> None:
    wrong = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        with arrays_in_pages():
            held: list[np.ndarray] = []
            for turn in range(300):
                held.append(np.full(int(rng.integers(1, 200_000)), turn * 8 + seed))
                if len(held) > 8:
                    one = held.pop(int(rng.integers(len(held))))
                    if (one != one[0]).any() or one[0] % 8 != seed:
                        wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of its own")
def test_no_more_is_held_than_was_in_use() -> None:
    """In a process of its own, forked from one that has pages free."""
    with arrays_in_pages():
        np.ones(MIB)
        child = os.fork()
        if child == 0:
            os._exit(0 if _held_above_use() < 2 * MIB else 1)
        assert os.waitpid(child, 0)[1] == 0


def _held_above_use() -> int:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
        return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGESIZE")

    rng = np.random.default_rng(0)
    held: list[np.ndarray] = []
    before, most_in_use, most = resident(), 0, 0
    for _ in range(1500):
        while sum(one.nbytes for one in held) > 16 * MIB:
            del held[int(rng.integers(len(held)))]
        held.append(np.ones(int(2 ** rng.uniform(15, 20)), np.uint8))
        most_in_use = max(most_in_use, sum(one.nbytes for one in held))
        most = max(most, resident() - before)
    return most - most_in_use
