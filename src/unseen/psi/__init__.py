"""Private set intersection (隐私集合求交): which rows do we have in common, and nothing else."""

from unseen.psi.intersect import Aligned, intersect

__all__ = ["Aligned", "intersect"]
