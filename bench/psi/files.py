"""CSV files of string ids of which half are common to all: made once, kept under build/bench."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PLACE = Path(__file__).parent.parent.parent / "build" / "bench" / "psi"


def several(count: int, parties: int = 2) -> tuple[Path, ...]:
    """Paths of a file for each party: `count` distinct ids of twelve digits in random order, column `id`; half are common to all."""
    PLACE.mkdir(parents=True, exist_ok=True)
    starts = [count // 2 * party // (parties - 1) for party in range(parties)]
    places = tuple(PLACE / f"from-{start}-{count}.csv" for start in starts)
    for place, start in zip(places, starts, strict=True):
        if not place.exists():
            numbers = (
                np.arange(start, start + count, dtype=np.uint64)
                * np.uint64(2654435761)
                % np.uint64(10**12 - 11)
            )
            np.random.default_rng(start).shuffle(numbers)
            partial = place.with_suffix(".partial")
            with partial.open("w", encoding="ascii") as sink:
                sink.write("id\n")
                for chunk in np.array_split(numbers, max(1, count >> 20)):
                    sink.write("".join(f"{number:012d}\n" for number in chunk.tolist()))
            partial.rename(place)
    return places
