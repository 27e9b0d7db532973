"""Long arrays piece by piece: what a function needs on the way stays small, in memory and in the caches.

A piece is large enough for latency not to matter: its messages take longer to send than its rounds to wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from unseen.mpc.array import SecretArray

PIECE = 1 << 18


def in_pieces(function: Callable[..., SecretArray]) -> Callable[..., SecretArray]:
    """Apply a function that works element by element to at most :data:`PIECE` elements at a time."""

    @wraps(function)
    def piecewise(x: SecretArray, **options: Any) -> SecretArray:
        if x.size <= PIECE:
            return function(x, **options)
        flat = x.ravel()
        parts = [function(flat[begin : begin + PIECE], **options) for begin in range(0, x.size, PIECE)]
        return x.engine.concatenate(parts).reshape(x.shape)

    return piecewise
