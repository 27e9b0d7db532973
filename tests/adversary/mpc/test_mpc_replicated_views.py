"""What each of three parties sees under replicated sharing, and mutants that these tests must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import DeniedError, UnseenError
from unseen.kernels.reference import shares as reference
from unseen.link.memory import Parcel
from unseen.mpc import Engine
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.protocols.replicated3 import sharing
from unseen.mpc.protocols.replicated3.sharing import Replicated3
from unseen.mpc.protocols.replicated3.wires import Piece, Wires
from unseen.party import Disclosure, DisclosurePolicy, Door, Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import lowest_bytes, objections, secret_arrays

PARTIES = ("a", "b", "c")
TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL)
ROWS = 5000


def program(party: Party) -> Any:
    """Every operation, on values that are far from uniform."""
    engine = Engine(party, holders=PARTIES, protocol="replicated3")
    me = party.name
    x = engine.share(np.ones((ROWS, 3)) if me == "a" else None, owner="a", shape=(ROWS, 3))
    w = engine.share(np.zeros(3) if me == "b" else None, owner="b", shape=(3,))
    y = engine.share(np.full(ROWS, 2.0) if me == "c" else None, owner="c", shape=(ROWS,))
    z = x @ w + x[:, 0] * y
    p = sigmoid(z)
    np.exp(z)
    q = engine.truncate(np.where(p < y, p, y) * 2, 12, exact=True)
    s = engine.number(engine.protocol.shuffle(q.share[..., None])[0][..., 0], 12)
    return engine.reveal("result", (x.T @ s) + engine.multiply(x, 0.5).sum(), to=("a",))


def go(**options: Any) -> Run[Any]:
    return simulate(program, PARTIES, disclosures=[TOLD], **options)


def found(run: Run[Any]) -> list[str]:
    """Everything that does not look like noise, in what each party received."""
    return [
        text
        for name in PARTIES
        for text in objections(secret_arrays(run.views[name]) + lowest_bytes(run.views[name]))
    ]


def test_views_are_uniform_and_the_result_is_right() -> None:
    run = go()
    assert not run.errors
    assert found(run) == []
    half = (1 / (1 + np.exp(-2.0))) * 2
    np.testing.assert_allclose(run.results["a"], np.full(3, ROWS * half + ROWS * 1.5), rtol=1e-3)


def test_only_the_receiver_gets_parts_of_the_result() -> None:
    run = go()
    assert {s.receiver for v in run.views.values() for s in v if type(s.message).__name__ == "Part"} == {"a"}


def test_two_runs_share_no_bytes() -> None:
    runs = [
        {s.message.values.tobytes() for v in go().views.values() for s in v if isinstance(s.message, Piece)}
        for _ in range(2)
    ]
    assert not runs[0] & runs[1]


def test_views_of_different_inputs_have_the_same_shape() -> None:
    """Same lengths in the same order whatever the data: only sizes and operations are told."""

    def shapes(fill: float) -> dict[str, list[Any]]:
        def body(party: Party) -> Any:
            engine = Engine(party, holders=PARTIES, protocol="replicated3")
            x = engine.share(np.full(50, fill) if party.name == "a" else None, owner="a", shape=(50,))
            return engine.reveal("result", sigmoid(x * x), to=("a",))

        run = simulate(body, PARTIES, disclosures=[TOLD])
        return {
            name: [
                (s.sender, s.message.values.shape) for s in run.views[name] if isinstance(s.message, Piece)
            ]
            for name in PARTIES
        }

    assert shapes(0.0) == shapes(-3.0)


# ---------------------------------------------------------------- mutants


def _bare(left: Any, right: Any, *_: Any) -> Any:
    """A product without a zero-share: what CrypTen's replicated multiplication sends."""
    zero = bytes(16)
    return reference.multiply(left, right, zero, zero, 1)


def _bare_bits(left: Any, right: Any, *_: Any) -> Any:
    zero = bytes(16)
    return reference.conjoin(left, right, zero, zero, 1)


def _no_pad(self: Wires, key: int, use: int, shape: Any, dtype: Any = np.uint64) -> Any:
    return np.zeros(shape, dtype)


def _small_pad(self: Wires, key: int, use: int, shape: Any, dtype: Any = np.uint64) -> Any:
    return PAD(self, key, use, shape, dtype) & dtype((1 << 26) - 1)


def _same_use(self: Wires) -> int:
    return 1


PAD = Wires.pad
MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "products without zero-shares": (sharing.kernels, "multiply", _bare),
    "ANDs without zero-shares": (sharing.kernels, "conjoin", _bare_bits),
    "matrix products without zero-shares": (
        Replicated3,
        "_zero",
        lambda self, shape: np.zeros(shape, np.uint64),
    ),
    "pads are zero": (Wires, "pad", _no_pad),
    "pads of 26 bits": (Wires, "pad", _small_pad),
    "the same pad every time": (Wires, "use", _same_use),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, method, mutant = MUTANTS[name]
    monkeypatch.setattr(place, method, mutant)
    assert found(go())


def test_mutant_inputs_in_clear_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def share(self: Replicated3, values: Any, owner: str, shape: Any, take: Any) -> Any:
        giver = self.holders.index(owner)
        self.wires.use()
        if self.place == giver:
            self.wires.send(giver - 1, values)
            return np.stack([values, np.zeros(shape, np.uint64)])
        nothing = np.zeros(shape, np.uint64)
        if self.place == (giver + 1) % 3:
            return np.stack([nothing, nothing])
        return np.stack([nothing, self.wires.recv(giver, shape)])

    monkeypatch.setattr(Replicated3, "_share", share)
    assert found(go())


# ---------------------------------------------------------------- the attack of two multiplications


def _squares(party: Party) -> Any:
    engine = Engine(party, holders=PARTIES, protocol="replicated3", bits=0)
    values = np.arange(1, 2001) * 37
    x = engine.share(values if party.name == "b" else None, owner="b", shape=(2000,), bits=0)
    w = engine.protocol.multiply(x.share, x.share)
    engine.protocol.multiply(x.share, w)
    return x.share


def attack(run: Run[Any]) -> int:
    """How many of b's numbers a recovers from its own shares and the first product's message.

    Without a zero-share, what b sends of x x is x1^2 + 2 x1 x2, and a knows x1: where x1 is odd, it can be solved.
    """
    x0, x1 = run.results["a"]
    pieces = [s.message.values for s in run.views["a"] if s.sender == "b" and isinstance(s.message, Piece)]
    first = next(piece for piece in pieces if piece.shape == (2000,) and not np.array_equal(piece, x1))
    inverse = np.ones_like(x1)
    for _ in range(6):  # Newton's method for the inverse of an odd number mod 2^64
        inverse = inverse * (np.uint64(2) - x1 * inverse)
    x2 = ((first - x1 * x1) >> np.uint64(1)) * inverse
    guess = (x0 + x1 + x2) & np.uint64((1 << 62) - 1)
    return int(((guess == np.arange(1, 2001, dtype=np.uint64) * np.uint64(37)) & (x1 % 2 == 1)).sum())


def test_the_attack_of_two_multiplications_fails() -> None:
    assert attack(simulate(_squares, PARTIES)) == 0


def test_the_attack_works_where_zero_shares_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing.kernels, "multiply", _bare)
    assert attack(simulate(_squares, PARTIES)) > 800


# ---------------------------------------------------------------- gate, flips, restarts


def test_one_party_that_does_not_agree_is_enough() -> None:
    denies = DisclosurePolicy("test-contract", "test-task", ())
    run = go(policies={"c": denies})
    assert isinstance(run.errors["c"], DeniedError)
    assert "a" not in run.results


@pytest.mark.parametrize("nth", [3, 20, 45, 70])
def test_a_flipped_bit_never_hangs(nth: int) -> None:
    """This protocol is for semi-honest parties: a flipped bit may change the result, but ends in order."""
    seen = {"count": 0}

    def wire(parcel: Parcel) -> bytes | None:
        seen["count"] += 1
        if seen["count"] != nth:
            return parcel.payload
        data = bytearray(parcel.payload)
        data[len(data) // 2] ^= 1
        return bytes(data)

    run = go(wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in run.errors.values())


def test_a_second_attempt_has_other_pads() -> None:
    """After a crash the attempt's number is another: no pad is used twice."""
    first, second = (
        {s.message.values.tobytes() for s in go(attempt=number).views["a"] if isinstance(s.message, Piece)}
        for number in (1, 2)
    )
    assert not first & second
