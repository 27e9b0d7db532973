"""The engine: NumPy on data that nobody sees.

    engine = Engine(party, holders=("hospital", "laboratory"), helper="helper")
    x = engine.share(mine, owner="hospital", shape=(n, d))     # `mine` at the hospital, None elsewhere
    w = engine.share(None, owner="laboratory", shape=(d,))
    z = engine.reveal("scores", x @ w, to=("hospital",))

Every party of the task runs the same lines, the helper too: it has no shares and deals randomness as the lines
ask for it.

Security: what the protocol states; see :mod:`unseen.mpc.protocols.dealer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core import registry
from unseen.core.errors import LocalProtocolError
from unseen.mpc import protocol as mpc
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import FRACTION_BITS, decode, encode
from unseen.party import Party

PROTOCOLS = "unseen.mpc.protocols"


class FixedArray:
    """A secret that is masked once and then multiplied often at the price of the other operand alone."""

    def __init__(self, engine: Engine, fixed: mpc.Fixed, bits: int) -> None:
        self._engine = engine
        self._fixed = fixed
        self._bits = bits

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._fixed.shape

    @property
    def T(self) -> FixedArray:  # noqa: N802 - NumPy's name
        """Transposed, under the same mask."""
        return FixedArray(self._engine, self._fixed.transposed, self._bits)

    def __matmul__(self, other: SecretArray) -> SecretArray:
        return self._engine.truncate(self.matmul_exact(other), self._engine.bits)

    def __mul__(self, other: SecretArray) -> SecretArray:
        product = SecretArray(self._engine, self._fixed.multiply(other.share), self._bits + other.bits)
        return self._engine.truncate(product, self._engine.bits)

    def matmul_exact(self, other: SecretArray) -> SecretArray:
        """The matrix product before truncation: with the fraction bits of both operands."""
        flat = other.share.reshape(other.shape[0], -1)
        product = self._fixed.matmul(flat).reshape(self.shape[0], *other.shape[1:])
        return SecretArray(self._engine, product, self._bits + other.bits)


class Engine:
    """See the module.

    Parameters
    ----------
    party
        This party's end of the running protocol.
    holders
        The parties that hold shares, in an order that is the same at all.
    helper
        The party that deals randomness and sees nothing.
    protocol
        Name of a file in `mpc/protocols`.
    bits
        Fraction bits of fixed-point numbers.
    """

    def __init__(
        self,
        party: Party,
        *,
        holders: Sequence[str],
        helper: str,
        protocol: str = "dealer",
        bits: int = FRACTION_BITS,
    ) -> None:
        module: Any = registry.load(PROTOCOLS, protocol)
        self.protocol = cast(
            "mpc.Protocol", module.open_protocol(party, holders=tuple(holders), helper=helper)
        )
        self.bits = bits

    # ------------------------------------------------------------------ in and out

    def share(
        self, values: ArrayLike | None, *, owner: str, shape: tuple[int, ...], bits: int | None = None
    ) -> SecretArray:
        """Make the owner's array secret. `values` is None at the other parties; `shape` is public.

        Raises
        ------
        UsageError
            A number that does not fit the format.
        LocalProtocolError
            The owner's values have another shape.
        """
        bits = self.bits if bits is None else bits
        ring = None
        if self.protocol.party.name == owner:
            if values is None or np.shape(values) != shape:
                raise LocalProtocolError(f"{owner} shares an array of another shape than {shape}.")
            ring = encode(values, bits)
        return SecretArray(self, self.protocol.share(ring, owner=owner, shape=shape), bits)

    def lift(self, value: Any, bits: int | None = None) -> SecretArray:
        """A public number or array as a secret one; a secret one as it is."""
        if isinstance(value, SecretArray):
            return value
        bits = self.bits if bits is None else bits
        return SecretArray(self, self.protocol.public(encode(value, bits)), bits)

    def reveal(self, name: str, array: SecretArray, *, to: Sequence[str]) -> NDArray[np.float64] | None:
        """Turn a secret into plaintext for `to`; None elsewhere. Passes every holder's gate.

        Raises
        ------
        DeniedError
            The contract does not list it.
        """
        plain = self.protocol.reveal(name, array.share, to=to, shape=array.shape)
        return None if plain is None else decode(plain, array.bits)

    # ------------------------------------------------------------------ arithmetic

    def multiply(self, left: SecretArray, right: Any) -> SecretArray:
        """Elementwise product, truncated. A public integer costs nothing."""
        if not isinstance(right, SecretArray):
            return self._scale(left, right)
        one, other = np.broadcast_arrays(left.share, right.share)
        product = self.protocol.multiply(np.ascontiguousarray(one), np.ascontiguousarray(other))
        return self._trim(product, left.bits + right.bits)

    def _scale(self, secret: SecretArray, factor: Any) -> SecretArray:
        plain = np.asarray(factor)
        if np.issubdtype(plain.dtype, np.integer) or plain.dtype == np.bool_:
            return SecretArray(self, secret.share * plain.astype(np.int64).view(np.uint64), secret.bits)
        return self._trim(secret.share * encode(plain, self.bits), secret.bits + self.bits)

    def matmul(self, left: SecretArray, right: Any) -> SecretArray:
        """Matrix product, truncated."""
        product = self.matmul_exact(left, right)
        return self.truncate(product, min(product.bits, self.bits))

    def matmul_exact(self, left: SecretArray, right: Any) -> SecretArray:
        """The matrix product before truncation: with the fraction bits of both operands."""
        if not isinstance(right, SecretArray):
            return SecretArray(self, left.share @ encode(right, self.bits), left.bits + self.bits)
        rows = left.share if left.ndim == 2 else left.share[None, :]  # noqa: PLR2004 - a matrix
        columns = right.share if right.ndim == 2 else right.share[:, None]  # noqa: PLR2004
        product = self.protocol.matmul(np.ascontiguousarray(rows), np.ascontiguousarray(columns))
        shape = left.shape[:-1] + right.shape[1:]
        return SecretArray(self, product.reshape(shape), left.bits + right.bits)

    def fix(self, array: SecretArray) -> FixedArray:
        """Mask a secret once, to be multiplied often."""
        return FixedArray(self, self.protocol.fix(np.ascontiguousarray(array.share)), array.bits)

    def truncate(self, array: SecretArray, bits: int, *, divide_by: int = 0) -> SecretArray:
        """Round to `bits` fraction bits, and divide by 2^divide_by in the same step.

        The rounding is up or down at random by the fraction that is cut off, so it is right on average.
        """
        drop = array.bits - bits + divide_by
        if drop == 0:
            return SecretArray(self, array.share, bits)
        if drop < 0:
            return SecretArray(self, array.share << np.uint64(-drop), bits)
        return SecretArray(self, self.protocol.truncate(np.ascontiguousarray(array.share), drop), bits)

    def _trim(self, product: NDArray[np.uint64], bits: int) -> SecretArray:
        return self.truncate(SecretArray(self, product, bits), min(bits, self.bits))

    # ------------------------------------------------------------------ making arrays of arrays

    def concatenate(self, arrays: Sequence[SecretArray], axis: int = 0) -> SecretArray:
        """Join secret arrays of equal precision along an axis."""
        bits = max(array.bits for array in arrays)
        parts = [self.truncate(array, bits).share for array in arrays]
        return SecretArray(self, np.concatenate(parts, axis=axis), bits)
