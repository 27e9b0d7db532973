"""What lattice products show: ciphertexts like noise, masked results, and noise that tells nothing of the other's numbers.

The party under test holds the key: it decrypts what it got, subtracts what it may know, and looks at the rest.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest

from unseen.crypto.prg import Prg
from unseen.crypto.rlwe import scheme, slots, torus
from unseen.crypto.rlwe.params import MATRICES, PLAIN, SLOTS
from unseen.crypto.rlwe.plain import WholeWords
from unseen.kernels import ntt, shares
from unseen.mpc.lattice import Answers, Inputs, Lattice
from unseen.party import Party
from unseen.testing.mutants import Mutant, mutants
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import deviation, objections, secret_arrays

N = 8192
ZERO, TOP, MINUS = (np.full(N, value, np.uint64) for value in (0, 1 << 63, (1 << 64) - 1))
WORDS = WholeWords()


def go(mine: np.ndarray, theirs: np.ndarray) -> tuple[Run[Any], Lattice]:
    """`a` encrypts, `b` answers; with a's end, which has the keys."""
    ends = {}

    def program(party: Party) -> Any:
        end = ends[party.name] = Lattice(party, "b" if party.name == "a" else "a")
        return end.cross(mine if party.name == "a" else theirs)

    run = simulate(program, ("a", "b"))
    assert not run.errors
    np.testing.assert_array_equal(run.results["a"] + run.results["b"], mine * theirs)
    return run, ends["a"]


def answers_of(run: Run[Any]) -> list[scheme.Answer]:
    (message,) = (seen.message for seen in run.views["a"] if isinstance(seen.message, Answers))
    first = ntt.unpack(message.first, 4 * 2 * N, SLOTS.first_bits // 2).reshape(4, 2, N)
    second = ntt.unpack(message.second, 4 * 2 * N, SLOTS.second_bits // 2).reshape(4, 2, N)
    return [scheme.Answer(*halves) for halves in zip(first, second, strict=True)]


def decrypted(run: Run[Any], end: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """What a learns: the four messages (4, n), and all errors as parts of the flood (4 n,)."""
    secret, _ = end._keys[SLOTS.name]
    messages, errors = [], []
    for given, field in zip(answers_of(run), slots.FIELDS, strict=True):
        message = secret.decrypt(given, field)
        off = torus.add(secret.phase(given), ~field.fraction(message[None])[:, 0])
        messages.append(message)
        errors.append(off[0].view(np.int64) / 2.0 ** (64 - SLOTS.flood))
    return np.stack(messages), np.concatenate(errors)


def integers(messages: np.ndarray) -> list[int]:
    residues = ntt.forward(ntt.ring(N, PLAIN), messages[None])[0]
    whole = prod(PLAIN)
    weights = [whole // p * pow(whole // p, -1, p) for p in PLAIN]
    return [sum(int(v) * w for v, w in zip(column, weights, strict=True)) % whole for column in residues.T]


def chi_square(values: np.ndarray, bins: int, low: float, high: float) -> float:
    """In standard deviations, of values within, against uniform."""
    counts, _ = np.histogram(values, bins, (low, high))
    expected = counts.sum() / bins
    return float((((counts - expected) ** 2 / expected).sum() - bins + 1) / np.sqrt(2 * (bins - 1)))


def explained(run: Run[Any], theirs: np.ndarray) -> float:
    """The part of the first polynomials that `a times the other's numbers` gives: what the right guess would confirm."""
    of = scheme.ring_of(SLOTS)
    _, *keys = (
        seen.message.keys for seen in run.views["b"] if isinstance(seen.message, Inputs)
    )  # a public one
    factors, hits = slots.signed(slots.encode(theirs[None])), []
    for i, (key, given) in enumerate(zip(keys, answers_of(run), strict=True)):
        a = ntt.uniform(of, key, 0, 1)
        product = ntt.inner(of, a[:, None], scheme.transformed(SLOTS, np.ascontiguousarray(factors[:, i])))
        guess = torus.split(ntt.fraction(of, ntt.inverse(of, product))[:, 0], SLOTS.first_bits)
        hits.append((guess == given.first).all(axis=0).mean())
    return float(np.mean(hits))


def found(run: Run[Any], end: Lattice, theirs: np.ndarray) -> list[str]:
    """All that this file knows to object to."""
    lines = [line for name in ("a", "b") for line in objections(secret_arrays(run.views[name]))]
    messages, errors = decrypted(run, end)
    # Rounding softens the edges of the flood: by a few parts in a hundred.
    if chi_square(errors, 64, -0.8, 0.8) > 6 or not 0.99 < np.abs(errors).max() < 1.3:
        lines.append("the noise is not that of the flood")
    if (np.abs(errors) < 0.8).mean() > 0.82:
        lines.append("the flood is too narrow")
    tops = np.array([value >> 160 for value in integers(messages)], np.float64)
    if chi_square(tops, 32, 0, 1 << (slots.MASK_BITS - 160)) > 6:
        lines.append("the masked integer is not uniform")
    if deviation(run.results["a"].view(np.uint8)) > 6:
        lines.append("the masked result is not uniform")
    if explained(run, theirs) > 0.01:
        lines.append("the answer is a function of the ciphertext")
    return lines


INPUTS = [(ZERO, ZERO), (ZERO, TOP), (TOP, TOP), (MINUS, MINUS), (TOP, ZERO)]


@pytest.mark.parametrize(("mine", "theirs"), INPUTS)
def test_views_show_nothing(mine: np.ndarray, theirs: np.ndarray) -> None:
    assert found(*go(mine, theirs), theirs) == []


def test_noise_is_alike_for_the_most_different_inputs() -> None:
    """Two samples of 32,768 errors: of a zero vector and of the largest numbers there are."""
    samples = [np.sort(decrypted(*go(TOP, theirs))[1]) for theirs in (ZERO, TOP)]
    grid = np.linspace(-1.1, 1.1, 2001)
    one, two = (np.searchsorted(sample, grid) / len(sample) for sample in samples)
    assert np.abs(one - two).max() < 3.2 * np.sqrt(2 / len(samples[0]))  # Kolmogorov and Smirnov: below 10^-8


@pytest.mark.parametrize("mutant", mutants("mpc-lattice"), ids=lambda mutant: mutant.name)
def test_mutants_are_found(mutant: Mutant) -> None:
    """All of them give the right product; one of the tests of two runs or of one finds each."""
    with mutant.applied():
        run, end = go(TOP, MINUS)
        again, _ = go(TOP, MINUS)
    same = np.array_equal(run.results["a"], again.results["a"])
    assert found(run, end, MINUS) or same


def test_runs_share_no_bytes() -> None:
    def rows(run: Run[Any]) -> set[bytes]:
        data = [
            np.ascontiguousarray(value).tobytes()
            for view in run.views.values()
            for seen in view
            if isinstance(seen.message, Inputs | Answers)
            for value in (
                [seen.message.bodies, np.frombuffer(seen.message.keys, np.uint8)]
                if isinstance(seen.message, Inputs)
                else [seen.message.first, seen.message.second]
            )
        ]
        return {piece[at : at + 16] for piece in data for at in range(0, len(piece) - 15, 16)}

    assert not rows(go(ZERO, ZERO)[0]) & rows(go(ZERO, ZERO)[0])


def test_ciphertexts_are_uniform() -> None:
    """All residues of what is sent, keys among them; for messages that are all zero."""
    run, _ = go(ZERO, ZERO)
    residues: dict[int, list[np.ndarray]] = {q: [] for q in SLOTS.primes}
    for seen in run.views["b"]:
        if isinstance(seen.message, Inputs):
            runs = len(seen.message.keys) // 16
            bodies = ntt.unpack(seen.message.bodies, runs * SLOTS.limbs * N, 50).reshape(runs, SLOTS.limbs, N)
            for limb, q in enumerate(SLOTS.primes):
                residues[q].append(bodies[:, limb].reshape(-1))
    for q, parts in residues.items():
        values = np.concatenate(parts)
        assert chi_square(values.astype(np.float64), 256, 0, q) < 6
        low = np.bincount((values & np.uint64(255)).astype(np.int64), minlength=256)
        assert ((low - len(values) / 256) ** 2 / (len(values) / 256)).sum() < 255 + 6 * np.sqrt(510)


def test_secret_noise_does_not_come_from_public_keys() -> None:
    """Another library's port derived noise from the seed that it published."""
    rng = Prg.fresh()
    secret = scheme.SecretKey(SLOTS, rng)
    fresh = secret.encrypt(np.zeros((1, N), np.uint64), slots.FIELDS[0], rng)
    of = scheme.ring_of(SLOTS)
    pair = scheme.pairs(SLOTS, fresh)[0]
    moduli = np.array(SLOTS.primes, np.uint64)[:, None]
    turned = ntt.inner(of, pair[1][None, None], (moduli - secret._minus[0])[None])
    noise = ntt.inverse(of, (pair[0][None] + turned) % moduli)[0, 0].view(np.int64)
    noise = np.where(noise > SLOTS.primes[0] // 2, noise - SLOTS.primes[0], noise)
    assert np.abs(noise).max() <= ntt.NOISE_MOST
    for use in range(64):
        assert (ntt.noise(shares.pad(fresh.key, use, N)) == noise).mean() < 0.2


def test_matrices_flood_what_they_give() -> None:
    """Errors of a product with the largest numbers, 2^12 coefficients: uniform over the flood, as with zeros."""
    rng, where = Prg.fresh(), np.arange(0, N, 2)
    secret = scheme.SecretKey(MATRICES, rng)
    public = scheme.pairs(MATRICES, secret.public_key(WORDS, rng))[0]
    for value in (0, -(1 << 63)):
        fresh = scheme.pairs(MATRICES, secret.encrypt(np.zeros((1, N), np.uint64), WORDS, rng))
        factors = np.full((1, 64), value, np.int64)
        product = ntt.inner(scheme.ring_of(MATRICES), fresh, scheme.transformed(MATRICES, factors))
        mask = rng.u64(len(where))
        given = scheme.answer(MATRICES, public, product, mask, WORDS, rng, where)
        off = torus.add(secret.phase(given, where), torus.add(~WORDS.fraction(mask), np.uint64([[0], [1]])))
        errors = off[1].view(np.int64) / 2.0 ** (128 - MATRICES.flood)
        wrapped = (errors + 2) % 4 - 2
        assert chi_square(wrapped, 32, -0.8, 0.8) < 6
        assert (np.abs(wrapped) < 0.8).mean() < 0.82
