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

SPACE = {"p": "http://www.dmg.org/PMML-4_4"}
RNG = np.random.default_rng(4)
COLUMNS = (("bank", "income"), ("bank", "age"), ("tax", "age"))
VALUES = RNG.normal(size=(40, 3)).astype(np.float32).astype(np.float64)


def linear(family: str) -> WholeModel:
    weights = np.array([0.7, -1.3, 0.2, -0.4])
    if family == "multinomial":
        weights = np.outer(weights, [1.0, -0.5, 0.3]) + np.arange(3) / 10
    return WholeModel(Whole("linear", family, names(COLUMNS), {"weights": weights}), COLUMNS)


def trees(family: str) -> WholeModel:
    column = np.array([[0, 1, -1], [2, -1, 0]])
    threshold = RNG.normal(size=(2, 3)).astype(np.float32).astype(np.float64)
    threshold[0, 1] = -np.inf  # only missing values go left
    several = family == "softmax"
    arrays = {
        **({"classes": np.array([2])} if several else {}),
        "leaves": RNG.normal(size=(2, 4)),
        "column": column,
        "threshold": threshold,
        "missing_left": np.array([[True, True, False], [False, False, True]]),
        "scale": np.array([0.3, 1.0]) if family != "squared" else np.array([5.0, 2.0]),
    }
    return WholeModel(Whole("trees", family, names(COLUMNS), arrays), COLUMNS)


def binned() -> WholeModel:
    arrays = {
        "weights": np.array([[0.5, -0.25, 0.125, 0.9], [1.5, 0.0, 0.0, -0.3], [-0.75, 0.4, 0.0, 0.0]]),
        "intercept": np.array([-0.6]),
        "cuts": np.array([-0.5, 0.75, 0.0]),
        "ends": np.array([2, 2, 3]),
    }
    return WholeModel(Whole("binned", "logistic", names(COLUMNS), arrays), COLUMNS)


def with_gaps() -> np.ndarray:
    values = VALUES.copy()
    values[::7, 0] = values[1::7, 2] = np.nan
    values[3] = [-0.5, 8.0, 0.0]  # at cuts
    return values


def test_bins_by_hand() -> None:
    model = binned().model
    rows = np.array([[-0.5, 3.0, -0.1], [0.8, -3.0, 0.0], [np.nan, 0.0, np.nan], [-9.0, 0.0, 9.0]])
    np.testing.assert_allclose(
        model.raw(rows) + 0.6, [-0.25 + 1.5 - 0.75, 0.125 + 1.5 + 0.4, 0.9 + 1.5, 0.5 + 1.5 + 0.4]
    )
    again = WholeModel.of(binned().to_artefact()).model
    np.testing.assert_array_equal(again.scores(rows), model.scores(rows))


def test_json_of_bins_and_pmml_of_bins_by_their_words() -> None:
    made, values = binned(), with_gaps()
    told = json.loads(written(made, "json"))
    assert told["feature_names_in_"] == list(made.model.columns)
    root = ET.fromstring(written(made, "pmml"))
    table, other = root.iterfind("p:RegressionModel/p:RegressionTable", SPACE)
    assert (table.get("targetCategory"), other.get("intercept")) == ("1", "0.0")
    fields = {one.get("name"): one for one in root.iterfind(".//p:DerivedField/p:Discretize/..", SPACE)}
    assert not {*fields} & {*made.model.columns}

    def points(field: ET.Element, row: dict[str, float]) -> float:
        bins = field.find("p:Discretize", SPACE)
        value = row[bins.get("field")]
        if math.isnan(value):
            return float(bins.get("mapMissingTo"))
        (found,) = [one for one in bins if inside(value, one.find("p:Interval", SPACE))]
        return float(found.get("binValue"))

    def inside(value: float, ends: ET.Element) -> bool:
        return float(ends.get("leftMargin", "-inf")) <= value < float(ends.get("rightMargin", "inf"))

    for row, want in zip(values, made.model.raw(values), strict=True):
        by_name, total = dict(zip(made.model.columns, row, strict=True)), told["intercept_"]
        for value, bins in zip(row, told["bins"], strict=True):
            place = np.searchsorted(bins["cuts"], value, side="right")
            total += bins["missing"] if math.isnan(value) else bins["weights"][place]
        assert total == pytest.approx(want)
        total = float(table.get("intercept")) + sum(
            float(one.get("coefficient")) * points(fields[one.get("name")], by_name) for one in table
        )
        assert total == pytest.approx(want)
    with pytest.raises(UsageError, match="one of binned"):
        written(made, "xgboost")


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
    for family, kind in (
        ("logistic", LogisticRegression),
        ("multinomial", LogisticRegression),
        ("poisson", PoissonRegressor),
    ):
        made = linear(family)
        told = json.loads(written(made, "json"))
        assert told["class"].endswith(kind.__name__)
        estimator = kind()
        for name in (
            "coef_",
            "intercept_",
            "n_features_in_",
            *(["classes_"] if family != "poisson" else []),
        ):
            value = told[name]
            setattr(estimator, name, np.array(value) if isinstance(value, list) else value)
        if family == "poisson":
            estimator._base_loss = estimator._get_loss()
            scores = estimator.predict(VALUES)
        else:
            estimator.intercept_ = np.array(told["intercept_"])
            scores = estimator.predict_proba(VALUES)
            scores = scores if family == "multinomial" else scores[:, 1]
        np.testing.assert_allclose(scores, made.model.scores(VALUES), atol=1e-9)


@pytest.mark.parametrize("family", ["logistic", "linear", "poisson"])
def test_pmml_read_by_its_specification(family: str) -> None:
    made = linear(family)
    root = ET.fromstring(written(made, "pmml"))
    model = root.find("p:RegressionModel", SPACE)
    fields = [item.get("name") for item in model.iterfind("p:MiningSchema/p:MiningField", SPACE)]
    assert fields == ["label", *made.model.columns]
    tables = {item.get("targetCategory"): item for item in model.iterfind("p:RegressionTable", SPACE)}

    def value(table: ET.Element, row: np.ndarray) -> float:
        by_name = dict(zip(made.model.columns, row, strict=True))
        parts = table.iterfind("p:NumericPredictor", SPACE)
        return float(table.get("intercept")) + sum(
            float(part.get("coefficient")) * by_name[part.get("name")] for part in parts
        )

    link = {"logit": lambda y: 1 / (1 + math.exp(-y)), "exp": math.exp, "none": float}[
        model.get("normalizationMethod")
    ]
    chosen = tables["1" if family == "logistic" else None]
    scores = [link(value(chosen, row)) for row in VALUES]
    np.testing.assert_allclose(scores, made.model.scores(VALUES), atol=1e-9)


def test_json_of_two_classes_is_that_of_their_difference() -> None:
    weights = np.array([[0.7, -1.3], [0.2, 0.1], [0.0, 1.0], [0.5, -0.5]])
    made = WholeModel(Whole("linear", "multinomial", names(COLUMNS), {"weights": weights}), COLUMNS)
    told = json.loads(written(made, "json"))
    scores = 1 / (1 + np.exp(-(VALUES @ np.array(told["coef_"][0]) + told["intercept_"][0])))
    np.testing.assert_allclose(scores, made.model.scores(VALUES)[:, 1], atol=1e-12)
    assert told["classes_"] == [0, 1]


def test_pmml_of_several_classes() -> None:
    made = linear("multinomial")
    model = ET.fromstring(written(made, "pmml")).find("p:RegressionModel", SPACE)
    assert model.get("normalizationMethod") == "softmax"
    tables = model.findall("p:RegressionTable", SPACE)
    assert [table.get("targetCategory") for table in tables] == ["0", "1", "2"]
    raw = [
        float(table.get("intercept")) + VALUES @ [float(part.get("coefficient")) for part in table]
        for table in tables
    ]
    np.testing.assert_allclose(np.array(raw).T, made.model.raw(VALUES), atol=1e-12)


@pytest.mark.parametrize("family", ["binary", "squared", "softmax"])
def test_pmml_of_trees_read_by_its_specification(family: str) -> None:
    made = trees(family)
    root = ET.fromstring(written(made, "pmml"))
    *sums, link = root.find("p:MiningModel", SPACE).iterfind("p:Segmentation/p:Segment", SPACE)

    def holds(node: ET.Element, row: dict[str, float]) -> bool:
        test = node.find("p:SimplePredicate", SPACE)
        if test is None:
            return True
        value, at = row[test.get("field")], float(test.get("value"))
        return value < at if test.get("operator") == "lessThan" else value >= at

    def score(node: ET.Element, row: dict[str, float]) -> float:
        below = node.findall("p:Node", SPACE)
        if not below:
            return float(node.get("score"))
        if math.isnan(row[below[0].find("p:SimplePredicate", SPACE).get("field")]):
            return score(next(one for one in below if one.get("id") == node.get("defaultChild")), row)
        return score(next(one for one in below if holds(one, row)), row)

    values = VALUES.copy()
    values[::7, 0] = values[1::7, 2] = np.nan
    regression = link.find("p:RegressionModel", SPACE)
    raw = np.zeros((len(values), len(sums)))
    for place, (segment, table) in enumerate(
        zip(sums, regression.iterfind("p:RegressionTable", SPACE), strict=False)
    ):
        predictor = table.find("p:NumericPredictor", SPACE)
        assert predictor.get("name") == segment.find("p:MiningModel/p:Output/p:OutputField", SPACE).get(
            "name"
        )
        roots = segment.findall(".//p:TreeModel/p:Node", SPACE)
        for number, row in enumerate(values):
            by_name = dict(zip(made.model.columns, row, strict=True))
            total = sum(score(tree, by_name) for tree in roots)
            raw[number, place] = float(table.get("intercept")) + float(predictor.get("coefficient")) * total
    want = made.model.raw(values)
    np.testing.assert_allclose(raw if family == "softmax" else raw[:, 0], want, atol=1e-12)
    assert (
        regression.get("normalizationMethod")
        == {"binary": "logit", "squared": "none", "softmax": "softmax"}[family]
    )


@pytest.mark.parametrize("at", [-np.inf, np.inf], ids=["missing alone left", "missing alone right"])
def test_splits_by_missing_values_alone_are_finite_numbers_in_files(at: float) -> None:
    whole = trees("binary").model
    whole.arrays["threshold"][0, 1] = at
    made = WholeModel(whole, COLUMNS)
    root = ET.fromstring(written(made, "pmml"))
    assert all(math.isfinite(float(one.get("value"))) for one in root.iterfind(".//p:SimplePredicate", SPACE))
    told = json.loads(written(made, "xgboost"), parse_constant=pytest.fail)["learner"]
    np.testing.assert_allclose(_walk(told, VALUES), whole.raw(VALUES), atol=1e-6)


@pytest.mark.parametrize("made", [linear("logistic"), trees("softmax")], ids=["linear", "trees"])
def test_columns_may_be_called_like_what_pmml_adds(made: WholeModel) -> None:
    columns = (("bank", "label"), ("bank", "sum0"), ("tax", "label_"))
    model = Whole(made.model.kind, made.model.family, names(columns), made.model.arrays)
    root = ET.fromstring(written(WholeModel(model, columns), "pmml"))
    fields = [one.get("name") for one in root.iterfind("p:DataDictionary/p:DataField", SPACE)]
    assert fields == ["label", "sum0", "label_", "label__"]
    told = [one.get("name") for one in root.iterfind(".//p:OutputField", SPACE)]
    assert not {*told} & {*fields}
    targets = {one.get("name") for one in root.iterfind(".//p:MiningField[@usageType='target']", SPACE)}
    assert targets == {"label__"}


@pytest.mark.parametrize("family", ["binary", "squared", "softmax"])
def test_xgboost_loads_its_file(family: str, tmp_path: Path) -> None:
    made = trees(family)
    data = written(made, "xgboost")
    told = json.loads(data)["learner"]
    if family != "softmax":
        np.testing.assert_allclose(_walk(told, VALUES), made.model.raw(VALUES), atol=1e-6)
    else:
        assert told["gradient_booster"]["model"]["tree_info"] == [0, 1]
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


ONNX = [linear(family) for family in ("logistic", "linear", "poisson", "multinomial")]
ONNX += [trees(family) for family in ("binary", "squared", "softmax")]
ONNX += [binned()]


@pytest.mark.parametrize("made", ONNX, ids=lambda made: f"{made.model.kind}-{made.model.family}")
def test_onnx_runs_its_file(made: WholeModel) -> None:
    pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 - an extra

    data = written(made, "onnx")
    values = VALUES if made.model.kind == "linear" else with_gaps()
    if made.model.kind == "trees":  # the reference evaluator knows no thresholds of 64 bits
        np.testing.assert_allclose(
            _ensemble(data, values), made.model.raw(values).reshape(len(values), -1), atol=1e-12
        )
    else:
        (scores,) = ReferenceEvaluator(data).run(None, {"values": values})
        np.testing.assert_allclose(scores, made.model.scores(values), atol=1e-9)
    with_runtime = pytest.importorskip("onnxruntime")
    session = with_runtime.InferenceSession(data)
    np.testing.assert_allclose(session.run(None, {"values": values})[0], made.model.scores(values), atol=1e-6)


def _ensemble(data: bytes, values: np.ndarray) -> np.ndarray:
    """The sums of a tree ensemble, by the file alone."""
    import onnx  # noqa: PLC0415 - an extra

    node = onnx.load_from_string(data).graph.node[0]
    told = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    at, leaves, base = (
        onnx.numpy_helper.to_array(told[f"{name}_as_tensor"])
        for name in ("nodes_values", "target_weights", "base_values")
    )
    place = {
        pair: row for row, pair in enumerate(zip(told["nodes_treeids"], told["nodes_nodeids"], strict=True))
    }
    leaf = {
        pair: row for row, pair in enumerate(zip(told["target_treeids"], told["target_nodeids"], strict=True))
    }
    sums = np.tile(base, (len(values), 1))
    for number, row in enumerate(values):
        for tree in sorted({*told["nodes_treeids"]}):
            here = 0
            while (tree, here) not in leaf:
                one = place[tree, here]
                value = row[told["nodes_featureids"][one]]
                left = told["nodes_missing_value_tracks_true"][one] if math.isnan(value) else value < at[one]
                here = told["nodes_truenodeids" if left else "nodes_falsenodeids"][one]
            sums[number, told["target_ids"][leaf[tree, here]]] += leaves[leaf[tree, here]]
    return sums


@pytest.mark.parametrize(("form", "made"), [("xgboost", linear("logistic")), ("json", trees("binary"))])
def test_a_format_that_is_not_for_the_model_says_so(form: str, made: WholeModel) -> None:
    with pytest.raises(UsageError, match="is for"):
        written(made, form)
    with pytest.raises(UsageError, match="no format 'excel'"):
        written(made, "excel")
