"""Random, chosen and 1-of-N transfers from correlated ones.

How
    The hashes of q_i and q_i ^ Delta are two pads, of which the receiver has that of its choice: a random transfer. Two
    messages under the two pads are a chosen transfer. For 1 of N the receiver gets log N keys by random transfers, the
    bits of its index being its choices; message j travels under the XOR of pseudo-random functions, at j, of the keys
    that belong to the bits of j: whoever lacks one of these keys sees noise.
Source
    Ishai, Kilian, Nissim, Petrank, "Extending Oblivious Transfers Efficiently" (CRYPTO 2003); Naor and Pinkas, "Oblivious
    Transfer and Polynomial Evaluation" (STOC 1999); the hashes are those of Guo, Katz, Wang and Yu (S&P 2020).
Against whom
    The parties that the source of the correlation is secure against. With "malicious" the hash takes the number of the
    transfer as a tweak, without which a receiver that knows relations between its rows could learn them of pads too.
What it leaks
    Nothing beyond numbers and widths of messages.
Assumption
    What the source needs; AES-128 under a public key as a random permutation.
Cost
    Random: no message. Chosen: 2 w bytes a transfer. 1 of N: N w bytes and log N correlated transfers. No round of its
    own: the messages follow the source's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels.blocks import hash_blocks, hash_both, hash_tweaked
from unseen.ot.correlation import BLOCK_BYTES, Bits, Blocks, ReceiverSource, Security, SenderSource
from unseen.party import Masked, Message, Party, require

_MOST_CHOICES = 1 << 16
_WORDS = 3  # a message of any rank here: transfer, alternative, byte


class Pads(Message, frozen=True, tag="ot-outputs.pads/1"):
    """Every alternative of every transfer under its pad, shape (count, alternatives, width)."""

    messages: Masked


class Sender:
    """The sender's end; takes every row of its source once."""

    def __init__(self, party: Party, peer: str, source: SenderSource, *, security: Security) -> None:
        self._party, self._peer, self._source = party, peer, source
        self._tweaks = _Tweaks(security)

    def random(self, count: int) -> Blocks:
        """Both pads of `count` random transfers, shape (count, 2, 16)."""
        half = self._source.correlated(count)
        return hash_both(half.rows, half.delta, self._tweaks.next(count))

    def chosen(self, messages: NDArray[np.uint8]) -> None:
        """Offer two messages in each of n transfers, shape (n, 2, width)."""
        count, _, width = _shape(messages, 2)
        pads = self.random(count)
        masks = _stretched(pads.reshape(2 * count, BLOCK_BYTES), 0, width).reshape(messages.shape)
        self._party.send(self._peer, Pads(messages ^ masks))

    def one_of_many(self, messages: NDArray[np.uint8]) -> None:
        """Offer N messages in each of n transfers, shape (n, N, width)."""
        count, size, width = _shape(messages, None)
        levels = _levels(size)
        keys = self.random(count * levels).reshape(count, levels, 2, BLOCK_BYTES)
        out = messages.copy()
        for number in range(size):
            for level in range(levels):
                out[:, number] ^= _stretched(keys[:, level, number >> level & 1], number, width)
        self._party.send(self._peer, Pads(out))


class Receiver:
    """The receiver's end; takes every row of its source once."""

    def __init__(self, party: Party, peer: str, source: ReceiverSource, *, security: Security) -> None:
        self._party, self._peer, self._source = party, peer, source
        self._tweaks = _Tweaks(security)

    def random(self, count: int, choices: Bits | None = None) -> tuple[Bits, Blocks]:
        """The choices, given or random, and their pads (count, 16)."""
        half = self._source.correlated(count, choices)
        tweak = self._tweaks.next(count)
        return half.choices, hash_blocks(half.rows) if tweak is None else hash_tweaked(half.rows, tweak)

    def chosen(self, choices: Bits, width: int) -> NDArray[np.uint8]:
        """The chosen messages, shape (n, width), for choices (n,) of 0 and 1."""
        bits, pads = self.random(len(choices), choices)
        offered = self._offered((len(bits), 2, width))
        mask = (np.uint8(0) - bits)[:, None]
        return offered[:, 0] ^ ((offered[:, 0] ^ offered[:, 1]) & mask) ^ _stretched(pads, 0, width)

    def one_of_many(self, indices: NDArray[np.int64], size: int, width: int) -> NDArray[np.uint8]:
        """The messages of these numbers, shape (n, width), each of `size` alternatives."""
        count, levels = len(indices), _levels(size)
        if count and not (int(indices.min()) >= 0 and int(indices.max()) < size):
            raise LocalProtocolError(f"A choice lies outside the {size} alternatives.")
        bits = (indices[:, None] >> np.arange(levels) & 1).astype(np.uint8)
        _, pads = self.random(count * levels, bits.reshape(-1))
        keys = pads.reshape(count, levels, BLOCK_BYTES)
        offered = self._offered((count, size, width))
        out = np.zeros((count, width), np.uint8)
        for number in range(size):  # all alternatives, so that time and memory do not tell the index
            out ^= offered[:, number] & (np.uint8(0) - (indices == number).astype(np.uint8))[:, None]
        for level in range(levels):
            out ^= _stretched(keys[:, level], indices, width)
        return out

    def _offered(self, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        offered = self._party.recv(self._peer, Pads).messages
        require(offered, shape=shape, dtype=np.uint8, sender=self._peer)
        return offered


class _Tweaks:
    """Numbers the transfers of one source, so that no tweak comes twice under one Delta."""

    def __init__(self, security: Security) -> None:
        self._tweaked = security == "malicious"
        self._next = 0

    def next(self, count: int) -> int | None:
        """The tweak of the first of the next `count` transfers; None where the hash takes none."""
        first = self._next
        self._next += count
        return first if self._tweaked else None


def _stretched(pads: Blocks, numbers: NDArray[np.int64] | int, width: int) -> NDArray[np.uint8]:
    """A pseudo-random function of each key at its number: (n, 16) to (n, width)."""
    blocks = -(-width // BLOCK_BYTES)
    inputs = np.repeat(pads[:, None], blocks, axis=1).view("<u4")
    inputs[:, :, 0] ^= np.asarray(numbers, np.uint32).reshape(-1, 1)
    inputs[:, :, 1] ^= np.arange(1, blocks + 1, dtype=np.uint32)
    out = hash_blocks(inputs.view(np.uint8).reshape(-1, BLOCK_BYTES))
    return out.reshape(len(pads), blocks * BLOCK_BYTES)[:, :width]


def _shape(messages: NDArray[np.uint8], alternatives: int | None) -> tuple[int, int, int]:
    if messages.ndim != _WORDS or messages.dtype != np.uint8 or alternatives not in (None, messages.shape[1]):
        raise LocalProtocolError(
            f"Messages are uint8 of shape (transfers, {alternatives or 'alternatives'}, width), not"
            f" {messages.dtype} {messages.shape}."
        )
    count, size, width = messages.shape
    return count, size, width


def _levels(size: int) -> int:
    if not 1 < size <= _MOST_CHOICES:
        raise LocalProtocolError(f"A transfer is of 2 to {_MOST_CHOICES} alternatives, not {size}.")
    return (size - 1).bit_length()
