"""What holders of a public key do with numbers that they cannot read.

What
    c = g^m h^r mod N. Products of ciphertexts encrypt sums, the power 2^k encrypts m 2^k, a product with h^r is another
    ciphertext of the same number. N is n for Okamoto and Uchiyama, n^2 for Paillier.
Numbers
    Signed, below 2^(plain_bits - 1) in size. Who adds, and who shifts, must know that no sum gets longer: a longer one comes out modulo a
    secret number. It would tell that number to whoever sent it and is shown what came out; so nothing that was decrypted is
    ever shown to whom the ciphertext came from, and :meth:`SecretKey.decrypt` refuses what is longer than is due.
Randomness
    Encryption takes r of `short_bits`: twice the security level, against algorithms that find a short exponent in the square
    root of its range (van Oorschot and Wiener 1996), or a collision in as many steps by products over all
    (Coron, Joux, Mandal, Naccache, Tibouchi 2011). That short exponents look like long ones follows from the
    discrete logarithm with short exponents (Koshiba and Kurosawa, "Short exponent Diffie-Hellman problems", PKC 2004); for
    Paillier they are as long as Damgård, Jurik and Nielsen (2010) have them, half of n.
    Re-randomisation takes r of `full_bits`, 64 more than the order of h: towards the holder of the secret key, which may
    compute discrete logarithms modulo its own primes, no assumption would help. What it gets is within 2^-64 of a fresh
    ciphertext of the same sum, whatever ciphertexts of its own went into it.
Wire
    Numbers below N as 64-bit words, lowest first; others, and 0, are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.crypto.additive.fixed_base import FixedBases
from unseen.crypto.prg import Prg
from unseen.kernels import montgomery
from unseen.kernels.montgomery import Modulus, Rows, Words

BITS = (2048, 3072)
SECURITY = {2048: 112, 3072: 128}  # NIST SP 800-57 part 1, table 2
_MARGIN = 64
_WORD = 64


class _Wire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    scheme: str
    bits: int
    n: bytes
    g: bytes
    h: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows from scheme and size alone."""

    ciphertext_bits: int
    plain_bits: int
    short_bits: int
    full_bits: int


def shape(scheme: str, bits: int) -> Shape:
    """Sizes of a scheme at 2048 or 3072 bits."""
    if scheme == "ou":
        third = bits // 3
        return Shape(bits, third - 1, 2 * SECURITY[bits], 2 * third + _MARGIN)
    return Shape(2 * bits, bits - 1, bits // 2, bits + _MARGIN)


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """The key, and the tables that go with it once they are needed. Made by a scheme or :meth:`from_bytes`."""

    scheme: str
    bits: int
    n: int
    g: int
    h: int
    shape: Shape
    modulus: Modulus = field(repr=False)
    _tables: dict[int, FixedBases] = field(default_factory=dict, repr=False)

    @classmethod
    def make(cls, scheme: str, bits: int, n: int, g: int, h: int) -> PublicKey:
        """From its numbers."""
        modulus = montgomery.modulus(n if scheme == "ou" else n * n)
        return cls(scheme, bits, n, g, h, shape(scheme, bits), modulus)

    def __reduce__(self) -> tuple[object, ...]:
        raise LocalProtocolError("A public key travels as bytes.", mend="use to_bytes()")

    def to_bytes(self) -> bytes:
        """Canonical: n in as many bytes as the size says, the others in as many as a ciphertext; big-endian."""
        width = self.shape.ciphertext_bits // 8
        n, g, h = (
            number.to_bytes(size, "big")
            for number, size in ((self.n, self.bits // 8), (self.g, width), (self.h, width))
        )
        return msgspec.msgpack.encode(_Wire(self.scheme, self.bits, n, g, h))

    @classmethod
    def from_bytes(cls, data: bytes, *, sender: str) -> PublicKey:
        """A peer's key.

        What can be seen of a key is checked; that n has the factors that it should, cannot be.

        Raises
        ------
        RemoteProtocolError
            No key of a known scheme and size, written in its one way.
        """
        try:
            wire = msgspec.msgpack.decode(data, type=_Wire)
            key = cls.make(
                _known(wire), wire.bits, *(int.from_bytes(x, "big") for x in (wire.n, wire.g, wire.h))
            )
            _check(key)
            if key.to_bytes() != data:
                raise ValueError("numbers are not written in their one way")  # noqa: TRY301 - one place for all
        except (ValueError, msgspec.DecodeError) as error:
            raise RemoteProtocolError(
                f"{sender} sent something that is no public key.", why=str(error), party=sender
            ) from error
        return key

    # ------------------------------------------------------------------ numbers into ciphertexts

    def draw_short(self, rng: Prg, count: int) -> Words:
        """Exponents for :meth:`encrypt`, (count, words)."""
        return _draw(rng, count, self.shape.short_bits)

    def draw_full(self, rng: Prg, count: int) -> Words:
        """Exponents for :meth:`rerandomise`, (count, words)."""
        return _draw(rng, count, self.shape.full_bits)

    def prepare(self, message_bits: int) -> None:
        """Make the tables for :meth:`encrypt` of numbers of so many bits."""
        if not 0 < message_bits <= self.shape.plain_bits:
            raise LocalProtocolError(
                f"Numbers of {message_bits} bits do not fit: {self.shape.plain_bits} do.",
                mend="use a larger key, or fewer bits",
            )
        lengths = [message_bits, self.shape.short_bits]
        self._tables[message_bits] = FixedBases(self.modulus, [self.g, self.h], lengths)

    def encrypt(self, numbers: Words, exponents: Words, *, message_bits: int, minus: int = 0) -> Rows:
        """Ciphertexts of numbers (count, words) below 2^message_bits, less `minus`, with exponents of :meth:`draw_short`.

        Raises
        ------
        LocalProtocolError
            A number that is too long.
        """
        if message_bits not in self._tables:
            self.prepare(message_bits)
        whole, rest = divmod(message_bits, _WORD)
        if numbers.shape[1] > whole and (
            (numbers[:, whole] >> np.uint64(rest)).any() or numbers[:, whole + 1 :].any()
        ):
            raise LocalProtocolError(f"A number to be encrypted has more than {message_bits} bits.")
        rows = self._tables[message_bits].power(numbers, exponents)
        return self.add(rows, self.constant(-minus)) if minus else rows

    def constant(self, number: int) -> Rows:
        """A number of any sign as g^number, one row: no ciphertext, for there is nothing random in it."""
        value = pow(self.g, number, self.modulus.value)
        return montgomery.enter(self.modulus, montgomery.to_words([value], self.modulus.words))[0]

    # ------------------------------------------------------------------ ciphertexts into ciphertexts

    def sums(self, rows: Rows, order: NDArray[np.int64], starts: NDArray[np.int64]) -> Rows:
        """Ciphertext s is of the sum of rows order[starts[s]] to order[starts[s + 1] - 1]; of none 1, which is 0 plain."""
        return montgomery.products(self.modulus, rows, order, starts)

    def add(self, left: Rows, right: Rows) -> Rows:
        """Of the sums, row by row."""
        return montgomery.multiply(self.modulus, left, right)

    def shift(self, rows: Rows, bits: int) -> Rows:
        """Of the numbers times 2^bits."""
        return montgomery.square(self.modulus, rows, bits)

    def packed(self, rows: Rows, slots: int, bits: int) -> Rows:
        """Of sum_k m_k 2^(bits k) over each `slots` rows in turn, the last ones filled up with zeros."""
        if slots * bits >= self.shape.plain_bits:
            raise LocalProtocolError(
                f"{slots} numbers of {bits} bits do not fit into {self.shape.plain_bits}."
            )
        groups = -(-len(rows) // slots)
        filled = np.repeat(self.modulus.constants[1:2], groups * slots, axis=0)
        filled[: len(rows)] = rows
        held = filled.reshape(groups, slots, self.modulus.limbs)
        total = np.ascontiguousarray(held[:, slots - 1])
        for slot in range(slots - 2, -1, -1):
            total = self.add(self.shift(total, bits), np.ascontiguousarray(held[:, slot]))
        return total

    def rerandomise(self, rows: Rows, exponents: Words) -> Rows:
        """Others of the same numbers, with exponents of :meth:`draw_full`."""
        if 0 not in self._tables:
            self.prepare_full()
        return self.add(rows, self._tables[0].power(exponents))

    def prepare_full(self) -> None:
        """Make the table for :meth:`rerandomise`."""
        self._tables[0] = FixedBases(self.modulus, [self.h], [self.shape.full_bits])

    # ------------------------------------------------------------------ wire

    def to_wire(self, rows: Rows) -> Words:
        """As 64-bit words, (rows, modulus.words)."""
        return montgomery.leave(self.modulus, rows)

    def from_wire(self, words: Words, *, sender: str) -> Rows:
        """What a peer sent.

        Raises
        ------
        RemoteProtocolError
            Not below N, or 0.
        """
        rows, below = montgomery.enter(self.modulus, words)
        if not below.all() or not rows.any(axis=1).all():
            raise RemoteProtocolError(f"{sender} sent numbers that are no ciphertexts.", party=sender)
        return rows


class SecretKey(Protocol):
    """Reads ciphertexts; `repr` shows nothing of it."""

    @property
    def public(self) -> PublicKey:
        """What others encrypt and add with."""

    def decrypt(self, words: Words, *, bits: int, sender: str) -> list[int]:
        """Signed numbers of ciphertexts as they came, (n, words); which of them are no ciphertexts is checked.

        The numbers, and what depends on them, must not go back to `sender` but as the protocol says.

        Raises
        ------
        RemoteProtocolError
            A number of 2^(bits - 1) or more in size (nothing else is told), or no ciphertext.
        """


def checked_numbers(residues: Sequence[int], modulus: int, *, bits: int, sender: str) -> list[int]:
    """What numbers modulo `modulus` stand for, about 0, if none is longer than is due.

    Raises
    ------
    RemoteProtocolError
        One that is.
    """
    numbers = [residue - modulus if 2 * residue > modulus else residue for residue in residues]
    half = 1 << (bits - 1)
    if not all(-half <= number < half for number in numbers):
        raise RemoteProtocolError(
            f"{sender} sent ciphertexts of other numbers than are due.",
            mend="the key is thrown away; start again, with parties that keep to the protocol",
            party=sender,
        )
    return numbers


def _draw(rng: Prg, count: int, bits: int) -> Words:
    words = rng.u64((count, -(-bits // _WORD)))
    if bits % _WORD:
        words[:, -1] &= np.uint64((1 << bits % _WORD) - 1)
    return words


def _known(wire: _Wire) -> str:
    if wire.scheme not in ("ou", "paillier") or wire.bits not in BITS:
        raise ValueError("unknown scheme or size")
    if len(wire.n) != wire.bits // 8:
        raise ValueError("n has another length")
    return wire.scheme


def _check(key: PublicKey) -> None:
    if key.bits - key.n.bit_length() not in range(8):
        raise ValueError("n has another length")
    for number in (key.g, key.h):
        if not 1 < number < key.modulus.value - 1 or math.gcd(number, key.n) != 1:
            raise ValueError("a base is no unit, or a trivial one")
    if key.scheme == "paillier" and key.g != key.n + 1:
        raise ValueError("the first base is n + 1")
