"""NumPy's functions on secret arrays: which of ours stands for which of NumPy's, and why others cannot be.

`np.add(secret, 1)`, `1 - secret`, `np.where(...)`, `np.exp(secret)` all end here, so that a function written with
NumPy runs on secret arrays without being changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from unseen.core.errors import LocalProtocolError
from unseen.mpc.array import SecretArray
from unseen.mpc.functions import compare, composed, exponential, magnitude, moves, order, reduce


def _first(*items: Any) -> SecretArray:
    return next(item for item in items if isinstance(item, SecretArray))


def _of_truths(logic: Callable[..., SecretArray], left: Any, right: Any) -> SecretArray:
    """Of numbers whether they are not 0."""
    sides = (
        compare.truth(one) if isinstance(one, SecretArray) else np.asarray(one, bool) for one in (left, right)
    )
    return logic(*sides)


@cache
def ufuncs() -> dict[str, Callable[..., Any]]:
    """By name of NumPy's ufunc."""
    return {
        "add": lambda a, b: a + b if isinstance(a, SecretArray) else b + a,
        "subtract": lambda a, b: a - b if isinstance(a, SecretArray) else -(b - a),
        "multiply": lambda a, b: a * b if isinstance(a, SecretArray) else b * a,
        "matmul": composed.matmul,
        "negative": lambda a: -a,
        "positive": lambda a: a,
        "square": lambda a: a * a,
        "less": compare.less,
        "greater": compare.greater,
        "less_equal": compare.less_equal,
        "greater_equal": compare.greater_equal,
        "logical_and": partial(_of_truths, compare.logical_and),
        "bitwise_and": compare.logical_and,
        "logical_or": partial(_of_truths, compare.logical_or),
        "bitwise_or": compare.logical_or,
        "logical_xor": partial(_of_truths, compare.logical_xor),
        "bitwise_xor": compare.logical_xor,
        "logical_not": lambda a: compare.logical_not(compare.truth(a)),
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
        "divide": lambda a, b: magnitude.divisor(b).divide(a) if isinstance(b, SecretArray) else a / b,
        "power": composed.power,
        "float_power": composed.power,
        "floor": composed.floor,
        "ceil": lambda a: -composed.floor(-a),
        "trunc": composed.trunc,
        "fabs": compare.absolute,
        "log1p": lambda a: magnitude.log(a + 1),
        "expm1": lambda a: exponential.exp(a) - 1,
        "log2": lambda a: composed.log_to(2, a),
        "log10": lambda a: composed.log_to(10, a),
    }


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """By name of NumPy's function."""
    return {
        "where": compare.where,
        "clip": _clip,
        "sum": reduce.total,
        "mean": reduce.mean,
        "var": reduce.variance,
        "std": reduce.deviation,
        "median": reduce.median,
        "quantile": reduce.quantile,
        "percentile": lambda a, q, *args, **options: reduce.quantile(a, np.divide(q, 100), *args, **options),
        "any": reduce.some,
        "all": reduce.every,
        "count_nonzero": reduce.count_nonzero,
        "isin": reduce.isin,
        "searchsorted": reduce.searchsorted,
        "cumsum": reduce.cumulated,
        "max": _extremum(reduce.maximum_of, compare.maximum),
        "amax": _extremum(reduce.maximum_of, compare.maximum),
        "min": _extremum(reduce.minimum_of, compare.minimum),
        "amin": _extremum(reduce.minimum_of, compare.minimum),
        "ptp": _kept(composed.spread),
        "prod": composed.product,
        "diff": composed.difference,
        "average": composed.average,
        "outer": composed.outer,
        "inner": composed.inner,
        "norm": composed.norm,
        "trace": composed.trace,
        "argmax": _kept(reduce.argmax),
        "argmin": _kept(reduce.argmin),
        "dot": reduce.dot,
        "sort": partial(_ordered, order.sort),
        "argsort": partial(_ordered, order.argsort),
        "concatenate": lambda arrays, axis=0: _joined(arrays, axis),
        "append": lambda a, values, axis=None: _joined(
            [a, values] if axis is not None else [np.ravel(a), np.ravel(values)], axis or 0
        ),
        "stack": lambda arrays, axis=0: _stacked(arrays, axis),
        "vstack": composed.stacked_rows,
        "hstack": composed.stacked_columns,
        "column_stack": composed.columns,
        "transpose": lambda a, axes=None: a.transpose(axes),
        "reshape": lambda a, shape: a.reshape(shape),
        "ravel": lambda a: a.ravel(),
        "shape": lambda a: a.shape,
        "ndim": lambda a: a.ndim,
        "size": lambda a, axis=None: a.size if axis is None else a.shape[axis],
        "copy": lambda a: a,
        "zeros_like": lambda a, dtype=None: _filled(a, 0, dtype),
        "ones_like": lambda a, dtype=None: _filled(a, 1, dtype),
        "full_like": _filled,
        **{name: partial(moves.moved, getattr(np, name)) for name in moves.NAMES},
    }


def _kept(reduction: Callable[..., SecretArray]) -> Callable[..., SecretArray]:
    def reduced(x: SecretArray, axis: int | None = None, *, keepdims: bool = False) -> SecretArray:
        made = reduction(x, axis)
        return composed.kept(made, x, axis) if keepdims else made

    return reduced


def _extremum(
    reduction: Callable[..., SecretArray], pair: Callable[..., SecretArray]
) -> Callable[..., SecretArray]:
    """With NumPy's `initial` and `where`: of those for which a condition holds, and of one more."""

    def reduced(
        x: SecretArray,
        axis: int | None = None,
        *,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> SecretArray:
        if where is not True:
            if initial is None:
                raise TypeError("where= takes initial=, which stands for those that it leaves out")
            x = compare.where(where, x, initial)
        made = _kept(reduction)(x, axis, keepdims=keepdims)
        return made if initial is None else pair(made, initial)

    return reduced


def _clip(a: SecretArray, a_min: Any = None, a_max: Any = None, **bounds: Any) -> SecretArray:
    low, high = bounds.pop("min", a_min), bounds.pop("max", a_max)
    if bounds:
        raise TypeError(f"there is no {', '.join(bounds)}=")
    return compare.clip(_first(a, low, high).engine.lift(a), low, high)


def _ordered(
    ours: Callable[..., SecretArray],
    a: SecretArray,
    axis: int | None = -1,
    kind: str | None = None,  # noqa: ARG001 - it is always stable
    *,
    stable: bool = True,  # noqa: ARG001
) -> SecretArray:
    return ours(a.ravel(), 0) if axis is None else ours(a, axis)


def _filled(a: SecretArray, value: Any, dtype: Any = None) -> SecretArray:
    """Of the array's shape and kind, or of another kind."""
    plain = np.full(a.shape, value, a.dtype if dtype is None else dtype)
    return a.engine.lift(plain, (a.bits or None) if plain.dtype.kind == "f" else None)


def _joined(arrays: Any, axis: int | None) -> SecretArray:
    engine = _first(*arrays).engine
    lifted = [engine.lift(array) for array in arrays]
    return engine.concatenate([array.ravel() for array in lifted] if axis is None else lifted, axis or 0)


def _stacked(arrays: Any, axis: int) -> SecretArray:
    engine = _first(*arrays).engine
    lifted = [engine.lift(array) for array in arrays]
    if len({array.shape for array in lifted}) > 1:
        raise ValueError("all input arrays must have the same shape")
    place = normalize_axis_index(axis, lifted[0].ndim + 1)
    shape = (*lifted[0].shape[:place], 1, *lifted[0].shape[place:])
    return engine.concatenate([array.reshape(shape) for array in lifted], place)


_SIZE = "the shape of what comes out would tell the values"
_CANNOT = {
    **dict.fromkeys(
        ("nonzero", "argwhere", "flatnonzero", "extract", "compress"),
        (_SIZE, "np.where(condition, x, 0), which keeps the shape"),
    ),
    "unique": (_SIZE, "mpc.group_by, whose result has a public bound"),
    **dict.fromkeys(
        ("isnan", "isfinite", "isinf"),
        ("every secret is a number", "leave it out; replace missing values before sharing"),
    ),
    **dict.fromkeys(
        ("equal", "not_equal"), ("it is so easily written by mistake", "mpc.equal(a, b), ~mpc.equal(a, b)")
    ),
    **dict.fromkeys(
        ("floor_divide", "remainder", "fmod", "divmod"),
        (
            "a quotient of secrets is off by some units, so its floor could be off by one",
            "np.floor(x / y), if that is good enough",
        ),
    ),
    **dict.fromkeys(
        ("rint", "round", "around"), ("ties to even would take another comparison", "np.floor(x + 0.5)")
    ),
    **dict.fromkeys(("einsum", "tensordot"), ("it is not written", "@, sum and x[:, None]")),
    **dict.fromkeys(
        ("array_equal", "allclose", "isclose"), ("it would have to know the values", "mpc.equal(a, b).all()")
    ),
}


def _refuse(name: str) -> LocalProtocolError:
    why, mend = _CANNOT.get(
        name,
        (
            "it needs the values, or it is not written",
            f"there are: {', '.join(sorted({*ufuncs(), *functions()}))}; or reveal what the contract allows",
        ),
    )
    return LocalProtocolError(f"np.{name} is not there for secret arrays.", why=why, mend=mend)


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What NumPy calls for a ufunc on a secret array.

    Raises
    ------
    LocalProtocolError
        We have none of that name, or it was asked to write into an array or to reduce.
    """
    name = ufunc.__name__
    ours = ufuncs().get(name)
    if ours is None:
        raise _refuse(name)
    if method != "__call__" or options:
        asked = name + (f"({', '.join(options)}=)" if method == "__call__" else f".{method}")
        raise LocalProtocolError(
            f"np.{asked} is not there for secret arrays.",
            why="a ufunc is called on whole arrays and makes a new one; nothing is written into another",
            mend=f"np.{name}(...) itself, np.where in place of where=, np.sum or np.max in place of reduce",
        )
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
