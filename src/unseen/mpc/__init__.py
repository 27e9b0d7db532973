"""The secret-shared engine (多方安全计算): NumPy on data that nobody sees."""

from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine, FixedArray

__all__ = ["Engine", "FixedArray", "SecretArray"]
