"""JSON with the attribute names of scikit-learn's estimators, to be set on one: `coef_`, `intercept_`, `feature_names_in_`."""

from __future__ import annotations

import json

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
        The model is not linear.
    """
    require(model, "linear", "json")
    weights = model.arrays["weights"]
    if model.family == "multinomial" and model.classes == _TWO:
        weights = weights[:, 1] - weights[:, 0]
    of_classes = model.family in (
        "logistic",
        "multinomial",
    )  # scikit-learn keeps a row of coefficients for each, and one for two
    rows = weights.reshape(len(weights), -1).T
    told = {
        "class": _CLASSES[model.family],
        "feature_names_in_": list(model.columns),
        "n_features_in_": len(model.columns),
        "coef_": rows[:, :-1].tolist() if of_classes else weights[:-1].tolist(),
        "intercept_": rows[:, -1].tolist() if of_classes else float(weights[-1]),
        **({"classes_": list(range(max(_TWO, len(rows))))} if of_classes else {}),
    }
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
