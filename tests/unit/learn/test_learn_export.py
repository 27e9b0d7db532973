"""Files for other software say the same as the model: read by small evaluators of their own here, by the real libraries where these are."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from unseen.core.errors import UsageError
from unseen.jobs.whole_models import WholeModel, formats, names, written
from unseen.learn.export.whole import Whole

RNG = np.random.default_rng(4)
COLUMNS = (("bank", "income"), ("bank", "age"), ("tax", "age"))
VALUES = RNG.normal(size=(40, 3)).astype(np.float32).astype(np.float64)


def linear(family: str) -> WholeModel:
    weights = np.array([0.7, -1.3, 0.2, -0.4])
    return WholeModel(Whole("linear", family, names(COLUMNS), {"weights": weights}), COLUMNS)


def trees(family: str) -> WholeModel:
    column = np.array([[0, 1, -1], [2, -1, 0]])
    threshold = RNG.normal(size=(2, 3)).astype(np.float32).astype(np.float64)
    threshold[0, 1] = -np.inf  # only missing values go left
    arrays = {
        "leaves": RNG.normal(size=(2, 4)),
        "column": column,
        "threshold": threshold,
        "missing_left": np.array([[True, True, False], [False, False, True]]),
        "scale": np.array([0.3, 1.0]) if family == "binary" else np.array([5.0, 2.0]),
    }
    return WholeModel(Whole("trees", family, names(COLUMNS), arrays), COLUMNS)


def test_names_of_columns_are_told_apart_and_the_artefact_keeps_everything() -> None:
    made = trees("binary")
    assert made.model.columns == ("income", "bank.age", "tax.age")
    again = WholeModel.of(made.to_artefact())
    assert again.columns == made.columns
    np.testing.assert_array_equal(again.model.scores(VALUES), made.model.scores(VALUES))
    assert formats() == ("json", "onnx", "pmml", "xgboost")


def test_trees_by_hand() -> None:
    model = trees("squared").model
    leaves, threshold = model.arrays["leaves"], model.arrays["threshold"]
    low, high = np.minimum(threshold[0, 0], 0) - 1, threshold[0, 0]
    row = np.array([[low, 0.0, threshold[1, 0]], [high, 0.0, np.nan]])
    # first tree: below goes left, and there everything right; at the threshold right, where there is no split, so right again
    first = np.array([leaves[0, 1], leaves[0, 3]])
    # second tree: at the threshold right; without a value right (missing_left is False); then by the first column
    second = np.where(row[:, 0] < threshold[1, 2], leaves[1, 2], leaves[1, 3])
    np.testing.assert_allclose(model.scores(row), 5 + 2 * (first + second))
    with pytest.raises(UsageError, match="takes 3 columns, in this order: income"):
        model.scores(row[:, :2])


def test_json_has_what_estimators_of_scikit_learn_have() -> None:
    for family, kind in (("logistic", LogisticRegression), ("poisson", PoissonRegressor)):
        made = linear(family)
        told = json.loads(written(made, "json"))
        assert told["class"].endswith(kind.__name__)
        estimator = kind()
        for name in (
            "coef_",
            "intercept_",
            "n_features_in_",
            *(["classes_"] if family == "logistic" else []),
        ):
            value = told[name]
            setattr(estimator, name, np.array(value) if isinstance(value, list) else value)
        if family == "poisson":
            estimator._base_loss = estimator._get_loss()
            scores = estimator.predict(VALUES)
        else:
            estimator.intercept_ = np.array(told["intercept_"])
            scores = estimator.predict_proba(VALUES)[:, 1]
        np.testing.assert_allclose(scores, made.model.scores(VALUES), atol=1e-9)


@pytest.mark.parametrize("family", ["logistic", "linear", "poisson"])
def test_pmml_read_by_its_specification(family: str) -> None:
    made = linear(family)
    root = ET.fromstring(written(made, "pmml"))
    space = {"p": "http://www.dmg.org/PMML-4_4"}
    model = root.find("p:RegressionModel", space)
    fields = [item.get("name") for item in model.iterfind("p:MiningSchema/p:MiningField", space)]
    assert fields == ["label", *made.model.columns]
    tables = {item.get("targetCategory"): item for item in model.iterfind("p:RegressionTable", space)}

    def value(table: ET.Element, row: np.ndarray) -> float:
        by_name = dict(zip(made.model.columns, row, strict=True))
        parts = table.iterfind("p:NumericPredictor", space)
        return float(table.get("intercept")) + sum(
            float(part.get("coefficient")) * by_name[part.get("name")] for part in parts
        )

    link = {"logit": lambda y: 1 / (1 + math.exp(-y)), "exp": math.exp, "none": float}[
        model.get("normalizationMethod")
    ]
    chosen = tables["1" if family == "logistic" else None]
    scores = [link(value(chosen, row)) for row in VALUES]
    np.testing.assert_allclose(scores, made.model.scores(VALUES), atol=1e-9)


@pytest.mark.parametrize("family", ["binary", "squared"])
def test_xgboost_loads_its_file(family: str, tmp_path: Path) -> None:
    made = trees(family)
    data = written(made, "xgboost")
    told = json.loads(data)["learner"]
    np.testing.assert_allclose(_walk(told, VALUES), made.model.raw(VALUES), atol=1e-6)
    xgboost = pytest.importorskip("xgboost")
    path = tmp_path / "model.json"
    path.write_bytes(data)
    booster = xgboost.Booster()
    booster.load_model(str(path))
    values = VALUES.copy()
    values[::7, 0] = values[1::7, 2] = np.nan
    matrix = xgboost.DMatrix(values, feature_names=list(made.model.columns))
    np.testing.assert_allclose(booster.predict(matrix), made.model.scores(values), atol=1e-6)


def _walk(told: dict, values: np.ndarray) -> np.ndarray:
    """The scores before the link, by the file alone."""
    trees_ = told["gradient_booster"]["model"]["trees"]
    start = float(told["learner_model_param"]["base_score"])
    start = math.log(start / (1 - start)) if told["objective"]["name"] == "binary:logistic" else start
    scores = []
    for row in values:
        total = start
        for tree in trees_:
            node = 0
            while tree["left_children"][node] >= 0:
                left = row[tree["split_indices"][node]] < tree["split_conditions"][node]
                node = tree["left_children" if left else "right_children"][node]
            total += tree["split_conditions"][node]
        scores.append(total)
    return np.array(scores)


@pytest.mark.parametrize("family", ["logistic", "linear", "poisson"])
def test_onnx_runs_its_file(family: str) -> None:
    pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 - an extra

    made = linear(family)
    data = written(made, "onnx")
    (scores,) = ReferenceEvaluator(data).run(None, {"values": VALUES})
    np.testing.assert_allclose(scores, made.model.scores(VALUES), atol=1e-9)
    with_runtime = pytest.importorskip("onnxruntime")
    session = with_runtime.InferenceSession(data)
    np.testing.assert_allclose(session.run(None, {"values": VALUES})[0], made.model.scores(VALUES), atol=1e-9)


@pytest.mark.parametrize(("form", "made"), [("xgboost", linear("logistic")), ("pmml", trees("binary"))])
def test_a_format_that_is_not_for_the_model_says_so(form: str, made: WholeModel) -> None:
    with pytest.raises(UsageError, match="is for"):
        written(made, form)
    with pytest.raises(UsageError, match="no format 'excel'"):
        written(made, "excel")
