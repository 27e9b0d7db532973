"""What the two ends of garbled circuits see and hold, and mutants that these tests must find."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import DeniedError, UnseenError
from unseen.kernels import garble as kernel
from unseen.link.memory import Parcel
from unseen.mpc import garbled
from unseen.mpc.circuits import trace
from unseen.mpc.garbled import plan, sides
from unseen.ot import softspoken, sources
from unseen.party import Disclosure, DisclosurePolicy, Door, Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

COUNT, RUNS = 150, 2
CIRCUIT = trace(lambda x, y, z: (x + y, x & z, y.less(z)), 12, 12, 12)
OWNERS: tuple[Any, ...] = ("garbler", "evaluator", "both")
TOLD = Disclosure("outputs", "the outputs of a test", ("b",), Door.REVEAL, times=9)


@dataclass
class Watched:
    """What the kernels were called with, and what the evaluator then held."""

    keys: list[tuple[bytes, int, int]] = field(default_factory=list)  # start, key number, lanes
    deltas: list[bytes] = field(default_factory=list)
    zeros: list[np.ndarray] = field(default_factory=list)  # the garbler's labels, before and after
    held: list[np.ndarray] = field(default_factory=list)  # the evaluator's


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen = Watched()
    real = kernel.garble

    def spy(gates: Any, labels: Any, delta: Any, **keys: Any) -> Any:
        ands = int((gates[0] == 1).sum())
        seen.keys += [
            (keys["start"].tobytes(), keys["number"] + group * keys["stride"] + at, labels.shape[2])
            for group in range(len(labels))
            for at in range(2 * ands)
        ]
        return real(gates, labels, delta, **keys)

    monkeypatch.setattr(kernel, "garble", spy)
    monkeypatch.setattr(sides, "kernel", spied(seen, kernel.garble, kernel.evaluate))
    monkeypatch.setattr(plan, "_LABELS_AT_ONCE", 1 << 15)  # several pieces
    return seen


def spied(seen: Watched, inner_garble: Any, inner_evaluate: Any) -> Any:
    """What the sides call, with a look at the labels before and after."""

    def garble(gates: Any, labels: Any, delta: Any, **keys: Any) -> Any:
        seen.deltas.append(delta.tobytes())
        seen.zeros.append(labels.copy())
        rows = inner_garble(gates, labels, delta, **keys)
        seen.zeros.append(labels.copy())
        return rows

    def evaluate(gates: Any, labels: Any, rows: Any, **keys: Any) -> None:
        seen.held.append(labels.copy())
        inner_evaluate(gates, labels, rows, **keys)
        seen.held.append(labels.copy())

    return SimpleNamespace(garble=garble, evaluate=evaluate, Gates=kernel.Gates)


def program(party: Party) -> Any:
    """Inputs that are far from random, twice the same; every output stays shared but the last, which b gets."""
    side = garbled.open_side(party, "a", "b")
    first = party.name == "a"
    zeros, ones = np.zeros((COUNT, 12), np.uint8), np.ones((COUNT, 12), np.uint8)
    inputs = [zeros if first else None, None if first else ones, zeros]
    for _ in range(RUNS):
        made = side.run(CIRCUIT, inputs, owners=OWNERS, count=COUNT)
    return made, garbled.reveal(party, "outputs", made[:, -1:], givers=("a", "b"), to=("b",))


def go(**options: Any) -> Run[Any]:
    return simulate(program, ("a", "b"), disclosures=[TOLD], **options)


def blocks(arrays: list[np.ndarray]) -> np.ndarray:
    """The 16-byte blocks of all of them."""
    return np.concatenate([array.reshape(-1)[: array.size // 16 * 16].reshape(-1, 16) for array in arrays])


def found(run: Run[Any], watched: Watched) -> list[str]:
    """Everything that must not be."""
    trouble = [f"{name} failed: {error}" for name, error in run.errors.items()]
    trouble += [line for name in ("a", "b") for line in objections(secret_arrays(run.views[name]))]
    inputs = [labels[:, : CIRCUIT.input_bits] for labels in watched.held[::2]]
    trouble += objections([("labels that the evaluator holds", array.reshape(-1)) for array in inputs])
    uses = Counter((start, number) for start, number, _ in watched.keys)
    if any(count > 1 for count in uses.values()) or any(lanes > 16 for _, _, lanes in watched.keys):
        trouble.append("a key of the hash is used twice")
    for delta in set(watched.deltas):
        known = blocks([data for _, data in secret_arrays(run.views["b"])] + watched.held)
        secret = np.frombuffer(delta, np.uint8)
        if not secret[0] & 1:
            trouble.append("Delta ends in a zero")
        knows = {block.tobytes() for block in known}
        if delta in knows or any((block ^ secret).tobytes() in knows for block in known):
            trouble.append("the evaluator holds both labels of a wire")
    return trouble


def test_views_are_uniform_and_nobody_holds_both_labels(watched: Watched) -> None:
    run = go()
    assert found(run, watched) == []
    plain = CIRCUIT.evaluate(
        np.zeros((COUNT, 12), np.uint8), np.ones((COUNT, 12), np.uint8), np.zeros((COUNT, 12), np.uint8)
    )
    made = run.results["a"][0] ^ run.results["b"][0]
    np.testing.assert_array_equal(made, np.concatenate(plain, axis=1))
    assert len(watched.deltas) > 2 * RUNS


def test_the_evaluator_holds_one_of_the_labels_of_every_wire(watched: Watched) -> None:
    go()
    (delta,) = {*watched.deltas}
    secret = np.frombuffer(delta, np.uint8)
    for zero, held in zip(watched.zeros, watched.held, strict=True):
        difference = (zero ^ held)[:, : CIRCUIT.input_bits]
        is_zero, is_one = (difference == 0).all(axis=-1), (difference == secret).all(axis=-1)
        assert (is_zero | is_one).all()


def test_delta_start_and_bytes_are_fresh(watched: Watched) -> None:
    runs = [go(), go()]
    assert len(set(watched.deltas)) == 2
    assert len({start for start, _, _ in watched.keys}) == 2 * RUNS
    first, other = (
        {row.tobytes() for row in blocks([data for _, data in secret_arrays(run.views["b"])])} for run in runs
    )
    assert not first & other


def test_only_what_is_declared_can_be_decoded() -> None:
    """Beside tables and transfers there is one part, of one bit an instance, and only b gets one."""
    run = go()
    kinds = {name: Counter(type(seen.message).__name__ for seen in view) for name, view in run.views.items()}
    assert set(kinds["b"]) == {"Offers", "Tables", "Part", "SignedHead", "Standing"} - (
        {"Offers"} - set(kinds["b"])
    )
    assert "Part" not in kinds["a"]
    (part,) = [seen.message for seen in run.views["b"] if type(seen.message).__name__ == "Part"]
    assert part.values.shape == (-(-COUNT // 64),)


def test_shares_of_outputs_are_uniform() -> None:
    for name in ("a", "b"):
        made = np.concatenate([go().results[name][0] for _ in range(4)])
        assert abs(made.mean() - 0.5) < 5 * 0.5 / np.sqrt(made.size)
        assert (np.abs(made.mean(axis=0) - 0.5) < 6 * 0.5 / np.sqrt(len(made))).all()


def test_lengths_do_not_depend_on_values() -> None:
    def sizes(bit: int) -> list[int]:
        def body(party: Party) -> None:
            side = garbled.open_side(party, "a", "b")
            mine = np.full((COUNT, 12), bit, np.uint8)
            first = party.name == "a"
            side.run(
                CIRCUIT, [mine if first else None, None if first else mine, mine], owners=OWNERS, count=COUNT
            )

        run = simulate(body, ("a", "b"))
        return [len(data) for name in ("a", "b") for _, data in secret_arrays(run.views[name])]

    assert sizes(0) == sizes(1)


def test_a_contract_without_the_reveal_stops_it() -> None:
    for policies in ({}, {"a": DisclosurePolicy("c", "t", ())}):
        run = simulate(program, ("a", "b"), disclosures=[TOLD] if policies else [], policies=policies)
        assert isinstance(run.errors["a"], DeniedError)
        assert "b" not in run.results
        assert not [seen for seen in run.views["b"] if type(seen.message).__name__ == "Part"]


@pytest.mark.parametrize("place", [0.3, 0.5, 0.8])
def test_a_changed_table_makes_a_wrong_result_and_is_not_noticed(place: float) -> None:
    """The protocol is for semi-honest parties: this is what it does not catch. It ends in order, and tells nothing."""

    def wire(parcel: Parcel) -> bytes:
        data = bytearray(parcel.payload)
        if b"mpc.garbled.tables" in data[:60]:
            middle = int(len(data) * place)  # of one row each second lane looks at it, so a few rows
            data[middle - 512 : middle + 512] = bytes(
                byte ^ 255 for byte in data[middle - 512 : middle + 512]
            )
        return bytes(data)

    honest, changed = go(), go(wire=wire)
    assert not changed.errors
    whole = [run.results["a"][0] ^ run.results["b"][0] for run in (honest, changed)]
    assert (whole[0] != whole[1]).any()


@pytest.mark.parametrize("nth", [4, 9, 14])
def test_a_flipped_bit_never_hangs(nth: int) -> None:
    seen = {"count": 0}

    def wire(parcel: Parcel) -> bytes:
        seen["count"] += 1
        data = bytearray(parcel.payload)
        if seen["count"] == nth:
            data[len(data) // 2] ^= 1
        return bytes(data)

    run = go(wire=wire, timeout_s=5)
    assert all(isinstance(error, UnseenError) for error in run.errors.values())


# ---------------------------------------------------------------------- mutants


def test_mutant_delta_ends_in_a_zero(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def even(party: Party, peer: str, **_options: Any) -> Any:
        delta = np.frombuffer(party.rng.bytes(16), np.uint8) & np.array([254] + [255] * 15, np.uint8)
        return softspoken.Sender(party, peer, security="semi-honest", delta=delta)

    monkeypatch.setattr(sources, "sender", even)
    assert any("lowest bit" in line for line in found(go(timeout_s=5), watched))


def test_mutant_constant_hash_key(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixed-key garbling: every AND under the key of the first."""

    def one_by_one(gates: Any) -> list[Any]:
        return [tuple(column[place : place + 1] for column in gates) for place in range(len(gates[0]))]

    def fixed_garble(gates: Any, labels: Any, delta: Any, *, start: Any, number: int, stride: int) -> Any:
        del number, stride
        rows = [
            kernel.garble(gate, labels, delta, start=start, number=0, stride=0) for gate in one_by_one(gates)
        ]
        return np.concatenate(rows, axis=1)

    def fixed_evaluate(gates: Any, labels: Any, rows: Any, *, start: Any, number: int, stride: int) -> None:
        del number, stride
        done = 0
        for gate in one_by_one(gates):
            some = np.ascontiguousarray(rows[:, done : done + int(gate[0][0] == 1)])
            kernel.evaluate(gate, labels, some, start=start, number=0, stride=0)
            done += some.shape[1]

    monkeypatch.setattr(sides, "kernel", spied(watched, fixed_garble, fixed_evaluate))
    run = go()
    trouble = found(run, watched)
    assert "a key of the hash is used twice" in trouble
    assert (
        "the evaluator holds both labels of a wire" in trouble
    )  # rows of ANDs with an operand in common differ by Delta
    assert run.results["b"][1].all()  # -1 < 0: the result is right, and nobody would have noticed


def test_mutant_start_used_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sides._drawn
    monkeypatch.setattr(
        sides,
        "_drawn",
        lambda party, peer, shape: np.full(16, 7, np.uint8) if shape == (16,) else real(party, peer, shape),
    )
    assert found(go(), watched) == ["a key of the hash is used twice"]


def test_mutant_key_numbers_begin_anew_in_every_piece(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def garble(*args: Any, **keys: Any) -> Any:
        return kernel.garble(*args, **{**keys, "number": 0})

    def evaluate(*args: Any, **keys: Any) -> None:
        kernel.evaluate(*args, **{**keys, "number": 0})

    monkeypatch.setattr(
        sides, "kernel", SimpleNamespace(garble=garble, evaluate=evaluate, Gates=kernel.Gates)
    )
    assert found(go(), watched) == ["a key of the hash is used twice"]


def test_mutant_both_labels_are_sent(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding by both labels of an output wire, as some would do it."""
    real_garbler, real_evaluator = sides.Garbler.run, sides.Evaluator.run

    def garbler(self: Any, *args: Any, **options: Any) -> Any:
        made = real_garbler(self, *args, **options)
        zero = watched.zeros[-1][:, CIRCUIT.program.results]
        self._party.send(
            self._peer, sides.Tables(np.stack([zero, zero ^ np.frombuffer(watched.deltas[-1], np.uint8)]))
        )
        return made

    def evaluator(self: Any, *args: Any, **options: Any) -> Any:
        made = real_evaluator(self, *args, **options)
        self._party.recv(self._peer, sides.Tables)
        return made

    monkeypatch.setattr(sides.Garbler, "run", garbler)
    monkeypatch.setattr(sides.Evaluator, "run", evaluator)
    assert "the evaluator holds both labels of a wire" in found(go(), watched)


def test_mutant_constant_labels_of_the_garblers_bits(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sides._drawn
    monkeypatch.setattr(
        sides,
        "_drawn",
        lambda party, peer, shape: (
            real(party, peer, shape) if shape == (16,) else np.full(shape, 9, np.uint8)
        ),
    )
    assert any("labels that the evaluator holds" in line for line in found(go(), watched))


def test_mutant_labels_that_do_not_move(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The garbler's label of zero is what both draw: the evaluator would have it whatever the bit, and results are wrong."""
    monkeypatch.setattr(sides, "_moved", lambda base, _bits, _delta: base)

    def ones(party: Party) -> Any:
        side = garbled.open_side(party, "a", "b")
        first = party.name == "a"
        mine = np.ones((COUNT, 12), np.uint8)
        return side.run(
            CIRCUIT,
            [mine if first else None, None if first else mine, mine * first],
            owners=OWNERS,
            count=COUNT,
        )

    run = simulate(ones, ("a", "b"))
    plain = CIRCUIT.evaluate(*[np.ones((COUNT, 12), np.uint8)] * 3)
    assert (run.results["a"] ^ run.results["b"] != np.concatenate(plain, axis=1)).any()
