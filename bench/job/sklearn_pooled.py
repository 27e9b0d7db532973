"""The rival of bench/job: scikit-learn with all data in one place. Runs in an environment of its own.

One request per line: {"job": "whole" | "train", "data": FILE.npz, "penalty": …}; the answer has seconds and peak_mib.
"""

import json
import resource
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score


def whole(data: Mapping[str, Any], penalty: float) -> None:
    """Join two tables by id, split, scale, fit, score, measure: what the joint job does."""
    _, left, right = np.intersect1d(data["left_ids"], data["right_ids"], return_indices=True)
    columns = np.hstack([data["left"][left], data["right"][right]])
    labels = data["labels"][left]
    order = np.random.default_rng(0).permutation(len(labels))
    test, train = np.split(order, [len(order) // 4])
    mean, scale = columns[train].mean(axis=0), columns[train].std(axis=0)
    model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
    model.fit((columns[train] - mean) / scale, labels[train])
    scores = model.predict_proba((columns[test] - mean) / scale)[:, 1]
    roc_auc_score(labels[test], scores)
    accuracy_score(labels[test], scores > 0.5)


def train(data: Mapping[str, Any], penalty: float) -> None:
    """Fit on columns that are scaled already."""
    LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(data["columns"], data["labels"])


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if request["job"] == "version":
            answer = {"version": sklearn.__version__}
        else:
            with np.load(request["data"], allow_pickle=False) as file:
                data = dict(file)
            start, used = time.perf_counter(), time.process_time()
            {"whole": whole, "train": train}[request["job"]](data, request["penalty"])
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
                1 << (20 if sys.platform == "darwin" else 10)
            )
            answer = {"seconds": seconds, "peak_mib": peak, "cpu_s": time.process_time() - used}
        print(json.dumps(answer), flush=True)


main()
