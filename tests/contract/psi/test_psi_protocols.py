"""What every protocol of intersections must do, whatever comes out of it: one test file over all of them, found by name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from psi_run import NAMES, UNIVERSE, among, check, figures, holders_of, told

from unseen.core.cost import Network
from unseen.core.errors import DeniedError, UsageError
from unseen.psi import Mode, choose, intersect, options
from unseen.psi.protocol import answering, names, protocol, revealing
from unseen.testing.simulate import Run, simulate

KINDS = [
    (name, Mode(security=security, compact=compact))
    for name in NAMES
    for security, compact in product(protocol(name).SECURITIES, (False, True))
    if not (compact and protocol(name).OUTPUT == "answers")  # how rows are found is the intersection's
]


def kinds(*outputs: str) -> pytest.MarkDecorator:
    """Every protocol in every mode, of those outputs."""
    found = [(name, mode) for name, mode in KINDS if protocol(name).OUTPUT in outputs]
    texts = [f"{name}-{mode.security}{'-compact' if mode.compact else ''}" for name, mode in found]
    # three holders at a time, with the slower code: its quick test is that of every way of having an id
    params = [
        pytest.param(name, mode, marks=pytest.mark.long if (name, mode.compact) == ("multi", True) else [])
        for name, mode in found
    ]
    return pytest.mark.parametrize(("name", "mode"), params, ids=texts)


every_kind = kinds("rows", "shares", "answers")
revealing_kind = kinds("rows")


def sets_of(name: str, left: Sequence[int], right: Sequence[int]) -> dict[str, list[int]]:
    """The sets of two, and for further holders one of their own: of what these have most, and more, in another order."""
    sets = {"a": list(left), "b": list(right)}
    for nth, holder in enumerate(holders_of(name)[2:], 2):
        either = sorted({*left, *right})
        sets[holder] = [number for number in either if number % (nth + 3)] + list(range(1100, 1105))
    return sets


def go(left: Sequence[int], right: Sequence[int], name: str, mode: Mode, **options: Any) -> Run[Any]:
    return among(sets_of(name, left, right), name, mode, **options)


@revealing_kind
@pytest.mark.parametrize("size", [0, 1, 2, 7, 31, 65, 300])
def test_equal_sizes_half_in_common(name: str, mode: Mode, size: int) -> None:
    left, right = list(range(size)), list(range(size // 2, size // 2 + size))[::-1]
    check(name, go(left, right, name, mode), sets_of(name, left, right))


@kinds("shares", "answers")
@pytest.mark.parametrize("size", [1, 31])
def test_equal_sizes_half_in_common_in_secret(name: str, mode: Mode, size: int) -> None:
    left, right = list(range(size)), list(range(size // 2, size // 2 + size))[::-1]
    check(name, go(left, right, name, mode), sets_of(name, left, right))


SHAPES = pytest.mark.parametrize(
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


@SHAPES
@revealing_kind
def test_shapes_of_sets(name: str, mode: Mode, left: list[int], right: list[int]) -> None:
    check(name, go(left, right, name, mode), sets_of(name, left, right))


@pytest.mark.long
@SHAPES
@kinds("shares", "answers")
def test_shapes_of_sets_in_secret(name: str, mode: Mode, left: list[int], right: list[int]) -> None:
    check(name, go(left, right, name, mode), sets_of(name, left, right))


@every_kind
def test_only_some_learn(name: str, mode: Mode) -> None:
    held = sets_of(name, range(40), range(20, 100))
    several = [tuple(held)[1:]] if len(held) > 2 else []
    for to in [(holder,) for holder in held] + several:
        check(name, among(held, name, mode, to=to, disclosures=[told(name, to)]), held, to)


@every_kind
def test_bounds_hide_the_sizes(name: str, mode: Mode) -> None:
    """Two runs on sets of different sizes under the same bounds send the same number of bytes, but for coding of noise."""
    sizes, sent = {holder: 200 + 30 * place for place, holder in enumerate("abc")}, []
    for left, right in ((range(3), range(2, 4)), (range(200), range(100, 330))):
        held = {holder: rows[: sizes[holder]] for holder, rows in sets_of(name, left, right).items()}
        outcome = among(held, name, mode, sizes={holder: sizes[holder] for holder in held})
        check(name, outcome, held)
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


@revealing_kind
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
            for name in names("rows")
            if security in protocol(name).SECURITIES and holders in protocol(name).HOLDERS
        }
        assert [item.cost.seconds for item in ranked] == sorted(item.cost.seconds for item in ranked)


@revealing_kind
def test_a_protocol_is_for_so_many_holders(name: str, mode: Mode) -> None:
    others = 2 if protocol(name).HOLDERS.start > 2 else 3
    outcome = among({holder: [1, 2] for holder in "abc"[:others]}, name, mode, timeout_s=5)
    assert all(isinstance(error, UsageError) for error in outcome.errors.values())
    assert len(outcome.errors) == others


def test_a_protocol_of_another_output_is_refused() -> None:
    with pytest.raises(UsageError, match="output are shares, where rows are due"):
        revealing("circuit")
    with pytest.raises(UsageError, match="choose one of: cardinality, histogram, mean, sum"):
        answering("multi")


@kinds("answers")
def test_of_fewer_than_agreed_only_that_they_are_fewer(name: str, mode: Mode) -> None:
    common = set(range(20, 40))
    held = sets_of(name, range(40), range(20, 100))
    for at_least in (20, 21):
        outcome = among(held, name, mode, to=("b",), at_least=at_least)
        assert not outcome.errors, outcome.errors
        for shown, wanted in zip(outcome.results["b"], figures(name, common), strict=True):
            enough = (wanted.count if name == "histogram" else len(common)) >= at_least
            assert shown.below == (not enough)
            assert enough or (shown.count, set(shown.values)) == (0, {0.0})


def seen_of(outcome: Run[Any]) -> dict[str, Any]:
    """What each party can tell without reading: messages in order by stream, and bytes by peer."""
    assert not outcome.errors, outcome.errors
    return {
        name: (
            sorted(
                (item.stream, item.sender, place, type(item.message).__name__)
                for place, item in _numbered(view)
            ),
            {peer: sent.bytes_sent for peer, sent in outcome.stats[name].items()},
        )
        for name, view in outcome.views.items()
    }


def _numbered(view: Sequence[Any]) -> list[tuple[int, Any]]:
    counts: dict[tuple[str, str], int] = {}
    out = []
    for item in view:
        key = (item.stream, item.sender)
        out.append((counts.get(key, 0), item))
        counts[key] = counts.get(key, 0) + 1
    return out


@every_kind
def test_two_inputs_with_the_same_output_look_alike(name: str, mode: Mode) -> None:
    """As many messages of the same kinds in the same order and lengths, whatever ids are common, or, in secret, how many."""
    secret = protocol(name).OUTPUT != "rows"
    others = holders_of(name)[2:]
    one = {"a": list(range(60)), "b": list(range(40, 100)), **{who: list(range(60)) for who in others}}
    moved = list(range(259, 199, -1) if secret else range(219, 159, -1))
    other = {"a": list(range(200, 260)), "b": moved, **{who: list(range(200, 260)) for who in others}}
    options: dict[str, Any] = {"at_least": 61} if protocol(name).OUTPUT == "answers" else {}
    first, second = (seen_of(among(held, name, mode, **options)) for held in (one, other))
    for party, (messages, sent) in first.items():
        assert messages == second[party][0]
        # lists of sorted tags are coded by their differences: a few bytes come and go with fresh noise in every run
        slack = 0 if secret else 64
        assert all(abs(count - second[party][1][peer]) <= slack for peer, count in sent.items()), party


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
