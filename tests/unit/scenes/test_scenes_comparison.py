"""Where the holder of the label does as well alone, the page says so, by which measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unseen.learn.evaluate.binary import measure
from unseen.scenes.baseline import Agreement, Baseline, compare
from unseen.scenes.comparison import Comparison

QUALITY = measure(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.1, 0.9, 0.6, 0.4]))
MODEL = Baseline("hospital alone", np.zeros(4), np.array([1.0, -2.0, 0.0]), 0.0, QUALITY.auc, 0.0)


def compared(**own: Any) -> Comparison:
    joint = replace(QUALITY, auc=0.9, ks=0.8, accuracy=0.7)
    alone = replace(QUALITY, **{"auc": 0.1, "ks": 0.1, "accuracy": 0.1, **own})
    return Comparison(joint, MODEL, alone, MODEL, QUALITY, Agreement(0.0, 0.0, 0.0), {})


@pytest.mark.parametrize(
    ("own", "by", "sentence"),
    [
        ({}, (), ""),
        ({"auc": 0.95}, ("AUC",), "By AUC, hospital alone is no worse here; by KS and accuracy"),
        ({"auc": 0.9, "ks": 0.9, "accuracy": 0.9}, ("AUC", "KS", "accuracy"), "no worse here by any measure"),
    ],
)
def test_what_is_said_of_the_one_alone(own: dict[str, float], by: tuple[str, ...], sentence: str) -> None:
    found = compared(**own)
    assert found.alone_is_no_worse_by == by
    assert sentence in found.verdict_on_alone
    assert bool(sentence) == bool(found.verdict_on_alone)


@pytest.mark.parametrize(
    ("scores", "coefficients", "auc", "holds"),
    [
        (0.009, 1.009, 0.001, True),
        (0.011, 1.0, 0.0, False),
        (0.0, 1.02, 0.0, False),
        (0.0, 1.0, 0.003, False),
    ],
)
def test_the_tolerances(scores: float, coefficients: float, auc: float, *, holds: bool) -> None:
    pooled = replace(MODEL, name="pooled", auc=0.5)
    found = compare(pooled.scores + scores, pooled.coefficients * coefficients, 0.5 + auc, pooled)
    assert found.holds is holds
