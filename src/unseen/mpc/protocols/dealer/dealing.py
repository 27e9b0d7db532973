"""What the helper deals: uniform and correlated values, shared additively or by XOR.

The same calls run at all parties. At a holder a value is this party's share; at the helper it is the whole value,
summed from the seeds it has in common with each holder. Correlated values are expanded from seeds too, except at
the last holder, who receives a correction. The helper sends; it never receives. All of it passes through a supply, which
may be a stock that was dealt ahead (:mod:`unseen.mpc.supply`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.crypto.prg import Prg
from unseen.kernels import dcf
from unseen.mpc.supply import FromLink, Supply
from unseen.party import Masked, Message, Party, require

U = TypeVar("U", bound=np.unsignedinteger[Any])


class Correction(Message, frozen=True, tag="mpc.correction/1"):
    """The last holder's share of a dealt value: uniform to it, for the other shares mask the value."""

    values: Masked


class ComparisonKeys(Message, frozen=True, tag="mpc.dealer.comparison-keys/1"):
    """Correction words of comparison functions, the same for both holders: uniform to each, for the other's seeds mask them."""

    words: Masked


class Dealing:
    """See the module."""

    def __init__(
        self, party: Party, holders: tuple[str, ...], helper: str, supply: Supply | None = None
    ) -> None:
        self._party = party
        self._holders = holders
        self._helper = helper
        self.supply = supply or FromLink(party)

    @property
    def deals(self) -> bool:
        """Whether this party is the helper."""
        return self._party.name == self._helper

    @property
    def receives(self) -> bool:
        """Whether this party gets the corrections."""
        return self._party.name == self._holders[-1]

    def uniform(self, shape: tuple[int, ...], dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """Uniform words that nobody but the helper knows, shared by addition."""
        self.supply.note("words", shape, dtype)
        return self._expand(shape, dtype, self._holders, np.add)

    def uniform_bits(self, shape: tuple[int, ...], dtype: type[U]) -> NDArray[U]:
        """Uniform words, shared by XOR."""
        self.supply.note("bits", shape, dtype)
        return self._expand(shape, dtype, self._holders, np.bitwise_xor)

    def private_bits(self, holder: str, count: int) -> NDArray[np.uint8]:
        """Uniform bits, eight to the byte, that only `holder` and the helper know; zeros elsewhere."""
        shape = (-(-count // 8),)
        self.supply.note(f"bits of {holder}", shape, np.uint8)
        if self.deals:
            return self._draw(holder, shape, np.uint8)
        return (
            self._draw(self._helper, shape, np.uint8)
            if self._party.name == holder
            else np.zeros(shape, np.uint8)
        )

    def dealt(
        self, shape: tuple[int, ...], whole: Callable[[], NDArray[Any]], dtype: type[Any] = np.uint64
    ) -> NDArray[Any]:
        """Additive shares of what the helper computes, modulo the size of the words."""
        self.supply.note("dealt words", shape, dtype)
        return self._correct(shape, dtype, whole, np.add, np.subtract)

    def dealt_bits(
        self, shape: tuple[int, ...], dtype: type[U], whole: Callable[[], NDArray[U]]
    ) -> NDArray[U]:
        """XOR shares of what the helper computes."""
        self.supply.note("dealt bits", shape, dtype)
        return self._correct(shape, dtype, whole, np.bitwise_xor, np.bitwise_xor)

    def comparison_keys(
        self, count: int, bits: int, thresholds: Callable[[], NDArray[np.uint64]]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """This holder's keys of [x < threshold] (:mod:`unseen.kernels.dcf`): roots from a seed, words from the helper.

        `thresholds` gives those at the helper, shape (count,), each below 2^bits. For two holders.
        """
        self.supply.note("comparison keys", (count, bits), np.uint8)
        shape = (count, dcf.BLOCK)
        if self.deals:
            roots = np.stack([self._draw(holder, shape, np.uint8) for holder in self._holders])
            words = dcf.generate(roots, thresholds(), bits)
            for holder in self._holders:
                self.supply.send(holder, ComparisonKeys(words))
            return roots[0], words
        own = self._draw(self._helper, shape, np.uint8)
        message = self.supply.recv(self._helper, ComparisonKeys)
        due = (count, dcf.levels(bits) + 1, dcf.BLOCK)
        require(message.words, shape=due, dtype=np.uint8, sender=self._helper)
        return own, message.words

    def _expand(
        self, shape: tuple[int, ...], dtype: type[U], holders: tuple[str, ...], combine: np.ufunc
    ) -> NDArray[U]:
        if not self.deals:
            return self._draw(self._helper, shape, dtype)
        draws = [self._draw(holder, shape, dtype) for holder in holders]
        return reduce(lambda left, right: combine(left, right, out=left), draws)

    def _correct(
        self,
        shape: tuple[int, ...],
        dtype: type[U],
        whole: Callable[[], NDArray[U]],
        combine: np.ufunc,
        take: np.ufunc,
    ) -> NDArray[U]:
        if self.deals:
            value = whole()
            others = self._expand(shape, dtype, self._holders[:-1], combine)
            self.supply.send(self._holders[-1], Correction(take(value, others)))
            return value
        if not self.receives:
            return self._draw(self._helper, shape, dtype)
        message = self.supply.recv(self._helper, Correction)
        require(message.values, shape=shape, dtype=dtype, sender=self._helper)
        return message.values

    def _draw(self, peer: str, shape: tuple[int, ...], dtype: type[U]) -> NDArray[U]:
        return draw(self.supply.rng(peer), shape, dtype)


def draw(rng: Prg, shape: tuple[int, ...], dtype: type[U]) -> NDArray[U]:
    """Uniform words of any width."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return rng.u64(-(-size // 8)).view(np.uint8)[:size].view(dtype).reshape(shape)
