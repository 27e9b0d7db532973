"""JSON with the attribute names of scikit-learn's estimators, to be set on one: `coef_`, `intercept_`, `feature_names_in_`."""

from __future__ import annotations

import json

from unseen.learn.export.whole import Whole, require

SUFFIX = ".json"
_CLASSES = {
    "logistic": "sklearn.linear_model.LogisticRegression",
    "linear": "sklearn.linear_model.LinearRegression",
    "poisson": "sklearn.linear_model.PoissonRegressor",
}


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The model is not linear.
    """
    require(model, "linear", "json")
    weights = model.arrays["weights"].tolist()
    several = model.family == "logistic"  # scikit-learn keeps a row of coefficients for the one class
    told = {
        "class": _CLASSES[model.family],
        "feature_names_in_": list(model.columns),
        "n_features_in_": len(model.columns),
        "coef_": [weights[:-1]] if several else weights[:-1],
        "intercept_": [weights[-1]] if several else weights[-1],
        **({"classes_": [0, 1]} if several else {}),
    }
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
