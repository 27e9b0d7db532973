"""Mutants: protocols that are broken on purpose and still give the right result. Whoever tests for leaks must find them.

A test that only checks results passes them all, and others shipped masks like these behind such tests. A view test
(:mod:`unseen.testing.views`, :mod:`unseen.testing.distributions`) that lets one of them pass tests nothing.

    for mutant in mutants("mpc-dealer"):
        with mutant.applied():
            assert leaks(one, other, parties, disclosures=told)

A protocol's author adds mutants of the same flaws for it here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseen.crypto.prg import Prg
from unseen.crypto.rlwe import slots, torus
from unseen.crypto.rlwe.params import PLAIN
from unseen.kernels import dcf, ntt
from unseen.learn.prepare import joint_bins
from unseen.learn.vertical.linear import sgd
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import Engine
from unseen.mpc.protocols.dealer.dealing import Correction, Dealing
from unseen.mpc.protocols.dealer.sharing import Dealer
from unseen.party import Party

Flaw = Literal[
    "constant mask",
    "reused mask",
    "short mask",
    "missing zero-share",
    "plaintext as ring element",
    "order shows",
    "noise shows",
    "not re-randomised",
    "small groups told",
]
Ring = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One flaw.

    Attributes
    ----------
    place
        What is replaced: `module:name` or `module:Class.name`.
    broken
        What takes its place.
    """

    name: str
    flaw: Flaw
    place: str
    broken: Callable[..., Any]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While the block runs, everybody runs the mutant."""
        owner, name = _find(self.place)
        honest = vars(owner)[name]
        setattr(owner, name, self.broken)
        try:
            yield
        finally:
            setattr(owner, name, honest)


def mutants(protocol: str) -> tuple[Mutant, ...]:
    """The mutants of a protocol; KeyError if there are none."""
    return MUTANTS[protocol]


def _find(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for step in outer:
        owner = getattr(owner, step)
    return owner, name


# ---------------------------------------------------------------------- learning


def _held_in_clear(engine: Engine, bits: SecretArray) -> sgd._Signs:
    """Which coefficients are 0 is opened, which would spare a product a step."""
    dealer: Any = engine.protocol
    negative, positive = (engine.as_number(bits)[place] for place in (0, 1))
    share = (negative + positive).share
    told = dealer.party.open_masked(share, peers=dealer.peers) if dealer.holds else share
    held = engine.number(dealer.public(told[0]), 0)
    return sgd._Signs(bits, engine.fix(held), positive - negative)  # noqa: SLF001 - broken from inside


# ---------------------------------------------------------------------- secret sharing with a helper


def _zeros(_dealing: Dealing, shape: tuple[int, ...]) -> Ring:
    return np.zeros(shape, np.uint64)


def _same_for_ever(dealing: Dealing, shape: tuple[int, ...]) -> Ring:
    """The same uniform mask for every secret: every holder has the same part of it."""
    part = np.random.default_rng(0).integers(0, 1 << 63, shape, np.uint64) * np.uint64(2)
    return part * np.uint64(len(dealing._holders)) if dealing.deals else part  # noqa: SLF001


def _small(dealing: Dealing, shape: tuple[int, ...]) -> Ring:
    """Masks of 26 bits, which hide the low bits of a value only."""
    peers = dealing._holders if dealing.deals else (dealing._helper,)  # noqa: SLF001 - broken from inside
    total = np.zeros(shape, np.uint64)
    for peer in peers:
        total += dealing._draw(peer, shape, np.uint64) & np.uint64((1 << 26) - 1)  # noqa: SLF001
    return total


def _in_clear(dealing: Dealing, shape: Any, dtype: Any, whole: Any, _combine: Any, _take: Any) -> Any:
    """Corrections that are the dealt values themselves."""
    supply, holders = dealing.supply, dealing._holders  # noqa: SLF001
    if dealing.deals:
        value = whole()
        supply.send(holders[-1], Correction(value.copy()))
        return value
    if not dealing.receives:
        return np.zeros(shape, dtype)
    return supply.recv(dealing._helper, Correction).values  # noqa: SLF001


def _truncated_in_clear(dealer: Dealer, values: Ring, drop: int, *, exact: bool = False) -> Ring:
    """Everybody sends the share of the product itself, and divides the plaintext."""
    _ = exact
    whole = dealer.party.open_masked(values, peers=dealer.peers) if dealer.holds else values
    return dealer.public((whole[0].view(np.int64) >> drop).view(np.uint64))


def _bare_part(_dealer: Dealer, share: Ring) -> Ring:
    """Shares are sent as they are, without a fresh sharing of zero on top."""
    return share


def _one_root(dealing: Dealing, peer: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """All keys of a call have the same root."""
    drawn = _DRAW(dealing, peer, shape, dtype)
    return np.broadcast_to(drawn[:1], shape).copy() if _are_roots(shape, dtype) else drawn


def _no_root(dealing: Dealing, peer: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Nothing is secret about the roots: whoever has the words can follow the hidden point."""
    drawn = _DRAW(dealing, peer, shape, dtype)
    return np.zeros_like(drawn) if _are_roots(shape, dtype) else drawn


def _are_roots(shape: tuple[int, ...], dtype: Any) -> bool:
    return dtype == np.uint8 and shape[1:] == (dcf.BLOCK,)


_DRAW = Dealing._draw  # noqa: SLF001 - broken from inside
_DEALING, _DEALER = (
    "unseen.mpc.protocols.dealer.dealing:Dealing",
    "unseen.mpc.protocols.dealer.sharing:Dealer",
)

# ---------------------------------------------------------------------- intersection by Diffie-Hellman


def _seven(_party: Party) -> NDArray[np.uint8]:
    return np.full((1, 32), 7, np.uint8)


def _one(_exponent: Any, points: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return points


def _as_it_stands(_rng: Any, count: int) -> NDArray[np.int64]:
    return np.arange(count)


# ---------------------------------------------------------------------- products by lattice encryption


def _same_slots(_rng: Any) -> tuple[Ring, Ring]:
    return _SLOT_MASK(Prg(bytes(32)))


def _as_long_as_products(rng: Any) -> tuple[Ring, Ring]:
    """A mask of 128 bits: right modulo 2^64, but the integer that is decrypted shows how large the product is."""
    drawn = rng.u64((2, slots.COUNT))
    residues = [
        [((int(high) << 64 | int(low)) + (1 << 127)) % p for low, high in zip(*drawn, strict=True)]
        for p in PLAIN
    ]
    polynomials = ntt.inverse(ntt.ring(slots.COUNT, PLAIN), np.array(residues, np.uint64)[None])[0]
    return polynomials, np.uint64(0) - drawn[0]


def _no_flood(words: Ring, _bits: int) -> Ring:
    return np.zeros_like(words)


def _half_flood(words: Ring, bits: int) -> Ring:
    return _FLOOD(words, bits + 1)


def _bare(_parameters: Any, _public: Any, product: Ring, _rng: Any) -> Ring:
    return product


# ---------------------------------------------------------------------- bins against another holder's labels


def _every_bin(positives: SecretArray, negatives: SecretArray, *, at_least: int) -> SecretArray:
    _ = at_least
    engine = positives.engine
    ends = engine.lift(np.ones(positives.shape), 0)
    return engine.concatenate([part.reshape(*part.shape, 1) for part in (ends, positives, negatives)], axis=2)


def _any_two_rows(positives: SecretArray, negatives: SecretArray, *, at_least: int) -> SecretArray:
    """Bins of one class are told: whoever knows who is in one knows their labels."""
    _ = at_least
    return _SAFE(positives, negatives + 2, at_least=2)


_SAFE = joint_bins.safe_counts


# ---------------------------------------------------------------------- additive encryption


def _as_they_are(_key: Any, rows: Ring, _exponents: Ring) -> Ring:
    return rows


def _no_exponents(key: Any, _rng: Any, count: int) -> Ring:
    return np.zeros((count, -(-key.shape.full_bits // 64)), np.uint64)


def _one_exponent(key: Any, _rng: Any, count: int) -> Ring:
    return np.full((count, -(-key.shape.short_bits // 64)), 7, np.uint64)


_ADDITIVE = "unseen.crypto.additive.public:PublicKey"
_SLOT_MASK, _FLOOD = slots.mask, torus.uniform
_RLWE = "unseen.crypto.rlwe"

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "mpc-dealer": (
        Mutant("masks are zero", "constant mask", f"{_DEALING}.uniform", _zeros),
        Mutant("masks of 26 bits", "constant mask", f"{_DEALING}.uniform", _small),
        Mutant("the same mask every time", "reused mask", f"{_DEALING}.uniform", _same_for_ever),
        Mutant("parts are bare shares", "missing zero-share", f"{_DEALER}._fresh", _bare_part),
        Mutant("corrections in clear", "plaintext as ring element", f"{_DEALING}._correct", _in_clear),
        Mutant(
            "products divided in clear",
            "plaintext as ring element",
            f"{_DEALER}.truncate",
            _truncated_in_clear,
        ),
    ),
    "mpc-fss": (
        Mutant("one root for all keys", "reused mask", f"{_DEALING}._draw", _one_root),
        Mutant("roots are zero", "constant mask", f"{_DEALING}._draw", _no_root),
    ),
    "mpc-lattice": (
        Mutant("the same mask every time", "reused mask", f"{_RLWE}.slots:mask", _same_slots),
        Mutant("masks of 128 bits", "short mask", f"{_RLWE}.slots:mask", _as_long_as_products),
        Mutant("no flood", "noise shows", f"{_RLWE}.torus:uniform", _no_flood),
        Mutant("half a flood", "noise shows", f"{_RLWE}.torus:uniform", _half_flood),
        Mutant("no encryption of zero", "not re-randomised", f"{_RLWE}.scheme:rerandomised", _bare),
    ),
    "bin": (
        Mutant(
            "every bin is told",
            "small groups told",
            "unseen.learn.prepare.joint_bins:safe_counts",
            _every_bin,
        ),
        Mutant(
            "bins of one class are told",
            "small groups told",
            "unseen.learn.prepare.joint_bins:safe_counts",
            _any_two_rows,
        ),
    ),
    "descent": (
        Mutant(
            "which coefficients are 0 is told",
            "plaintext as ring element",
            "unseen.learn.vertical.linear.sgd:_Signs.of",
            _held_in_clear,
        ),
    ),
    "trees-federated": (
        Mutant("sums as they are", "not re-randomised", f"{_ADDITIVE}.rerandomise", _as_they_are),
        Mutant("sums with h to the 0", "not re-randomised", f"{_ADDITIVE}.draw_full", _no_exponents),
        Mutant("one exponent for all rows", "reused mask", f"{_ADDITIVE}.draw_short", _one_exponent),
    ),
    "split": (
        Mutant(
            "rows are chosen in order", "order shows", "unseen.learn.prepare.rows:_shuffled", _as_it_stands
        ),
    ),
    "psi-dh": (
        Mutant("one exponent for ever", "reused mask", "unseen.psi.protocols.dh:_exponent", _seven),
        Mutant("exponent one", "constant mask", "unseen.kernels.curve:x25519", _one),
        Mutant("no shuffle", "order shows", "unseen.crypto.prg:Prg.permutation", _as_it_stands),
    ),
}
"""Protocol -> its mutants."""
