"""Points: what they mean, that they add up, and rows of rejects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.learn.vertical.linear.scorecard import MOST_VALUES, Scale, infer_rejects, tables, total


def test_the_base_and_twice_the_odds() -> None:
    scale = Scale(600, 50, 20, "none")
    at_base = -math.log(50)  # the model's score where the odds of good to bad are 50
    assert scale.base(at_base) == pytest.approx(600)
    assert scale.base(at_base - math.log(2)) == pytest.approx(620)
    assert scale.bad(np.array([600.0, 620.0])) == pytest.approx([1 / 51, 1 / 101])


def test_points_say_what_the_model_says() -> None:
    rng = np.random.default_rng(3)
    x, coefficients, intercept = rng.normal(size=(50, 3)), [0.7, -0.2, 1.1], -2.0
    chance = 1 / (1 + np.exp(-(x @ coefficients + intercept)))
    for rounding, within in (("none", 1e-12), ("nearest", 0.05)):
        scale = Scale(rounding=rounding)  # type: ignore[arg-type]
        points = scale.base(intercept) + total(scale, x, coefficients)
        assert np.abs(scale.bad(points) - chance).max() < within


@pytest.mark.parametrize(("rounding", "points"), [("nearest", [-3, 3]), ("down", [-3, 2]), ("up", [-2, 3])])
def test_every_entry_is_rounded_by_the_rule(rounding: str, points: list[float]) -> None:
    scale = Scale(pdo=math.log(2) * 2.6, rounding=rounding)  # type: ignore[arg-type]
    assert scale.points(np.array([1.0, -1.0]), 1.0).tolist() == points


def test_a_table_for_few_values_and_a_rate_for_many() -> None:
    scale = Scale()
    x = np.column_stack([np.tile([0.3, -0.4], 50), np.arange(100.0)])
    few, many = tables(scale, x, ("w", "age"), (1.0, 0.01))
    assert few.values == (-0.4, 0.3)
    assert few.points == tuple(scale.points(np.array([-0.4, 0.3]), 1.0))
    assert len(np.unique(x[:, 1])) > MOST_VALUES
    assert many.values == ()
    assert many.per_unit == pytest.approx(-scale.factor * 0.01)
    by_hand = [dict(zip(few.values, few.points, strict=True))[value] for value in x[:, 0]]
    assert total(scale, x[:, :1], (1.0,)).tolist() == by_hand
    with pytest.raises(UsageError, match="coefficients"):
        tables(scale, x, ("w", "age"), (1.0,))


def test_a_reject_becomes_a_bad_one_and_a_good_one() -> None:
    labels, bad = np.array([1.0, np.nan, 0.0]), np.array([0.9, 0.2, 0.1])
    again = infer_rejects(labels, bad)
    assert again.rows.tolist() == [0, 2, 1, 1]
    assert again.labels.tolist() == [1, 0, 1, 0]
    assert again.weights == pytest.approx([1, 1, 0.2, 0.8])
    worse = infer_rejects(labels, bad, raised=4.0)
    assert worse.weights == pytest.approx([1, 1, 0.5, 0.5])
    with pytest.raises(UsageError, match="raised"):
        infer_rejects(labels, bad, raised=0.0)
