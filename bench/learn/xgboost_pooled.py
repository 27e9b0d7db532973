"""XGBoost on pooled codes: answers one JSON line with one; run in an environment of its own (see bench.rivals)."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import xgboost

NAMES = {"penalty": "lambda", "min_gain": "gamma", "learning_rate": "eta", "depth": "max_depth"}
KEPT = ("min_child_weight",)


OBJECTIVES = {"binary": "binary:logistic", "squared": "reg:squarederror", "softmax": "multi:softprob"}


def train(path: str, settings: dict[str, Any], threads: int) -> dict[str, Any]:
    """Train on rows that are marked, score the others."""
    stored = np.load(path)
    codes = stored["codes"].astype(np.float32)
    codes[stored["codes"] == stored["bins"][:, None]] = np.nan
    part = stored["train"]
    options = {NAMES[name]: settings[name] for name in NAMES} | {name: settings[name] for name in KEPT}
    options |= {"objective": OBJECTIVES[settings["objective"]], "tree_method": "hist", "max_bin": 1024}
    options |= {"base_score": 0.0 if settings["objective"] == "squared" else 0.5, "nthread": threads}
    if settings["objective"] == "softmax":
        options["num_class"] = settings["classes"]
    start = time.perf_counter()
    matrix = xgboost.DMatrix(codes.T[part], stored["labels"][part])
    model = xgboost.train(options, matrix, int(settings["rounds"]))
    seconds = time.perf_counter() - start
    scores = model.predict(xgboost.DMatrix(codes.T[~part] if (~part).any() else codes.T), output_margin=True)
    return {"seconds": seconds, "scores": scores.tolist(), "version": xgboost.__version__}


for line in sys.stdin:
    print(json.dumps(train(**json.loads(line))), flush=True)
