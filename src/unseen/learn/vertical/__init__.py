"""Models on the same rows with columns at different holders (纵向联邦学习)."""
