"""PMML 4.4 (Data Mining Group): a RegressionModel; of trees a MiningModel of TreeModels whose sums go into the link.

Of bins it is a RegressionModel of derived fields, which hold the weight of a value's bin. Where it is known how columns were prepared, the file
takes them as they come, and the model's columns are derived fields of a TransformationDictionary.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from unseen.learn.export.before import Bins
from unseen.learn.export.derived import discretized, fields_of
from unseen.learn.export.whole import Nodes, Whole, nodes_of

SUFFIX = ".pmml"
_SPACE = "http://www.dmg.org/PMML-4_4"
_CONTINUOUS: dict[str, Any] = {"optype": "continuous", "dataType": "double"}
_LINKS = {"logit": "logit", "log": "exp", "identity": "none", "softmax": "softmax"}
_MOST = float(np.finfo(np.float64).max)
Terms: TypeAlias = Sequence[tuple[str, float]]


def written(model: Whole) -> bytes:
    """The file."""
    model, derived = _with_derived(model)
    root = ET.Element("PMML", xmlns=_SPACE, version="4.4")
    ET.SubElement(ET.SubElement(root, "Header"), "Application", name="unseen")
    known = ET.SubElement(root, "DataDictionary")
    for name, text in model.given:
        kind = {"optype": "categorical", "dataType": "string"} if text else _CONTINUOUS
        ET.SubElement(known, "DataField", name=name, **kind)
    classes = _classes(model)
    label = ET.SubElement(
        known,
        "DataField",
        name=_free("label", model),
        optype="categorical" if classes else "continuous",
        dataType="integer" if classes else "double",
    )
    for value in range(classes):
        ET.SubElement(label, "Value", value=str(value))
    if derived:
        ET.SubElement(root, "TransformationDictionary").extend(derived)
    if model.kind == "linear":
        weights = model.arrays["weights"].reshape(len(model.columns) + 1, -1).T.tolist()
        terms = [(list(zip(model.columns, row[:-1], strict=True)), row[-1]) for row in weights]
        _regression(root, model, _fields(model), terms)
    elif model.kind == "binned":
        _binned(root, model)
    else:
        _trees(root, model)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def _classes(model: Whole) -> int:
    """Of the label; 0 if it is a number."""
    return {"logit": 2, "softmax": model.classes}.get(model.link, 0)


def _with_derived(model: Whole) -> tuple[Whole, list[ET.Element]]:
    """The same model with the names of fields in the place of those of its columns, and the fields that are derived."""
    if not model.before:
        return model, []
    called = [
        _free(f"prepared {name}", model) if chain.steps else chain.source
        for name, chain in zip(model.columns, model.before, strict=True)
    ]
    fields = [one for chain, name in zip(model.before, called, strict=True) for one in fields_of(chain, name)]
    return replace(model, columns=tuple(called)), fields


def _fields(model: Whole) -> list[str]:
    """What a file takes."""
    return [name for name, _ in model.given]


def _free(name: str, model: Whole) -> str:
    """A field's name that no column has."""
    while name in model.columns or name in _fields(model):
        name += "_"
    return name


def _schema(at: ET.Element, fields: Sequence[str], label: str | None = None) -> None:
    schema = ET.SubElement(at, "MiningSchema")
    if label is not None:
        ET.SubElement(schema, "MiningField", name=label, usageType="target")
    for name in fields:
        ET.SubElement(schema, "MiningField", name=name)


def _function(model: Whole) -> str:
    return "classification" if _classes(model) else "regression"


def _regression(
    at: ET.Element,
    model: Whole,
    fields: Sequence[str],
    terms: Sequence[tuple[Terms, float]],
    derived: Sequence[ET.Element] = (),
) -> None:
    """Sums of fields times coefficients and an intercept, one for each class but with the logit, and the link.

    `derived`: fields made of `fields`, which the terms may name too.
    """
    made = ET.SubElement(
        at, "RegressionModel", functionName=_function(model), normalizationMethod=_LINKS[model.link]
    )
    _schema(made, fields, _free("label", model))
    if derived:
        ET.SubElement(made, "LocalTransformations").extend(derived)
    for place, (coefficients, intercept) in enumerate(terms):
        table = ET.SubElement(made, "RegressionTable", intercept=repr(intercept))
        if _classes(model):
            table.set("targetCategory", "1" if model.link == "logit" else str(place))
        for name, value in coefficients:
            ET.SubElement(table, "NumericPredictor", name=name, coefficient=repr(value))
    if model.link == "logit":
        ET.SubElement(made, "RegressionTable", intercept="0.0", targetCategory="0")


def _binned(root: ET.Element, model: Whole) -> None:
    fields = [_free(f"points of {name}", model) for name in model.columns]
    derived = []
    for name, field, cuts, row in zip(
        model.columns, fields, model.cuts, model.arrays["weights"], strict=True
    ):
        made = ET.Element("DerivedField", name=field, **_CONTINUOUS)
        step = Bins(tuple(cuts.tolist()), tuple(row[: len(cuts) + 1].tolist()), float(row[-1]))
        made.append(discretized(name, step))
        derived.append(made)
    terms = [([(field, 1.0) for field in fields], float(model.arrays["intercept"][0]))]
    _regression(root, model, _fields(model), terms, derived)


def _trees(root: ET.Element, model: Whole) -> None:
    """One after the other: the sum of the trees of each class, then the link of the sums."""
    chain = ET.SubElement(root, "MiningModel", functionName=_function(model))
    _schema(chain, _fields(model), _free("label", model))
    segments = ET.SubElement(chain, "Segmentation", multipleModelMethod="modelChain")
    start, factor = (float(value) for value in model.arrays["scale"])
    sums = [_free(f"sum{place}", model) for place in range(model.classes)]
    for place, name in enumerate(sums):
        made = ET.SubElement(_segment(segments), "MiningModel", functionName="regression")
        _schema(made, _fields(model))
        output = ET.SubElement(made, "Output")
        ET.SubElement(
            output, "OutputField", name=name, optype="continuous", dataType="double", feature="predictedValue"
        )
        trees = ET.SubElement(made, "Segmentation", multipleModelMethod="sum")
        for number in range(place, len(model.arrays["leaves"]), model.classes):
            _tree(_segment(trees), model, nodes_of(model, number))
    terms = [([(name, factor)], start) for name in sums]
    _regression(_segment(segments), model, sums, terms)


def _segment(at: ET.Element) -> ET.Element:
    made = ET.SubElement(at, "Segment", id=str(len(at) + 1))
    ET.SubElement(made, "True")
    return made


def _tree(at: ET.Element, model: Whole, nodes: Nodes) -> None:
    made = ET.SubElement(
        at,
        "TreeModel",
        functionName="regression",
        missingValueStrategy="defaultChild",
        splitCharacteristic="binarySplit",
    )
    _schema(made, _fields(model))

    def add(above: ET.Element, place: int, predicate: tuple[str, str, float] | None) -> None:
        node = nodes[place]
        here = ET.SubElement(above, "Node", id=str(place))
        if predicate is None:
            ET.SubElement(here, "True")
        else:
            field, operator, value = predicate
            ET.SubElement(here, "SimplePredicate", field=field, operator=operator, value=repr(value))
        if node.leaf:
            here.set("score", repr(node.value))
            return
        here.set("defaultChild", str(node.left if node.missing_left else node.right))
        field, value = model.columns[node.column], min(max(node.value, -_MOST), _MOST)
        add(here, node.left, (field, "lessThan", value))
        add(here, node.right, (field, "greaterOrEqual", value))

    add(made, 0, None)
