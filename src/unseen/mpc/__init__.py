"""The secret-shared engine (多方安全计算): NumPy on data that nobody sees."""

from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine, FixedArray
from unseen.mpc.functions.anywhere import (
    apply,
    argsort,
    batched,
    equal,
    gelu,
    group_by,
    lookup,
    one_hot,
    order_by,
    permute,
    rsqrt,
    scan,
    sigmoid,
    softmax,
    sort,
    topk,
)
from unseen.mpc.functions.groups import Groups
from unseen.mpc.launch import Outcome, launch

__all__ = [
    "Engine",
    "FixedArray",
    "Groups",
    "Outcome",
    "SecretArray",
    "apply",
    "argsort",
    "batched",
    "equal",
    "gelu",
    "group_by",
    "launch",
    "lookup",
    "one_hot",
    "order_by",
    "permute",
    "rsqrt",
    "scan",
    "sigmoid",
    "softmax",
    "sort",
    "topk",
]
