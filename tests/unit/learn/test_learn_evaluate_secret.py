"""Measures under shares are those in clear, and small groups are merged; every party ends alike where there is too little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.learn.evaluate import binary, members, multiclass, order, ranking, regression, secret
from unseen.learn.vertical.linear import linear_scores
from unseen.mpc import Engine, SecretArray
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run, simulate

RNG = np.random.default_rng(8)
NAMES = ("ranking", "groups", "distribution", "confusion", "losses", "errors", "classes", "class-sizes")
CREWS = {"dealer2": (("a", "b"), "helper"), "replicated3": (("a", "b", "c"), None)}


def told(crew: tuple[str, ...]) -> list[Disclosure]:
    named = [Disclosure(name, name, ("b",), Door.REVEAL, times=9) for name in NAMES]
    return [*named, Disclosure("enough", "enough", crew, Door.REVEAL, times=9)]


def play(
    body: Callable[[Engine, SecretArray, SecretArray], Any],
    scores: np.ndarray,
    labels: np.ndarray,
    protocol: str = "dealer2",
    *,
    label_bits: int = 0,
    wait: Callable[..., Any] = run,
) -> Any:
    """Scores are shared by a, labels by b, who is the receiver."""
    holders, helper = CREWS[protocol]
    crew = holders if helper is None else (*holders, helper)

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper=helper, protocol=protocol)
        x = engine.share(scores if party.name == "a" else None, owner="a", shape=scores.shape)
        y = engine.share(
            labels if party.name == "b" else None, owner="b", shape=labels.shape, bits=label_bits
        )
        return body(engine, x, y)

    return wait(program, crew, disclosures=told(crew))


def rows(count: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    scores = RNG.integers(0, levels + 1, count) / levels
    labels = (RNG.random(count) < 0.15 + 0.6 * scores).astype(float)
    return np.round(scores * 2**20) / 2**20, labels


@pytest.mark.parametrize(
    ("protocol", "levels"),
    [
        ("dealer2", 7),
        ("replicated3", 7),
        pytest.param("dealer2", 2**20, marks=pytest.mark.long),
        pytest.param("replicated3", 2**20, marks=pytest.mark.long),
    ],
)
def test_the_order_with_and_without_ties(protocol: str, levels: int) -> None:
    scores, labels = rows(90, levels)
    sizes = np.array([90 - labels.sum(), labels.sum()])

    def body(_engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        ordered = order.sorted_by_score(x, y)
        return secret.ranking(ordered, to=("b",), sizes=sizes)

    done = play(body, scores, labels, protocol)
    exact = ranking.by_level(labels, scores)
    assert done.results["b"].auc == pytest.approx(exact.auc, abs=1e-12)
    assert done.results["b"].ks == pytest.approx(exact.ks, abs=1e-12)
    assert done.results["b"].average_precision == pytest.approx(exact.average_precision, abs=1e-9)
    assert done.results["a"] is None


def test_rows_are_sorted_by_what_is_exact_where_scores_are_rounded() -> None:
    raw = np.r_[np.repeat([1000.0, 600.0, 1.5, -0.25, -700.0], 8)]
    labels = np.tile([0.0, 1, 1, 0, 1, 0, 0, 1], 5) * np.repeat([1.0, 1, 1, 1, 0], 8)
    scores = 1 / (1 + np.exp(-raw / 100)) + np.tile([0.0, 1, 2, -1, 0, -2, 1, 0], 5) * 2.0**-20

    def body(engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        sums = engine.share(raw if engine.protocol.party.name == "a" else None, owner="a", shape=raw.shape)
        ordered = order.sorted_by_score(x, y, sums)
        return secret.ranking(ordered, to=("b",), sizes=np.array([24.0, 16.0])), secret.groups(
            ordered, 5, at_least=0, to=("b",)
        )

    curve, groups = play(body, scores, labels).results["b"]
    exact = ranking.by_level(labels, np.clip(raw, -512, 511))
    assert (curve.auc, curve.ks) == (pytest.approx(exact.auc, abs=1e-12), pytest.approx(exact.ks, abs=1e-12))
    np.testing.assert_allclose(groups.scores, scores.reshape(5, 8).mean(axis=1), atol=1e-5)


FEW = np.array([[0.3, -0.2, 0.0], [0.3, -0.2, 0.1], [-0.25, 0.5, 0.0], [1.0, 1.0, -1.0]])
"""What comes before the link, of trees with few leaves."""


def one_vs_rest(tied: bool) -> list[tuple[float, float]]:
    """AUC of each class, under shares and of probabilities that are equal where rows are; each was rounded anew."""
    rng = np.random.default_rng(6)
    which = rng.integers(0, len(FEW), 60)
    true = np.exp(FEW[which]) / np.exp(FEW[which]).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(3, p=row) for row in true])
    scores = np.round(true * 2**20 + rng.integers(-3, 4, true.shape)) / 2**20

    def body(engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        mine = FEW[which] if engine.protocol.party.name == "a" else None
        raw = engine.share(mine, owner="a", shape=true.shape)
        moved = order.tied(x, raw, y) if tied else (x, y)
        found = []
        for place in range(3):
            count = (labels == place).sum()
            ordered = order.sorted_by_score(moved[0][:, place], moved[1][:, place])
            found.append(secret.ranking(ordered, to=("b",), sizes=np.array([60.0 - count, count])))
        return found

    told = play(body, scores, np.eye(3)[labels]).results["b"]
    exact = [ranking.by_level((labels == one).astype(float), true[:, one]) for one in range(3)]
    return [(one.auc, other.auc) for one, other in zip(told, exact, strict=True)]


def test_equal_rows_of_several_classes_are_ties() -> None:
    for found, exact in one_vs_rest(tied=True):
        assert found == pytest.approx(exact, abs=1e-12)


def test_equal_rows_have_equal_sums_before_the_link() -> None:
    columns = np.tile([0.3, -1.7, 2.2], (40, 1))

    def body(engine: Engine, x: SecretArray, _y: SecretArray) -> Any:
        weights = engine.lift(np.array([0.123456, 0.654321, -0.9, 0.1]))
        return engine.reveal("ranking", linear_scores(engine, x, weights), to=("b",))

    assert len(set(play(body, columns, np.zeros(1)).results["b"])) == 1


def test_probabilities_that_are_each_rounded_would_be_put_in_order_by_chance() -> None:
    assert any(abs(found - exact) > 1e-3 for found, exact in one_vs_rest(tied=False))


def test_a_model_that_is_worse_than_a_coin_has_no_lead() -> None:
    scores, labels = np.array([0.9, 0.8, 0.1, 0.2]), np.array([0.0, 0.0, 1.0, 1.0])
    done = play(
        lambda _, x, y: secret.ranking(order.sorted_by_score(x, y), to=("b",), sizes=np.array([2.0, 2.0])),
        scores,
        labels,
    )
    assert (done.results["b"].auc, done.results["b"].ks) == (0.0, 0.0)


def test_groups_by_rank_are_those_in_clear_where_they_are_large_enough() -> None:
    scores, labels = rows(120, 9)
    done = play(
        lambda _, x, y: secret.groups(order.sorted_by_score(x, y), 6, at_least=0, to=("b",)), scores, labels
    )
    exact = ranking.by_rank(labels, scores, 6)
    made = done.results["b"]
    np.testing.assert_allclose(made.rows, exact.rows)
    np.testing.assert_allclose(made.positives, exact.positives)
    np.testing.assert_allclose(made.scores, exact.scores, atol=1e-5)


def merged(exact: ranking.Ranking, at_least: int) -> list[tuple[float, float]]:
    """In clear: (rows, positives) of groups merged from the top, each with enough of either class, and enough behind."""
    parts = list(zip(exact.positives, exact.negatives, strict=True))
    found, since = [], np.zeros(2)
    for place, part in enumerate(parts):
        since = since + part
        behind = np.sum(parts[place + 1 :], axis=0) if place + 1 < len(parts) else np.zeros(2)
        if place + 1 == len(parts) or (since.min() >= at_least and behind.min() >= at_least):
            found.append((since.sum(), since[0]))
            since = np.zeros(2)
    return found


@pytest.mark.parametrize(
    "at_least", [pytest.param(3, marks=pytest.mark.long), 12, pytest.param(40, marks=pytest.mark.long)]
)
def test_small_groups_are_merged_until_none_is_small(at_least: int) -> None:
    scores, labels = rows(150, 2**20)

    def body(_engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        return (
            secret.groups(order.sorted_by_score(x, y), 10, at_least=at_least, to=("b",)),
            secret.distribution(x, y, (0.25, 0.5, 0.75), at_least=at_least, to=("b",)),
        )

    by_rank, by_edge = play(body, scores, labels).results["b"]
    expected = merged(ranking.by_rank(labels, scores, 10), at_least)
    assert list(zip(by_rank.rows, by_rank.positives, strict=True)) == expected
    edges = np.array([0.25, 0.5, 0.75])
    made = ranking.between(labels, scores, edges)
    downwards = ranking.Ranking(made.rows[::-1], made.positives[::-1], np.zeros(4))
    assert list(zip(by_edge.rows, by_edge.positives, strict=True))[::-1] == merged(downwards, at_least)
    again = ranking.between(labels, scores, by_edge.edges)
    np.testing.assert_array_equal([again.rows, again.positives], [by_edge.rows, by_edge.positives])
    assert (by_rank.rows * by_rank.scores).sum() == pytest.approx(scores.sum(), abs=1e-3)
    for one in (by_rank, by_edge):
        assert min(one.positives.min(), (one.rows - one.positives).min()) >= at_least or len(one.rows) == 1


def test_the_confusion_matrix_or_nothing() -> None:
    scores, labels = rows(100, 2**20)

    def body(_engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        return [secret.confusion(x, y, edge, at_least=5, to=("b",)) for edge in (0.5, 0.999)]

    whole, small = play(body, scores, labels).results["b"]
    assert whole == binary.confusion(labels, scores)
    assert small is None


def test_losses() -> None:
    scores, labels = rows(60, 50)
    done = play(lambda _, x, y: secret.losses(x, y, to=("b",)), scores, labels)
    safe = np.clip(scores, 2.0**-20, 1)
    other = np.clip(1 - scores, 2.0**-20, 1)
    expected = -np.where(labels == 1, np.log(safe), np.log(other)).mean()
    log_loss, brier = done.results["b"]
    assert log_loss == pytest.approx(expected, abs=1e-3)
    assert brier == pytest.approx(np.square(scores - labels).mean(), abs=1e-5)


@pytest.mark.parametrize(("size", "spread"), [(1.0, 1024.0), (2e4, 1e6), (1e-4, 0.01)])
def test_errors_of_numbers(size: float, spread: float) -> None:
    labels = RNG.normal(10, 5, 80) * size
    predicted = labels + RNG.normal(0, 2, 80) * size
    predicted[7] += 3 * spread  # counts as twice as far off as labels may be from one another
    secret.check_range(labels, spread)
    unit = secret.unit(spread)
    off = np.clip(predicted - labels, -2047 * unit, 2047 * unit)
    done = play(
        lambda _, x, y: secret.errors(x, y, to=("b",), unit=unit), predicted, labels / unit, label_bits=20
    )
    fit, exact = done.results["b"], regression.measure(labels, labels + off)
    assert fit.rmse == pytest.approx(exact.rmse, rel=1e-3)
    assert fit.mae == pytest.approx(exact.mae, rel=1e-3)
    assert fit.r2 == pytest.approx(exact.r2, rel=1e-3)


def test_labels_that_spread_too_far_or_are_too_far_from_nothing_are_refused() -> None:
    assert [secret.unit(spread) for spread in (1024, 1025, 512, 1e6)] == [1, 2, 0.5, 1024]
    with pytest.raises(UsageError, match=r"spread too far(.|\n)*below 1024(.|\n)*is 5000(.|\n)*as `spread`"):
        secret.check_range(np.array([0.0, 5000.0]))
    secret.check_range(np.array([0.0, 5000.0]), 1e4)
    with pytest.raises(UsageError, match="too far from 0"):
        secret.check_range(np.array([1e7, 1e7 + 5]))


@pytest.mark.parametrize("far", [5e3, -2e5])
def test_a_prediction_that_is_far_off_is_seen(far: float) -> None:
    """Its square does not fit, and what it left was an RMSE of nearly nothing."""
    labels = np.linspace(-1, 1, 40)
    predicted = labels + 0.25
    predicted[3] = far
    off = np.clip(predicted - labels, -2047, 2047)

    def both(engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        joined = members.errors(x, y, engine.lift(np.ones(40), 0))
        return secret.errors(x, y, to=("b",)), members.fit(engine.reveal("classes", joined, to=("b",)), 40)

    known, hidden = play(both, predicted, labels, label_bits=20).results["b"]
    for found in (known, hidden):
        assert found.rmse == pytest.approx(np.sqrt((off**2).mean()), rel=1e-4)
        assert found.mae == pytest.approx(np.abs(off).mean(), rel=1e-4)
        assert not found.r2 > 0


def test_several_classes() -> None:
    labels = np.r_[0, 1, 2, RNG.integers(0, 3, 27)]
    scores = RNG.random((30, 3)) + np.eye(3)[labels]
    scores /= scores.sum(axis=1, keepdims=True)
    done = play(lambda _, x, y: secret.classes(x, x, y, matrix=True, to=("b",)), scores, np.eye(3)[labels])
    accuracy, log_loss, matrix = done.results["b"]
    exact = multiclass.measure(labels.astype(float), scores)
    assert accuracy == pytest.approx(exact.accuracy)
    assert log_loss == pytest.approx(exact.log_loss, abs=1e-3)
    np.testing.assert_array_equal(matrix, exact.confusion)


@pytest.mark.parametrize("positives", [0, 2, pytest.param(9, marks=pytest.mark.long), 10])
def test_too_few_of_a_class_ends_it_for_all_alike(positives: int) -> None:
    labels = (np.arange(10) < positives).astype(float)
    done = play(
        lambda _, _x, y: secret.require_enough(secret.class_sizes(y), 3),
        np.zeros(10),
        labels,
        wait=simulate,
    )
    assert {"a", "b"} <= set(done.errors)
    assert all(isinstance(done.errors[name], UsageError) for name in ("a", "b"))
    assert str(done.errors["a"]) == str(done.errors["b"])


@pytest.mark.long
def test_a_mutant_that_tells_small_groups_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, labels = rows(150, 2**20)
    honest = secret.kept_ends
    monkeypatch.setattr(secret, "kept_ends", lambda rows, positives, _at_least: honest(rows, positives, 0))
    done = play(
        lambda _, x, y: secret.groups(order.sorted_by_score(x, y), 10, at_least=12, to=("b",)),
        scores,
        labels,
    )
    told = done.results["b"]
    assert min(told.positives.min(), told.negatives.min()) < 12


# ---------------------------------------------------------------------- weights of rows


def test_whole_weights_add_up_and_keep_proportions() -> None:
    weights = RNG.gamma(1.0, size=50) + 0.01
    whole = order.whole_weights(weights, order.unit_of(50))
    assert whole.sum() == 50 * order.unit_of(50)
    np.testing.assert_allclose(whole / whole.sum(), weights / weights.sum(), atol=1e-5)
    for rows in (1, 2, 1 << 15, 1 << 20, 10**6):
        assert 1 <= order.unit_of(rows) * rows <= 1 << 31
    for bad in ([1.0, -1.0], [0.0, 0.0], [np.nan, 1.0]):
        with pytest.raises(UsageError, match="Weights of rows"):
            order.whole_weights(np.array(bad), 8)


def test_weighted_measures_are_those_in_clear() -> None:
    scores, labels = rows(80, 9)
    weights = RNG.integers(0, 5, 80) + 0.5
    exact = ranking.by_level(labels, scores, weights)
    edges = (0.3, 0.6)

    def body(engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        own = weights if engine.protocol.party.name == "a" else None
        heavy = order.Weights.share(engine, own, owner="a", rows=80)
        ordered = order.sorted_by_score(x, y, weights=heavy)
        to = {"to": ("b",)}
        return (
            secret.ranking(ordered, sizes=np.array([1.0, 1.0]), **to),
            secret.groups(ordered, 4, at_least=0, **to),
            secret.distribution(x, y, edges, at_least=0, weights=heavy, **to),
            secret.confusion(x, y, 0.5, at_least=1, weights=heavy, **to),
            secret.losses(x, y, weights=heavy, **to),
        )

    curve, groups, spread, cells, losses = play(body, scores, labels).results["b"]
    scale = weights.mean()
    assert curve.auc == pytest.approx(exact.auc, abs=1e-5)
    assert curve.ks == pytest.approx(exact.ks, abs=1e-5)
    assert curve.average_precision == pytest.approx(exact.average_precision, abs=1e-4)
    by_rank = ranking.by_rank(labels, scores, 4, weights)
    for name in ("rows", "positives"):
        np.testing.assert_allclose(getattr(groups, name) * scale, getattr(by_rank, name), atol=1e-3)
    np.testing.assert_allclose(groups.scores, by_rank.scores, atol=1e-4)
    between = ranking.between(labels, scores, np.array(edges), weights)
    for name in ("rows", "positives"):
        np.testing.assert_allclose(getattr(spread, name) * scale, getattr(between, name), atol=1e-3)
    np.testing.assert_allclose(spread.scores, between.scores, atol=1e-4)
    plain = binary.confusion(labels, scores, 0.5, weights)
    assert cells.accuracy == pytest.approx(plain.accuracy, abs=1e-5)
    clipped = binary.measure(labels, np.clip(scores, 2.0**-20, 1), weights)
    assert losses[1] == pytest.approx(clipped.brier, abs=1e-4)


def test_a_group_is_small_by_its_rows_whatever_they_weigh() -> None:
    scores, labels = np.arange(40) / 40, np.tile([0.0, 1.0], 20)
    weights = np.where(scores > 0.9, 1000.0, 1.0)  # a few rows weigh more than all others

    def body(engine: Engine, x: SecretArray, y: SecretArray) -> Any:
        own = weights if engine.protocol.party.name == "a" else None
        heavy = order.Weights.share(engine, own, owner="a", rows=40)
        return secret.distribution(x, y, (0.5, 0.9), at_least=5, weights=heavy, to=("b",))

    assert play(body, scores, labels).results["b"].edges.tolist() == [0.5]


def test_calibration_by_score_leaves_out_what_is_empty() -> None:
    spread = ranking.between(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.9]), np.array([0.5, 0.8, 0.95]))
    found = spread.calibration()
    assert found is not None
    np.testing.assert_allclose(found.scores, [0.9, 0.2])
    np.testing.assert_allclose(found.positives / found.rows, [1.0, 0.5])
