"""The step train-linear: the pooled model, whatever the family, and clear errors where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import ElasticNet, LogisticRegression, PoissonRegressor, Ridge

from unseen.core.cost import Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact, decode, encode
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles, Sizes, parse_params, step
from unseen.jobs.tables import Matrix, from_table
from unseen.testing.simulate import Run, run

ROWS, LEFT, WIDTH = 400, 2, 5
RNG = np.random.default_rng(11)
X = RNG.normal(size=(ROWS, WIDTH)) * [1, 20, 0.1, 3, 1] + [0, 100, 0, -5, 2]
Z = (X - X.mean(axis=0)) / X.std(axis=0)
SCORES = Z @ [0.8, -0.5, 0.0, 0.6, 0.3] - 0.2
LABELS = {
    "logistic": (RNG.random(ROWS) < 1 / (1 + np.exp(-SCORES))).astype(float),
    "linear": 300 * SCORES + 50 * RNG.normal(size=ROWS) + 4000,
    "poisson": RNG.poisson(np.exp(SCORES * 0.5 + 1)).astype(float),
    "multinomial": np.argmax(np.c_[SCORES, -SCORES, np.zeros(ROWS)] + RNG.gumbel(size=(ROWS, 3)), 1) * 1.0,
}
WEIGHTS = RNG.integers(1, 5, ROWS) / 2.0
NAMES = tuple(f"x{place}" for place in range(WIDTH))


def ids(rows: int) -> pa.Array:
    return pa.array([str(row) for row in range(rows)])


def matrix(place: int, label: np.ndarray | None, x: np.ndarray) -> Artefact:
    part = slice(0, LEFT) if place == 0 else slice(LEFT, x.shape[1])
    rows = Table.of(pa.table({"id": ids(len(x))}), id_columns=("id",))
    return Matrix(x[:, part], NAMES[part], label if place == 0 else None, rows).to_artefact()


def train(
    label: np.ndarray | None,
    *,
    helper: str | None = "helper",
    weights: np.ndarray | None = None,
    start: Mapping[str, Artefact] | None = None,
    x: np.ndarray = X,
    **params: Any,
) -> Run[Any]:
    roles = Roles(
        {
            "holders": ("a", "b"),
            "label_holder": ("a",),
            **({"helper": (helper,)} if helper else {}),
            **({"weight_holder": ("b",)} if weights is not None else {}),
        }
    )
    module = step("train-linear")
    known = parse_params("train-linear", params)

    def program(party: Any) -> Any:
        inputs: dict[str, Artefact] = {}
        if party.name != helper:
            inputs["table"] = matrix("ab".index(party.name), label, x)
            if start:
                inputs["start"] = start[party.name]
            if weights is not None and party.name == "b":
                inputs["weights"] = from_table(
                    Table.of(pa.table({"id": ids(len(x)), "w": pa.array(weights)}), id_columns=("id",))
                )
        return module.run(party, inputs, known, roles)

    return run(program, roles.everyone, disclosures=module.disclosures(known, roles), timeout_s=120)


def known(outcome: Run[Any]) -> dict[str, np.ndarray]:
    """Coefficients in the units of the columns, of both owners, and what else both were told."""
    held = {name: SharedModel.of(decode(encode(outcome.results[name]["model"]))).known for name in "ab"}
    assert "intercept" not in held["b"]
    both = {name: np.r_[held["a"][name], held["b"][name]] for name in held["b"]}
    return {**both, "intercept": np.array(held["a"]["intercept"])}


def scaled_back(coefficients: np.ndarray, intercept: Any) -> tuple[np.ndarray, Any]:
    """From standardised columns to those in their own units."""
    raw = np.asarray(coefficients) / X.std(axis=0)
    return raw, intercept - raw @ X.mean(axis=0)


def close(found: dict[str, np.ndarray], coefficients: np.ndarray, intercept: Any, tolerance: float) -> None:
    raw, moved = scaled_back(coefficients, intercept)
    size = np.abs(raw * X.std(axis=0)).max()
    assert np.abs((found["coefficients"] - raw) * X.std(axis=0)).max() < tolerance * size
    assert np.abs(found["intercept"] - moved).max() < tolerance * max(size, np.abs(moved).max())


TELL: dict[str, Any] = {"coefficients_to_owners": True}


def test_logistic() -> None:
    found = known(train(LABELS["logistic"], l2=2.0, **TELL))
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=9999).fit(Z, LABELS["logistic"])
    close(found, model.coef_[0], model.intercept_[0], 1e-4)


@pytest.mark.long
def test_weights_of_classes_and_of_rows() -> None:
    found = known(
        train(LABELS["logistic"], weights=WEIGHTS, weight_column="w", class_weights=(1.0, 3.0), **TELL)
    )
    model = LogisticRegression(C=1.0, class_weight={0: 1.0, 1: 3.0}, tol=1e-10, max_iter=9999)
    model.fit(Z, LABELS["logistic"], sample_weight=WEIGHTS)
    close(found, model.coef_[0], model.intercept_[0], 1e-4)


@pytest.mark.long
def test_balanced_classes_and_nobody_to_help() -> None:
    rows = slice(0, 60)
    x = X[rows]
    y = LABELS["logistic"][rows]
    found = known(train(y, helper=None, x=x, class_weights="balanced", iterations=4, **TELL))
    model = LogisticRegression(class_weight="balanced", tol=1e-10, max_iter=9999)
    model.fit((x - x.mean(axis=0)) / x.std(axis=0), y)
    assert np.abs(found["coefficients"] * x.std(axis=0) - model.coef_[0]).max() < 1e-3


def test_linear_in_the_units_of_the_label() -> None:
    y = LABELS["linear"]
    found = known(train(y, family="linear", l2=4.0, iterations=3, **TELL))
    model = Ridge(alpha=4.0).fit(Z, y)
    close(found, model.coef_, model.intercept_, 1e-4)


@pytest.mark.long
def test_elastic_net_leaves_out_what_the_pooled_one_leaves_out() -> None:
    y, size = LABELS["linear"], ROWS * 0.2
    found = known(train(y, family="linear", l2=size, l1=size, iterations=3, **TELL))
    model = ElasticNet(alpha=0.4, l1_ratio=0.5, tol=1e-12).fit(Z, (y - y.mean()) / y.std())
    close(found, model.coef_ * y.std(), y.mean(), 2e-4)
    assert ((found["coefficients"] == 0) == (model.coef_ == 0)).all()
    assert (model.coef_ == 0).any()


@pytest.mark.long
def test_poisson() -> None:
    found = known(train(LABELS["poisson"], family="poisson", **TELL))
    model = PoissonRegressor(alpha=1 / ROWS, tol=1e-10, max_iter=999).fit(Z, LABELS["poisson"])
    close(found, model.coef_, model.intercept_, 1e-4)


@pytest.mark.long
def test_several_classes() -> None:
    outcome = train(LABELS["multinomial"], family="multinomial", classes=3, iterations=8, **TELL)
    found = known(outcome)["coefficients"].reshape(WIDTH, 3) * X.std(axis=0)[:, None]
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=9999).fit(Z, LABELS["multinomial"])
    assert np.abs(found - model.coef_.T).max() < 1e-3


@pytest.mark.long
def test_mini_batches_end_when_nothing_moves_and_go_on_from_there() -> None:
    settings: dict[str, Any] = {"method": "sgd", "batch": 100, "epochs": 60, "rate": 1.0, **TELL}
    first = train(LABELS["logistic"], stop_every=5, stop_below=0.02, **settings)
    released = [entry.name for entry in first.journals["a"].entries if entry.name == "still"]  # type: ignore[attr-defined]
    assert 0 < len(released) < 11
    start = {name: first.results[name]["model"] for name in "ab"}
    found = known(train(LABELS["logistic"], warm_start=True, start=start, iterations=3, **TELL))
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=9999).fit(Z, LABELS["logistic"])
    close(found, model.coef_[0], model.intercept_[0], 1e-3)


STEADY: dict[str, Any] = {"method": "sgd", "batch": 100, "epochs": 40, **TELL}


@pytest.mark.long
def test_an_elastic_net_by_mini_batches_leaves_out_what_the_pooled_one_leaves_out() -> None:
    found = known(train(LABELS["logistic"], l1=25.0, l2=2.0, last_rate=0.05, **STEADY))
    model = LogisticRegression(l1_ratio=25 / 27, C=1 / 27, solver="saga", tol=1e-8, max_iter=9999)
    model.fit(Z, LABELS["logistic"])
    close(found, model.coef_[0], model.intercept_[0], 0.01)
    assert ((found["coefficients"] == 0) == (model.coef_[0] == 0)).all()
    assert (model.coef_ == 0).any()


@pytest.mark.long
def test_several_classes_by_mini_batches_end_and_go_on() -> None:
    """Weights of classes and rows, early stop and a warm start, with momentum."""
    how = {**STEADY, "family": "multinomial", "classes": 3, "l2": 4.0, "class_weights": (1.0, 0.5, 2.0)}
    rows: dict[str, Any] = {"weights": WEIGHTS, "weight_column": "w"}
    label = LABELS["multinomial"]
    first = train(label, stop_every=2, stop_below=0.1, momentum=0.5, **how, **rows)
    released = [entry.name for entry in first.journals["a"].entries if entry.name == "still"]  # type: ignore[attr-defined]
    assert 0 < len(released) < 15
    start = {name: first.results[name]["model"] for name in "ab"}
    settings = {**how, "epochs": 15, "rate": 0.1}
    found = known(train(label, warm_start=True, start=start, **settings, **rows))
    weights = {0: 1.0, 1: 0.5, 2: 2.0}
    model = LogisticRegression(C=0.25, class_weight=weights, tol=1e-10, max_iter=9999)
    model.fit(Z, label, sample_weight=WEIGHTS)
    coefficients = found["coefficients"].reshape(WIDTH, 3) * X.std(axis=0)[:, None]
    assert np.abs(coefficients - model.coef_.T).max() < 0.03


@pytest.mark.long
def test_counts_by_mini_batches() -> None:
    found = known(train(LABELS["poisson"], family="poisson", l2=4.0, rate=0.1, last_rate=0.01, **STEADY))
    model = PoissonRegressor(alpha=4 / ROWS, tol=1e-10, max_iter=999).fit(Z, LABELS["poisson"])
    close(found, model.coef_, model.intercept_, 0.01)


@pytest.mark.long
@pytest.mark.parametrize("helper", [None, "helper"])
def test_three_holders_of_whom_the_second_has_the_label(helper: str | None) -> None:
    holders, cuts = ("a", "b", "c"), {"a": slice(0, 1), "b": slice(1, 3), "c": slice(3, 5)}
    roles = Roles({"holders": holders, "label_holder": ("b",), **({"helper": (helper,)} if helper else {})})
    module, how = step("train-linear"), parse_params("train-linear", {**TELL, "iterations": 8})

    def program(party: Any) -> Any:
        if party.name == helper:
            return module.run(party, {}, how, roles)
        rows = Table.of(pa.table({"id": ids(ROWS)}), id_columns=("id",))
        part = cuts[party.name]
        label = LABELS["logistic"] if party.name == "b" else None
        return module.run(
            party, {"table": Matrix(X[:, part], NAMES[part], label, rows).to_artefact()}, how, roles
        )

    told = module.disclosures(how, roles)
    results = run(program, roles.everyone, disclosures=told, timeout_s=120).results
    held = {name: SharedModel.of(results[name]["model"]).known for name in holders}
    found = np.concatenate([held[name]["coefficients"] for name in holders])
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=9999).fit(Z, LABELS["logistic"])
    close(
        {"coefficients": found, "intercept": np.array(held["b"]["intercept"])},
        model.coef_[0],
        model.intercept_,
        1e-4,
    )
    assert "intercept" not in held["a"]


# ---------------------------------------------------------------------- how sure

STATSMODELS: dict[str, tuple[list[float], float, list[float], list[float]]] = {
    # statsmodels 0.15.0 on data sets of scikit-learn: coefficients, intercept, bse, p-values
    "logistic": (  # Logit, breast cancer, columns 1, 4, 8, 9, 14
        [-0.340365, -140.627, -30.3472, 200.003, 245.18],
        12.3955,
        [0.0362384, 15.8547, 6.01717, 28.9407, 56.2571],
        [5.86569e-21, 7.33366e-19, 4.57236e-07, 4.82056e-12, 1.31134e-05],
    ),
    "linear": (  # OLS, diabetes, columns 0 to 3 unscaled
        [0.135278, -10.159, 8.48434, 1.43454],
        -199.069,
        [0.232909, 5.92187, 0.705148, 0.239259],
        [0.561662, 0.0869603, 5.34237e-29, 4.24577e-09],
    ),
    "poisson": (  # GLM, the same with the label divided by 25 and rounded
        [0.0020997, -0.0627073, 0.0512539, 0.00910454],
        -0.462409,
        [0.00159756, 0.0396855, 0.00443488, 0.00155519],
        [0.188738, 0.114082, 6.80413e-31, 4.79015e-09],
    ),
}


def of_scikit_learn(family: str) -> tuple[np.ndarray, np.ndarray]:
    if family == "logistic":
        x, y = load_breast_cancer(return_X_y=True)
        return x[:, [1, 4, 8, 9, 14]], y.astype(float)
    x, y = load_diabetes(return_X_y=True, scaled=False)
    return x[:, :4], np.round(y / 25) if family == "poisson" else y


@pytest.mark.parametrize(
    "family", ["logistic", *(pytest.param(item, marks=pytest.mark.long) for item in ("linear", "poisson"))]
)
def test_errors_and_p_values_are_those_of_statsmodels(family: str) -> None:
    x, y = of_scikit_learn(family)
    found = known(train(y, x=x, family=family, l2=0.0, iterations=8, certainty=True, **TELL))
    coefficients, intercept, errors, p_values = map(np.array, STATSMODELS[family])
    assert np.abs((found["coefficients"] - coefficients) / errors).max() < 2e-3
    assert abs(found["intercept"][0] / intercept - 1) < 1e-3
    assert np.abs(found["standard_errors"] / errors - 1).max() < 2e-3
    assert np.abs(np.log(found["p_values"] / p_values)).max() < 0.1
    assert (found["low"] < found["coefficients"]).all()
    assert (found["coefficients"] < found["high"]).all()


# ---------------------------------------------------------------------- bad input


def dependent() -> np.ndarray:
    twice = X.copy()
    twice[:, 4] = 2 * twice[:, 3] + 1
    return twice


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": np.ones(ROWS)}, "two classes"),
        ({"label": LABELS["linear"]}, "two classes"),
        ({"label": None}, "its table has none"),
        ({"label": -LABELS["poisson"], "family": "poisson"}, "counts"),
        ({"label": np.ones(ROWS), "family": "linear"}, "same in all rows"),
        ({"x": np.where(X > 104, np.nan, X)}, "missing"),
        ({"x": dependent(), "l2": 0.0, "iterations": 3}, "linearly dependent"),
        ({"x": np.c_[X[:, :4], np.ones(ROWS)], "l2": 0.0, "iterations": 3}, "linearly dependent"),
        ({"weights": -WEIGHTS, "weight_column": "w"}, "not all 0"),
        ({"weights": WEIGHTS}, "weight_column"),
        ({"warm_start": True}, "no input `start`"),
        (
            {"method": "sgd", "rate": 8.0, "batch": 40, "epochs": 2, "class_weights": (64.0, 64.0)},
            "quick sigmoid",
        ),
        (
            {"method": "sgd", "family": "poisson", "label": np.r_[LABELS["poisson"][1:], 5000.0]},
            "mini-batches",
        ),
        (
            {"method": "sgd", "family": "poisson", "batch": 100, "label": 9 * LABELS["poisson"]},
            "lower rate",
        ),
    ],
)
def test_what_cannot_be_trained_on(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        train(**{"label": LABELS["logistic"], **change})


@pytest.mark.long
@pytest.mark.parametrize("x", [dependent(), np.c_[X[:, :4], np.ones(ROWS)]])
def test_a_ridge_makes_dependent_and_constant_columns_harmless(x: np.ndarray) -> None:
    found = known(train(LABELS["logistic"], x=x, **TELL))
    model = LogisticRegression(tol=1e-10, max_iter=9999)
    scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    model.fit((x - x.mean(axis=0)) / scale, LABELS["logistic"])
    assert np.abs(found["coefficients"] * scale - model.coef_[0]).max() < 1e-3


@pytest.mark.parametrize(
    "params",
    [
        {"method": "sgd", "l1": 1.0, "epochs": 1},
        {"method": "sgd", "certainty": True, **TELL},
        {"method": "sgd", "rate": 0.1, "last_rate": 0.2},
        {"last_rate": 0.1},
        {"stop_every": 2},
        {"family": "multinomial", "l2": 0.0},
        {"family": "multinomial", "l1": 1.0},
        {"family": "multinomial", "method": "sgd", "certainty": True, **TELL},
        {"certainty": True},
        {"bound": True, "joined": True},
        {"bound": True, "family": "linear"},
        {"bound": True, "l2": 0.0},
        {"bound": True, "woe_bins": 4},
        {"joined": True, "method": "sgd"},
        {"joined": True, "class_weights": "balanced"},
        {"joined": True, "coefficients_to_owners": True, "certainty": True},
        {"woe_bins": 1},
        {"woe_bins": 4, "coefficients_to_owners": True},
        {"woe_bins": 4, "family": "linear"},
        {"class_weights": (1.0, 2.0, 3.0)},
        {"family": "linear", "class_weights": "balanced"},
    ],
)
def test_what_does_not_go_together(params: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="parameters"):
        parse_params("train-linear", params)


@pytest.mark.long
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"family": "poisson"},
        {"family": "linear", "iterations": 3},
        {"family": "multinomial", "classes": 3},
        {"method": "sgd", "batch": 100},
        {"method": "sgd", "batch": 100, "exact_sigmoid": True},
        {"method": "sgd", "batch": 100, "l1": 3.0},
        {"method": "sgd", "batch": 100, "family": "poisson", "rate": 0.1, "l1": 3.0},
        {"method": "sgd", "batch": 100, "family": "multinomial", "classes": 3},
        {"l1": 3.0, "iterations": 3},
        {"woe_bins": 8},
        {"l2": 0.0, "certainty": True, **TELL},
    ],
)
def test_the_estimate_is_about_right(params: dict[str, Any]) -> None:
    family = params.get("family", "logistic")
    outcome = train(LABELS[family], **params)
    sizes = Sizes({"a": ROWS, "b": ROWS}, {"a": LEFT, "b": WIDTH - LEFT})
    roles = Roles({"holders": ("a", "b"), "label_holder": ("a",), "helper": ("helper",)})
    cost = step("train-linear").estimate(parse_params("train-linear", params), roles, sizes, Network())
    assert cost.bytes / 2 < outcome.bytes_sent < 2 * cost.bytes
    assert cost.rounds / 2 < outcome.rounds("a") < 2 * cost.rounds


@pytest.mark.long
def test_the_estimate_is_about_right_with_nobody_to_help() -> None:
    x = np.random.default_rng(5).normal(size=(2000, WIDTH))
    outcome = train((x[:, 0] > 0).astype(float), helper=None, x=x, iterations=2)
    sizes = Sizes({"a": 2000, "b": 2000}, {"a": LEFT, "b": WIDTH - LEFT})
    roles = Roles({"holders": ("a", "b"), "label_holder": ("a",)})
    params = parse_params("train-linear", {"iterations": 2})
    cost = step("train-linear").estimate(params, roles, sizes, Network())
    assert cost.bytes / 2 < outcome.bytes_sent < 2 * cost.bytes
    assert cost.rounds / 2 < outcome.rounds("a") < 2 * cost.rounds
