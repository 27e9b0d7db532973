"""What each of two parties sees, and mutants that these tests must find.

Shares are uniform whatever is done to them, so that a message which is a bare share looks like noise. Operations are
therefore run on shares that are *constant*: whatever looks like noise then does so because of masks and pads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import DeniedError, LocalProtocolError, UnseenError
from unseen.kernels import transfers
from unseen.kernels.reference import transfers as reference
from unseen.link.memory import Parcel
from unseen.mpc import Engine
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.protocols import pair2
from unseen.mpc.protocols.pair2 import cross, sharing, wires
from unseen.mpc.protocols.pair2.gates import Gates
from unseen.mpc.protocols.pair2.wires import Masks, Offers, Wires
from unseen.ot import silent
from unseen.ot.correlation import ReceiverCorrelation, SenderCorrelation
from unseen.party import Disclosure, DisclosurePolicy, Door, Party
from unseen.testing.simulate import Run, Seen, simulate
from unseen.testing.views import lowest_bytes, objections, secret_arrays

PARTIES = ("a", "b")
TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL)
ROWS = 1200


def operations(party: Party) -> list[Any]:
    """Every operation of the protocol, twice over, on shares that are 5 at one party and 0 at the other."""
    protocol = Engine(party, holders=PARTIES, protocol="pair2").protocol
    x = protocol.public(np.full(ROWS, 5, np.uint64))
    bits = protocol.public_bits(np.ones(ROWS, np.uint8))
    planes = protocol.public_bits(np.full((3, ROWS // 8), ~np.uint64(0)))
    many = protocol.public(np.full(cross.LEAST, 5, np.uint64))
    masked = protocol.mask(x)
    out: list[Any] = []
    for _ in range(2):
        out += [
            protocol.multiply(x, x),
            protocol.multiply(many, many),
            protocol.matmul(many.reshape(1, -1, 64), many[:, :1024].reshape(1, 64, 16)),
            protocol.matmul(x.reshape(1, -1, 20), x[:, :400].reshape(1, 20, 20)),
            protocol.truncate(x, 20, exact=True),
            protocol.to_ring(bits),
            protocol.select(bits, x),
            *protocol.and_both(planes, (planes, planes)),
            *protocol.adder(x, 64),
            masked.less_than([0]),
            masked.harmonics(20, np.array([0.5, 0.25]), 44),
            *masked.powers(10)[:2],
            *protocol.shuffle(x[..., None]),
            *protocol.shuffle(np.repeat(x[..., None], 3, axis=2), np.repeat(bits[..., None], 9, axis=2)),
        ]
    return out


def few(party: Party) -> Any:
    """What silent transfers are used for: of random bits, of bits of one's own."""
    protocol = Engine(party, holders=PARTIES, protocol="pair2").protocol
    x = protocol.public(np.full(ROWS, 5, np.uint64))
    masked = protocol.mask(x)
    return [(masked.less_than([0]), protocol.truncate(x, 20)) for _ in range(2)]


def program(party: Party) -> Any:
    """What users write."""
    engine = Engine(party, holders=PARTIES, protocol="pair2")
    x = engine.share(np.ones((200, 3)) if party.name == "a" else None, owner="a", shape=(200, 3))
    w = engine.share(np.full(3, 2.0) if party.name == "b" else None, owner="b", shape=(3,))
    p = sigmoid(x @ w)
    return engine.reveal("result", np.where(p < w[0], p, w[1]) * 2, to=("a",))


def go(body: Callable[[Party], Any] = operations, **options: Any) -> Run[Any]:
    return simulate(body, PARTIES, disclosures=[TOLD], **options)


def opened(run: Run[Any]) -> list[tuple[str, np.ndarray]]:
    """What the two open to one another: the XOR of the values that cross."""
    halves = [[s.message.values for s in run.views[n] if isinstance(s.message, Masks)] for n in PARTIES]
    return [
        ("opened value", (left ^ right).reshape(-1).view(np.uint8))
        for left, right in zip(*halves, strict=True)
    ]


def found(run: Run[Any]) -> list[str]:
    """Everything that does not look like noise, in what each party received and in what they opened."""
    assert not run.errors
    views = [secret_arrays(run.views[name]) + lowest_bytes(run.views[name]) for name in PARTIES]
    return [text for arrays in (*views, opened(run)) for text in objections(arrays)]


def said(view: list[Seen]) -> set[bytes]:
    return {s.message.values.tobytes() for s in view if isinstance(s.message, Offers | Masks)}


def test_views_are_uniform() -> None:
    assert found(go()) == []


def test_views_are_uniform_with_silent_transfers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "FEW", 0)
    assert found(go(few)) == []


def test_the_result_is_right() -> None:
    run = go(program)
    assert found(run) == []
    np.testing.assert_allclose(run.results["a"], np.full(200, 2 / (1 + np.exp(-6.0))), atol=1e-3)


def test_only_the_receiver_gets_parts_of_the_result() -> None:
    run = go(program)
    assert {s.receiver for v in run.views.values() for s in v if type(s.message).__name__ == "Part"} == {"a"}


def test_two_runs_and_two_attempts_share_no_bytes() -> None:
    """No pad comes twice, after a crash neither: an attempt makes transfers of its own."""
    seen = [said(go(attempt=attempt).views["b"]) for attempt in (1, 1, 2)]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]


def test_views_of_different_inputs_have_the_same_shape() -> None:
    def shapes(fill: float) -> list[Any]:
        def body(party: Party) -> Any:
            engine = Engine(party, holders=PARTIES, protocol="pair2")
            x = engine.share(np.full(50, fill) if party.name == "a" else None, owner="a", shape=(50,))
            return engine.reveal("result", np.maximum(sigmoid(x * x), x), to=("a",))

        run = go(body)
        return [
            (s.sender, s.message.values.shape)
            for s in run.views["b"]
            if isinstance(s.message, Offers | Masks)
        ]

    assert shapes(0.0) == shapes(-3.0)


# ---------------------------------------------------------------- mutants


def _zero_triples(self: Gates, words: int) -> Any:
    """A triple of zeros is a valid one: what passed another engine's tests."""
    return np.zeros((5, words), np.uint64)


def _same_triples(self: Gates, words: int) -> Any:
    key = (self._wires.place, words)
    if key not in KEPT:
        KEPT[key] = MAKE(self, words)
    return KEPT[key]


def _choose_in_clear(self: Wires, count: int, choices: Any = None) -> ReceiverCorrelation:
    half = CHOOSE(self, count, choices)
    self.offer(np.packbits(half.choices))
    return half


def _answer_in_clear(self: Wires, count: int, *, random: bool = False) -> SenderCorrelation:
    half = ANSWER(self, count, random=random)
    self.take((-(-count // 8),))
    return half


def _one_row(self: Wires, count: int, *, random: bool = False) -> SenderCorrelation:
    """Every transfer is the first one over again."""
    half = ANSWER(self, count, random=random)
    return SenderCorrelation(half.delta, np.repeat(half.rows[:1], count, axis=0))


def _unhashed(rows: Any) -> Any:
    """Rows serve as pads themselves: the two of every transfer differ by Delta."""
    return np.ascontiguousarray(rows)


KEPT: dict[tuple[int, int], Any] = {}
MAKE, CHOOSE, ANSWER = Gates._make, Wires.choose, Wires.answer
Change = tuple[Any, str, Any]
MUTANTS: dict[str, list[Change]] = {
    "triples are zero": [(Gates, "_make", _zero_triples)],
    "the same triples every time": [(Gates, "_make", _same_triples)],
    "choices in clear": [(Wires, "choose", _choose_in_clear), (Wires, "answer", _answer_in_clear)],
    "one transfer over and over": [(Wires, "answer", _one_row)],
    "pads are not hashed": [(transfers, "_native", None), (reference, "hash_blocks", _unhashed)],
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    KEPT.clear()
    for place, what, mutant in MUTANTS[name]:
        monkeypatch.setattr(place, what, mutant)
    assert found(go())


def _same_rows(self: silent._Source, count: int) -> Any:
    """The stock does not shrink."""
    kept = self._round, self._stock, self._marks, self._trees, self._left
    out = TAKE(self, count)
    if self._round is kept[0]:
        _, self._stock, self._marks, self._trees, self._left = kept
    return out


def _given_choices(self: silent.Receiver, count: int, choices: Any = None) -> ReceiverCorrelation:
    """Random bits that are no longer random."""
    rows, bits = self._take(count)
    self._party.send(self._peer, silent.Choices(np.packbits(bits if choices is None else choices)))
    return ReceiverCorrelation(bits, rows)


TAKE = silent._Source._take
SILENT: dict[str, Change] = {
    "the same rows twice": (silent._Source, "_take", _same_rows),
    "choices in clear": (silent.Receiver, "correlated", _given_choices),
}


@pytest.mark.parametrize("name", SILENT)
def test_mutants_of_silent_transfers_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "FEW", 0)
    monkeypatch.setattr(*SILENT[name])
    assert found(go(few))


def test_a_triple_whose_lowest_bits_do_not_multiply_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine took triples with a wrong bit, which no view shows: results must."""

    def make(self: Gates, words: int) -> Any:
        triples = MAKE(self, words)
        if self._wires.place == 0:
            triples[3] ^= np.uint64(1)
        return triples

    monkeypatch.setattr(Gates, "_make", make)
    ones = {}

    def body(party: Party) -> None:
        protocol = Engine(party, holders=PARTIES, protocol="pair2").protocol
        plane = protocol.public_bits(np.full((1, 10), ~np.uint64(0)))
        ones[party.name] = protocol.and_both(plane, (plane,))[0]

    go(body)
    assert ((ones["a"] ^ ones["b"]) != ~np.uint64(0)).any()


# ---------------------------------------------------------------- gate, flips, seats


def test_one_party_that_does_not_agree_is_enough() -> None:
    run = go(program, policies={"b": DisclosurePolicy("test-contract", "test-task", ())})
    assert isinstance(run.errors["b"], DeniedError)
    assert "a" not in run.results


@pytest.mark.parametrize("nth", [2, 9, 30, 55])
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

    run = go(program, wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in run.errors.values())


def test_other_numbers_of_parties_are_refused() -> None:
    def seated(*holders: str, helper: str | None = None) -> Callable[[Party], Any]:
        return lambda party: pair2.open_protocol(party, holders=holders, helper=helper)

    for body in (seated("a"), seated("a", "a"), seated("a", "b", "c"), seated("a", "b", helper="c")):
        errors = go(body).errors
        assert errors
        assert all(isinstance(error, LocalProtocolError) for error in errors.values())


# ---------------------------------------------------------------- what a sort opens


def test_what_a_sort_opens_says_nothing_of_the_keys() -> None:
    """Sorted keys, or all keys equal: how much is opened, and how many comparisons hold, is distributed alike."""

    def told(keys: np.ndarray) -> tuple[int, int]:
        def body(party: Party) -> None:
            engine = Engine(party, holders=PARTIES, protocol="pair2")
            np.sort(engine.share(keys if party.name == "a" else None, owner="a", shape=keys.shape))

        run = go(body)
        halves = [
            [s.message.values for s in run.views[n] if isinstance(s.message, sharing.Told)] for n in PARTIES
        ]
        first = np.unpackbits(halves[0][0] ^ halves[1][0])
        return sum(part.size for part in halves[0]), int(first.sum())

    samples = [np.array([told(keys) for _ in range(20)]) for keys in (np.arange(40.0), np.zeros(40))]
    for one, other in zip(samples[0].T, samples[1].T, strict=True):
        spread = np.sqrt(one.var() / len(one) + other.var() / len(other))
        assert abs(one.mean() - other.mean()) < 5 * spread
