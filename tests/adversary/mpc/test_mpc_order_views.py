"""What sorting opens is a fresh uniform order each time, whatever the keys; a helper sees none of it. With mutants."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest

from unseen import mpc
from unseen.core.errors import UnseenError
from unseen.crypto.prg import Prg
from unseen.mpc import Engine
from unseen.mpc.functions import order, quicksort
from unseen.mpc.protocols.dealer import order as dealt
from unseen.mpc.protocols.dealer.sharing import Dealer
from unseen.mpc.protocols.replicated3 import order as replicated
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

TABLE = {  # protocol: holders, helper, the message of an opening
    "dealer2": (("a", "b"), "helper", dealt.Places),
    "replicated3": (("a", "b", "c"), None, replicated.Told),
}
TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL)
KEYS = {"sorted": [0, 1, 2], "reversed": [2, 1, 0], "ties": [1, 1, 1]}
TIMES = 50
LIMIT = 36.0  # chi-square with 5 degrees of freedom: p < 1e-6
each = pytest.mark.parametrize("protocol", TABLE)


@pytest.fixture(autouse=True)
def _short_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "PAIRED", 0)


def sorts(protocol: str, keys: list[int], times: int = TIMES, key_bits: int = 6) -> Run[Any]:
    """Many sorts of the same few rows, three passes each."""
    holders, helper, _ = TABLE[protocol]

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        mine = np.array(keys) if party.name == "a" else None
        x = engine.share(mine, owner="a", shape=(len(keys),), dtype=int)
        for _ in range(times):
            made = order.sort(x, key_bits=key_bits)
        return engine.reveal("result", made, to=("a",))

    return simulate(program, (*holders, *((helper,) if helper else ())), disclosures=[TOLD], timeout_s=60)


def opened(run: Run[Any], protocol: str) -> list[tuple[int, ...]]:
    """All orders that were opened: the sum of what the holders told one another."""
    holders, _, kind = TABLE[protocol]
    told = [[s.message.values for s in run.views[name] if isinstance(s.message, kind)] for name in holders]
    return [
        tuple(int(place) for place in np.sum(shares, axis=0, dtype=shares[0].dtype))
        for shares in zip(*told, strict=True)
    ]


def chi_square(orders: list[tuple[int, ...]]) -> float:
    """Against all orders being as likely."""
    rows = len(orders[0])
    every = list(permutations(range(rows)))
    counts, expected = Counter(orders), len(orders) / len(every)
    assert set(counts) <= set(every)
    return sum((counts[one] - expected) ** 2 / expected for one in every)


def steps(orders: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """How each order comes from the one before: uniform too, unless a shuffle comes twice."""
    return [tuple(np.array(after)[np.argsort(before)].tolist()) for before, after in pairwise(orders)]


def looks_random(run: Run[Any], protocol: str) -> bool:
    told = opened(run, protocol)
    return chi_square(told) < LIMIT and chi_square(steps(told)) < LIMIT


@each
@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_opened_places_are_a_uniform_order(protocol: str, keys: list[int]) -> None:
    run = sorts(protocol, keys)
    np.testing.assert_array_equal(run.results["a"], np.sort(keys))
    assert len(opened(run, protocol)) == TIMES * 4  # three passes, and the rows themselves
    assert looks_random(run, protocol)


@each
def test_what_else_is_seen_is_noise(protocol: str) -> None:
    holders, _, _ = TABLE[protocol]
    run = sorts(protocol, [5] * 600, times=2)
    assert [text for name in holders for text in objections(secret_arrays(run.views[name]))] == []


def test_the_helper_receives_nothing() -> None:
    """It knows the orders, so it must not see what they are opened to."""
    run = sorts("dealer2", KEYS["sorted"], times=2)
    assert {type(seen.message).__name__ for seen in run.views["helper"]} <= {"SignedHead"}


def test_the_helper_deals_alike_whatever_the_keys() -> None:
    """How much it deals, and to whom, does not depend on data: it need not see anything to go on."""
    sent = [
        [
            (s.sender, type(s.message).__name__, s.message.values.shape, s.message.values.dtype)
            for s in sorts("dealer2", keys, times=1).views["b"]
            if s.sender == "helper" and hasattr(s.message, "values")
        ]
        for keys in KEYS.values()
    ]
    assert sent[0] == sent[1] == sent[2]
    assert sent[0]


# ---------------------------------------------------------------- mutants


def _as_it_stands(_rng: Prg, count: int) -> np.ndarray:
    return np.arange(count)


def _same_for_ever(_rng: Prg, count: int) -> np.ndarray:
    return np.random.default_rng(1).permutation(count)


@each
@pytest.mark.parametrize("mutant", [_as_it_stands, _same_for_ever])
def test_mutant_shuffles_are_found(protocol: str, mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prg, "permutation", mutant)
    run = sorts(protocol, KEYS["reversed"])
    np.testing.assert_array_equal(run.results["a"], [0, 1, 2])  # and nobody would have noticed
    assert not looks_random(run, protocol)


@each
def test_mutant_one_shuffle_for_all_passes_of_a_sort_is_found(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each order alone is uniform; two together tell how the digits moved the rows."""
    drawn: dict[int, list[np.ndarray]] = {}

    def reused(rng: Prg, count: int) -> np.ndarray:
        mine = drawn.setdefault(id(rng), [])
        mine.append(mine[-1] if len(mine) % 4 else honest(rng, count))
        return mine[-1]

    honest = Prg.permutation
    monkeypatch.setattr(Prg, "permutation", reused)
    told = opened(sorts(protocol, KEYS["reversed"]), protocol)
    assert chi_square(steps(told)) > LIMIT


def test_mutant_places_told_to_the_helper_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_shuffled(self: Dealer, values: Any) -> Any:
        if self.holds:
            self.party.send(self.helper, dealt.Places(values[0]))
            return dealt.open_shuffled(self.party, self.peers, values[0])
        for name in self.holders:
            self.party.recv(name, dealt.Places)
        return np.zeros_like(values[0])

    monkeypatch.setattr(Dealer, "open_shuffled", open_shuffled)
    run = sorts("dealer2", KEYS["sorted"], times=1)
    assert not {type(seen.message).__name__ for seen in run.views["helper"]} <= {"SignedHead"}


# ---------------------------------------------------------------- quicksort


def compared(keys: np.ndarray) -> tuple[int, int]:
    """How many bits one quicksort opened, and how many of the first comparisons held."""
    view = sorts("replicated3", keys.tolist(), times=1, key_bits=43).views["b"]
    told = [s.message.values for s in view if isinstance(s.message, replicated.Told)]
    return sum(bits.size for bits in told), int(np.unpackbits(told[0]).sum())


def alike(one: np.ndarray, other: np.ndarray, times: int = 30) -> bool:
    samples = [np.array([compared(keys) for _ in range(times)]) for keys in (one, other)]
    return all(
        abs(left.mean() - right.mean()) < 5 * np.sqrt((left.var() + right.var()) / times + 1e-9)
        for left, right in zip(samples[0].T, samples[1].T, strict=True)
    )


def test_what_quicksort_opens_says_nothing_of_the_keys() -> None:
    """Sorted keys, or all keys equal: how much is opened, and how many comparisons hold, is distributed alike."""
    assert alike(np.arange(40), np.zeros(40, int))


def test_mutant_keys_that_are_not_made_different_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ties then show in what is opened."""
    monkeypatch.setattr(quicksort, "different", lambda _protocol, key: key)
    assert not alike(np.arange(40), np.zeros(40, int), times=10)


# ---------------------------------------------------------------- orders that are none


@each
def test_an_order_that_is_none_is_refused(protocol: str) -> None:
    holders, helper, _ = TABLE[protocol]

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        places = engine.share(
            np.array([0, 1, 1]) if party.name == "a" else None, owner="a", shape=(3,), dtype=int
        )
        return mpc.permute(places, places)

    run = simulate(program, (*holders, *((helper,) if helper else ())), disclosures=[TOLD], timeout_s=10)
    assert all(isinstance(run.errors[name], UnseenError) for name in holders)
