"""NumPy's functions that only move elements about, on secret arrays: they move the places, which are public.

np.flip(secret) is secret[np.flip(places)] for the places 0, 1, 2, … in the array's shape: free, like slicing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unseen.mpc.array import SecretArray

NAMES = frozenset(
    [
        "array_split",
        "atleast_1d",
        "atleast_2d",
        "atleast_3d",
        "broadcast_to",
        "delete",
        "diagonal",
        "expand_dims",
        "flip",
        "fliplr",
        "flipud",
        "hsplit",
        "moveaxis",
        "repeat",
        "roll",
        "rot90",
        "split",
        "squeeze",
        "swapaxes",
        "take",
        "tile",
        "vsplit",
    ]
)


def moved(function: Callable[..., Any], x: SecretArray, *args: Any, **kwargs: Any) -> Any:
    """`function(x, ...)` of one of :data:`NAMES`; several arrays where NumPy gives several.

    Raises
    ------
    TypeError
        Something secret among the other arguments: what moves where must be public.
    """
    if any(isinstance(item, SecretArray) for item in (*args, *kwargs.values())):
        raise TypeError("only the array itself can be secret, not where its elements go")
    made = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
    flat = x.ravel()
    if isinstance(made, list | tuple):
        return [flat[places] for places in made]
    return flat[np.asarray(made)]
