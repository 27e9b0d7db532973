"""Boosted trees on the same rows with columns at different holders (纵向梯度提升树)."""
