"""The secret-shared engine (多方安全计算): NumPy on data that nobody sees."""

from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine, FixedArray
from unseen.mpc.functions.anywhere import equal, gelu, rsqrt, sigmoid, softmax

__all__ = ["Engine", "FixedArray", "SecretArray", "equal", "gelu", "rsqrt", "sigmoid", "softmax"]
