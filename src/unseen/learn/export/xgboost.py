"""JSON as XGBoost 2 and later load it (`Booster.load_model`). Its thresholds and leaves are 32-bit floats.

Source: the JSON schema of models in XGBoost's documentation ("Introduction to Model IO").
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from unseen.learn.export.whole import Whole, require

SUFFIX = ".json"
_OBJECTIVES = {"binary": "binary:logistic", "squared": "reg:squarederror"}
_NOBODY = 2147483647


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The model is none of trees.
    """
    require(model, "trees", "xgboost")
    scale = model.arrays["scale"]
    trees = [_tree(model, number, float(scale[1])) for number in range(len(model.arrays["leaves"]))]
    start = float(scale[0]) if model.link == "identity" else float(1 / (1 + np.exp(-scale[0])))
    width = len(model.columns)
    head = {"base_score": repr(start), "num_class": "0", "num_feature": str(width), "num_target": "1"}
    objective: dict[str, Any] = {"name": _OBJECTIVES[model.family]}
    objective["reg_loss_param"] = {"scale_pos_weight": "1"}
    told = {
        "version": [2, 1, 0],
        "learner": {
            "attributes": {},
            "feature_names": list(model.columns),
            "feature_types": ["float"] * width,
            "gradient_booster": {
                "name": "gbtree",
                "model": {
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
                    "iteration_indptr": list(range(len(trees) + 1)),
                    "tree_info": [0] * len(trees),
                    "trees": trees,
                },
            },
            "learner_model_param": {"boost_from_average": "0", **head},
            "objective": objective,
        },
    }
    return json.dumps(told).encode()


def _tree(model: Whole, number: int, factor: float) -> dict[str, Any]:
    """One tree, nodes without a split cut off."""
    arrays = model.arrays
    leaves = arrays["leaves"][number]
    column, threshold = arrays["column"][number], arrays["threshold"][number]
    inner = len(column)
    rows: list[
        tuple[int, int, int, int, float, int]
    ] = []  # left, right, parent, column, condition, default left

    def add(node: int, parent: int) -> int:
        own = len(rows)
        rows.append((-1, -1, parent, 0, 0.0, 0))
        if node < inner and column[node] >= 0:
            left, right = add(2 * node + 1, own), add(2 * node + 2, own)
            default = int(arrays["missing_left"][number][node])
            condition = max(float(threshold[node]), float(np.finfo(np.float32).min))
            rows[own] = (left, right, parent, int(column[node]), condition, default)
        else:
            while node < inner:  # no split: everything goes right
                node = 2 * node + 2
            rows[own] = (-1, -1, parent, 0, float(leaves[node - inner]) * factor, 0)
        return own

    add(0, _NOBODY)
    count = len(rows)
    left, right, parents, columns, conditions, defaults = (list(part) for part in zip(*rows, strict=True))
    return {
        "base_weights": [0.0] * count,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": defaults,
        "id": number,
        "left_children": left,
        "loss_changes": [0.0] * count,
        "parents": parents,
        "right_children": right,
        "split_conditions": conditions,
        "split_indices": columns,
        "split_type": [0] * count,
        "sum_hessian": [0.0] * count,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(len(model.columns)),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
    }
