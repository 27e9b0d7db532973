"""NumPy's functions on secret arrays: which of ours stands for which of NumPy's, and why others cannot be.

`np.add(secret, 1)`, `1 - secret`, `np.where(...)`, `np.exp(secret)` all end here, so that a function written with
NumPy runs on secret arrays without being changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions import compare, exponential, magnitude, order, reduce


def _first(*items: Any) -> SecretArray:
    return next(item for item in items if isinstance(item, SecretArray))


@cache
def ufuncs() -> dict[str, Callable[..., Any]]:
    """By name of NumPy's ufunc."""
    return {
        "add": lambda a, b: a + b if isinstance(a, SecretArray) else b + a,
        "subtract": lambda a, b: a - b if isinstance(a, SecretArray) else -(b - a),
        "multiply": lambda a, b: a * b if isinstance(a, SecretArray) else b * a,
        "matmul": lambda a, b: a @ b if isinstance(a, SecretArray) else b.__rmatmul__(a),
        "negative": lambda a: -a,
        "positive": lambda a: a,
        "square": lambda a: a * a,
        "less": compare.less,
        "greater": compare.greater,
        "less_equal": compare.less_equal,
        "greater_equal": compare.greater_equal,
        "logical_and": compare.logical_and,
        "bitwise_and": compare.logical_and,
        "logical_or": compare.logical_or,
        "bitwise_or": compare.logical_or,
        "logical_xor": compare.logical_xor,
        "bitwise_xor": compare.logical_xor,
        "logical_not": compare.logical_not,
        "invert": compare.logical_not,
        "maximum": compare.maximum,
        "minimum": compare.minimum,
        "absolute": compare.absolute,
        "sign": compare.sign,
        "exp": exponential.exp,
        "log": magnitude.log,
        "sqrt": magnitude.sqrt,
        "reciprocal": magnitude.reciprocal,
        "tanh": exponential.tanh,
        "divide": lambda a, b: a / b if isinstance(a, SecretArray) else magnitude.reciprocal(b) * a,
    }


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """By name of NumPy's function."""
    return {
        "where": compare.where,
        "clip": lambda a, a_min=None, a_max=None: compare.clip(a, a_min, a_max),
        "sum": reduce.total,
        "mean": reduce.mean,
        "var": reduce.variance,
        "std": reduce.deviation,
        "median": reduce.median,
        "quantile": reduce.quantile,
        "any": reduce.some,
        "all": reduce.every,
        "count_nonzero": reduce.count_nonzero,
        "isin": reduce.isin,
        "searchsorted": reduce.searchsorted,
        "cumsum": reduce.cumulated,
        "max": reduce.maximum_of,
        "amax": reduce.maximum_of,
        "min": reduce.minimum_of,
        "amin": reduce.minimum_of,
        "argmax": reduce.argmax,
        "argmin": reduce.argmin,
        "dot": reduce.dot,
        "sort": lambda a, axis=-1, kind=None: order.sort(a, axis),  # noqa: ARG005 - it is always stable
        "argsort": lambda a, axis=-1, kind=None: order.argsort(a, axis),  # noqa: ARG005
        "concatenate": lambda arrays, axis=0: _joined(arrays, axis),
        "stack": lambda arrays, axis=0: _stacked(arrays, axis),
        "transpose": lambda a, axes=None: a.transpose(*(axes or ())),
        "reshape": lambda a, shape: a.reshape(shape if isinstance(shape, tuple) else (shape,)),
        "ravel": lambda a: a.ravel(),
        "shape": lambda a: a.shape,
        "ndim": lambda a: a.ndim,
        "size": lambda a: a.size,
        "zeros_like": lambda a: a.engine.lift(np.zeros(a.shape), a.bits),
        "ones_like": lambda a: a.engine.lift(np.ones(a.shape), a.bits),
    }


def _joined(arrays: Any, axis: int) -> SecretArray:
    engine = _first(*arrays).engine
    return engine.concatenate([engine.lift(array) for array in arrays], axis)


def _stacked(arrays: Any, axis: int) -> SecretArray:
    engine = _first(*arrays).engine
    lifted = [engine.lift(array) for array in arrays]
    place = axis % (lifted[0].ndim + 1)
    shape = (*lifted[0].shape[:place], 1, *lifted[0].shape[place:])
    return engine.concatenate([array.reshape(shape) for array in lifted], place)


def _refuse(name: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"np.{name} is not there for secret arrays.",
        why="it needs the values, or it is not written yet",
        mend=f"there are: {', '.join(sorted({*ufuncs(), *functions()}))}; or reveal what the contract allows",
    )


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What NumPy calls for a ufunc on a secret array.

    Raises
    ------
    LocalProtocolError
        We have none of that name, or it was asked to write into an array or to reduce.
    """
    ours = ufuncs().get(ufunc.__name__)
    if ours is None or method != "__call__" or options:
        raise _refuse(ufunc.__name__ + ("" if method == "__call__" else f".{method}"))
    return ours(*inputs)


def apply_function(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What NumPy calls for one of its functions on a secret array.

    Raises
    ------
    LocalProtocolError
        We have none of that name, or not with these options.
    """
    ours = functions().get(func.__name__)
    if ours is None:
        raise _refuse(func.__name__)
    try:
        return ours(*args, **kwargs)
    except TypeError as error:
        raise LocalProtocolError(
            f"np.{func.__name__} does not take these options on secret arrays.", why=str(error)
        ) from error
