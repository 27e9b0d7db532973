"""JSON as XGBoost 2 and later load it (`Booster.load_model`). Its thresholds and leaves are 32-bit floats.

Source: the JSON schema of models in XGBoost's documentation ("Introduction to Model IO").
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from unseen.learn.export.whole import Whole, nodes_of, require

SUFFIX = ".json"
_OBJECTIVES = {"binary": "binary:logistic", "squared": "reg:squarederror", "softmax": "multi:softprob"}
_NOBODY = 2147483647


def written(model: Whole) -> bytes:
    """The file.

    Raises
    ------
    UsageError
        The model is none of trees.
    """
    require(model, ("trees",), "xgboost")
    scale = model.arrays["scale"]
    trees = [_tree(model, number, float(scale[1])) for number in range(len(model.arrays["leaves"]))]
    start = float(1 / (1 + np.exp(-scale[0]))) if model.link == "logit" else float(scale[0])
    several, classes = model.link == "softmax", model.classes
    width = len(model.columns)
    head = {
        "base_score": repr(start),
        "num_class": str(classes if several else 0),
        "num_feature": str(width),
        "num_target": "1",
    }
    objective: dict[str, Any] = {"name": _OBJECTIVES[model.family]}
    name = "softmax_multiclass_param" if several else "reg_loss_param"
    objective[name] = {"num_class": str(classes)} if several else {"scale_pos_weight": "1"}
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
                    "iteration_indptr": list(range(0, len(trees) + 1, classes)),
                    "tree_info": [number % classes for number in range(len(trees))],
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
    rows, most = nodes_of(model, number), float(np.finfo(np.float32).max)
    conditions = [row.value * factor if row.leaf else min(max(row.value, -most), most) for row in rows]
    left = [-1 if row.leaf else row.left for row in rows]
    right = [-1 if row.leaf else row.right for row in rows]
    parents = [_NOBODY if row.parent < 0 else row.parent for row in rows]
    columns, defaults, count = (
        [row.column for row in rows],
        [int(row.missing_left) for row in rows],
        len(rows),
    )
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
