"""ONNX by its own library, without a converter: input "values" (rows, width) and output "scores" (rows,) or (rows, classes), float64.

Linear models are a product, a sum and the link; of bins the weights that comparisons with all cuts look up, their sum and the link; trees are a TreeEnsembleRegressor (ai.onnx.ml 3) and the link. The `onnx` package (an
extra, `unseen[export]`) only writes and checks the file. Where it is known how columns were prepared, there is an input for each column as it
comes (:mod:`.tensors`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.core.errors import UsageError
from unseen.learn.export.tensors import nodes_of as nodes_before
from unseen.learn.export.whole import Nodes, Whole, nodes_of

SUFFIX = ".onnx"
_OPSET, _ML, _IR = 17, 3, 9
_LINKS = {"logit": "Sigmoid", "log": "Exp", "identity": "Identity", "softmax": "Softmax"}


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The package `onnx` is not installed.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
        from onnx import TensorProto, helper  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "Writing ONNX needs the package onnx.", why=str(error), mend="pip install 'unseen[export]'"
        ) from error
    nodes, known = {"linear": _linear, "binned": _binned, "trees": _trees}[model.kind](model)
    if model.before:
        first, more = nodes_before(model.before)
        nodes, known = [*first, *nodes], [*more, *known]
    nodes.append(helper.make_node(_LINKS[model.link], ["raw"], ["scores"]))
    several = model.link == "softmax"
    given = [helper.make_tensor_value_info("values", TensorProto.DOUBLE, ["rows", len(model.columns)])]
    if model.before:
        kinds = {True: TensorProto.STRING, False: TensorProto.DOUBLE}
        given = [helper.make_tensor_value_info(name, kinds[text], ["rows"]) for name, text in model.given]
    shape = ["rows", model.classes] if several else ["rows"]
    told = helper.make_tensor_value_info("scores", TensorProto.DOUBLE, shape)
    graph = helper.make_graph(nodes, "model", given, [told], known)
    made = helper.make_model(
        graph,
        producer_name="unseen",
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML)],
        ir_version=_IR,
    )
    helper.set_model_props(made, {"columns": "\n".join(model.columns)})
    onnx.checker.check_model(made)
    data: bytes = made.SerializeToString()
    return data


def _linear(model: Whole) -> tuple[list[Any], list[Any]]:
    """Nodes from "values" to "raw", and what they know."""
    from onnx import helper, numpy_helper  # noqa: PLC0415

    weights = model.arrays["weights"]
    known = [
        numpy_helper.from_array(np.ascontiguousarray(weights[:-1]), "weights"),
        numpy_helper.from_array(np.array(weights[-1]), "intercept"),
    ]
    nodes = [
        helper.make_node("MatMul", ["values", "weights"], ["product"]),
        helper.make_node("Add", ["product", "intercept"], ["raw"]),
    ]
    return nodes, known


def _binned(model: Whole) -> tuple[list[Any], list[Any]]:
    """The same of bins: a value's bin is the number of cuts that are not above it. Cuts that a column lacks are NaN."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    width, per = model.arrays["weights"].shape
    cuts = np.full((1, width, max(1, per - 2)), np.nan)
    for column, some in enumerate(model.cuts):
        cuts[0, column, : len(some)] = some
    arrays = {
        "cuts": cuts,
        "weights": model.arrays["weights"].ravel(),
        "intercept": model.arrays["intercept"],
        "first": np.arange(width, dtype=np.int64) * per,
        "missing": np.array(per - 1),
        "last": np.array([2]),
        "second": np.array([1]),
    }
    known = [numpy_helper.from_array(item, name) for name, item in arrays.items()]
    nodes = [
        helper.make_node("Unsqueeze", ["values", "last"], ["each"]),
        helper.make_node("GreaterOrEqual", ["each", "cuts"], ["above"]),
        helper.make_node("Cast", ["above"], ["ones"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["ones", "last"], ["places"], keepdims=0),
        helper.make_node("IsNaN", ["values"], ["absent"]),
        helper.make_node("Where", ["absent", "missing", "places"], ["bins"]),
        helper.make_node("Add", ["bins", "first"], ["entries"]),
        helper.make_node("Gather", ["weights", "entries"], ["points"]),
        helper.make_node("ReduceSum", ["points", "second"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "intercept"], ["raw"]),
    ]
    return nodes, known


def _trees(model: Whole) -> tuple[list[Any], list[Any]]:
    """The same of trees."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    trees: list[Nodes] = [nodes_of(model, number) for number in range(len(model.arrays["leaves"]))]
    start, factor = (float(value) for value in model.arrays["scale"])
    places = [(number, place) for number, tree in enumerate(trees) for place in range(len(tree))]
    rows = [row for tree in trees for row in tree]
    leaves = [
        (number, place, row.value * factor)
        for (number, place), row in zip(places, rows, strict=True)
        if row.leaf
    ]
    made = helper.make_node(
        "TreeEnsembleRegressor",
        ["values"],
        ["sums"],
        domain="ai.onnx.ml",
        n_targets=model.classes,
        aggregate_function="SUM",
        post_transform="NONE",
        base_values_as_tensor=numpy_helper.from_array(np.full(model.classes, start), "base"),
        nodes_treeids=[number for number, _ in places],
        nodes_nodeids=[place for _, place in places],
        nodes_featureids=[row.column for row in rows],
        nodes_modes=["LEAF" if row.leaf else "BRANCH_LT" for row in rows],
        nodes_values_as_tensor=numpy_helper.from_array(
            np.array([0.0 if row.leaf else row.value for row in rows]), "at"
        ),
        nodes_truenodeids=[row.left for row in rows],
        nodes_falsenodeids=[row.right for row in rows],
        nodes_missing_value_tracks_true=[int(row.missing_left) for row in rows],
        target_treeids=[number for number, _, _ in leaves],
        target_nodeids=[place for _, place, _ in leaves],
        target_ids=[number % model.classes for number, _, _ in leaves],
        target_weights_as_tensor=numpy_helper.from_array(np.array([value for *_, value in leaves]), "leaves"),
    )
    wide = helper.make_node(
        "Cast", ["sums"], ["wide"], to=TensorProto.DOUBLE
    )  # sums are 32-bit floats by the specification
    shape = [-1, model.classes] if model.link == "softmax" else [-1]
    shape_of_scores = numpy_helper.from_array(np.array(shape), "shape")
    return [made, wide, helper.make_node("Reshape", ["wide", "shape"], ["raw"])], [shape_of_scores]
