"""Long arrays piece by piece: what a function needs on the way stays small, in memory and in the caches.

A piece is so small that what is made of it on the way takes no more memory than inputs and outputs of the whole, and large enough for
latency not to rule: its messages take longer to send than its rounds to wait for on a common network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np

from unseen.mpc.array import SecretArray

SMALLEST, LARGEST = 1 << 14, 1 << 18
_WORD = 64


def piece(size: int, parts: int, *, least: int | None = None) -> int:
    """Elements to take at a time, of `size` that would best be worked on in so many parts."""
    return min(LARGEST, max(least or SMALLEST, -(-size // parts)))


def cut(size: int, parts: int, *, least: int | None = None) -> Iterator[slice]:
    """Elements in turn, so many at a time; all but the last a multiple of 64, as planes have them."""
    step = -(-piece(size, parts, least=least) // _WORD) * _WORD
    return (slice(begin, min(begin + step, size)) for begin in range(0, size, step))


def in_pieces(parts: int) -> Callable[[Callable[..., SecretArray]], Callable[..., SecretArray]]:
    """Apply a function that makes a number of each element to one of `parts` parts at a time, small arrays as a whole.

    Parameters
    ----------
    parts
        About half as many as the words that the function keeps of an element on its way.
    """

    def decorate(function: Callable[..., SecretArray]) -> Callable[..., SecretArray]:
        @wraps(function)
        def piecewise(x: SecretArray, **options: Any) -> SecretArray:
            step = piece(x.size, parts)
            if not x.size:
                return x.engine.lift(np.zeros(x.shape), x.bits or x.engine.bits)
            if x.size <= step:
                return function(x, **options)
            flat = x.ravel()
            first = function(flat[:step], **options)
            share = np.empty((len(first.share), x.size), np.uint64)
            share[:, :step] = first.share
            for begin in range(step, x.size, step):
                share[:, begin : begin + step] = function(flat[begin : begin + step], **options).share
            return x.engine.number(share, first.bits).reshape(x.shape)

        return piecewise

    return decorate
