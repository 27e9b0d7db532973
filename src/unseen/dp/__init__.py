"""Differential privacy (差分隐私): mechanisms, and what is spent of a budget."""

from unseen.dp.budget import EXACT, Budget, Spent
from unseen.dp.laplace import DiscreteLaplace

__all__ = ["EXACT", "Budget", "DiscreteLaplace", "Spent"]
