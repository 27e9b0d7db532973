"""Trees that XGBoost grows on pooled codes: answers one JSON line with one; run in an environment of its own (see bench.rivals)."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np
import xgboost

NAMES = {
    "penalty": "lambda",
    "min_gain": "gamma",
    "learning_rate": "eta",
    "depth": "max_depth",
    "min_child_weight": "min_child_weight",
}
OBJECTIVES = {"binary": "binary:logistic", "squared": "reg:squarederror", "softmax": "multi:softprob"}
Node = dict[str, Any]


def grow(path: str, settings: dict[str, Any], threads: int) -> dict[str, Any]:
    """For every tree columns, bins, ways of missing values (all nodes in a row) and weights of leaves."""
    stored = np.load(path)
    codes = stored["codes"].astype(np.float32)
    codes[stored["codes"] == stored["bins"][:, None]] = np.nan
    options = {theirs: settings[ours] for ours, theirs in NAMES.items()}
    options |= {"objective": OBJECTIVES[settings["objective"]], "tree_method": "hist", "max_bin": 1024}
    options |= {"base_score": 0.0 if settings["objective"] == "squared" else 0.5, "nthread": threads}
    if settings["objective"] == "softmax":
        options["num_class"] = settings["classes"]
    model = xgboost.train(options, xgboost.DMatrix(codes.T, stored["labels"]), int(settings["rounds"]))
    dumps = model.get_dump(dump_format="json")
    return {"trees": [_row(json.loads(text), int(settings["depth"])) for text in dumps]}


def _row(root: Node, depth: int) -> dict[str, list[Any]]:
    nodes = 2**depth - 1
    out = {
        "column": [-1] * nodes,
        "bin": [0] * nodes,
        "missing_left": [False] * nodes,
        "weights": [0.0] * 2**depth,
    }

    def walk(node: Node, place: int, level: int) -> None:
        if "leaf" in node:
            for _ in range(level, depth):  # all rows go right where nothing is split
                place = 2 * place + 2
            out["weights"][place - nodes] = node["leaf"]
            return
        below = {child["nodeid"]: child for child in node["children"]}
        out["column"][place] = int(node["split"].removeprefix("f"))
        out["bin"][place] = math.ceil(node["split_condition"]) - 1
        out["missing_left"][place] = node["missing"] == node["yes"]
        walk(below[node["yes"]], 2 * place + 1, level + 1)
        walk(below[node["no"]], 2 * place + 2, level + 1)

    walk(root, 0, 0)
    return out


for line in sys.stdin:
    print(json.dumps(grow(**json.loads(line))), flush=True)
