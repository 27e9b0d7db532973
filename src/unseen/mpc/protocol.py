"""What a protocol offers to the engine: arithmetic on shares of Z_2^64, as raw arrays.

All parties call the same methods with the same shapes in the same order. A party that holds no share (a helper)
passes zeros of the right shape, so that linear operations need no second way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.fixed import Ring
from unseen.party import Party


class Fixed(Interface):
    """A secret matrix or array that is masked once and multiplied often."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    @property
    def transposed(self) -> Fixed:
        """The same secret, transposed; the mask is shared with the original."""

    def matmul(self, other: Ring) -> Ring:
        """Shares of self @ other."""

    def multiply(self, other: Ring) -> Ring:
        """Shares of self * other; `other` may broadcast to this shape and is opened in its own, smaller shape."""


class Masked(Interface):
    """A secret x of which x + r is public: what comparisons and periodic functions start from."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of x."""

    def less_than(self, bounds: Sequence[int]) -> Ring:
        """Shares of the bits [x < bound], as 0 or 1, shape (len(bounds), *shape); |x| and |bounds| < 2^62."""

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Ring:
        """Shares of sum over k of sine[k-1] * sin(2 pi k x / 2^period_bits), with `bits` fraction bits."""


class Protocol(Interface):
    """A way to hold and multiply secrets. See the module."""

    party: Party
    holders: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether this party has shares."""

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Ring:
        """Share the owner's `values`; None elsewhere."""

    def public(self, values: Ring) -> Ring:
        """Shares of a value that all parties know."""

    def multiply(self, left: Ring, right: Ring) -> Ring:
        """Shares of the elementwise product (equal shapes)."""

    def matmul(self, left: Ring, right: Ring) -> Ring:
        """Shares of the matrix product of two matrices."""

    def fix(self, values: Ring) -> Fixed:
        """Mask a secret once, to be multiplied often."""

    def truncate(self, values: Ring, bits: int) -> Ring:
        """Shares of values / 2^bits, rounded up or down, for |values| < 2^62."""

    def mask(self, values: Ring) -> Masked:
        """Open values + r for a fresh r."""

    def reveal(
        self, name: str, values: Ring, *, to: Sequence[str], shape: tuple[int, ...]
    ) -> NDArray[Any] | None:
        """Turn a secret into plaintext ring elements for `to`, through the gate; None elsewhere."""
