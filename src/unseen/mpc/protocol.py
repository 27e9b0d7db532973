"""What a protocol offers to the engine: arithmetic on shares of Z_2^64 and logic on shares of bits, as raw arrays.

All parties call the same methods with the same shapes in the same order. A party that holds no share (a helper)
passes zeros of the right shape, so that linear operations need no second way. Shapes of shares are those of
:mod:`unseen.mpc.shares`: a first axis for the components, then the secret's own.

A protocol is one file or package in `mpc/protocols`. It defines :data:`STATEMENT` (what it guarantees),
`price(operation, elements, parties)` (what it costs; the contract test holds it against what is measured) and
`open_protocol(party, holders=..., helper=...)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from unseen.mpc.fixed import Ring
from unseen.mpc.reveal import Wanted
from unseen.mpc.shares import Bits, Planes, Share
from unseen.party import Party

W = TypeVar("W", bound=np.unsignedinteger[Any])


@dataclass(frozen=True, slots=True)
class Statement:
    """What a protocol promises and to whom.

    Attributes
    ----------
    summary
        In one line, for lists.
    holders
        Numbers of share holders it works with.
    helper
        Whether it needs a party that holds no data and no shares.
    adversary
        "semi-honest", "malicious with abort", or "none".
    may_collude
        Which parties together still learn nothing.
    assumption
        What its secrecy rests on besides.
    ahead
        Whether what it deals can be made ahead (:mod:`unseen.mpc.ahead`); `open_protocol` takes a `supply` then.
    fss
        Whether comparisons can be by function secret sharing, between two holders: one round and large keys, dealt. `open_protocol`
        takes `fss` then.
    lpn
        Whether it assumes learning parity with noise unless it is told not to; `open_protocol` takes `assumption` then.
    """

    summary: str
    holders: range
    helper: bool
    adversary: str
    may_collude: str
    assumption: str
    ahead: bool = False
    fss: bool = False
    lpn: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """What one operation costs.

    Attributes
    ----------
    rounds
        Length of the longest chain of messages each of which waits for the one before: how often latency is paid.
        Messages of a helper do not count: it waits for nobody and runs ahead.
    size_bytes
        Payload that all parties together send, a helper's included (heads of messages are not counted).
    """

    rounds: int
    size_bytes: int


class Fixed(Interface):
    """A secret matrix or array that is masked once and multiplied often."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The secret's shape."""

    @property
    def transposed(self) -> Fixed:
        """The same secret, transposed; the mask is shared with the original."""

    def matmul(self, other: Share) -> Share:
        """Shares of self @ other."""

    def multiply(self, other: Share) -> Share:
        """Shares of self * other; `other` may broadcast to this shape and is opened in its own, smaller shape."""


class Masked(Interface):
    """A secret that is split into what some know and what others know: where comparisons and waves start from."""

    def less_than(self, bounds: Sequence[int], *, coarse: int = 0) -> Bits:
        """The bits [x < bound], shape (components, len(bounds), *shape); |x| and |bounds| < 2^62.

        With `coarse` (even; bounds are multiples of 2^coarse) an x that is less than 2^coarse above a bound may also count
        as below it, where that is cheaper.
        """

    def harmonics(self, period_bits: int, sine: NDArray[np.float64], bits: int) -> Share:
        """Shares of sum over k of sine[k-1] * sin(2 pi k x / 2^period_bits), with `bits` fraction bits."""

    def powers(self, fraction: int) -> tuple[Share, Share, int] | None:
        """2^y of y = x / 2^fraction as a product, or None where the protocol has no way of its own.

        For 8 <= y < 44: (2^whole, 2^rest, the fraction bits of the latter), where 0 <= rest < 16.
        """


class Protocol(Interface):
    """A way to hold and multiply secrets. See the module."""

    party: Party
    holders: tuple[str, ...]
    components: int
    radix_up_to: int
    """Keys of up to so many bits are sorted digit by digit, wider ones by comparisons that are opened.

    That is where the two cost the same; 64 where a party deals and may not see what is opened.
    """
    waved: bool
    """Whether a sine series of a few terms costs less than a polynomial of as many."""

    @property
    def holds(self) -> bool:
        """Whether this party has shares."""

    # ------------------------------------------------------------------ in and out

    def share(self, values: Ring | None, *, owner: str, shape: tuple[int, ...]) -> Share:
        """Share the owner's `values`; None elsewhere."""

    def share_bits(self, values: NDArray[np.uint8] | None, *, owner: str, shape: tuple[int, ...]) -> Bits:
        """The same for 0 and 1, by XOR."""

    def collect(self, part: Ring, *, xor: bool = False) -> Share:
        """Shares of the sum (or XOR) of words of which each holder has one: what several know about a secret together."""

    def public(self, values: Ring) -> Share:
        """Shares of a value that all parties know."""

    def public_bits(self, values: NDArray[np.uint8]) -> Bits:
        """The same for 0 and 1 (or any words), by XOR; dtype is kept."""

    def verify(self) -> None:
        """Check all that was computed so far, where parties may deviate; before anything is revealed it is done anyway.

        Raises
        ------
        VerificationError
            Somebody deviated. The protocol is of no use any more.
        """

    def reveal(self, wanted: Sequence[Wanted]) -> list[Ring | None]:
        """Turn secrets into plaintext ring elements for their receivers, through the gate, all in one go; None elsewhere."""

    def open_masked(self, values: Share, *, owner: str) -> Ring | None:
        """Open numbers that are uniform by masks which `owner` chose, to the other holders; None elsewhere.

        Where those have all components between them, the owner has no hand in what they get.
        """

    def open_shuffled(self, values: NDArray[W]) -> NDArray[W]:
        """Open places of freshly shuffled rows, or comparisons (uint8) of such rows that are all different.

        They tell the order that a shuffle made, which is uniform and means nothing to those who do not know it. A helper
        who deals shuffles does know it: it must not see them, gets zeros, and what is done next may not depend on them.
        """

    # ------------------------------------------------------------------ arithmetic

    def multiply(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Shares of the elementwise product (equal shapes), truncated by `drop` bits; |product| < 2^62 then."""

    def inner(self, left: NDArray[W], right: NDArray[W]) -> NDArray[W]:
        """Shares of the sum over the secret's first axis of elementwise products (equal shapes, words of any width)."""

    def matmul(self, left: Share, right: Share, *, drop: int = 0) -> Share:
        """Shares of the matrix product of two matrices, truncated by `drop` bits; |product| < 2^62 then."""

    def fix(self, values: Share) -> Fixed:
        """Mask a secret once, to be multiplied often."""

    def truncate(self, values: Share, drop: int, *, exact: bool = False) -> Share:
        """Shares of values / 2^drop, for |values| < 2^62: the floor or one more; the floor if `exact`."""

    def shuffle(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Rows in an order that no holder knows, fresh for every call; each (components, rows, width).

        The same order for all. Bytes are shared by XOR, wider words by addition.
        """

    # ------------------------------------------------------------------ bits

    def mask(self, values: Share) -> Masked:
        """Make a secret ready for comparisons and waves."""

    def and_both(self, left: Planes, rights: tuple[Planes, ...]) -> tuple[Planes, ...]:
        """`left & right` for each right operand (equal shapes, any unsigned words), in one round."""

    def adder(self, values: Share, places: int) -> tuple[Planes, Planes, Planes]:
        """Planes (generate, propagate, half sum) of an addition whose sum is the value, lowest `places` places.

        The value's bit i is half[i] ^ carry[i], where carry[i + 1] = generate[i] ^ propagate[i] & carry[i] and
        carry[0] = 0.
        """

    def to_ring(self, bits: Bits, dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """Bits as numbers 0 and 1, modulo the size of these words (or wider, where a protocol has no narrow ones)."""

    def is_zero(self, values: Share, places: int) -> Bits | None:
        """Whether the lowest `places` bits are all 0, or None where that is best done with the bits one by one."""

    def select(self, bits: Bits, values: Share) -> Share | None:
        """The values where the bits are 1, else 0 (equal shapes), or None where that is best done with the bits as numbers."""
