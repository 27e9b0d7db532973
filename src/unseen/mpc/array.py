"""SecretArray: an array that nobody holds alone, with NumPy's operators and functions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc.shares import Bits, Share, align, pick

if TYPE_CHECKING:
    from unseen.mpc.engine import Engine


class SecretArray:
    """A secret array of fixed-point numbers, of integers (`bits` = 0) or of Booleans.

    Behaves like a NumPy array as far as that is possible without knowing the values; NumPy's own functions take it
    (:mod:`unseen.mpc.dispatch`), so a function written with NumPy runs on it. What would have to know the values
    (printing, `bool()`, `float()`, comparison with `==`, indexing by a secret, pickling) is refused.
    """

    __slots__ = ("_engine", "_share", "bits", "boolean")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, engine: Engine, share: Share | Bits, bits: int, *, boolean: bool = False) -> None:
        self._engine = engine
        self._share = share
        self.bits = bits
        self.boolean = boolean

    # ------------------------------------------------------------------ what is public

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._share.shape[1:]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self._share.ndim - 1

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """What a revealed array would hold: bool, int64 or float64."""
        return np.dtype(bool if self.boolean else float if self.bits else np.int64)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a single number")
        return self.shape[0]

    def __iter__(self) -> Iterator[SecretArray]:
        """Row by row, as a plain array is gone through; what is done to all of it at once takes the rounds of one row."""
        return (self[place] for place in range(len(self)))

    def __repr__(self) -> str:
        return f"SecretArray(shape={self.shape}, bits={self.bits}{', boolean' if self.boolean else ''})"

    # ------------------------------------------------------------------ what is refused

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise LocalProtocolError(
            "A secret's value is not known here.",
            why="printing, truth value, conversion, == and pickling would need it",
            mend="compute with it (np.where instead of if, mpc.equal instead of ==), and reveal the result: "
            "engine.reveal(name, array, to=...)",
        )

    __bool__ = __float__ = __int__ = __complex__ = __index__ = __contains__ = _refuse
    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _refuse
    __eq__ = __ne__ = _refuse
    item = tolist = tobytes = _refuse

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise LocalProtocolError(
            "NumPy was about to make a plain array of a secret.",
            why="its values are not known here",
            mend="np.stack([x, y]) of secrets in a list; no secret in what must be public; or reveal it: "
            "engine.reveal(name, array, to=...)",
        )

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise LocalProtocolError(
            "Nothing is written into a secret array.",
            why="secret arrays are values: every operation makes a new one",
            mend="np.where(condition, new, x), np.concatenate or np.stack; x = x + 1 in place of x[...] += 1",
        )

    def sort(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: NumPy's sorts in place."""
        raise LocalProtocolError(
            "x.sort() would write into a secret array.", why="secret arrays are values", mend="x = np.sort(x)"
        )

    # ------------------------------------------------------------------ NumPy

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from unseen.mpc.dispatch import apply_ufunc  # noqa: PLC0415 - the functions are made of arrays

        return apply_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from unseen.mpc.dispatch import apply_function  # noqa: PLC0415 - the functions are made of arrays

        return apply_function(func, args, kwargs)

    # ------------------------------------------------------------------ shape

    @property
    def T(self) -> SecretArray:  # noqa: N802 - NumPy's name
        """Transposed."""
        return self.transpose()

    def transpose(self, *axes: Any) -> SecretArray:
        """With axes in another order."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = normalize_axis_tuple(given or range(self.ndim)[::-1], self.ndim)
        if len(order) != self.ndim:
            raise ValueError("axes don't match array")
        return self._like(self._share.transpose(0, *(axis + 1 for axis in order)))

    def reshape(self, *shape: Any) -> SecretArray:
        """The same elements in another shape."""
        dims = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        known = math.prod(dim for dim in dims if dim != -1)
        full = tuple(self.size // known if dim == -1 and known else dim for dim in dims)
        if math.prod(full) != self.size or min(full, default=0) < 0:
            raise ValueError(f"cannot reshape array of size {self.size} into shape {dims}")
        return self._like(self._share.reshape(len(self._share), *full))

    def ravel(self) -> SecretArray:
        """In one dimension."""
        return self.reshape(self.size)

    flatten = ravel

    def copy(self) -> SecretArray:
        """Itself: nothing is written into it."""
        return self

    def squeeze(self, axis: Any = None) -> SecretArray:
        """Without axes of length one."""
        return self._function(np.squeeze, axis=axis)

    def swapaxes(self, axis1: int, axis2: int) -> SecretArray:
        """With two axes exchanged."""
        return self._function(np.swapaxes, axis1=axis1, axis2=axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> SecretArray:
        """Every element several times."""
        return self._function(np.repeat, repeats=repeats, axis=axis)

    def astype(self, dtype: Any) -> SecretArray:
        """As `float` (the engine's fraction bits), `int`, or `bool` (whether it is not 0: a comparison).

        Fractions become integers towards 0, as in NumPy, at the price of two comparisons.

        Raises
        ------
        LocalProtocolError
            Another kind.
        """
        from unseen.mpc.functions.compare import truth  # noqa: PLC0415 - the functions are made of arrays
        from unseen.mpc.functions.composed import whole  # noqa: PLC0415

        kind = np.dtype(dtype).kind
        if kind == "b":
            return truth(self)
        if kind == "f":
            return self._engine.as_real(self)
        if kind == "i":
            return whole(self)
        raise LocalProtocolError(
            f"A secret {self.dtype} is not made {np.dtype(dtype)}.", why="there are float, int and bool"
        )

    def __getitem__(self, index: Any) -> SecretArray:
        if isinstance(index, SecretArray):
            raise LocalProtocolError(
                "A secret place cannot be looked up by x[i].",
                why="which memory is read would tell it",
                mend="mpc.lookup(x, i); mpc.permute(x, order) where every place comes once; np.where for a Boolean",
            )
        return self._like(pick(self._share, index))

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: Any) -> SecretArray:
        mine, theirs = self._engine.pair(self, other)
        left, right = align(mine.share, theirs.share)
        return self._engine.number(left + right, mine.bits)

    def __neg__(self) -> SecretArray:
        mine = self._engine.as_number(self)
        return self._engine.number(np.uint64(0) - mine.share, mine.bits)

    def __pos__(self) -> SecretArray:
        return self

    def __sub__(self, other: Any) -> SecretArray:
        mine, theirs = self._engine.pair(self, other)
        left, right = align(mine.share, theirs.share)
        return self._engine.number(left - right, mine.bits)

    def __rsub__(self, other: Any) -> SecretArray:
        difference: SecretArray = self - other
        return -difference

    __radd__ = __add__

    def __mul__(self, other: Any) -> SecretArray:
        return self._engine.multiply(self, other)

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> SecretArray:
        return self._ufunc(np.matmul, self, other)

    def __rmatmul__(self, other: ArrayLike) -> SecretArray:
        return self._engine.matmul(self.T, np.asarray(other).T).T

    def __truediv__(self, other: Any) -> SecretArray:
        if not isinstance(other, SecretArray):
            if not np.all(other):
                raise UsageError(
                    "A secret is divided by a public 0.", mend="look at the divisor before: it is public"
                )
            return self._engine.divide(self, other)
        return self._ufunc(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> SecretArray:
        return self._ufunc(np.divide, other, self)

    def __pow__(self, exponent: Any) -> SecretArray:
        return self._ufunc(np.power, self, exponent)

    def __rpow__(self, base: Any) -> SecretArray:
        return self._ufunc(np.power, base, self)

    def __floordiv__(self, other: Any) -> SecretArray:
        return self._ufunc(np.floor_divide, self, other)

    def __mod__(self, other: Any) -> SecretArray:
        return self._ufunc(np.remainder, self, other)

    __rfloordiv__, __rmod__, __divmod__ = __floordiv__, __mod__, __mod__

    def dot(self, other: Any) -> SecretArray:
        """NumPy's dot."""
        return cast("SecretArray", np.dot(cast("Any", self), other))

    # ------------------------------------------------------------------ comparison and logic

    def __lt__(self, other: Any) -> SecretArray:
        return self._ufunc(np.less, self, other)

    def __gt__(self, other: Any) -> SecretArray:
        return self._ufunc(np.greater, self, other)

    def __le__(self, other: Any) -> SecretArray:
        return self._ufunc(np.less_equal, self, other)

    def __ge__(self, other: Any) -> SecretArray:
        return self._ufunc(np.greater_equal, self, other)

    def __and__(self, other: Any) -> SecretArray:
        return self._ufunc(np.bitwise_and, self, other)

    def __or__(self, other: Any) -> SecretArray:
        return self._ufunc(np.bitwise_or, self, other)

    def __xor__(self, other: Any) -> SecretArray:
        return self._ufunc(np.bitwise_xor, self, other)

    def __invert__(self) -> SecretArray:
        return self._ufunc(np.invert, self)

    def __abs__(self) -> SecretArray:
        return self._ufunc(np.absolute, self)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def _ufunc(self, ufunc: np.ufunc, *operands: Any) -> SecretArray:
        return cast("SecretArray", self.__array_ufunc__(ufunc, "__call__", *operands))

    # ------------------------------------------------------------------ reductions

    def sum(self, axis: Any = None, **options: Any) -> SecretArray:
        """Sum over an axis, or of everything; `keepdims`, `where`."""
        return self._function(np.sum, axis=axis, **options)

    def mean(self, axis: Any = None, **options: Any) -> SecretArray:
        """Mean over an axis, or of everything; `keepdims`, `where`."""
        return self._function(np.mean, axis=axis, **options)

    def var(self, axis: Any = None, **options: Any) -> SecretArray:
        """Variance over an axis, or of everything; `ddof`, `keepdims`, `where`."""
        return self._function(np.var, axis=axis, **options)

    def std(self, axis: Any = None, **options: Any) -> SecretArray:
        """Standard deviation over an axis, or of everything; `ddof`, `keepdims`, `where`."""
        return self._function(np.std, axis=axis, **options)

    def any(self, axis: Any = None, **options: Any) -> SecretArray:
        """Whether any holds, or is not 0; `keepdims`, `where`."""
        return self._function(np.any, axis=axis, **options)

    def all(self, axis: Any = None, **options: Any) -> SecretArray:
        """Whether all hold, or none is 0; `keepdims`, `where`."""
        return self._function(np.all, axis=axis, **options)

    def cumsum(self, axis: int | None = None) -> SecretArray:
        """Running sums."""
        return self._function(np.cumsum, axis=axis)

    def prod(self, axis: int | None = None, **options: Any) -> SecretArray:
        """The product along an axis, or of everything; `keepdims`."""
        return self._function(np.prod, axis=axis, **options)

    def max(self, axis: int | None = None, **options: Any) -> SecretArray:
        """The largest element; `keepdims`, `initial`, `where`."""
        return self._function(np.max, axis=axis, **options)

    def min(self, axis: int | None = None, **options: Any) -> SecretArray:
        """The smallest element; `keepdims`, `initial`, `where`."""
        return self._function(np.min, axis=axis, **options)

    def clip(self, min: Any = None, max: Any = None) -> SecretArray:  # noqa: A002 - NumPy's names
        """Between two bounds."""
        return self._function(np.clip, a_min=min, a_max=max)

    def argsort(self, axis: int | None = -1) -> SecretArray:
        """The order that sorts it, as secret integers."""
        return self._function(np.argsort, axis=axis)

    def argmax(self, axis: int | None = None, **options: Any) -> SecretArray:
        """Where the largest element is, as a secret integer; `keepdims`."""
        return self._function(np.argmax, axis=axis, **options)

    def argmin(self, axis: int | None = None, **options: Any) -> SecretArray:
        """Where the smallest element is, as a secret integer; `keepdims`."""
        return self._function(np.argmin, axis=axis, **options)

    def _function(self, func: Any, **options: Any) -> SecretArray:
        return cast("SecretArray", self.__array_function__(func, (), (self,), options))

    # ------------------------------------------------------------------ inside the engine

    @property
    def engine(self) -> Engine:
        """The engine it lives in."""
        return self._engine

    @property
    def share(self) -> Share:
        """This party's share, of a number: for the engine and its functions only."""
        if self.boolean:
            raise LocalProtocolError("A Boolean's share is no number's.", mend="engine.as_number(array)")
        return cast("Share", self._share)

    @property
    def bit_share(self) -> Bits:
        """This party's share, of a Boolean: for the engine and its functions only."""
        if not self.boolean:
            raise LocalProtocolError(
                "A number's share is no Boolean's.",
                mend="compare the number first (np.logical_and asks whether it is not 0); bits of integers are for mpc.apply",
            )
        return cast("Bits", self._share)

    def _like(self, share: NDArray[Any]) -> SecretArray:
        return SecretArray(self._engine, share, self.bits, boolean=self.boolean)
