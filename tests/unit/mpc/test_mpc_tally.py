"""Sums by code and choices of holders, under every protocol, beside NumPy; the largest of many."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UnavailableError, UsageError
from unseen.mpc import Engine
from unseen.mpc.functions import largest
from unseen.mpc.tally import blocks, dealer, open_tally
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

RNG = np.random.default_rng(11)
WIDTHS = {"a": (3, 5), "b": (4,), "c": ()}
CASES = [
    ("dealer2", ("a", "b"), "helper"),
    ("dealer", ("a", "b", "c"), "helper"),
    ("replicated3", ("a", "b", "c"), None),
    pytest.param("replicated3-malicious", ("a", "b", "c"), None, marks=pytest.mark.long),
    pytest.param("pair2", ("a", "b"), None, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("protocol", "holders", "helper"), CASES)
def test_sums_and_choices(
    protocol: str, holders: tuple[str, ...], helper: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PIECE_BYTES", 4096)  # more than one piece
    rows, vectors = 200, 3
    widths = {name: WIDTHS[name] for name in holders}
    codes = {
        name: np.stack([RNG.integers(0, w, rows) for w in each]) for name, each in widths.items() if each
    }
    numbers = RNG.integers(-1000, 1000, (vectors, rows)).astype(float)
    owner = RNG.integers(0, 3, (vectors, rows))
    entries = RNG.integers(-50, 50, (2, sum(map(sum, widths.values())))).astype(float)
    answers = {name: owner == place for place, name in enumerate(codes)}

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        mine = codes.get(party.name)
        tally = open_tally(engine, mine, widths, rows=rows)
        secret = engine.share(
            numbers if party.name == "a" else None, owner="a", shape=numbers.shape, dtype=int
        )
        tally.prepare(2)
        taken = tally.take(secret)
        kept = taken.kept(answers.get(party.name))
        left = tally.take(kept)
        right = taken.less(left)
        table = engine.share(
            entries if party.name == "a" else None, owner="a", shape=entries.shape, dtype=int
        )
        told = [
            tally.spread(table),
            taken.sums(),
            kept,
            left.beside(right).sums(),
            right.kept(answers.get(party.name)),
        ]
        return [engine.reveal(f"x{place}", one, to=("a",)) for place, one in enumerate(told)]

    everyone = holders if helper is None else (*holders, helper)
    disclosures = [Disclosure(f"x{place}", "x", ("a",), Door.REVEAL) for place in range(5)]
    spread, *told = run(program, everyone, disclosures=disclosures).results["a"]
    starts = np.cumsum([0, *(width for name in codes for width in widths[name])])
    every = np.concatenate(list(codes.values()))
    np.testing.assert_array_equal(
        spread, sum(entries[:, start + column] for start, column in zip(starts, every, strict=False))
    )

    def summed(values: np.ndarray) -> np.ndarray:
        return np.stack(
            [
                np.concatenate(
                    [
                        np.bincount(column, vector, minlength=width)
                        for name in codes
                        for column, width in zip(codes[name], widths[name], strict=True)
                    ]
                )
                for vector in values
            ]
        )

    kept = numbers * (owner < len(codes))
    rest = numbers - kept
    np.testing.assert_array_equal(told[0], summed(numbers))
    np.testing.assert_array_equal(told[1], kept)
    np.testing.assert_array_equal(told[2], np.stack([summed(kept), summed(rest)], axis=1).reshape(6, -1))
    np.testing.assert_array_equal(told[3], rest * (owner < len(codes)))


def test_large_masked_codes_lie_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [slice(0, 5), slice(5, 7)]
    small = dealer.room(pieces, 3)
    monkeypatch.setattr(dealer, "IN_MEMORY_BYTES", 100)
    large = dealer.room(pieces, 3)
    for where in (small, large):
        for place, held in enumerate(where):
            held[:] = place + 1
        assert [held.shape for held in where] == [(3, 5), (3, 2)]
        assert [int(held.min()) for held in where] == [int(held.max()) for held in where] == [1, 2]
    assert isinstance(large[0], np.memmap)


def test_a_disk_without_room_is_an_error_and_not_the_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dealer, "IN_MEMORY_BYTES", 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(UnavailableError, match=r"no room for 1.6 MB of temporary files") as caught:
            dealer.room([slice(0, 100_000)], 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "jobs.scratch" in caught.value.mend
    (held,) = dealer.room([slice(0, 100_000)], 2)  # nothing is left of the first
    assert held.shape == (2, 100_000)


def test_codes_beyond_what_was_told_are_refused() -> None:
    where = blocks.Blocks({"a": (2,)}, 3)
    with pytest.raises(LocalProtocolError, match="beyond"):
        where.checked("a", np.array([[0, 1, 2]]))
    with pytest.raises(LocalProtocolError, match="shape"):
        where.checked("a", None)
    assert where.checked("b", None) is None


def test_too_many_codes_are_refused() -> None:
    def program(party: Party) -> None:
        engine = Engine(party, holders=("a", "b"), helper="helper")
        open_tally(engine, None, {"a": (1 << 16, 1)}, rows=1)

    with pytest.raises(UsageError, match="65537 codes"):
        run(program, ("a", "b", "helper"))


@pytest.mark.parametrize(
    ("lines", "places", "of_a_round"),
    [(2, 1, 1000), (1, 2, 1000), (3, 7, 1000), (2, 60, 0), (1, 40, 10_000)],
)
def test_the_largest_of_many(
    lines: int, places: int, of_a_round: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(largest, "ROUND", of_a_round)
    numbers = RNG.integers(-4, 5, (lines, places)).astype(float)  # many are equal

    def program(party: Party) -> Any:
        engine = Engine(party, holders=("a", "b"), helper="helper")
        secret = engine.share(numbers if party.name == "a" else None, owner="a", shape=numbers.shape)
        return engine.reveal("hot", largest.one_hot_of_largest(secret), to=("a",))

    told = run(program, ("a", "b", "helper"), disclosures=[Disclosure("hot", "x", ("a",), Door.REVEAL)])
    hot = np.arange(places) == numbers.argmax(axis=1)[:, None]
    np.testing.assert_array_equal(told.results["a"], hot)
