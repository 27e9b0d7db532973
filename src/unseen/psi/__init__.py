"""Private set intersection (隐私集合求交): which rows do we have in common, and nothing else."""

from unseen.psi.intersect import intersect
from unseen.psi.plan import Choice, choose, options
from unseen.psi.protocol import Aligned, Mode

__all__ = ["Aligned", "Choice", "Mode", "choose", "intersect", "options"]
