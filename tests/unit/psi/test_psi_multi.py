"""Three holders and more: results against brute force, who meets whom, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.party import Disclosure, Door, Message, Party
from unseen.psi import Mode, intersect
from unseen.psi.protocols import multi
from unseen.testing.simulate import Run, simulate

NAMES = "abcdefgh"
UNIVERSE = np.random.default_rng(1).integers(0, 256, (400, 32), np.uint8)


def go(
    held: Mapping[str, Sequence[int]], to: Sequence[str] = "", mode: Mode | None = None, **options: Any
) -> Run[Any]:
    names = tuple(held)
    return simulate(
        lambda party: intersect(
            party,
            UNIVERSE[list(held[party.name])],
            holders=names,
            to=tuple(to) or names,
            mode=mode,
            sizes=options.get("sizes"),
            allow_empty=True,
        ),
        names,
        disclosures=[Disclosure("intersection", "", names, Door.RELEASE)],
        timeout_s=options.get("timeout_s", 30.0),
    )


def check(outcome: Run[Any], held: Mapping[str, Sequence[int]], to: Sequence[str] = "") -> None:
    assert not outcome.errors, outcome.errors
    common = set.intersection(*map(set, held.values()))
    lists = [[held[name][row] for row in outcome.results[name].rows] for name in to or held]
    assert all(one == lists[0] for one in lists)
    assert len(lists[0]) == len(common)
    assert set(lists[0]) == common


def patterns(holders: int, each: int, seed: int) -> dict[str, list[int]]:
    """Sets in which every way of being at some holders and not at others comes `each` times, in random orders."""
    rng = np.random.default_rng(seed)
    ways = [way for way in product((False, True), repeat=holders) if any(way)] * each
    return {
        NAMES[holder]: rng.permutation([row for row, way in enumerate(ways) if way[holder]]).tolist()
        for holder in range(holders)
    }


@pytest.mark.parametrize(
    ("holders", "each", "compact"), [(3, 9, False), (4, 6, False), (5, 3, False), (3, 5, True)]
)
def test_every_way_of_having_an_id(holders: int, each: int, compact: bool) -> None:
    held = patterns(holders, each, holders)
    check(go(held, mode=Mode(compact=compact)), held)


@pytest.mark.parametrize("to", ["c", "ab"])
def test_to_some(to: str) -> None:
    held = patterns(4, 3, 7)
    outcome = go(held, to)
    check(outcome, held, to)
    assert all(outcome.results[name] is None for name in held if name not in to)


@pytest.mark.long
def test_all_small_sets_of_three() -> None:
    """Every choice of three sets of up to three ids of three."""
    subsets = [list(rows) for count in range(4) for rows in combinations(range(3), count)]
    for sets in product(subsets, repeat=3):
        held = dict(zip("abc", sets, strict=True))
        check(go(held), held)


@pytest.mark.long
@pytest.mark.parametrize("holders", [3, 4, 5, 8])
def test_sizes_of_all_kinds(holders: int) -> None:
    rng = np.random.default_rng(holders)
    for _ in range(12):
        held = {
            name: rng.permutation(400)[: rng.choice([1, 2, 17, 64, 200, 399])].tolist()
            for name in NAMES[:holders]
        }
        check(go(held), held)


def test_an_empty_set_has_nothing_in_common() -> None:
    held = {"a": [1, 2], "b": [], "c": [1]}
    check(go(held), held)
    bounded = go(held, sizes={"a": 5, "b": 5, "c": 5})  # nobody is told that it is empty
    check(bounded, held)


def test_without_a_common_row_that_is_an_error_unless_allowed() -> None:
    outcome = simulate(
        lambda party: intersect(
            party, UNIVERSE[["abc".index(party.name)]], holders=("a", "b", "c"), to=("a", "b", "c")
        ),
        ("a", "b", "c"),
        disclosures=[Disclosure("intersection", "", ("a", "b", "c"), Door.RELEASE)],
    )
    assert all(isinstance(outcome.errors[name], UsageError) for name in "abc")


@pytest.mark.parametrize("count", range(2, 34))
def test_everybody_meets_everybody_once_and_nobody_waits_in_a_circle(count: int) -> None:
    names = [f"holder-{number}" for number in range(count)]
    waiting = {name: list(multi.meetings(names, name)) for name in names}
    for name in names:
        assert sorted(waiting[name]) == sorted(set(names) - {name})
    rounds = 0
    while any(waiting.values()):
        rounds += 1
        met = [(me, them[0]) for me, them in waiting.items() if them and waiting[them[0]][:1] == [me]]
        assert met
        for me, _ in met:
            waiting[me].pop(0)
    assert rounds <= count


def test_of_those_who_learn_the_one_with_the_fewest_ids_leads() -> None:
    sizes = {"a": 5, "b": 2, "c": 1, "d": 2}
    assert multi.leading(sizes, ("a", "b", "d")) == ("b", "a", "c", "d")
    assert multi.leading(sizes, ("a",)) == ("a", "b", "c", "d")


def _shorter_shares(message: Message) -> Message:
    if isinstance(message, multi.Shares):
        return multi.Shares(message.seed, message.slots.part(lambda slots: slots[1:]))
    return message


def _short_seed(message: Message) -> Message:
    return multi.Shares(message.seed[1:], message.slots) if isinstance(message, multi.Shares) else message


def _more_tags(message: Message) -> Message:
    if isinstance(message, multi.Common):
        return multi.Common(message.tags.part(lambda tags: np.concatenate([tags, tags])))
    return message


@pytest.mark.parametrize("bad", [_shorter_shares, _short_seed, _more_tags])
def test_what_cannot_be_is_refused(
    bad: Callable[[Message], Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Party.send
    monkeypatch.setattr(Party, "send", lambda self, peer, message: whole(self, peer, bad(message)))
    outcome = go(patterns(3, 2, 1), timeout_s=5)
    assert any(isinstance(error, RemoteProtocolError) for error in outcome.errors.values())


def test_one_who_fails_ends_it_for_all_at_once() -> None:
    def body(party: Party) -> Any:
        if party.name == "b":
            raise UsageError("b has no file")
        return intersect(
            party, UNIVERSE[:9], holders=("a", "b", "c"), to=("a",), sizes=dict.fromkeys("abc", 9)
        )

    outcome = simulate(body, ("a", "b", "c"), timeout_s=60)
    assert set(outcome.errors) == {"a", "b", "c"}
    assert not any(isinstance(error, TimeoutError) for error in outcome.errors.values())
