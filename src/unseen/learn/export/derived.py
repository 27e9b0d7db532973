"""What was done to columns before, as derived fields of PMML: one for each step, the last of a chain under the name that the model uses."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from unseen.learn.export.before import Bins, Chain, Clip, Fill, Flag, Map, Scale, Step


def fields_of(chain: Chain, name: str) -> list[ET.Element]:
    """The derived fields that lead to `name`; none where the column is taken as it comes."""
    made, now = [], chain.source
    for place, step in enumerate(chain.steps, 1):
        called = name if place == len(chain.steps) else f"{name}, step {place}"
        field = ET.Element("DerivedField", name=called, optype="continuous", dataType="double")
        field.append(_expression(step, now))
        made.append(field)
        now = called
    return made


def discretized(field: str, step: Bins) -> ET.Element:
    """The number of the bin that a field is in."""
    absent: dict[str, Any] = {} if step.missing is None else {"mapMissingTo": repr(step.missing)}
    made = ET.Element("Discretize", field=field, dataType="double", **absent)
    edges = [repr(cut) for cut in step.cuts]
    for place, value in enumerate(step.values):
        ends: dict[str, Any] = {"leftMargin": edges[place - 1]} if place else {}
        ends |= {"rightMargin": edges[place]} if place < len(edges) else {}
        one = ET.SubElement(made, "DiscretizeBin", binValue=repr(value))
        ET.SubElement(one, "Interval", closure="closedOpen", **ends)
    return made


def _expression(step: Step, field: str) -> ET.Element:
    match step:
        case Fill():
            return ET.Element("FieldRef", field=field, mapMissingTo=repr(step.value))
        case Flag():
            return _apply("if", _apply("isMissing", _ref(field)), _number(1.0), _number(0.0))
        case Clip():
            # min and max take no notice of missing values, which are to stay
            most = _apply("min", _ref(field), _number(step.high))
            return _apply("if", _apply("isNotMissing", _ref(field)), _apply("max", most, _number(step.low)))
        case Scale():
            return _apply("/", _apply("-", _ref(field), _number(step.shift)), _number(step.divide))
        case Bins():
            return discretized(field, step)
        case Map():
            return _mapped(step, field)


def _mapped(step: Map, field: str) -> ET.Element:
    ends: dict[str, Any] = {} if step.rest is None else {"defaultValue": repr(step.rest)}
    ends |= {} if step.missing is None else {"mapMissingTo": repr(step.missing)}
    made = ET.Element("MapValues", outputColumn="number", dataType="double", **ends)
    ET.SubElement(made, "FieldColumnPair", field=field, column="word")
    table = ET.SubElement(made, "InlineTable")
    for word, number in step.values.items():
        row = ET.SubElement(table, "row")
        ET.SubElement(row, "word").text = word
        ET.SubElement(row, "number").text = repr(number)
    return made


def _apply(function: str, *parts: ET.Element) -> ET.Element:
    made = ET.Element("Apply", function=function)
    made.extend(parts)
    return made


def _ref(field: str) -> ET.Element:
    return ET.Element("FieldRef", field=field)


def _number(value: float) -> ET.Element:
    made = ET.Element("Constant", dataType="double")
    made.text = repr(value)
    return made
