"""Measures in clear, against scikit-learn and SciPy; definitions where these have none, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn import metrics
from sklearn.calibration import calibration_curve

from unseen.core.errors import UsageError
from unseen.learn.evaluate import binary, multiclass, ranking, regression, stability

RNG = np.random.default_rng(5)
ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12), st.integers(1, 5)), min_size=2, max_size=60
).filter(lambda rows: len({row[0] for row in rows}) > 1)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_with_ties_and_weights_all_is_as_in_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    labels, scores, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    scores /= 12
    quality = binary.measure(labels, scores, weights)
    made = ranking.by_level(labels, scores, weights)
    assert quality.auc == pytest.approx(metrics.roc_auc_score(labels, scores, sample_weight=weights))
    assert quality.gini == pytest.approx(2 * quality.auc - 1)
    expected = metrics.average_precision_score(labels, scores, sample_weight=weights)
    assert quality.average_precision == pytest.approx(expected)
    assert quality.brier == pytest.approx(metrics.brier_score_loss(labels, scores, sample_weight=weights))
    precision, recall, _ = metrics.precision_recall_curve(labels, scores, sample_weight=weights)
    ours_recall, ours_precision = made.precision_recall()
    np.testing.assert_allclose(ours_recall[::-1], recall[:-1])  # theirs adds the point (0, 1)
    np.testing.assert_allclose(ours_precision[::-1], precision[:-1])
    found = binary.confusion(labels, scores, 0.4, weights)
    theirs = metrics.confusion_matrix(labels, scores >= 0.4, sample_weight=weights)
    cells = [
        [found.true_negatives, found.false_positives],
        [found.false_negatives, found.true_positives],
    ]
    np.testing.assert_allclose(cells, theirs)
    for ours, other in (
        (found.precision, metrics.precision_score),
        (found.recall, metrics.recall_score),
        (found.f1, metrics.f1_score),
    ):
        expected = other(labels, scores >= 0.4, sample_weight=weights, zero_division=0)
        assert ours == pytest.approx(expected)


def test_the_distance_is_that_of_the_two_samples_where_positives_score_higher() -> None:
    labels = (RNG.random(300) < 0.3).astype(float)
    scores = RNG.random(300) + 0.5 * labels
    expected = ks_2samp(scores[labels == 1], scores[labels == 0]).statistic
    assert ranking.by_level(labels, scores).ks == pytest.approx(expected)


def test_deciles_lift_gain_and_calibration() -> None:
    labels = (RNG.random(200) < 0.4).astype(float)
    scores = RNG.permutation(200) / 200
    made = ranking.by_rank(labels, scores, 10)
    rate, mean = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(made.calibration()[0][::-1], mean)
    np.testing.assert_allclose(made.calibration()[1][::-1], rate)
    np.testing.assert_allclose(made.lift(), made.calibration()[1] / labels.mean())
    taken, found = made.gain()
    np.testing.assert_allclose(taken, np.arange(11) / 10)
    best = np.argsort(-scores)[:40]
    assert found[2] == pytest.approx(labels[best].sum() / labels.sum())
    assert made.calibration_error == pytest.approx(np.abs(rate - mean).mean())
    share, bad = made.approval()
    assert (share[0], share[-1], bad[-1]) == pytest.approx((0.1, 1.0, labels.mean()))
    assert bad[2] == pytest.approx(labels[np.argsort(scores)[:60]].mean())


def test_equal_scores_keep_the_order_of_the_rows() -> None:
    labels = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    made = ranking.by_rank(labels, np.zeros(6), 3)
    assert made.positives.tolist() == [1.0, 1.0, 1.0]
    assert ranking.by_rank(labels, np.zeros(6), 2).positives.tolist() == [2.0, 1.0]
    with pytest.raises(UsageError, match="6 rows cannot be cut into 7"):
        ranking.by_rank(labels, np.zeros(6), 7)


def test_a_constant_score_is_worth_a_coin() -> None:
    quality = binary.measure(np.array([0.0, 1.0, 1.0]), np.full(3, 0.7))
    assert (quality.auc, quality.ks, quality.gini) == (0.5, 0.0, 0.0)
    assert quality.average_precision == pytest.approx(2 / 3)


@pytest.mark.parametrize("scores", [np.array([0.1, np.nan]), np.zeros(3)])
def test_scores_must_be_one_number_each(scores: np.ndarray) -> None:
    with pytest.raises(UsageError, match="score"):
        binary.measure(np.array([0.0, 1.0]), scores)


def test_weights_must_be_over_zero() -> None:
    with pytest.raises(UsageError, match="weight"):
        binary.measure(np.array([0.0, 1.0]), np.zeros(2), np.array([1.0, 0.0]))


@pytest.mark.parametrize("weighted", [False, True])
def test_predicted_numbers(weighted: bool) -> None:
    labels, predicted = RNG.normal(size=40), RNG.normal(size=40)
    weights = RNG.integers(1, 5, 40).astype(float) if weighted else None
    fit = regression.measure(labels, predicted, weights)
    expected = metrics.mean_squared_error(labels, predicted, sample_weight=weights)
    assert fit.rmse == pytest.approx(np.sqrt(expected))
    expected = metrics.mean_absolute_error(labels, predicted, sample_weight=weights)
    assert fit.mae == pytest.approx(expected)
    assert fit.r2 == pytest.approx(metrics.r2_score(labels, predicted, sample_weight=weights))


def test_labels_that_are_all_equal_have_no_spread_to_explain() -> None:
    assert np.isnan(regression.measure(np.ones(3), np.zeros(3)).r2)
    with pytest.raises(UsageError, match="cannot be held against"):
        regression.measure(np.ones(3), np.zeros(2))


def test_several_classes() -> None:
    labels = np.r_[0, 1, 2, RNG.integers(0, 3, 60)].astype(float)
    scores = RNG.random((63, 3))
    scores /= scores.sum(axis=1, keepdims=True)
    found = multiclass.measure(labels, scores)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, scores.argmax(axis=1)))
    expected = metrics.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert found.macro_auc == pytest.approx(expected)
    assert found.log_loss == pytest.approx(metrics.log_loss(labels, scores))
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(labels, scores.argmax(axis=1)))
    with pytest.raises(UsageError, match="every class"):
        multiclass.measure(np.zeros(63), scores)


def test_the_stability_of_a_population() -> None:
    # by hand: shares 0.5, 0.5 against 0.8, 0.2
    expected = 0.3 * np.log(1.6) + -0.3 * np.log(0.4)
    assert stability.psi(np.array([50.0, 50.0]), np.array([8.0, 2.0])) == pytest.approx(expected)
    scores = RNG.random(1000)
    edges = stability.edges_of(scores)
    counts = stability.counts(scores, edges)
    assert counts.tolist() == [100.0] * 10
    assert stability.psi(counts, stability.counts(RNG.random(1000), edges)) < 0.1
    assert stability.psi(counts, stability.counts(RNG.random(1000) / 2, edges)) > 0.25
    with pytest.raises(UsageError, match="same bins"):
        stability.psi(counts, counts[:-1])
