"""What every intersection protocol must do: one test file over all of them, found by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from unseen.core import registry
from unseen.core.cost import Network
from unseen.core.errors import DeniedError, UsageError
from unseen.party import Disclosure, Door
from unseen.psi import Mode, intersect, options
from unseen.psi.protocol import PROTOCOLS, protocol
from unseen.testing.simulate import Run, simulate

NAMES = registry.names(PROTOCOLS)
TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
KINDS = [
    (name, Mode(security=security, compact=compact))
    for name in NAMES
    for security, compact in product(protocol(name).SECURITIES, (False, True))
]
every_kind = pytest.mark.parametrize(
    ("name", "mode"),
    KINDS,
    ids=[f"{name}-{mode.security}{'-compact' if mode.compact else ''}" for name, mode in KINDS],
)


def ids(numbers: Iterable[int]) -> np.ndarray:
    """Digest-like rows: uniform bytes that depend on the number alone."""
    rows = [np.random.default_rng(number).integers(0, 256, 32, np.uint8) for number in numbers]
    return np.array(rows, np.uint8).reshape(-1, 32)


UNIVERSE = ids(range(1200))


def go(left: Sequence[int], right: Sequence[int], name: str, mode: Mode, **options: Any) -> Run[Any]:
    sets = {"a": UNIVERSE[list(left)], "b": UNIVERSE[list(right)]}
    call = {key: options.pop(key) for key in ("to", "sizes") if key in options}
    options.setdefault("disclosures", TOLD)
    return simulate(
        lambda party: intersect(
            party,
            sets.get(party.name),
            holders=("a", "b"),
            to=call.get("to", ("a", "b")),
            sizes=call.get("sizes"),
            method=name,
            mode=mode,
            allow_empty=True,
        ),
        ("a", "b"),
        **options,
    )


def check(
    outcome: Run[Any], left: Sequence[int], right: Sequence[int], to: Sequence[str] = ("a", "b")
) -> None:
    assert not outcome.errors, outcome.errors
    common = set(left) & set(right)
    found = {}
    for party, own in (("a", left), ("b", right)):
        aligned = outcome.results[party]
        assert (aligned is not None) == (party in to)
        if aligned is not None:
            assert aligned.rows.dtype == np.int64
            found[party] = [own[row] for row in aligned.rows]
            assert len(found[party]) == len(set(found[party]))
            assert set(found[party]) == common
    if len(found) == 2:
        assert found["a"] == found["b"]


@every_kind
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 31, 64, 65, 300])
def test_equal_sizes_half_in_common(name: str, mode: Mode, size: int) -> None:
    left, right = list(range(size)), list(range(size // 2, size // 2 + size))[::-1]
    check(go(left, right, name, mode), left, right)


@every_kind
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([], [1]),
        ([1], []),
        ([1], [2]),
        (list(range(50)), list(range(50, 111))),  # nothing in common
        (list(range(77)), list(range(77))),  # everything
        ([5], list(range(700))),  # skew
        (list(range(700)), [699]),
        (list(range(0, 600, 2)), list(range(0, 600, 3))),
    ],
)
def test_shapes_of_sets(name: str, mode: Mode, left: list[int], right: list[int]) -> None:
    check(go(left, right, name, mode), left, right)


@every_kind
@pytest.mark.parametrize("to", [("a",), ("b",)])
def test_only_one_learns(name: str, mode: Mode, to: tuple[str, ...]) -> None:
    left, right = list(range(40)), list(range(20, 100))
    told = [Disclosure("intersection", "common rows", to, Door.RELEASE)]
    check(go(left, right, name, mode, to=to, disclosures=told), left, right, to)


@every_kind
def test_bounds_hide_the_sizes(name: str, mode: Mode) -> None:
    """Two runs on sets of different sizes under the same bounds send the same number of bytes, but for coding of noise."""
    sizes, sent = {"a": 200, "b": 230}, []
    for left, right in ((range(3), range(2, 4)), (range(200), range(100, 330))):
        outcome = go(list(left), list(right), name, mode, sizes=sizes)
        check(outcome, list(left), list(right))
        sent.append(outcome.bytes_sent)
    assert abs(sent[0] - sent[1]) <= 64


@every_kind
def test_more_ids_than_the_bound(name: str, mode: Mode) -> None:
    outcome = go([1, 2, 3], [1], name, mode, sizes={"a": 2, "b": 1}, timeout_s=5)
    assert isinstance(outcome.errors["a"], UsageError)


@every_kind
def test_the_gate_decides(name: str, mode: Mode) -> None:
    outcome = go([1, 2], [2, 3], name, mode, disclosures=[], timeout_s=5)
    assert any(isinstance(error, DeniedError) for error in outcome.errors.values())


@every_kind
def test_orders_differ_from_run_to_run_and_from_the_tables(name: str, mode: Mode) -> None:
    everything = list(range(60))
    orders = {tuple(go(everything, everything, name, mode).results["a"].rows) for _ in range(4)}
    assert len(orders) == 4
    assert tuple(everything) not in orders


@every_kind
def test_it_says_what_it_is(name: str, mode: Mode) -> None:
    module = protocol(name)
    assert module.SUMMARY
    assert module.LEAKS
    assert module.assumption(mode)
    small, large = (module.estimate((size, size), mode, Network()) for size in (1 << 10, 1 << 20))
    assert 0 < small.seconds < large.seconds
    assert 0 < small.bytes < large.bytes
    assert module.estimate((1 << 20, 1 << 20), mode, Network(0.05, 1.25e6)).seconds > large.seconds


@every_kind
def test_repeated_ids_are_refused(name: str, mode: Mode) -> None:
    outcome = go([1, 2, 2], [1, 2], name, mode, timeout_s=5)
    assert isinstance(outcome.errors["a"], UsageError)


def test_the_planner_ranks_all_that_are_secure_enough() -> None:
    ranked = options((1 << 20, 1 << 20), Mode(security="malicious"), Network())
    assert {item.method for item in ranked} == {
        name for name in NAMES if "malicious" in protocol(name).SECURITIES
    }
    assert [item.cost.seconds for item in ranked] == sorted(item.cost.seconds for item in ranked)
