"""Products of two parties' private numbers by lattice encryption: each gets an additive share modulo 2^64.

What
    :meth:`Lattice.multiply`: x_0 y_1 + x_1 y_0 number by number, both cross terms of a product of shared vectors, for one
    ciphertext's answer; :meth:`Lattice.cross`: v_0 v_1 alone; :meth:`Lattice.matmul` and :meth:`Lattice.cross_matmul`: the same of matrices.
Over what
    Words modulo 2^64.
Source
    Matrices: Huang, Lu, Hong, Ding, "Cheetah" (USENIX Security 2022), with the encryption of :mod:`unseen.crypto.rlwe`.
Against whom
    Semi-honest: either party, following the protocol.
What it leaks
    Shapes. The evaluating party sees ciphertexts. The decrypting party sees its result under a uniform mask; what else an answer
    depends on is hidden statistically, by 2^-47.8 a product of vectors (2^-48 for the mask of its integer, 4 times
    2^-53 for the noise) and `Parameters.leak` a number of a matrix product (below 2^-55 for 2^16 inner numbers).
Assumption
    Ring learning with errors for the parameters of :mod:`unseen.crypto.rlwe.params` (128 bits; vectors 192).
Cost
    Vectors: 8192 products at a time, however few are asked for. `multiply` takes 202 bytes a product, `cross` 127, one round after the
    keys. Of a matrix product see :attr:`unseen.crypto.rlwe.matrices.Blocks.size_bytes`. Keys: 0.36 MB each way, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.crypto.rlwe import matrices, scheme, slots
from unseen.crypto.rlwe.params import MATRICES, SLOTS, Parameters
from unseen.crypto.rlwe.plain import Plain, WholeWords
from unseen.kernels import ntt
from unseen.party import Ciphertext, Masked, Message, Party, Public, require

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

_RESIDUE_BITS = 50
_AHEAD = 4  # batches of vectors under way
_TOGETHER = 8  # ciphertexts of matrices that are made and sent at a time: two megabytes
_CACHED = 8  # ciphertexts of which a limb stays in the second-level cache; divides _TOGETHER
_COLUMNS = 16  # columns of blocks that they are multiplied by meanwhile, for which their public halves are expanded once
_WORDS = WholeWords()


class Inputs(Message, frozen=True, tag="mpc.lattice-inputs/1"):
    """A run of ciphertexts: its public 16-byte key, and bodies of 50 bits a residue."""

    keys: Public[bytes]
    bodies: Ciphertext


class Answers(Message, frozen=True, tag="mpc.lattice-answers/1"):
    """Masked products under the receiver's key: both polynomials of each, rounded and packed."""

    first: Masked
    second: Masked


def _require_words(array: NDArray[np.uint64], rank: int) -> None:
    if array.dtype != np.uint64 or array.ndim != rank:
        raise LocalProtocolError(
            f"Lattice products take uint64 of rank {rank}, not {array.dtype} {array.shape}."
        )


class _Wire:
    """Ciphertexts and answers to and from one peer."""

    def __init__(self, party: Party, peer: str) -> None:
        self._party, self._peer = party, peer

    def send_inputs(self, run: scheme.Ciphertexts) -> None:
        self._party.send(self._peer, Inputs(run.key, ntt.pack(run.bodies.reshape(-1), _RESIDUE_BITS)))

    def recv_inputs(self, parameters: Parameters, count: int) -> scheme.Ciphertexts:
        """A run of so many ciphertexts."""
        message = self._party.recv(self._peer, Inputs)
        shape = (count, parameters.limbs, parameters.degree)
        words = count * parameters.limbs * parameters.degree
        require(message.bodies, shape=(words * _RESIDUE_BITS // 8,), dtype=np.uint8, sender=self._peer)
        bodies = ntt.unpack(message.bodies, words, _RESIDUE_BITS).reshape(shape)
        moduli = np.array(parameters.primes, np.uint64)[:, None]
        if len(message.keys) != scheme.KEY_BYTES or (bodies >= moduli).any():
            raise RemoteProtocolError(f"{self._peer} sent what is no ciphertext.", party=self._peer)
        return scheme.Ciphertexts(message.keys, bodies)

    def send_answers(self, parameters: Parameters, answers: list[scheme.Answer]) -> None:
        first = np.stack([answer.first for answer in answers]).reshape(-1)
        second = np.stack([answer.second for answer in answers]).reshape(-1)
        packed = Answers(
            ntt.pack(first, parameters.first_bits // 2), ntt.pack(second, parameters.second_bits // 2)
        )
        self._party.send(self._peer, packed)

    def recv_answers(self, parameters: Parameters, answers: int, numbers: int) -> list[scheme.Answer]:
        """So many answers of so many numbers each."""
        message = self._party.recv(self._peer, Answers)
        halves = []
        for packed, length, bits in (
            (message.first, parameters.degree, parameters.first_bits // 2),
            (message.second, numbers, parameters.second_bits // 2),
        ):
            count = answers * 2 * length
            require(packed, shape=(-(-count * bits // 8),), dtype=np.uint8, sender=self._peer)
            halves.append(ntt.unpack(packed, count, bits).reshape(answers, 2, length))
        return [scheme.Answer(first, second) for first, second in zip(*halves, strict=True)]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of blocks of the peer's: bodies (limbs, blocks, n), and the public keys of :data:`_TOGETHER` of them each.

    The other half of each is expanded when it is needed, or it would take as much memory again.
    """

    keys: list[bytes]
    bodies: Words

    def parts(self) -> Iterator[tuple[slice, Words, Words]]:
        """Few ciphertexts at a time: which, and both halves, (limbs, few, n)."""
        ring = scheme.ring_of(MATRICES)
        for few in _few(self.bodies.shape[1], _CACHED):
            run, first = divmod(few.start, _TOGETHER)
            public = ntt.uniform(ring, self.keys[run], first, few.stop - few.start)
            yield few, self.bodies[:, few], np.ascontiguousarray(public.transpose(1, 0, 2))


class Lattice:
    """One party's end towards one peer. Both call the same methods in the same order."""

    def __init__(self, party: Party, peer: str) -> None:
        self._party, self._peer = party, peer
        self._wire = _Wire(party, peer)
        self._first = party.name < peer
        self._keys: dict[str, tuple[scheme.SecretKey, Words]] = {}

    def _key(self, parameters: Parameters, plain: Plain) -> tuple[scheme.SecretKey, Words]:
        """Our secret key and the pair of the peer's public one; exchanged at first use."""
        known = self._keys.get(parameters.name)
        if known is None:
            secret = scheme.SecretKey(parameters, self._party.rng)
            self._wire.send_inputs(secret.public_key(plain, self._party.rng))
            theirs = self._wire.recv_inputs(parameters, 1)
            known = self._keys[parameters.name] = secret, scheme.pairs(parameters, theirs)[0]
        return known

    # ------------------------------------------------------------------ vectors

    def multiply(self, x: Words, y: Words) -> Words:
        """A share of x_0 y_1 + x_1 y_0, of vectors (n,) of which each party has its own x and y."""
        return self._vectors(x, y)

    def cross(self, mine: Words) -> Words:
        """A share of v_0 v_1, of vectors (n,) of which each party has one."""
        return self._vectors(mine)

    def _vectors(self, *terms: Words) -> Words:
        for term in terms:
            _require_words(term, 1)
        count = len(terms[0])
        if any(len(term) != count for term in terms):
            raise LocalProtocolError("The vectors of a product have one length.")
        if count == 0:
            return np.zeros(0, np.uint64)
        batches = -(-count // slots.COUNT)
        out = np.empty((batches, slots.COUNT), np.uint64)
        half = -(-batches // 2)
        encrypted, answered = range(half), range(half, batches)
        if not self._first:
            encrypted, answered = answered, encrypted
        self._key(SLOTS, slots.FIELDS[0])
        for i in range(max(len(encrypted), len(answered)) + 2 * _AHEAD):
            if i < len(encrypted):
                self._ask_batch(_batch(terms, encrypted[i]))
            if 0 <= i - _AHEAD < len(answered):
                batch = answered[i - _AHEAD]
                out[batch] = self._reply_batch(_batch(terms, batch))
            if 0 <= i - 2 * _AHEAD < len(encrypted):
                out[encrypted[i - 2 * _AHEAD]] = self._learn_batch()
        return out.reshape(-1)[:count]

    def _ask_batch(self, terms: Words) -> None:
        """Send our numbers (terms, 8192) encrypted."""
        secret, _ = self._key(SLOTS, slots.FIELDS[0])
        polynomials = slots.encode(terms)
        for i, field in enumerate(slots.FIELDS):
            self._wire.send_inputs(
                secret.encrypt(np.ascontiguousarray(polynomials[:, i]), field, self._party.rng)
            )

    def _reply_batch(self, terms: Words) -> Words:
        """Answer the peer's ciphertexts: what it sent first is multiplied by what we would have sent last."""
        _, public = self._key(SLOTS, slots.FIELDS[0])
        factors = slots.signed(slots.encode(terms[::-1]))
        mask, share = slots.mask(self._party.rng)
        of = scheme.ring_of(SLOTS)
        answers = []
        for i, field in enumerate(slots.FIELDS):
            run = self._wire.recv_inputs(SLOTS, len(terms))
            weights = scheme.transformed(SLOTS, np.ascontiguousarray(factors[:, i]))
            product = ntt.inner(of, scheme.pairs(SLOTS, run), weights)
            answers.append(scheme.answer(SLOTS, public, product, mask[i], field, self._party.rng))
        self._wire.send_answers(SLOTS, answers)
        return share

    def _learn_batch(self) -> Words:
        secret, _ = self._key(SLOTS, slots.FIELDS[0])
        answers = self._wire.recv_answers(SLOTS, len(slots.FIELDS), slots.COUNT)
        return slots.decode(
            np.stack(
                [secret.decrypt(given, field) for given, field in zip(answers, slots.FIELDS, strict=True)]
            )
        )

    # ------------------------------------------------------------------ matrices

    def matmul(self, x: Words, y: Words) -> Words:
        """A share of x_0 y_1 + x_1 y_0, of matrices (n, k) and (k, m) of which each party has its own x and y.

        Both encrypt x, or both y, whichever sends less; so both work at once. Memory: 0.25 MB for each ciphertext of a row
        of blocks, at most 128 MiB.
        """
        _require_words(x, 2)
        _require_words(y, 2)
        shape = _shape(x.shape, y.shape)
        if _turned(shape):
            return np.ascontiguousarray(self._summed(shape[::-1], y.T, x.T).T)
        return self._summed(shape, x, y)

    def cross_matmul(self, mine: Words, theirs: tuple[int, int], *, left: bool) -> Words:
        """A share of the product of our matrix and the peer's, of shape `theirs`; `left`: ours stands to the left."""
        _require_words(mine, 2)
        shape = _shape(mine.shape, theirs) if left else _shape(theirs, mine.shape)
        turned = _turned(shape)
        ours = mine.T if turned else mine
        encrypted, weights = (ours, None) if left != turned else (None, ours)
        total = self._summed(shape[::-1] if turned else shape, encrypted, weights)
        return np.ascontiguousarray(total.T) if turned else total

    def _summed(self, shape: tuple[int, int, int], encrypted: Words | None, weights: Words | None) -> Words:
        """Our left factor, encrypted, times the peer's, and the peer's times our right factor; either may be missing."""
        rows, inner, columns = shape
        total: Words | None = None
        if not rows * inner * columns:
            return np.zeros((rows, columns), np.uint64)
        self._key(MATRICES, _WORDS)
        step = matrices.MOST_INNER * matrices.plan(*shape).deep
        for begin in range(0, inner, step):
            end = min(begin + step, inner)
            blocks = matrices.plan(rows, end - begin, columns)
            high, wide = blocks.high, blocks.wide
            out = np.zeros((blocks.across[0] * high, blocks.across[2] * wide), np.uint64)
            ahead = int(weights is None)  # who only asks is a row ahead, so that the peer need not wait
            for i in range(-ahead, blocks.across[0]):
                if i + ahead < blocks.across[0]:
                    asked = slice((i + ahead) * high, (i + ahead + 1) * high)
                    ours = None if encrypted is None else encrypted[asked, begin:end]
                    row = self._exchanged(blocks, ours, receives=weights is not None)
                if i >= 0:
                    part = None if weights is None else weights[begin:end]
                    here = out[i * high : (i + 1) * high]
                    self._answered(blocks, row, part, here, learns=encrypted is not None)
            total = out[:rows, :columns] if total is None else total + out[:rows, :columns]
        assert total is not None
        return total

    def _exchanged(self, blocks: matrices.Blocks, ours: Words | None, *, receives: bool) -> _Row:
        """Send a row of blocks encrypted, and get the peer's meanwhile, so that it does not pile up."""
        secret, _ = self._key(MATRICES, _WORDS)
        inner, keys = blocks.across[1], []
        bodies = np.empty((MATRICES.limbs, inner * receives, MATRICES.degree), np.uint64)
        for few in _few(inner, _TOGETHER):
            if ours is not None:
                polynomials = matrices.left(blocks, ours, few)
                self._wire.send_inputs(secret.encrypt(polynomials, _WORDS, self._party.rng))
            if receives:
                run = self._wire.recv_inputs(MATRICES, few.stop - few.start)
                keys.append(run.key)
                bodies[:, few] = run.bodies.transpose(1, 0, 2)
        return _Row(keys, bodies)

    def _answered(
        self, blocks: matrices.Blocks, row: _Row, weights: Words | None, out: Words, *, learns: bool
    ) -> None:
        """Answer the peer's row of blocks, one answer for each column of blocks, and decrypt its answers, some columns behind."""
        behind: range | None = None
        starts = range(0, out.shape[1], blocks.wide)
        for several in _few(len(starts), _COLUMNS):
            if weights is not None:
                self._reply(blocks, row, weights, starts[several], out)
            if learns and behind is not None:
                self._learn(blocks, behind, out)
            behind = starts[several]
        if learns and behind is not None:
            self._learn(blocks, behind, out)

    def _reply(self, blocks: matrices.Blocks, row: _Row, weights: Words, starts: range, out: Words) -> None:
        """Answers for some columns of blocks; our shares are added to `out`."""
        _, public = self._key(MATRICES, _WORDS)
        rng = self._party.rng
        factors = [matrices.right(blocks, weights[:, j : j + blocks.wide]) for j in starts]
        for j, product in zip(starts, _weighed(row, factors), strict=True):
            mask = rng.u64(len(blocks.places))
            given = scheme.answer(MATRICES, public, product, mask, _WORDS, rng, blocks.places)
            self._wire.send_answers(MATRICES, [given])
            out[:, j : j + blocks.wide] -= mask.reshape(blocks.high, -1)

    def _learn(self, blocks: matrices.Blocks, starts: range, out: Words) -> None:
        """Decrypt the answers for some columns of blocks; added to `out`."""
        secret, _ = self._key(MATRICES, _WORDS)
        for j in starts:
            (given,) = self._wire.recv_answers(MATRICES, 1, len(blocks.places))
            numbers = secret.decrypt(given, _WORDS, blocks.places)
            out[:, j : j + blocks.wide] += numbers.reshape(blocks.high, -1)


def _shape(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, int, int]:
    """(n, k, m) of a product of matrices."""
    if left[1] != right[0]:
        raise LocalProtocolError(f"No product of {left} and {right}.")
    return left[0], left[1], right[1]


def _turned(shape: tuple[int, int, int]) -> bool:
    """Whether less is sent for the transposed product, with the right factor encrypted."""
    if not all(shape):
        return False
    return matrices.plan(*shape[::-1]).size_bytes < matrices.plan(*shape).size_bytes


def _batch(terms: tuple[Words, ...], batch: int) -> Words:
    """8192 numbers of each term, the last ones with zeros: (terms, 8192)."""
    out = np.zeros((len(terms), slots.COUNT), np.uint64)
    for place, term in enumerate(terms):
        part = term[batch * slots.COUNT : (batch + 1) * slots.COUNT]
        out[place, : len(part)] = part
    return out


def _weighed(row: _Row, factors: list[Integers]) -> Words:
    """For each column's factors (blocks, m) the sum of the row's pairs times these: (columns, 2, limbs, n).

    Limb by limb, and few ciphertexts for several columns, so that a ciphertext comes from memory once for all of them.
    """
    sums = np.zeros((len(factors), 2, MATRICES.limbs, MATRICES.degree), np.uint64)
    for few, *halves in row.parts():
        for limb, prime in enumerate(MATRICES.primes):
            of = ntt.ring(MATRICES.degree, (prime,))
            for column, factor in enumerate(factors):
                values = ntt.forward(of, ntt.residues(of, factor[few]))
                for half, place in zip(halves, sums[column, :, limb], strict=True):
                    place[:] = ntt.inner(of, half[limb, :, None, None], values, place[None, None])[0, 0]
    return sums


def _few(count: int, size: int) -> Iterator[slice]:
    for begin in range(0, count, size):
        yield slice(begin, min(begin + size, count))
