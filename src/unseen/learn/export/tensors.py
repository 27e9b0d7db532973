"""What was done to columns before, as nodes of ONNX: one input a column, shape (rows,), text as strings ("" where missing), else float64.

They end in "values", shape (rows, width), which the nodes of the model take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unseen.learn.export.before import Bins, Chain, Clip, Fill, Flag, Map, Scale, Step


class Graph:
    """Nodes and constants that are put together; each result has a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.known: list[Any] = []

    def call(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """One node more; the name of its result."""
        from onnx import helper  # noqa: PLC0415 - an extra

        made = f"before-{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [made], domain=domain, **attributes))
        return made

    def constant(self, value: Any) -> str:
        """One constant more; its name."""
        from onnx import numpy_helper  # noqa: PLC0415

        made = f"before-constant-{len(self.known)}"
        self.known.append(numpy_helper.from_array(np.asarray(value), made))
        return made

    def looked_up(self, entries: Sequence[float], places: str) -> str:
        """The entry at each place."""
        return self.call("Gather", self.constant(np.array(entries, np.float64)), places)


def nodes_of(chains: Sequence[Chain]) -> tuple[list[Any], list[Any]]:
    """Nodes from the columns to "values", and what they know."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    graph, columns = Graph(), []
    last = graph.constant(np.array([1]))
    for chain in chains:
        now, text = chain.source, chain.text
        for step in chain.steps:
            now, text = _after(graph, step, now, text=text), False
        wide = graph.call("Cast", now, to=TensorProto.DOUBLE)
        columns.append(graph.call("Unsqueeze", wide, last))
    graph.nodes.append(helper.make_node("Concat", columns, ["values"], axis=1))
    return graph.nodes, graph.known


def _after(graph: Graph, step: Step, now: str, *, text: bool) -> str:
    from onnx import TensorProto  # noqa: PLC0415

    if isinstance(step, Map):
        return _mapped(graph, step, now, text=text)
    missing = graph.call("IsNaN", now)
    match step:
        case Fill():
            return graph.call("Where", missing, graph.constant(step.value), now)
        case Flag():
            return graph.call("Cast", missing, to=TensorProto.DOUBLE)
        case Clip():
            low, high = graph.constant(step.low), graph.constant(step.high)
            return graph.call("Where", missing, now, graph.call("Clip", now, low, high))
        case Scale():
            shifted = graph.call("Sub", now, graph.constant(step.shift))
            return graph.call("Div", shifted, graph.constant(step.divide))
        case Bins():
            above = _against(graph, "GreaterOrEqual", now, [*step.cuts, np.nan])
            places = graph.call("ReduceSum", above, graph.constant(np.array([1])), keepdims=0)
            absent = graph.constant(np.array(len(step.values)))
            entries = [*step.values, np.nan if step.missing is None else step.missing]
            return graph.looked_up(entries, graph.call("Where", missing, absent, places))


def _mapped(graph: Graph, step: Map, now: str, *, text: bool) -> str:
    """The number of each category: entries in order, then that of the rest, then that of missing values."""
    count = len(step.values)
    rest, absent = (np.nan if end is None else end for end in (step.rest, step.missing))
    entries = [*step.values.values(), rest, absent]
    if text:
        places = graph.call(
            "LabelEncoder",
            now,
            domain="ai.onnx.ml",
            keys_strings=[*(word for word in step.values if word), ""],
            values_int64s=[*(place for place, word in enumerate(step.values) if word), count + 1],
            default_int64=count,
        )
        return graph.looked_up(entries, places)
    keys = [_number(word) for word in step.values]
    same = _against(graph, "Equal", now, [*keys, np.nan])
    weights = graph.constant(np.arange(count + 1) - count)
    place = graph.call(
        "ReduceSum", graph.call("Mul", same, weights), graph.constant(np.array([1])), keepdims=0
    )
    places = graph.call("Add", place, graph.constant(np.array(count)))
    missing = graph.call("IsNaN", now)
    return graph.looked_up(entries, graph.call("Where", missing, graph.constant(np.array(count + 1)), places))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")  # no number is this


def _against(graph: Graph, kind: str, now: str, others: Sequence[float]) -> str:
    """Each value against all others, 0 or 1, shape (rows, others)."""
    from onnx import TensorProto  # noqa: PLC0415

    each = graph.call("Unsqueeze", now, graph.constant(np.array([1])))
    found = graph.call(kind, each, graph.constant(np.array([others], np.float64)))
    return graph.call("Cast", found, to=TensorProto.INT64)
