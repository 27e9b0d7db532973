"""Every mask is over one value only, and unknown to whom it hides from, under every protocol. With mutants.

A message under a mask that another message has, too, looks as uniform as that one: only the two together tell something. And
a message under a mask that its receiver has is none. So one party is looked at at a time, whatever it has in common with
another is zero, secrets are constant, and so are their shares. Then every message it gets is uniform, and every sum,
difference and XOR of two, if each is under a mask of its own that this party lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np
import pytest

from unseen.core import registry
from unseen.crypto.prg import Prg
from unseen.kernels import shares
from unseen.kernels.reference import shares as reference
from unseen.mpc import Engine
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.protocols.dealer.dealing import Dealing
from unseen.mpc.protocols.pair2.gates import Gates
from unseen.mpc.protocols.replicated3 import order as moves
from unseen.mpc.protocols.replicated3.wires import KEY_BYTES, Wires
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires
from unseen.party import Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import opened_words, related, secret_words

BY_KEYS = "dealer by keys"
COUNT = 1024  # numbers: their bits are bytes enough, in halves too
OPERATIONS: dict[
    str, Callable[..., Any]
] = {  # of a protocol p, numbers x that are 5, bits b that are 1, words w of ones
    "share": lambda p, x, b, w: [_shared(p, owner) for owner in p.holders],
    "collect": lambda p, x, b, w: [p.collect(np.full(COUNT, 5, np.uint64), xor=xor) for xor in (False, True)],
    "multiply": lambda p, x, b, w: p.multiply(x, x),
    "inner": lambda p, x, b, w: p.inner(x.reshape(len(x), 2, -1), x.reshape(len(x), 2, -1)),
    "matrix": lambda p, x, b, w: p.matmul(x.reshape(len(x), -1, 32), x.reshape(len(x), 32, -1)),
    "fixed operand": lambda p, x, b, w: _fixed(p.fix(x.reshape(len(x), 8, -1)), x),
    "truncate": lambda p, x, b, w: p.truncate(x, 20),
    "truncate exactly": lambda p, x, b, w: p.truncate(x, 40, exact=True),
    "and": lambda p, x, b, w: p.and_both(w, (w, w)),
    "adder": lambda p, x, b, w: p.adder(x, 64),
    "bits to numbers": lambda p, x, b, w: p.to_ring(b),
    "select": lambda p, x, b, w: p.select(b, x),
    "less": lambda p, x, b, w: p.mask(x).less_than([0]),
    "waves": lambda p, x, b, w: p.mask(x).harmonics(20, np.array([0.5, 0.25]), 44),
    "powers": lambda p, x, b, w: p.mask(x).powers(10),
    "shuffle": lambda p, x, b, w: p.shuffle(x[..., None], x[..., None]),
}


def _shared(protocol: Any, owner: str) -> Any:
    mine = protocol.party.name == owner
    numbers, bits = np.full(COUNT, 5, np.uint64), np.ones(64 * COUNT, np.uint8)
    return [
        protocol.share(numbers if mine else None, owner=owner, shape=numbers.shape),
        protocol.share_bits(bits if mine else None, owner=owner, shape=bits.shape),
    ]


def _fixed(operand: Any, x: Any) -> Any:
    column = x.reshape(len(x), -1, 8)[:, : operand.shape[-1]]
    return [(operand.matmul(column), operand.multiply(x.reshape(len(x), 8, -1))) for _ in range(2)]


def seats() -> list[tuple[str, int]]:
    """Every protocol that hides something, with the smallest number of holders; with a helper with one more, and by keys."""
    found = []
    for name in registry.names(PROTOCOLS):
        statement = registry.load(PROTOCOLS, name).STATEMENT
        if statement.adversary != "none":
            found += [(name, count) for count in statement.holders[: 1 + statement.helper]]
    return [*found, (BY_KEYS, 2)]


class Known(Prg):
    """Randomness that the party which is looked at has: it hides nothing from it, so it is nothing."""

    def u64(self, shape: Any) -> Any:
        return np.zeros(shape, np.uint64)

    def bytes(self, count: int) -> bytes:
        return bytes(count)

    def permutation(self, count: int) -> Any:
        return np.arange(count)


@contextmanager
def known_to(who: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever this party has in common with others is zero, and every order that it knows leaves rows where they are."""
    shared_rng, pad, own, permutation = Party.shared_rng, reference.pad, Party.rng, Prg.permutation

    def known_rng(self: Party, peer: str) -> Prg:
        return Known(bytes(32)) if who in (self.name, peer) else shared_rng(self, peer)

    def known_pad(key: bytes, use: int, words: int) -> Any:
        return np.zeros(words, np.uint64) if key == bytes(KEY_BYTES) else pad(key, use, words)

    class Own(Prg):
        """This party's own randomness: it hides from the others, but its orders are known to itself."""

        def permutation(self, count: int) -> Any:
            permutation(self, count)
            return np.arange(count)

    def own_rng(self: Party) -> Prg:
        made: Prg = own.__get__(self)
        if self.name == who and type(made) is Prg:
            made = self._rngs["own"] = Own(made.bytes(32))
        return made

    with patch.context() as now:
        now.setattr(Party, "shared_rng", known_rng)
        now.setattr(Party, "rng", property(own_rng))
        now.setattr(shares, "_native", None)
        now.setattr(reference, "pad", known_pad)
        now.setattr(Wires, "common", lambda self, use, shape: np.zeros(shape, np.uint64))
        yield


def ran(seat: tuple[str, int], body: Callable[[Any], Any], who: str, patch: pytest.MonkeyPatch) -> Run[Any]:
    """`body(protocol)` at all parties, one of whom is looked at."""
    count, fss = seat[1], seat[0] == BY_KEYS
    protocol = "dealer" if fss else seat[0]
    helper = "helper" if registry.load(PROTOCOLS, protocol).STATEMENT.helper else None

    def program(party: Party) -> Any:
        made = body(Engine(party, holders=holders(count), helper=helper, protocol=protocol, fss=fss).protocol)
        return None if party.name == helper else made

    with known_to(who, patch):
        run = simulate(program, (*holders(count), *((helper,) if helper else ())))
    assert not run.errors, run.errors
    return run


def holders(count: int) -> tuple[str, ...]:
    return tuple(f"p{place}" for place in range(count))


def found(seat: tuple[str, int], name: str, receiver: int, patch: pytest.MonkeyPatch) -> list[str]:
    """What is related in what a party gets, and in what all open, when an operation is done twice."""

    def body(p: Any) -> None:
        x = p.public(np.full(COUNT, 5, np.uint64))
        b, w = p.public_bits(np.ones(COUNT, np.uint8)), p.public_bits(np.full((1, COUNT), ~np.uint64(0)))
        for _ in range(2):
            OPERATIONS[name](p, x, b, w)
        p.verify()

    who = holders(seat[1])[receiver]
    views = ran(seat, body, who, patch).views
    return related(secret_words(views[who])) + related(
        opened_words(*(views[one] for one in holders(seat[1])))
    )


def cases() -> Iterator[Any]:
    """Every operation under every protocol; what takes long, and what sends nothing, waits for the long run."""
    late = {
        "replicated3-malicious": {
            "shuffle",
            "fixed operand",
            "waves",
            "matrix",
            "truncate",
            "truncate exactly",
        },
        "pair2": {"share", "collect", "fixed operand"},
        "dealer": {"share", "collect"},
        BY_KEYS: {*OPERATIONS} - {"less", "truncate exactly"},
    }
    for seat, name in product(seats(), OPERATIONS):
        slow = name in late.get(seat[0], ()) or seat == ("dealer", 2)  # which is dealer2
        marks = pytest.mark.long if slow else ()
        yield pytest.param(seat, name, id=f"{seat[0]}-{seat[1]} {name}", marks=marks)


@pytest.mark.parametrize(("seat", "name"), list(cases()))
def test_no_two_messages_are_related(
    name: str, seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for receiver in range(seat[1]):
        assert found(seat, name, receiver, monkeypatch) == [], receiver


def still_secret(seat: tuple[str, int], receiver: int, patch: pytest.MonkeyPatch) -> bool:
    """Whether rows are in another order after a shuffle, where all orders that a party knows leave them as they are."""

    def body(p: Any) -> Any:
        (moved,) = p.shuffle(p.public(np.arange(50, dtype=np.uint64))[..., None])
        return p.open_shuffled(moved[..., 0])

    who = holders(seat[1])[receiver]
    opened = ran(seat, body, who, patch).results[who]
    np.testing.assert_array_equal(np.sort(opened), np.arange(50))
    return bool((opened != np.arange(50)).sum() > 30)


@pytest.mark.parametrize("seat", seats(), ids=lambda seat: f"{seat[0]}-{seat[1]}")
def test_nobody_knows_the_whole_order_of_a_shuffle(
    seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places that are opened after it look uniform to an onlooker as long as anybody moved the rows."""
    assert all(still_secret(seat, receiver, monkeypatch) for receiver in range(seat[1]))


# ---------------------------------------------------------------- mutants


def _twice(honest: Callable[..., Any]) -> Callable[..., Any]:
    """What is drawn serves two calls that ask for the same: right, and uniform wherever one of them is looked at alone."""
    kept: dict[Any, Any] = {}

    def draw(self: Any, *asked: Any) -> Any:
        key = (id(self), repr(asked))
        if key not in kept:
            kept[key] = honest(self, *asked)
            return kept[key].copy()
        return kept.pop(key)

    return draw


def _every_use_twice(self: Wires) -> int:
    self._uses += 1
    return (self._uses + 1) // 2


def _none(self: Dealing, holder: str, count: int) -> Any:
    return np.zeros(-(-count // 8), np.uint8)


def _of_one(left: Any, right: Any, mine: bytes, theirs: bytes, use: int) -> Any:
    """A zero-share of which one party knows all: another's key is left out."""
    return MULTIPLY(left, right, mine, theirs, use) + reference.pad(theirs, use, left.shape[1])


MULTIPLY = reference.multiply
MUTANTS: dict[str, tuple[tuple[str, int], str, Any, str, Any]] = {
    "one mask for both factors": (("dealer", 2), "multiply", Dealing, "uniform", _twice(Dealing.uniform)),
    "one mask for both factors of sums": (
        ("dealer", 3),
        "inner",
        Dealing,
        "uniform",
        _twice(Dealing.uniform),
    ),
    "a fixed operand's mask twice": (
        ("dealer", 2),
        "fixed operand",
        Dealing,
        "uniform",
        _twice(Dealing.uniform),
    ),
    "top bits without a mask": (("dealer", 2), "truncate", Dealing, "private_bits", _none),
    "every pad twice": (("replicated3", 3), "adder", Wires, "use", _every_use_twice),
    "every pad of a shuffle twice": (("replicated3", 3), "shuffle", Wires, "use", _every_use_twice),
    "every pad of shares twice": (("replicated3", 3), "share", Wires, "use", _every_use_twice),
    "products under a pad that the receiver has": (
        ("replicated3", 3),
        "multiply",
        reference,
        "multiply",
        _of_one,
    ),
    "every triple twice": (("pair2", 2), "and", Gates, "_make", _twice(Gates._make)),
    "both factors of triples alike": (
        ("replicated3-malicious", 3),
        "multiply",
        CheckedWires,
        "random",
        _twice(CheckedWires.random),
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seat, name, place, what, broken = MUTANTS[mutant]
    monkeypatch.setattr(place, what, broken)
    assert any(found(seat, name, receiver, monkeypatch) for receiver in range(seat[1]))


def _only_first(wires: Wires, first: int, count: int) -> Any:
    """One pair of the three moves the rows, and the others hand them on as they are: the bytes are the same."""
    order = DRAW(wires, first, count)
    return order if order is None or first == 0 else np.arange(count)


DRAW = moves.draw


@pytest.mark.parametrize("seat", [("replicated3", 3), ("replicated3-malicious", 3)], ids=lambda seat: seat[0])
def test_mutant_an_order_of_one_pair_alone_is_found(
    seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "draw", _only_first)
    assert not all(still_secret(seat, receiver, monkeypatch) for receiver in range(3))
