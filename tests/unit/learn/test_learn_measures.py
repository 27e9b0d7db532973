"""Standardising and measuring, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.preprocessing import StandardScaler

from unseen.core.errors import UsageError
from unseen.learn.evaluate.binary import measure
from unseen.learn.prepare.standardise import fit


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=60))
def test_measures_are_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([float(label) for label, _ in rows])
    scores = np.array([score / 12 for _, score in rows])
    if len(set(labels)) == 1:
        with pytest.raises(UsageError, match="both classes"):
            measure(labels, scores)
        return
    quality = measure(labels, scores)
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(quality.false_positive_rate, fpr)
    np.testing.assert_allclose(quality.true_positive_rate, tpr)
    assert quality.auc == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert quality.ks == pytest.approx((tpr - fpr).max())
    assert quality.accuracy == pytest.approx(metrics.accuracy_score(labels, scores >= 0.5))
    assert quality.log_loss == pytest.approx(metrics.log_loss(labels, np.clip(scores, 1e-15, 1 - 1e-15)))


def test_labels_must_be_zero_or_one() -> None:
    with pytest.raises(UsageError, match="both classes"):
        measure(np.array([0.0, 1.0, 2.0]), np.zeros(3))


def test_scaling_is_that_of_scikit_learn_and_constant_columns_stay_zero() -> None:
    rng = np.random.default_rng(1)
    train, test = rng.normal(5, 3, (50, 3)), rng.normal(5, 3, (9, 3))
    train[:, 1] = 0.1
    scaling = fit(train, ["x", "y", "z"])
    theirs = StandardScaler().fit(train)
    np.testing.assert_allclose(scaling.apply(train), theirs.transform(train), atol=1e-12)
    np.testing.assert_allclose(scaling.apply(test)[:, [0, 2]], theirs.transform(test)[:, [0, 2]], atol=1e-12)
    assert np.abs(scaling.apply(train)[:, 1]).max() < 1e-10


def test_missing_numbers_and_missing_rows_are_named() -> None:
    with pytest.raises(UsageError, match="age"):
        fit(np.array([[1.0, np.nan], [2.0, 3.0]]), ["height", "age"])
    with pytest.raises(UsageError, match="no rows"):
        fit(np.zeros((0, 2)), ["height", "age"])
