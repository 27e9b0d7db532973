"""PMML 4.4 (Data Mining Group): a RegressionModel."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from unseen.learn.export.whole import Whole, require

SUFFIX = ".pmml"
_SPACE = "http://www.dmg.org/PMML-4_4"
_LINKS = {"logit": "logit", "log": "exp", "identity": "none"}


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The model is not linear.
    """
    require(model, "linear", "pmml")
    yes_or_no = model.link == "logit"
    root = ET.Element("PMML", xmlns=_SPACE, version="4.4")
    ET.SubElement(ET.SubElement(root, "Header"), "Application", name="unseen")
    known = ET.SubElement(root, "DataDictionary")
    for name in model.columns:
        ET.SubElement(known, "DataField", name=name, optype="continuous", dataType="double")
    label = ET.SubElement(
        known,
        "DataField",
        name="label",
        optype="categorical" if yes_or_no else "continuous",
        dataType="integer" if yes_or_no else "double",
    )
    for value in ("0", "1") if yes_or_no else ():
        ET.SubElement(label, "Value", value=value)
    function = "classification" if yes_or_no else "regression"
    made = ET.SubElement(
        root, "RegressionModel", functionName=function, normalizationMethod=_LINKS[model.link]
    )
    schema = ET.SubElement(made, "MiningSchema")
    ET.SubElement(schema, "MiningField", name="label", usageType="target")
    for name in model.columns:
        ET.SubElement(schema, "MiningField", name=name)
    weights = model.arrays["weights"].tolist()
    table = ET.SubElement(made, "RegressionTable", intercept=repr(weights[-1]))
    if yes_or_no:
        table.set("targetCategory", "1")
    for name, weight in zip(model.columns, weights[:-1], strict=True):
        ET.SubElement(table, "NumericPredictor", name=name, coefficient=repr(weight))
    if yes_or_no:
        ET.SubElement(made, "RegressionTable", intercept="0.0", targetCategory="0")
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data
