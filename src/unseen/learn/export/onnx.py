"""ONNX by its own library, without a converter: input "values" (rows, width) and output "scores" (rows,), float64.

Linear models are a product, a sum and the link. The `onnx` package (an extra, `unseen[export]`) only writes and checks the file.
"""

from __future__ import annotations

import numpy as np

from unseen.core.errors import UsageError
from unseen.learn.export.whole import Whole, require

SUFFIX = ".onnx"
_OPSET, _IR = 17, 9
_LINKS = {"logit": "Sigmoid", "log": "Exp", "identity": "Identity"}


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The model is not linear, or the package `onnx` is not installed.
    """
    require(model, "linear", "onnx")
    try:
        import onnx  # noqa: PLC0415 - an extra
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "Writing ONNX needs the package onnx.", why=str(error), mend="pip install 'unseen[export]'"
        ) from error
    weights = model.arrays["weights"]
    known = [
        numpy_helper.from_array(np.ascontiguousarray(weights[:-1]), "weights"),
        numpy_helper.from_array(np.array(weights[-1]), "intercept"),
    ]
    nodes = [
        helper.make_node("MatMul", ["values", "weights"], ["product"]),
        helper.make_node("Add", ["product", "intercept"], ["raw"]),
        helper.make_node(_LINKS[model.link], ["raw"], ["scores"]),
    ]
    given = helper.make_tensor_value_info("values", TensorProto.DOUBLE, ["rows", len(model.columns)])
    told = helper.make_tensor_value_info("scores", TensorProto.DOUBLE, ["rows"])
    graph = helper.make_graph(nodes, "model", [given], [told], known)
    made = helper.make_model(
        graph, producer_name="unseen", opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR
    )
    helper.set_model_props(made, {"columns": "\n".join(model.columns)})
    onnx.checker.check_model(made)
    data: bytes = made.SerializeToString()
    return data
