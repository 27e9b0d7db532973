"""Models with the preparation of their columns: chains do what the rules do, and files take columns as they come."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.whole_models import WholeModel, written
from unseen.learn.export import before
from unseen.learn.export.before import Chain, chains_of
from unseen.learn.export.whole import Whole
from unseen.learn.prepare.bins import Coding, Woe, learn
from unseen.learn.prepare.preparation import Preparation
from unseen.learn.prepare.rules import Clip, Cut, Impute, OneHot, Ordinal, Scale

SPACE = {"p": "http://www.dmg.org/PMML-4_4"}
RNG = np.random.default_rng(6)
AGE = [20.0, 35.0, None, 41.0, 58.0, 58.0, 33.0, 90.0]
CITY = ["Lyon", "Bern", "Lyon", None, "Graz", "Bern", "other", "Lyon"]
MEMBER = [True, False, True, True, False, False, True, False]


def table(age: list[Any], city: list[Any], member: list[Any]) -> Table:
    return Table.of(
        pa.table({"age": pa.array(age, pa.float64()), "city": pa.array(city, pa.string()), "member": member})
    )


TRAIN = table(AGE, CITY, MEMBER)
NEW = table(
    [58.0, None, -3.0, 35.0, 500.0], ["Bern", "Graz", None, "other", "Lyon"], [True, False] * 2 + [True]
)
STRANGE = table([58.0, 20.0], ["Oslo", "Bern"], [True, False])
NUMBERS, WORDS = {"of": "a", "columns": ("age",)}, {"of": "a", "columns": ("city",)}
FILLED = [Impute(by="median", flag=True, **NUMBERS), Clip(low=0.1, high=0.9, **NUMBERS)]
CASES = {
    "fill, clip, scale, one-hot": [*FILLED, Scale(**NUMBERS), OneHot(**WORDS)],
    "gaps stay": [Clip(**NUMBERS), Scale(to="min-max", **NUMBERS), OneHot(unseen="zero", drop_first=True, **WORDS)],
    "others": [Cut(bins=3, **NUMBERS), OneHot(unseen="other", **WORDS)],
    "in order": [Impute(**NUMBERS), Ordinal(order=("Graz", "Bern", "Lyon", "other"), **WORDS)],
    "words filled": [Impute(by="most-frequent", flag=True, **WORDS), OneHot(**WORDS)],
    "words filled by one that was there": [Impute(by="constant", value="Bern", flag=True, **WORDS), Ordinal(**WORDS)],
    "words filled twice": [
        Impute(by="constant", value="none", **WORDS), Impute(by="most-frequent", flag=True, **WORDS),
        OneHot(unseen="zero", **WORDS), Impute(of="a", columns=("age",)),
    ],
    "a number for others": [Ordinal(unseen="own", **WORDS)],
    "numbers as categories": [OneHot(of="a", columns=("member",)), Ordinal(**WORDS), OneHot(unseen="other", **WORDS)],
}  # fmt: skip


def raw(rows: Table) -> dict[str, Any]:
    found = {name: rows.data.column(name).to_pylist() for name in rows.names}
    return {
        name: np.array(values, object) if name == "city" else np.array(values, np.float64)
        for name, values in found.items()
    }


def same(prepared: Preparation, rows: Table) -> dict[str, Chain]:
    made, chains = prepared.transform(rows), chains_of(prepared)
    assert tuple(chains) == made.features
    ready = {name: chain for name, chain in chains.items() if chain.steps or not chain.text}
    for name, chain in ready.items():
        want = made.numeric((name,), missing=True)[:, 0]
        np.testing.assert_allclose(chain.applied(raw(rows)[chain.source]), want, atol=1e-12, err_msg=name)
    assert before.unpacked(before.packed(list(ready.values()))) == tuple(ready.values())
    return chains


@pytest.mark.parametrize("name", CASES)
def test_chains_do_what_the_rules_do(name: str) -> None:
    prepared = Preparation(CASES[name]).fit(TRAIN)
    for rows in (TRAIN, NEW):
        same(prepared, rows)
    chains = chains_of(Preparation.from_plain(json.loads(json.dumps(prepared.to_plain()))))
    assert chains == chains_of(prepared)


def test_categories_that_training_had_not() -> None:
    for rule in (
        OneHot(unseen="zero", **WORDS),
        OneHot(unseen="other", **WORDS),
        Ordinal(unseen="own", **WORDS),
    ):
        same(Preparation([rule]).fit(TRAIN), STRANGE)
    chains = chains_of(Preparation([OneHot(**WORDS)]).fit(TRAIN))
    with pytest.raises(UsageError, match="'Oslo', which training did not have"):
        chains["city=Lyon"].applied(raw(STRANGE)["city"])


@pytest.mark.parametrize("column", ["age", "city"])
def test_weights_of_evidence_without_the_counts(column: str) -> None:
    coding = Coding.learn(TRAIN, column, by="quantile", fine=3)
    ends, positives, negatives = np.array([1.0, 0, 1, 1]), np.array([3.0, 0, 4, 2]), np.array([5.0, 0, 1, 7])
    state = learn(
        coding, positives + negatives, ends, positives, negatives, merge="none", most=9, smoothing=0.5
    )
    prepared = Preparation([Woe(of="a", columns=(column,))]).learnt(TRAIN, [{column: state}])
    for rows in (TRAIN, NEW, STRANGE):
        chain = same(prepared, rows)[column]
    assert set(json.loads(before.packed([chain]))[0]["steps"][0]) == {"do", "values", "missing"} | (
        {"cuts"} if column == "age" else {"rest"}
    )


def test_rules_by_rank_hold_the_columns_values_and_are_not_told() -> None:
    with pytest.raises(UsageError, match="up to a thousand of its values"):
        chains_of(Preparation([Scale(to="normal", **NUMBERS)]).fit(TRAIN))


@pytest.mark.parametrize(
    "steps",
    [
        '{"do":"scale","shift":0.0,"divide":0.0}',
        '{"do":"bins","cuts":[1.0,1.0],"values":[0.0,0.0,0.0],"missing":null}',
        '{"do":"bins","cuts":[1.0],"values":[0.0],"missing":null}',
        '{"do":"fill","value":null}',
        '{"do":"run","value":1.0}',
        '{"do":"fill","value":1.0,"more":1}',
    ],
)
def test_what_a_peer_tells_is_checked(steps: str) -> None:
    before.unpacked(b'[{"source":"x","text":false,"steps":[{"do":"fill","value":1.0}]}]')
    for text in ("false", "true"):
        with pytest.raises(Exception, match=r"\w"):
            before.unpacked(f'[{{"source":"x","text":{text},"steps":[{steps}]}}]'.encode())
    with pytest.raises(ValueError, match="text is no number"):
        before.unpacked(b'[{"source":"x","text":true,"steps":[]}]')


# ---------------------------------------------------------------------- files


def whole(
    name: str = "fill, clip, scale, one-hot", *, kind: str = "linear"
) -> tuple[WholeModel, Preparation]:
    """A model of all columns that the rules make, of two holders, one of which prepared nothing."""
    prepared = Preparation(CASES[name]).fit(TRAIN)
    chains = chains_of(prepared)
    columns = (*(("a", one) for one in chains), ("b", "age"))
    width = len(columns)
    arrays = {"weights": RNG.normal(size=width + 1)}
    if kind == "binned":
        arrays = {
            "weights": RNG.normal(size=(width, 3)), "intercept": np.array([0.1]),
            "cuts": np.zeros(width), "ends": np.arange(1, width + 1),
        }  # fmt: skip
    if kind == "trees":
        arrays = {
            "leaves": RNG.normal(size=(1, 4)), "column": np.array([[0, width - 1, 2]]),
            "threshold": np.array([[0.5, 1.0, 0.5]]), "missing_left": np.array([[True, False, True]]),
            "scale": np.array([0.3, 1.0]),
        }  # fmt: skip
    family = "binary" if kind == "trees" else "logistic"
    made = WholeModel(Whole(kind, family, tuple(f"{h}.{c}" for h, c in columns), arrays), columns)
    return made.with_rules((*chains.values(), Chain("age", text=False))), prepared


def given(rows: Table) -> dict[str, Any]:
    own = raw(rows)
    return {
        "a.age": own["age"],
        "city": own["city"],
        "member": own["member"],
        "b.age": np.arange(rows.rows) * 1.0,
    }


def test_the_whole_model_takes_columns_as_they_come_and_is_kept_with_them() -> None:
    made, prepared = whole()
    assert made.model.given == (("a.age", False), ("city", True), ("member", False), ("b.age", False))
    again = WholeModel.of(made.to_artefact())
    assert again.model.before == made.model.before
    rows = prepared.transform(NEW)
    want = np.column_stack([rows.numeric(rows.features, missing=True), np.arange(NEW.rows)])
    np.testing.assert_allclose(again.model.prepared(given(NEW)), want, atol=1e-12)
    told = json.loads(written(made, "json"))
    assert [one["source"] for one in told["before"]] == [one.source for one in made.model.before]


@pytest.mark.parametrize("kind", ["linear", "binned", "trees"])
@pytest.mark.parametrize(
    "name", ["fill, clip, scale, one-hot", "gaps stay", "others", "numbers as categories"]
)
def test_pmml_derives_the_models_columns(kind: str, name: str) -> None:
    made, _ = whole(name, kind=kind)
    rows = given(NEW)
    root = ET.fromstring(written(made, "pmml"))
    kinds = {
        one.get("name"): one.get("dataType") for one in root.iterfind("p:DataDictionary/p:DataField", SPACE)
    }
    assert (kinds["city"], kinds["a.age"]) == ("string", "double")
    for schema in root.iterfind(".//p:MiningSchema", SPACE):
        named = {one.get("name") for one in schema if one.get("usageType") is None}
        assert named <= {*rows, "sum0"}
    fields = root.findall("p:TransformationDictionary/p:DerivedField", SPACE)
    scored = root.iter(
        f"{{{SPACE['p']}}}NumericPredictor" if kind == "linear" else f"{{{SPACE['p']}}}Discretize"
    )
    if kind == "trees":
        scored = root.iter(f"{{{SPACE['p']}}}SimplePredicate")
    known = {*rows, *(one.get("name") for one in fields)}
    assert {one.get("name") or one.get("field") for one in scored} <= known
    want = made.model.prepared(rows)
    for row in range(NEW.rows):
        values = {name: None if _missing(column[row]) else column[row] for name, column in rows.items()}
        for field in fields:
            values[field.get("name")] = _value(field[0], values)
        for place, (name_, chain) in enumerate(zip(made.model.columns, made.model.before, strict=True)):
            found = values[f"prepared {name_}" if chain.steps else chain.source]
            np.testing.assert_allclose(np.nan if found is None else found, want[row, place], atol=1e-12)


def _missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN


def _value(at: ET.Element, values: dict[str, Any]) -> Any:  # noqa: PLR0911
    """An expression of PMML 4.4 by its specification."""
    kind = at.tag.rpartition("}")[2]
    if kind == "Constant":
        return float(at.text)
    if kind == "FieldRef":
        value, absent = values[at.get("field")], at.get("mapMissingTo")
        return float(absent) if value is None and absent else value
    if kind == "Discretize":
        return _discretized(at, values[at.get("field")])
    if kind == "MapValues":
        value = values[at.find("p:FieldColumnPair", SPACE).get("field")]
        if value is None:
            return float(at.get("mapMissingTo")) if at.get("mapMissingTo") else None
        rows = at.findall("p:InlineTable/p:row", SPACE)
        found = {row.find("p:word", SPACE).text: float(row.find("p:number", SPACE).text) for row in rows}
        default = at.get("defaultValue")
        return found.get(before.written_word(value), float(default) if default else None)
    assert kind == "Apply"
    function, parts = at.get("function"), list(at)
    if function in {"isMissing", "isNotMissing"}:
        return (_value(parts[0], values) is None) == (function == "isMissing")
    if function == "if":
        branch = 1 if _value(parts[0], values) else 2
        return _value(parts[branch], values) if branch < len(parts) else None
    numbers = [_value(part, values) for part in parts]
    if function in {"min", "max"}:
        return {"min": min, "max": max}[function](one for one in numbers if one is not None)
    if None in numbers:
        return None
    return numbers[0] - numbers[1] if function == "-" else numbers[0] / numbers[1]


def _discretized(at: ET.Element, value: Any) -> Any:
    if value is None:
        return float(at.get("mapMissingTo")) if at.get("mapMissingTo") else None
    for one in at:
        ends = one.find("p:Interval", SPACE)
        if float(ends.get("leftMargin", -math.inf)) <= value < float(ends.get("rightMargin", math.inf)):
            return float(one.get("binValue"))
    raise AssertionError


@pytest.mark.parametrize("kind", ["linear", "binned", "trees"])
@pytest.mark.parametrize("name", CASES)
def test_onnx_takes_columns_as_they_come(kind: str, name: str) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    made, _ = whole(name, kind=kind)
    rows = given(NEW)
    session = runtime.InferenceSession(written(made, "onnx"))
    fed = {
        one: np.array(["" if word is None else word for word in column], object) if one == "city" else column
        for one, column in rows.items()
    }
    fed = {one: fed[one] for one, _ in made.model.given}
    want = made.model.scores(made.model.prepared(rows))
    np.testing.assert_allclose(session.run(None, fed)[0], want, atol=1e-6)
