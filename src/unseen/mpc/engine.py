"""The engine: NumPy on data that nobody sees.

    engine = Engine(party, holders=("hospital", "laboratory"), helper="helper")
    x = engine.share(mine, owner="hospital", shape=(n, d))     # `mine` at the hospital, None elsewhere
    w = engine.share(None, owner="laboratory", shape=(d,))
    z = engine.reveal("scores", x @ w, to=("hospital",))

Every party of the task runs the same lines, the helper too: it has no shares and deals randomness as the lines
ask for it.

Security: what the protocol states; see :mod:`unseen.mpc.protocols.dealer` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike, NDArray

from unseen.core import registry
from unseen.core.errors import LocalProtocolError, UsageError
from unseen.mpc import protocol as mpc
from unseen.mpc.array import SecretArray
from unseen.mpc.fixed import FRACTION_BITS, decode, encode, unmasked
from unseen.mpc.garbled import Evaluator, Garbler, open_side
from unseen.mpc.reveal import Wanted
from unseen.mpc.shares import Share, align, broadcast
from unseen.mpc.supply import Source
from unseen.ot.correlation import Assumption
from unseen.party import Party

PROTOCOLS = "unseen.mpc.protocols"
_MATRIX = 2
_FINE, _MOST_PLACES = (
    5,
    40,
)  # inverses of numbers below 2^5 are good to 2^-16, those of numbers from 2^40 are 0


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

    def __matmul__(self, other: Any) -> SecretArray:
        return self._engine.truncate(self.matmul_exact(self._number(other)), self._engine.bits)

    def _number(self, other: Any) -> SecretArray:
        return self._engine.as_number(self._engine.lift(other))

    def __mul__(self, other: Any) -> SecretArray:
        other = self._number(other)
        product = SecretArray(self._engine, self._fixed.multiply(other.share), self._bits + other.bits)
        return self._engine.truncate(product, self._engine.bits)

    def matmul_exact(self, other: SecretArray) -> SecretArray:
        """The matrix product before truncation: with the fraction bits of both operands."""
        flat = other.share.reshape(len(other.share), other.shape[0], -1)
        product = self._fixed.matmul(flat)
        shape = (len(product), self.shape[0], *other.shape[1:])
        return SecretArray(self._engine, product.reshape(shape), self._bits + other.bits)


class Engine:
    """See the module.

    Parameters
    ----------
    party
        This party's end of the running protocol.
    holders
        The parties that hold shares, in an order that is the same at all.
    helper
        The party that deals randomness and sees nothing, for protocols that have one.
    protocol
        Name of a file in `mpc/protocols`.
    bits
        Fraction bits of fixed-point numbers.
    stock
        What was made ahead (:mod:`unseen.mpc.ahead`): one run of it is used up. A helper that dealt it need not be there.
    fss
        Comparisons by function secret sharing, for two holders with a helper: one round instead of seven, and some 1.8 kB of
        keys a comparison from the helper. Where latency rules, or keys were dealt ahead.
    assumption
        "symmetric": transfers of `pair2` without learning parity with noise, which takes half of the time and several times the
        bytes. It is then the protocol's statement less that.

    Raises
    ------
    UsageError
        The protocol takes nothing from a stock, or nothing is left of it; or has no function secret sharing, or not for so many;
        or no assumption that one could choose.
    VerificationError
        The holders' stocks do not belong together.
    """

    def __init__(
        self,
        party: Party,
        *,
        holders: Sequence[str],
        helper: str | None = None,
        protocol: str = "dealer",
        bits: int = FRACTION_BITS,
        stock: Source | None = None,
        fss: bool = False,
        assumption: Assumption | None = None,
    ) -> None:
        module: Any = registry.load(PROTOCOLS, protocol)
        options: dict[str, Any] = {"holders": tuple(holders), "helper": helper}
        if stock is not None and assumption == "symmetric":
            raise UsageError(
                "A stock is not without learning parity with noise.",
                why="large ones are made of silent transfers",
                mend="leave out stock=, or assumption=",
            )
        if stock is not None:
            if not module.STATEMENT.ahead:
                raise UsageError(
                    f"{protocol} takes nothing from a stock.",
                    why="it needs nothing that could be made ahead",
                    mend="leave out stock=, or use dealer or pair2",
                )
            party, options["supply"] = stock.begin(party, tuple(holders), helper)
        if fss:
            if not module.STATEMENT.fss:
                raise UsageError(
                    f"{protocol} has no comparisons by function secret sharing.",
                    why="its keys are dealt by a helper",
                    mend="leave out fss=True, or use dealer2",
                )
            options["fss"] = True
        if assumption is not None:
            if not module.STATEMENT.lpn:
                raise UsageError(
                    f"{protocol} has no assumption to choose.",
                    why="it makes no transfers",
                    mend="leave out assumption=, or use pair2",
                )
            if assumption not in get_args(Assumption):
                raise UsageError(
                    f"There is no assumption {assumption!r}.",
                    mend=f"there are: {', '.join(get_args(Assumption))}",
                )
            options["assumption"] = assumption
        self.protocol = cast("mpc.Protocol", module.open_protocol(party, **options))
        self.bits = bits
        self._adversary: str = module.STATEMENT.adversary
        self._garbled: Garbler | Evaluator | None = None
        self._streams = 0

    def stream(self, name: str) -> Party:
        """A stream of this party's own beside what the protocol says to others, fresh at each call; all call it alike."""
        self._streams += 1
        return self.protocol.party.stream(f"{name}-{self._streams}")

    @property
    def semi_honest(self) -> bool:
        """Whether several holders compute who follow the protocol: what they did before need be no better secured."""
        return self._adversary == "semi-honest"

    @property
    def additive_pair(self) -> bool:
        """Whether a secret is the sum of what two holders, who follow the protocol, have: what one of them knows is a share."""
        two = len(self.protocol.holders) == 2 and self.protocol.components == 1  # noqa: PLR2004 - a pair
        return two and self.semi_honest

    def garbled(self) -> Garbler | Evaluator | None:
        """This party's end of garbled circuits: the first holder garbles, the second evaluates; None at a helper.

        All parties call it at the same place in their program: the first time is a set-up.

        Raises
        ------
        UsageError
            There are not two holders with one share each, or the protocol promises more than garbling can keep.
        """
        if not self.additive_pair:
            raise UsageError(
                "A circuit is garbled between two holders who follow the protocol.",
                why=f"here there are {len(self.protocol.holders)}, and what is promised is: {self._adversary}",
                mend="leave out garbled=True: circuits run under every protocol",
            )
        if self._garbled is None and self.protocol.holds:
            party = self.protocol.party.stream("garbled")  # beside what the protocol says to the peer
            self._garbled = open_side(party, *self.protocol.holders)
        return self._garbled

    # ------------------------------------------------------------------ in and out

    def share(
        self,
        values: ArrayLike | None,
        *,
        owner: str,
        shape: tuple[int, ...],
        bits: int | None = None,
        dtype: type = float,
    ) -> SecretArray:
        """Make the owner's array secret. `values` is None at the other parties; `shape` and `dtype` are public.

        Parameters
        ----------
        bits
            Fraction bits of this array, where they are to differ from the engine's.
        dtype
            `float` (fixed point), `int` or `bool`.

        Raises
        ------
        UsageError
            A number that does not fit the format.
        LocalProtocolError
            The owner's values have another shape.
        """
        kind, shape = np.dtype(dtype).kind, tuple(shape)
        if kind not in "fib":
            raise UsageError(f"A secret is no {np.dtype(dtype)}.", mend="take dtype=float, int or bool")
        bits = (self.bits if kind == "f" else 0) if bits is None else bits
        mine = None
        if self.protocol.party.name == owner:
            if values is None or np.shape(values) != shape:
                raise LocalProtocolError(f"{owner} shares an array of another shape than {shape}.")
            mine = unmasked(values)
            if kind == "i" and mine.dtype.kind == "f" and (np.rint(mine) != mine).any():
                raise UsageError(
                    "Numbers with fractions are shared as integers.",
                    mend="round them before, or leave out dtype=int",
                )
        if not shape:  # protocols take arrays
            line = None if mine is None else mine.reshape(1)
            return self.share(line, owner=owner, shape=(1,), bits=bits, dtype=dtype).reshape(())
        if kind == "b":
            plain = None if mine is None else mine.astype(bool).astype(np.uint8)
            return self.boolean(self.protocol.share_bits(plain, owner=owner, shape=shape))
        ring = None if mine is None else encode(mine, bits)
        return self.number(self.protocol.share(ring, owner=owner, shape=shape), bits)

    def lift(self, value: Any, bits: int | None = None) -> SecretArray:
        """A public number or array as a secret one, whole numbers without fraction bits; a secret one as it is."""
        if isinstance(value, SecretArray):
            return value
        plain = np.asarray(value)
        if plain.dtype == np.bool_:
            return self.boolean(self.protocol.public_bits(plain.astype(np.uint8)))
        bits = (0 if plain.dtype.kind in "iu" else self.bits) if bits is None else bits
        return self.number(self.protocol.public(encode(plain, bits)), bits)

    def reveal(self, name: str, array: SecretArray, *, to: Sequence[str]) -> NDArray[Any] | None:
        """Turn a secret into plaintext for `to`; None elsewhere. Passes every holder's gate.

        Numbers come as float64, integers as int64, Booleans as bool.

        Raises
        ------
        DeniedError
            The contract does not list it.
        """
        return self.reveal_all({name: array}, to=to)[name]

    def reveal_all(
        self, arrays: Mapping[str, SecretArray], *, to: Sequence[str] | Mapping[str, Sequence[str]]
    ) -> dict[str, NDArray[Any] | None]:
        """The same of many secrets in the rounds of one, each under its own name.

        Parameters
        ----------
        to
            The receivers of all, or those of each by name.

        Raises
        ------
        DeniedError
            The contract does not list one of them; none is revealed.
        """
        numbers = dict(zip(arrays, self._as_numbers(list(arrays.values())), strict=True))
        told = self.protocol.reveal(
            [
                Wanted(name, number.share, tuple(to[name] if isinstance(to, Mapping) else to))
                for name, number in numbers.items()
            ]
        )
        return {
            name: None
            if plain is None
            else plain.astype(bool)
            if array.boolean
            else decode(plain, array.bits)
            for (name, array), plain in zip(arrays.items(), told, strict=True)
        }

    # ------------------------------------------------------------------ kinds of arrays

    def number(self, share: Share, bits: int) -> SecretArray:
        """A secret number of this share."""
        return SecretArray(self, share, bits)

    def boolean(self, share: NDArray[np.uint8]) -> SecretArray:
        """A secret Boolean of this share."""
        return SecretArray(self, share, 0, boolean=True)

    def as_number(self, array: SecretArray) -> SecretArray:
        """Booleans as integers 0 and 1; numbers as they are."""
        (number,) = self._as_numbers([array])
        return number

    def _as_numbers(self, arrays: Sequence[SecretArray]) -> list[SecretArray]:
        """The same of several, in one round."""
        shares = [array.bit_share for array in arrays if array.boolean]
        if not shares:
            return list(arrays)
        flat = [share.reshape(len(share), -1) for share in shares]
        made = self.protocol.to_ring(flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1))
        ends = np.cumsum([part.shape[1] for part in flat])[:-1]
        parts = [
            part.reshape(share.shape)
            for part, share in zip(np.split(made, ends, axis=1), shares, strict=True)
        ]
        numbers = iter(parts)
        return [self.number(next(numbers), 0) if array.boolean else array for array in arrays]

    def as_real(self, array: SecretArray) -> SecretArray:
        """Integers and Booleans with the engine's fraction bits; other numbers as they are."""
        number = self.as_number(array)
        return number if number.bits else self.scaled(number, self.bits)

    def pair(self, left: SecretArray, right: Any) -> tuple[SecretArray, SecretArray]:
        """Both as numbers with the same fraction bits: those of the one that has more."""
        left = self.as_number(left)
        if not isinstance(right, SecretArray):
            plain = np.asarray(right)
            whole = np.issubdtype(plain.dtype, np.integer) or plain.dtype == np.bool_
            bits = left.bits if left.bits or whole else self.bits
            if plain.dtype.kind in "biufO":  # others are refused
                plain = plain.astype(float if bits else np.int64)
            return self.scaled(left, bits), self.lift(plain, bits)
        right = self.as_number(right)
        bits = max(left.bits, right.bits)
        return self.scaled(left, bits), self.scaled(right, bits)

    def scaled(self, array: SecretArray, bits: int) -> SecretArray:
        """The same number with more fraction bits; costs nothing."""
        if bits == array.bits:
            return array
        return self.number(array.share << np.uint64(bits - array.bits), bits)

    # ------------------------------------------------------------------ arithmetic

    def multiply(self, left: SecretArray, right: Any, *, most: int | None = None) -> SecretArray:
        """Elementwise product, truncated to `most` fraction bits (those of the more precise factor). A public integer costs nothing."""
        left = self.as_number(left)
        if not isinstance(right, SecretArray):
            return self._scale(left, right, most)
        right = self.as_number(right)
        one, other = broadcast(left.share, right.share)
        bits = left.bits + right.bits
        kept = min(bits, most or max(self.bits, left.bits, right.bits))
        flat = (share.reshape(len(share), -1) for share in (one, other))
        product = self.protocol.multiply(*flat, drop=bits - kept)
        return self.number(product.reshape(one.shape), kept)

    def divide(self, array: SecretArray, by: ArrayLike) -> SecretArray:
        """By public numbers. A large one's inverse has few places: then by a power of two first, and times what is left."""
        by = np.asarray(by, np.float64)
        places = np.frexp(by)[1]
        most = int(places.max(initial=0))
        if not _FINE < most <= _MOST_PLACES:
            return self.multiply(array, np.divide(1.0, by))
        real = self.as_real(array)
        if by.ndim and most > self.bits:
            large = places > self.bits
            parts = (
                self.divide(real, np.where(large, 1, by)),
                self.divide(
                    self.truncate(real, real.bits, divide_by=self.bits),
                    np.where(large, by / 2.0**self.bits, 1),
                ),
            )
            return self.multiply(parts[0], 1 - large.astype(int)) + self.multiply(parts[1], large.astype(int))
        if by.ndim:
            places = np.maximum(places, most - _MOST_PLACES)
            real = self.multiply(real, np.ldexp(1.0, most - places).astype(np.int64))
        return self.multiply(self.truncate(real, real.bits, divide_by=most - 1), np.ldexp(0.5, places) / by)

    def select(self, condition: SecretArray, values: SecretArray) -> SecretArray:
        """The values where the condition holds, else 0; they broadcast."""
        if condition.boolean:
            bits, share = broadcast(condition.bit_share, values.share)
            chosen = self.protocol.select(bits, share)
            if chosen is not None:
                return self.number(chosen, values.bits)
        return self.multiply(condition, values)

    def _scale(self, secret: SecretArray, factor: Any, most: int | None) -> SecretArray:
        plain = np.asarray(factor)
        whole = np.issubdtype(plain.dtype, np.integer) or plain.dtype == np.bool_
        ring = plain.astype(np.int64).view(np.uint64) if whole else encode(plain, self.bits)
        share, times = align(secret.share, ring[None])
        product = self.number(share * times, secret.bits + (0 if whole else self.bits))
        return self.truncate(product, min(product.bits, most or max(self.bits, secret.bits)))

    def matmul(self, left: SecretArray, right: Any) -> SecretArray:
        """Matrix product, truncated."""
        if 0 in (left.ndim, np.ndim(right)) or left.shape[-1] != np.shape(right)[0]:
            raise ValueError(f"matmul: {left.shape} @ {np.shape(right)}: the inner dimensions differ")
        left = self.as_number(left)
        if not isinstance(right, SecretArray):
            product = self._matmul_public(left, right)
            return self.truncate(product, min(product.bits, max(self.bits, left.bits)))
        right = self.as_number(right)
        bits = left.bits + right.bits
        kept = min(bits, max(self.bits, left.bits, right.bits))
        return self._matmul(left, right, drop=bits - kept)

    def matmul_exact(self, left: SecretArray, right: Any) -> SecretArray:
        """The matrix product before truncation: with the fraction bits of both operands."""
        if not isinstance(right, SecretArray):
            return self._matmul_public(left, right)
        return self._matmul(left, right, drop=0)

    def _matmul_public(self, left: SecretArray, right: Any) -> SecretArray:
        plain = np.asarray(right)
        bits = 0 if plain.dtype.kind in "iub" else self.bits
        ring = encode(plain.astype(np.int64) if plain.dtype.kind == "b" else plain, bits)
        return self.number(np.stack([part @ ring for part in left.share]), left.bits + bits)

    def _matmul(self, left: SecretArray, right: SecretArray, *, drop: int) -> SecretArray:
        if not (left.size and right.size):  # sums of nothing, or no sums
            made = np.zeros((*left.shape[:-1], *right.shape[1:]))
            return self.lift(made, left.bits + right.bits - drop)
        rows = left.share if left.ndim == _MATRIX else left.share[:, None, :]
        columns = right.share if right.ndim == _MATRIX else right.share[:, :, None]
        product = self.protocol.matmul(np.ascontiguousarray(rows), np.ascontiguousarray(columns), drop=drop)
        shape = (len(product), *left.shape[:-1], *right.shape[1:])
        return self.number(product.reshape(shape), left.bits + right.bits - drop)

    def fix(self, array: SecretArray) -> FixedArray:
        """Mask a secret once, to be multiplied often."""
        array = self.as_number(array)
        return FixedArray(self, self.protocol.fix(np.ascontiguousarray(array.share)), array.bits)

    def truncate(
        self, array: SecretArray, bits: int, *, divide_by: int = 0, exact: bool = False
    ) -> SecretArray:
        """Round to `bits` fraction bits, and divide by 2^divide_by in the same step.

        The rounding is up or down at random by the fraction that is cut off, so it is right on average; with `exact`
        it is always down, at the price of a comparison.
        """
        drop = array.bits - bits + divide_by
        if drop == 0:
            return self.number(array.share, bits)
        if drop < 0:
            return self.number(array.share << np.uint64(-drop), bits)
        flat = np.ascontiguousarray(array.share.reshape(len(array.share), -1))
        kept = self.protocol.truncate(flat, drop, exact=exact)
        return self.number(kept.reshape(array.share.shape), bits)

    # ------------------------------------------------------------------ making arrays of arrays

    def concatenate(self, arrays: Sequence[SecretArray], axis: int = 0) -> SecretArray:
        """Join secret arrays along an axis; numbers get the precision of the most precise."""
        if len({array.ndim for array in arrays}) > 1:
            raise ValueError("all the input arrays must have same number of dimensions")
        if all(array.boolean for array in arrays):
            place = normalize_axis_index(axis, arrays[0].ndim) + 1
            return self.boolean(np.concatenate([array.bit_share for array in arrays], axis=place))
        numbers = [self.as_number(array) for array in arrays]
        bits = max(array.bits for array in numbers)
        parts = [self.scaled(array, bits).share for array in numbers]
        return self.number(np.concatenate(parts, axis=normalize_axis_index(axis, arrays[0].ndim) + 1), bits)
