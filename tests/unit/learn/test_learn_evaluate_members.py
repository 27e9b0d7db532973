"""Measures over rows of which nobody knows which count are those of the rows that do, rounded; what counts as small are members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.learn.evaluate import binary, members, order, ranking, secret
from unseen.learn.evaluate.quotients import quotients
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run

RNG = np.random.default_rng(8)
NAMES = ("ranking", "groups", "distribution", "confusion", "losses", "quotients")
CREWS = {
    "dealer2": (("a", "b"), "helper"),
    "replicated3": (("a", "b", "c"), None),
    "pair2": (("a", "b"), None),
}
UNIT = 2.0**-members.PLACES
COUNT = 130
EDGES = (0.25, 0.5, 0.75)


def inputs(levels: int = 9, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores in few levels, labels, members; labels of others are 0, as a join leaves them."""
    rng = np.random.default_rng(seed)
    member = rng.random(COUNT) < 0.7
    scores = np.round(rng.integers(0, levels + 1, COUNT) / levels * 2**20) / 2**20
    return scores, (rng.random(COUNT) < 0.15 + 0.6 * scores) * member, member


def play(body: Callable[..., Any], *given: np.ndarray, protocol: str = "dealer2") -> Run[Any]:
    """Scores and members are shared by a, labels by b, who is the receiver."""
    holders, helper = CREWS[protocol]
    crew = holders if helper is None else (*holders, helper)
    scores, labels, member = given

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        shape = scores.shape
        x = engine.share(scores if party.name == "a" else None, owner="a", shape=shape)
        y = engine.share(labels if party.name == "b" else None, owner="b", shape=shape, dtype=int)
        m = engine.share(member if party.name == "a" else None, owner="a", shape=shape, dtype=bool)
        return body(x, y, order.Weights.of_members(m))

    told = [Disclosure(name, name, ("b",), Door.REVEAL, times=9) for name in NAMES]
    return run(program, crew, disclosures=told, timeout_s=120)


def everything(x: SecretArray, y: SecretArray, w: order.Weights, at_least: int = 4) -> Any:
    ordered = order.sorted_by_score(x, y, None, w)
    told = members.tell(
        [
            members.ranking(ordered),
            members.groups(ordered, 5, at_least=at_least),
            members.distribution(x, y, w.numbers, EDGES, at_least=at_least),
            members.confusion(x, y, w.numbers, 0.5, at_least=at_least),
            members.losses(x, y, w.numbers),
        ],
        to=("b",),
    )
    return (
        told["ranking"],
        members.ranked(told["groups"]),
        members.spread(told["distribution"], EDGES),
        members.cells(told["confusion"], 0.5),
        told["losses"],
    )


@pytest.mark.parametrize(
    "protocol", ["dealer2", *(pytest.param(one, marks=pytest.mark.long) for one in ("replicated3", "pair2"))]
)
def test_measures_are_those_of_the_members(protocol: str) -> None:
    scores, labels, member = inputs()
    curve, groups, spread, cells, losses = play(
        everything, scores, labels, member, protocol=protocol
    ).results["b"]
    s, y = scores[member], labels[member].astype(float)
    exact = ranking.by_level(y, s)
    np.testing.assert_allclose(curve[:2], [exact.auc, exact.ks], rtol=0, atol=UNIT / 2)
    assert curve[2] == pytest.approx(exact.average_precision, abs=1e-4)
    by_rank = merged(ranking.by_rank(y, s, 5), 4)
    np.testing.assert_allclose(groups.rows, by_rank[:, 0] / len(s), atol=UNIT)
    np.testing.assert_allclose(groups.positives, by_rank[:, 1] / len(s), atol=UNIT)
    assert (groups.rows * groups.scores).sum() == pytest.approx(s.mean(), abs=UNIT)
    between = ranking.between(y, s, np.array(EDGES))
    np.testing.assert_array_equal(spread.edges, EDGES)
    np.testing.assert_allclose(spread.rows, between.rows / len(s), atol=UNIT)
    np.testing.assert_allclose(spread.positives, between.positives / len(s), atol=UNIT)
    np.testing.assert_allclose(spread.scores, between.scores, atol=20 * UNIT)
    assert cells.accuracy == pytest.approx(binary.confusion(y, s).accuracy, abs=2 * UNIT)
    quality = binary.measure(y, np.clip(s, 2.0**-20, 1 - 2.0**-20))
    np.testing.assert_allclose(losses, [quality.log_loss, quality.brier], atol=1e-3)


def merged(exact: ranking.Ranking, at_least: int) -> np.ndarray:
    """(rows, positives) of neighbours joined until either class is large enough, there and behind."""
    parts = np.column_stack([exact.rows, exact.positives])
    found, since = [], np.zeros(2)
    for place, part in enumerate(parts):
        since = since + part
        behind = parts[place + 1 :].sum(axis=0)
        enough = min(since[1], since[0] - since[1], behind[1], behind[0] - behind[1]) >= at_least
        if place + 1 == len(parts) or enough:
            found.append(since)
            since = np.zeros(2)
    return np.array(found)


def few(scores: np.ndarray, member: np.ndarray) -> Any:
    """Between 0.5 and 0.75 there are many places and three members of either class."""
    inside = (scores >= 0.5) & (scores < 0.75)
    kept = np.flatnonzero(inside)[:6]
    member = np.where(inside, np.isin(np.arange(COUNT), kept), member)
    labels = (np.arange(COUNT) % 2) * member
    labels[kept] = [0, 1, 0, 1, 0, 1]
    return labels, member


def distributed(x: SecretArray, y: SecretArray, w: order.Weights) -> Any:
    told = members.tell([members.distribution(x, y, w.numbers, EDGES, at_least=5)], to=("b",))
    return members.spread(told["distribution"], EDGES)


def test_only_members_make_a_group_large() -> None:
    scores, _, member = inputs()
    labels, member = few(scores, member)
    assert ((scores >= 0.5) & (scores < 0.75)).sum() > 20
    assert play(distributed, scores, labels, member).results["b"].edges.tolist() in (
        [0.25, 0.5],
        [0.25, 0.75],
    )


def test_a_mutant_that_counts_places_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, _, member = inputs()
    labels, member = few(scores, member)
    honest = secret.kept_ends
    monkeypatch.setattr(
        secret, "kept_ends", lambda rows, positives, at_least: honest(rows * 9, positives * 2, at_least)
    )
    assert play(distributed, scores, labels, member).results["b"].edges.tolist() == list(EDGES)


def test_what_is_no_member_changes_nothing() -> None:
    scores, labels, member = inputs()
    other = np.where(member, scores, np.roll(scores, 1))
    one, two = (
        play(lambda *given: everything(*given)[0], some, labels, member).results["b"]
        for some in (scores, other)
    )
    np.testing.assert_array_equal(one[:2], two[:2])


def test_all_wrong_is_no_lead_and_all_right_is_all() -> None:
    labels, member = np.array([0, 0, 1, 1, 0, 0]), np.array([True] * 4 + [False] * 2)
    worst, best = np.array([0.9, 0.8, 0.1, 0.2, 1.0, 0.0]), np.array([0.1, 0.2, 0.9, 0.8, 0.5, 0.5])
    rank = lambda x, y, w: members.tell([members.ranking(order.sorted_by_score(x, y, None, w))], to=("b",))  # noqa: E731
    told = [play(rank, scores, labels, member).results["b"]["ranking"] for scores in (worst, best)]
    assert told[0][:2].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(told[1], [1.0, 1.0, 1.0], atol=1e-4)


def test_quotients_are_to_the_nearest() -> None:
    over = np.array([0, 1, 2, 7, 999, 10**6, 3, 15 * 2**40, 2**45])
    under = np.array([5, 3, 3, 1, 1000, 10**6, 2**15, 2**40, 2**45 + 1])

    def body(x: SecretArray, _y: SecretArray, _w: order.Weights) -> Any:
        engine = x.engine
        lifted = (engine.lift(item.astype(float), 0) for item in (over, under))
        return engine.reveal("quotients", quotients(*lifted, whole=4, places=14), to=("b",))

    told = play(body, *inputs()).results["b"]
    expected = [(2**15 * int(a) + int(b)) // (2 * int(b)) / 2**14 for a, b in zip(over, under, strict=True)]
    np.testing.assert_array_equal(told, expected)
