"""The secret-shared engine (多方安全计算): NumPy on data that nobody sees."""

from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine, FixedArray
from unseen.mpc.functions.anywhere import (
    apply,
    argsort,
    equal,
    gelu,
    order_by,
    permute,
    rsqrt,
    sigmoid,
    softmax,
    sort,
    topk,
)
from unseen.mpc.launch import Outcome, launch

__all__ = [
    "Engine",
    "FixedArray",
    "Outcome",
    "SecretArray",
    "apply",
    "argsort",
    "equal",
    "gelu",
    "launch",
    "order_by",
    "permute",
    "rsqrt",
    "sigmoid",
    "softmax",
    "sort",
    "topk",
]
