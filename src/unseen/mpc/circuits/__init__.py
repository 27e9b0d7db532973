"""Boolean circuits (布尔电路): arrays of gates, Python functions that become them, Bristol Fashion files, AES and SHA-256."""

from unseen.mpc.circuits.circuit import Circuit, Gate
from unseen.mpc.circuits.words import Word, choose, inline, trace

__all__ = ["Circuit", "Gate", "Word", "choose", "inline", "trace"]
