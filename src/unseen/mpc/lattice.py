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
_TOGETHER = 16  # ciphertexts of matrices that are made and sent at a time
_CACHED = 8  # ciphertexts of which a limb stays in the second-level cache
_COLUMNS = 8  # columns of blocks that they are multiplied by meanwhile
_WORDS = WholeWords()


class Inputs(Message, frozen=True, tag="mpc.lattice-inputs/1"):
    """Ciphertexts: public 16-byte keys of as many runs, one after the other, and bodies of 50 bits a residue."""

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

    def send_inputs(self, runs: list[scheme.Ciphertexts]) -> None:
        bodies = np.concatenate([run.bodies for run in runs])
        keys = b"".join(run.key for run in runs)
        self._party.send(self._peer, Inputs(keys, ntt.pack(bodies.reshape(-1), _RESIDUE_BITS)))

    def recv_inputs(self, parameters: Parameters, runs: int, each: int) -> list[scheme.Ciphertexts]:
        """`runs` runs of `each` ciphertexts."""
        message = self._party.recv(self._peer, Inputs)
        shape = (runs, each, parameters.limbs, parameters.degree)
        count = runs * each * parameters.limbs * parameters.degree
        require(message.bodies, shape=(count * _RESIDUE_BITS // 8,), dtype=np.uint8, sender=self._peer)
        bodies = ntt.unpack(message.bodies, count, _RESIDUE_BITS).reshape(shape)
        moduli = np.array(parameters.primes, np.uint64)[:, None]
        if len(message.keys) != runs * scheme.KEY_BYTES or (bodies >= moduli).any():
            raise RemoteProtocolError(f"{self._peer} sent what is no ciphertext.", party=self._peer)
        keys = [message.keys[scheme.KEY_BYTES * i :][: scheme.KEY_BYTES] for i in range(runs)]
        return [scheme.Ciphertexts(key, run) for key, run in zip(keys, bodies, strict=True)]

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
            self._wire.send_inputs([secret.public_key(plain, self._party.rng)])
            theirs = self._wire.recv_inputs(parameters, 1, 1)[0]
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
        flat = np.zeros((len(terms), batches * slots.COUNT), np.uint64)
        flat[:, :count] = terms
        padded = flat.reshape(len(terms), batches, slots.COUNT).transpose(1, 0, 2)
        out = np.empty((batches, slots.COUNT), np.uint64)
        half = -(-batches // 2)
        encrypted, answered = range(half), range(half, batches)
        if not self._first:
            encrypted, answered = answered, encrypted
        self._key(SLOTS, slots.FIELDS[0])
        for i in range(max(len(encrypted), len(answered)) + 2 * _AHEAD):
            if i < len(encrypted):
                self._ask(padded[encrypted[i]])
            if 0 <= i - _AHEAD < len(answered):
                batch = answered[i - _AHEAD]
                out[batch] = self._reply(padded[batch])
            if 0 <= i - 2 * _AHEAD < len(encrypted):
                out[encrypted[i - 2 * _AHEAD]] = self._learn()
        return out.reshape(-1)[:count]

    def _ask(self, terms: Words) -> None:
        """Send our numbers (terms, 8192) encrypted."""
        secret, _ = self._key(SLOTS, slots.FIELDS[0])
        polynomials = slots.encode(terms)
        runs = [
            secret.encrypt(np.ascontiguousarray(polynomials[:, i]), field, self._party.rng)
            for i, field in enumerate(slots.FIELDS)
        ]
        self._wire.send_inputs(runs)

    def _reply(self, terms: Words) -> Words:
        """Answer the peer's ciphertexts: what it sent first is multiplied by what we would have sent last."""
        _, public = self._key(SLOTS, slots.FIELDS[0])
        runs = self._wire.recv_inputs(SLOTS, len(slots.FIELDS), len(terms))
        factors = slots.signed(slots.encode(terms[::-1]))
        mask, share = slots.mask(self._party.rng)
        of = scheme.ring_of(SLOTS)
        answers = []
        for i, (run, field) in enumerate(zip(runs, slots.FIELDS, strict=True)):
            weights = scheme.transformed(SLOTS, np.ascontiguousarray(factors[:, i]))
            product = ntt.inner(of, scheme.pairs(SLOTS, run), weights)
            answers.append(scheme.answer(SLOTS, public, product, mask[i], field, self._party.rng))
        self._wire.send_answers(SLOTS, answers)
        return share

    def _learn(self) -> Words:
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

        Both encrypt x, or both y, whichever sends less; so both work at once. Memory: 0.5 MB for each ciphertext of a row
        of blocks, at most 256 MiB.
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
        total = np.zeros((rows, columns), np.uint64)
        if not rows * inner * columns:
            return total
        self._key(MATRICES, _WORDS)
        step = matrices.MOST_INNER * matrices.plan(*shape).deep
        for begin in range(0, inner, step):
            end = min(begin + step, inner)
            blocks = matrices.plan(rows, end - begin, columns)
            high, wide = blocks.high, blocks.wide
            out = np.zeros((blocks.across[0] * high, blocks.across[2] * wide), np.uint64)
            for i in range(blocks.across[0] + 1):  # a row of blocks ahead of its answers
                here, before = (out[max(k, 0) * high : (k + 1) * high] for k in (i, i - 1))
                if encrypted is not None and len(here):
                    self._ask_rows(blocks, encrypted[i * high : (i + 1) * high, begin:end])
                if encrypted is not None and len(before):  # the peer sends these before its next row
                    self._learn_rows(blocks, before)
                if weights is not None and len(here):
                    self._reply_rows(blocks, weights[begin:end], here)
            total += out[:rows, :columns]
        return total

    def _ask_rows(self, blocks: matrices.Blocks, part: Words) -> None:
        """Send a row of blocks encrypted."""
        secret, _ = self._key(MATRICES, _WORDS)
        polynomials = matrices.left(blocks, part)
        for few in _few(len(polynomials), _TOGETHER):
            self._wire.send_inputs([secret.encrypt(polynomials[few], _WORDS, self._party.rng)])

    def _reply_rows(self, blocks: matrices.Blocks, weights: Words, out: Words) -> None:
        """Answer the peer's row of blocks, one answer for each column of blocks; our shares are added to `out`."""
        _, public = self._key(MATRICES, _WORDS)
        rng = self._party.rng
        pairs = np.empty((MATRICES.limbs, blocks.across[1], 2, 1, MATRICES.degree), np.uint64)
        for few in _few(blocks.across[1], _TOGETHER):
            (run,) = self._wire.recv_inputs(MATRICES, 1, few.stop - few.start)
            pairs[:, few, :, 0] = scheme.pairs(MATRICES, run).transpose(2, 0, 1, 3)
        starts = range(0, out.shape[1], blocks.wide)
        for several in _few(len(starts), _COLUMNS):
            factors = [matrices.right(blocks, weights[:, j : j + blocks.wide]) for j in starts[several]]
            for j, product in zip(starts[several], _weighed(pairs, factors), strict=True):
                mask = rng.u64(len(blocks.places))
                given = scheme.answer(MATRICES, public, product, mask, _WORDS, rng, blocks.places)
                self._wire.send_answers(MATRICES, [given])
                out[:, j : j + blocks.wide] -= mask.reshape(blocks.high, -1)

    def _learn_rows(self, blocks: matrices.Blocks, out: Words) -> None:
        """Decrypt the answers to a row of blocks; added to `out`."""
        secret, _ = self._key(MATRICES, _WORDS)
        for j in range(0, out.shape[1], blocks.wide):
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


def _weighed(pairs: Words, factors: list[Integers]) -> list[Words]:
    """For each column's factors (blocks, m) the sum of pairs (limbs, blocks, 2, 1, n) times these: (2, limbs, n).

    Limb by limb, and few ciphertexts for several columns, so that a ciphertext comes from memory once for all of them.
    """
    sums = np.zeros((len(factors), MATRICES.limbs, 2, 1, MATRICES.degree), np.uint64)
    for limb, prime in enumerate(MATRICES.primes):
        of = ntt.ring(MATRICES.degree, (prime,))
        for few in _few(pairs.shape[1], _CACHED):
            for column, factor in enumerate(factors):
                values = ntt.forward(of, ntt.residues(of, factor[few]))
                sums[column, limb] = ntt.inner(of, pairs[limb, few], values, sums[column, limb])
    return [np.ascontiguousarray(product[:, :, 0].transpose(1, 0, 2)) for product in sums]


def _few(count: int, size: int) -> Iterator[slice]:
    for begin in range(0, count, size):
        yield slice(begin, min(begin + size, count))
