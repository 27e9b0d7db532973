"""JSON with the attribute names of scikit-learn's estimators, to be set on one: `coef_`, `intercept_`, `feature_names_in_`.

scikit-learn has no estimator for a model on bins. Of such a one the file has for each column `cuts`, the `weights` of the bins between
them (a value at a cut is in the bin above) and that of `missing` values; the sum with `intercept_` goes through the logistic function.
Where it is known, `before` says of each column how it comes about, step by step (:mod:`unseen.learn.export.before`).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from unseen.learn.export.whole import Whole, require

SUFFIX = ".json"
_CLASSES = {
    "logistic": "sklearn.linear_model.LogisticRegression",
    "multinomial": "sklearn.linear_model.LogisticRegression",
    "linear": "sklearn.linear_model.LinearRegression",
    "poisson": "sklearn.linear_model.PoissonRegressor",
}
_TWO = 2


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The model is one of trees.
    """
    require(model, ("linear", "binned"), "json")
    told = _binned(model) if model.kind == "binned" else _linear(model)
    if model.before:
        told["before"] = msgspec.to_builtins(model.before)
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


def _binned(model: Whole) -> dict[str, Any]:
    bins = [
        {"cuts": cuts.tolist(), "weights": row[: len(cuts) + 1].tolist(), "missing": float(row[-1])}
        for cuts, row in zip(model.cuts, model.arrays["weights"], strict=True)
    ]
    return {
        "link": model.link,
        "feature_names_in_": list(model.columns),
        "n_features_in_": len(model.columns),
        "bins": bins,
        "intercept_": float(model.arrays["intercept"][0]),
    }


def _linear(model: Whole) -> dict[str, Any]:
    weights = model.arrays["weights"]
    if model.family == "multinomial" and model.classes == _TWO:
        weights = weights[:, 1] - weights[:, 0]
    of_classes = model.family in (
        "logistic",
        "multinomial",
    )  # scikit-learn keeps a row of coefficients for each, and one for two
    rows = weights.reshape(len(weights), -1).T
    return {
        "class": _CLASSES[model.family],
        "feature_names_in_": list(model.columns),
        "n_features_in_": len(model.columns),
        "coef_": rows[:, :-1].tolist() if of_classes else weights[:-1].tolist(),
        "intercept_": rows[:, -1].tolist() if of_classes else float(weights[-1]),
        **({"classes_": list(range(max(_TWO, len(rows))))} if of_classes else {}),
    }
