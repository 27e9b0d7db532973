"""The secret-shared engine (多方安全计算): NumPy on data that nobody sees."""

from unseen.mpc import ahead
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
from unseen.mpc.stock import Meter, Stock

__all__ = [
    "Engine",
    "FixedArray",
    "Groups",
    "Meter",
    "Outcome",
    "SecretArray",
    "Stock",
    "ahead",
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
