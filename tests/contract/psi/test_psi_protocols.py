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
from unseen.psi import Mode, choose, intersect, options
from unseen.psi.protocol import PROTOCOLS, protocol
from unseen.testing.simulate import Run, simulate

NAMES = registry.names(PROTOCOLS)
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


def told(to: Sequence[str]) -> Disclosure:
    return Disclosure("intersection", "common rows", tuple(to), Door.RELEASE)


def ids(numbers: Iterable[int]) -> np.ndarray:
    """Digest-like rows: uniform bytes that depend on the number alone."""
    rows = [np.random.default_rng(number).integers(0, 256, 32, np.uint8) for number in numbers]
    return np.array(rows, np.uint8).reshape(-1, 32)


UNIVERSE = ids(range(1200))


def holders_of(name: str) -> tuple[str, ...]:
    """As few as the protocol is for."""
    return tuple("abcdef"[: protocol(name).HOLDERS.start])


def sets_of(name: str, left: Sequence[int], right: Sequence[int]) -> dict[str, list[int]]:
    """The sets of two, and for further holders one of their own: of what these have most, and more, in another order."""
    sets = {"a": list(left), "b": list(right)}
    for nth, holder in enumerate(holders_of(name)[2:], 2):
        either = sorted({*left, *right})
        sets[holder] = [number for number in either if number % (nth + 3)] + list(range(1100, 1105))
    return sets


def go(left: Sequence[int], right: Sequence[int], name: str, mode: Mode, **options: Any) -> Run[Any]:
    return among(sets_of(name, left, right), name, mode, **options)


def among(held: dict[str, list[int]], name: str, mode: Mode, **options: Any) -> Run[Any]:
    sets, holders = {holder: UNIVERSE[rows] for holder, rows in held.items()}, tuple(held)
    call = {key: options.pop(key) for key in ("to", "sizes") if key in options}
    options.setdefault("disclosures", [told(holders)])
    return simulate(
        lambda party: intersect(
            party,
            sets.get(party.name),
            holders=holders,
            to=call.get("to", holders),
            sizes=call.get("sizes"),
            method=name,
            mode=mode,
            allow_empty=True,
        ),
        holders,
        **options,
    )


def check(outcome: Run[Any], held: dict[str, list[int]], to: Sequence[str] | None = None) -> None:
    assert not outcome.errors, outcome.errors
    common = set.intersection(*map(set, held.values()))
    found = []
    for party, own in held.items():
        aligned = outcome.results[party]
        assert (aligned is not None) == (party in (held if to is None else to))
        if aligned is not None:
            assert aligned.rows.dtype == np.int64
            found.append([own[row] for row in aligned.rows])
            assert len(found[-1]) == len(set(found[-1]))
            assert set(found[-1]) == common
    assert all(one == found[0] for one in found)


@every_kind
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 31, 64, 65, 300])
def test_equal_sizes_half_in_common(name: str, mode: Mode, size: int) -> None:
    left, right = list(range(size)), list(range(size // 2, size // 2 + size))[::-1]
    check(go(left, right, name, mode), sets_of(name, left, right))


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
    check(go(left, right, name, mode), sets_of(name, left, right))


@every_kind
def test_only_some_learn(name: str, mode: Mode) -> None:
    held = sets_of(name, range(40), range(20, 100))
    several = [tuple(held)[1:]] if len(held) > 2 else []
    for to in [(holder,) for holder in held] + several:
        outcome = among(held, name, mode, to=to, disclosures=[told(to)])
        check(outcome, held, to)


@every_kind
def test_bounds_hide_the_sizes(name: str, mode: Mode) -> None:
    """Two runs on sets of different sizes under the same bounds send the same number of bytes, but for coding of noise."""
    sizes, sent = {holder: 200 + 30 * place for place, holder in enumerate("abc")}, []
    for left, right in ((range(3), range(2, 4)), (range(200), range(100, 330))):
        held = {holder: rows[: sizes[holder]] for holder, rows in sets_of(name, left, right).items()}
        outcome = among(held, name, mode, sizes={holder: sizes[holder] for holder in held})
        check(outcome, held)
        sent.append(outcome.bytes_sent)
    assert abs(sent[0] - sent[1]) <= 64


@every_kind
def test_more_ids_than_the_bound(name: str, mode: Mode) -> None:
    sizes = {holder: 2 if holder == "a" else 20 for holder in holders_of(name)}
    outcome = go([1, 2, 3], [1], name, mode, sizes=sizes, timeout_s=5)
    assert isinstance(outcome.errors["a"], UsageError)


@every_kind
def test_the_gate_decides(name: str, mode: Mode) -> None:
    outcome = go([1, 2], [2, 3], name, mode, disclosures=[], timeout_s=5)
    assert any(isinstance(error, DeniedError) for error in outcome.errors.values())


@every_kind
def test_orders_differ_from_run_to_run_and_from_the_tables(name: str, mode: Mode) -> None:
    everything = list(range(60))
    held = dict.fromkeys(holders_of(name), everything)
    orders = {tuple(among(held, name, mode).results["a"].rows) for _ in range(4)}
    assert len(orders) == 4
    assert tuple(everything) not in orders


@every_kind
def test_it_says_what_it_is(name: str, mode: Mode) -> None:
    module = protocol(name)
    assert module.SUMMARY
    assert module.LEAKS
    assert module.assumption(mode)
    holders = module.HOLDERS.start
    small, large = (module.estimate((size,) * holders, mode, Network()) for size in (1 << 10, 1 << 20))
    assert 0 < small.seconds < large.seconds
    assert 0 < small.bytes < large.bytes
    slow = Network(0.05, 1.25e6)
    assert module.estimate((1 << 20,) * holders, mode, slow).seconds > large.seconds


@every_kind
def test_repeated_ids_are_refused(name: str, mode: Mode) -> None:
    outcome = go([1, 2, 2], [1, 2], name, mode, timeout_s=5)
    assert isinstance(outcome.errors["a"], UsageError)


def test_the_planner_ranks_all_that_are_secure_enough() -> None:
    for security, holders in product(("semi-honest", "malicious"), (2, 3, 5)):
        ranked = options((1 << 20,) * holders, Mode(security=security), Network())
        assert {item.method for item in ranked} == {
            name
            for name in NAMES
            if security in protocol(name).SECURITIES and holders in protocol(name).HOLDERS
        }
        assert [item.cost.seconds for item in ranked] == sorted(item.cost.seconds for item in ranked)


@every_kind
def test_a_protocol_is_for_so_many_holders(name: str, mode: Mode) -> None:
    others = 2 if protocol(name).HOLDERS.start > 2 else 3
    outcome = among({holder: [1, 2] for holder in "abc"[:others]}, name, mode, timeout_s=5)
    assert all(isinstance(error, UsageError) for error in outcome.errors.values())
    assert len(outcome.errors) == others


def test_the_planner_says_what_it_cannot_do() -> None:
    with pytest.raises(UsageError, match="of 3 holders is secure against malicious"):
        choose((10, 10, 10), Mode(security="malicious"), Network())
    assert choose((10, 10, 10), Mode(), Network()).reason.startswith("multi: about")


@pytest.mark.parametrize(
    "wrong",
    [{"holders": ("a",)}, {"holders": ("a", "a")}, {"to": ("c",)}, {"sizes": {"a": 1}}],
    ids=["one", "twice", "a stranger", "sizes"],
)
def test_a_call_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    call = {"holders": ("a", "b"), "to": ("a",), "sizes": {"a": 1, "b": 1}, **wrong}
    outcome = simulate(lambda party: intersect(party, UNIVERSE[:1], **call), ("a", "b"), timeout_s=5)
    assert isinstance(outcome.errors["a"], UsageError)
