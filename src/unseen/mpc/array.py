"""SecretArray: an array that nobody holds alone, with NumPy's operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import LocalProtocolError
from unseen.mpc.fixed import Ring

if TYPE_CHECKING:
    from unseen.mpc.engine import Engine

Operand = "SecretArray | ArrayLike"


class SecretArray:
    """A secret array of fixed-point numbers (or integers, with `bits` = 0).

    Behaves like a NumPy array as far as that is possible without knowing the values. What would have to know
    them (printing, `bool()`, `float()`, comparison with `==`, pickling) is refused.
    """

    __slots__ = ("_engine", "_share", "bits")
    __array_priority__ = 1000
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, engine: Engine, share: Ring, bits: int) -> None:
        self._engine = engine
        self._share = share
        self.bits = bits

    # ------------------------------------------------------------------ what is public

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._share.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self._share.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._share.size

    def __len__(self) -> int:
        return len(self._share)

    def __repr__(self) -> str:
        return f"SecretArray(shape={self.shape}, bits={self.bits})"

    # ------------------------------------------------------------------ what is refused

    def _refuse(self, *_: Any) -> NoReturn:
        raise LocalProtocolError(
            "A secret's value is not known here.",
            why="printing, truth value, conversion, == and pickling would need it",
            mend="compute with it, and reveal the result: engine.reveal(name, array, to=...)",
        )

    __bool__ = __float__ = __int__ = __index__ = __iter__ = _refuse
    __array__ = __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _refuse
    __eq__ = __ne__ = _refuse

    # ------------------------------------------------------------------ shape

    @property
    def T(self) -> SecretArray:  # noqa: N802 - NumPy's name
        """Transposed."""
        return self._like(self._share.T)

    def reshape(self, *shape: int) -> SecretArray:
        """The same elements in another shape."""
        return self._like(self._share.reshape(*shape))

    def __getitem__(self, index: Any) -> SecretArray:
        return self._like(np.asarray(self._share[index], dtype=np.uint64))

    def sum(self, axis: int | None = None) -> SecretArray:
        """Sum over an axis, or of everything."""
        return self._like(np.asarray(self._share.sum(axis=axis, dtype=np.uint64)))

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: Any) -> SecretArray:
        theirs = self._engine.lift(other, self.bits)
        bits = max(self.bits, theirs.bits)
        return self._new(self._at(bits) + theirs._at(bits), bits)

    def __neg__(self) -> SecretArray:
        return self._like(np.uint64(0) - self._share)

    def __sub__(self, other: Any) -> SecretArray:
        return self + (-self._engine.lift(other, self.bits))

    def __rsub__(self, other: Any) -> SecretArray:
        return self._engine.lift(other, self.bits) - self

    __radd__ = __add__

    def __mul__(self, other: Any) -> SecretArray:
        return self._engine.multiply(self, other)

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> SecretArray:
        return self._engine.matmul(self, other)

    def __rmatmul__(self, other: ArrayLike) -> SecretArray:
        return self._engine.matmul(self._engine.lift(other, self.bits), self)

    # ------------------------------------------------------------------ inside the engine

    @property
    def share(self) -> Ring:
        """This party's share: for the engine and its functions only."""
        return self._share

    def _at(self, bits: int) -> Ring:
        return self._share if bits == self.bits else self._share << np.uint64(bits - self.bits)

    def _like(self, share: NDArray[np.uint64]) -> SecretArray:
        return self._new(share, self.bits)

    def _new(self, share: Ring, bits: int) -> SecretArray:
        return SecretArray(self._engine, share, bits)
