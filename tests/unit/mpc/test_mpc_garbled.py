"""Garbled circuits give what the circuits give in clear, whoever brings the inputs and takes the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from test_mpc_circuits import random_circuit

from unseen.core.errors import LocalProtocolError, RemoteProtocolError
from unseen.kernels.garble import MOST_LANES
from unseen.link.memory import Parcel
from unseen.mpc import garbled
from unseen.mpc.circuits import Circuit, Gate, trace
from unseen.mpc.circuits.aes import aes128
from unseen.mpc.circuits.sha256 import sha256_compression
from unseen.mpc.garbled import plan, sides
from unseen.ot import softspoken
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run, simulate

ADD = trace(lambda x, y: (x + y, x.less(y)), 16, 16)


def bits(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape, np.uint8)


def share(party: Party, owner: str, plain: np.ndarray) -> np.ndarray | None:
    if owner == "both":
        mask = bits(77, *plain.shape)
        return mask if party.name == "a" else mask ^ plain
    return plain if (owner == "garbler") == (party.name == "a") else None


def garble(
    circuit: Circuit,
    plain: Sequence[np.ndarray],
    owners: Sequence[Any],
    *,
    to: tuple[str, ...] = ("a", "b"),
    **options: Any,
) -> Run[Any]:
    """Party a garbles, party b evaluates."""
    told = Disclosure("outputs", "the outputs of a test", to, Door.REVEAL)

    def program(party: Party) -> Any:
        side = garbled.open_side(party, "a", "b", **options)
        mine = [share(party, owner, values) for owner, values in zip(owners, plain, strict=True)]
        made = side.run(circuit, mine, owners=owners, count=len(plain[0]))
        return garbled.reveal(party, "outputs", made, givers=("a", "b"), to=to)

    return run(program, ("a", "b"), disclosures=[told])


def clear(circuit: Circuit, plain: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(circuit.evaluate(*plain), axis=1)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 33, 200])
@pytest.mark.parametrize(
    "owners", [("garbler", "evaluator"), ("evaluator", "garbler"), ("both", "both"), ("garbler", "garbler")]
)
def test_whoever_brings_the_inputs(count: int, owners: tuple[str, str]) -> None:
    plain = [bits(count, count, 16), bits(count + 1, count, 16)]
    outcome = garble(ADD, plain, owners)
    for name in ("a", "b"):
        np.testing.assert_array_equal(outcome.results[name], clear(ADD, plain))


@pytest.mark.parametrize("to", [("a",), ("b",)])
def test_outputs_for_one(to: tuple[str]) -> None:
    plain = [bits(1, 30, 16), bits(2, 30, 16)]
    outcome = garble(ADD, plain, ("garbler", "evaluator"), to=to)
    (other,) = {"a", "b"} - set(to)
    np.testing.assert_array_equal(outcome.results[to[0]], clear(ADD, plain))
    assert outcome.results[other] is None


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in small pieces."""
    if seed % 2:
        monkeypatch.setattr(plan, "_TABLES_AT_ONCE", 1 << 12)
        monkeypatch.setattr(plan, "_LABELS_AT_ONCE", 1 << 15)
    circuit, count = random_circuit(seed, 200), 5 + 11 * seed
    plain = [bits(seed, count, 4), bits(seed + 50, count, 5)]
    outcome = garble(
        circuit, plain, [("garbler", "evaluator"), ("both", "garbler"), ("evaluator", "both")][seed % 3]
    )
    np.testing.assert_array_equal(outcome.results["b"], clear(circuit, plain))


def test_aes_of_the_standard() -> None:
    """FIPS 197, appendix C.1: one has the key, the other the block and gets the cipher text."""
    texts = ("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff")
    plain = [
        np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8), bitorder="little")[None] for text in texts
    ]
    outcome = garble(aes128(), plain, ("garbler", "evaluator"), to=("b",))
    cipher = np.packbits(outcome.results["b"], bitorder="little").tobytes()
    assert cipher.hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


@pytest.mark.long
def test_sha256_of_two_blocks_at_once() -> None:
    plain = [bits(1, 2, 512), bits(2, 2, 256)]
    outcome = garble(sha256_compression(), plain, ("evaluator", "both"))
    np.testing.assert_array_equal(outcome.results["a"], clear(sha256_compression(), plain))


@pytest.mark.long
def test_transfers_from_lpn() -> None:
    plain = [bits(1, 40, 16), bits(2, 40, 16)]
    outcome = garble(ADD, plain, ("both", "evaluator"), assumption="lpn")
    np.testing.assert_array_equal(outcome.results["a"], clear(ADD, plain))


def test_bytes_and_rounds() -> None:
    """32 bytes an AND; 32 bits for each of the evaluator's (in blocks of 128); nothing for the garbler's."""
    count = 64

    def sent(owners: tuple[Any, Any]) -> int:
        outcome = garble(ADD, [bits(1, count, 16), bits(2, count, 16)], owners, to=("b",))
        set_up = garble(ADD, [bits(1, 0, 16), bits(2, 0, 16)], owners, to=("b",))
        assert outcome.rounds("b") <= set_up.rounds("b") + 1
        return outcome.bytes_sent - set_up.bytes_sent - 17 * count // 8

    tables = 32 * count * ADD.ands
    assert tables <= sent(("garbler", "garbler")) < tables + 300
    assert sent(("garbler", "evaluator")) - sent(("garbler", "garbler")) == pytest.approx(
        4 * 16 * count, abs=300
    )
    assert sent(("both", "both")) == sent(("evaluator", "evaluator"))


# ---------------------------------------------------------------------- pieces


@pytest.mark.parametrize("count", [0, 1, 16, 17, 1000])
@pytest.mark.parametrize("most", [1 << 10, 1 << 14, 1 << 22])
def test_pieces_cover_everything_and_are_small(
    count: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "_TABLES_AT_ONCE", most)
    circuit = aes128()
    made = plan.Plan.of(circuit, count)
    assert made.lanes <= MOST_LANES
    assert count <= made.lanes * made.groups < count + max(made.groups, 1) + MOST_LANES
    assert [group for piece in made.pieces() for group in piece] == list(range(made.groups))
    kinds = circuit.program.kinds
    assert np.concatenate([kinds[gates] for gates, _ in made.stretches]).tolist() == kinds.tolist()
    for gates, ands in made.stretches:
        assert int((kinds[gates] == Gate.AND).sum()) == ands
        groups = max((len(piece) for piece in made.pieces()), default=0)
        assert groups * ands * made.lanes * 32 <= max(most, 32 * made.lanes)


# ---------------------------------------------------------------------- mistakes


def both(program: Any, **options: Any) -> Run[Any]:
    return simulate(program, ("a", "b"), **options)


@pytest.mark.parametrize(
    ("inputs", "owners", "count"),
    [
        ([None, None], ("garbler", "evaluator"), 3),
        ([bits(1, 3, 16)], ("garbler",), 3),
        ([bits(1, 3, 16), bits(1, 3, 16)], ("garbler", "evaluator"), 3),
        ([bits(1, 4, 16), None], ("garbler", "evaluator"), 3),
        ([bits(1, 3, 15), None], ("garbler", "evaluator"), 3),
        ([bits(1, 3, 16) * 2, None], ("garbler", "evaluator"), 3),
    ],
)
def test_inputs_that_do_not_fit(inputs: list[Any], owners: tuple[Any, ...], count: int) -> None:
    def program(party: Party) -> None:
        side = garbled.open_side(party, "a", "b")
        if party.name == "a":
            side.run(ADD, inputs, owners=owners, count=count)

    assert isinstance(both(program).errors["a"], LocalProtocolError)


def test_a_third_party_has_no_side() -> None:
    def program(party: Party) -> None:
        if party.name == "c":
            garbled.open_side(party, "a", "b")

    assert isinstance(simulate(program, ("a", "b", "c")).errors["c"], LocalProtocolError)


def test_delta_must_end_in_a_one() -> None:
    """Else both labels of a wire would have the same lowest bit."""

    def program(party: Party) -> None:
        if party.name == "a":
            even = np.arange(16, dtype=np.uint8)
            source = softspoken.Sender(party, "b", security="semi-honest", delta=even)
            sides.Garbler(party, "b", source=source).run(
                ADD, [bits(1, 3, 16), None], owners=("garbler", "evaluator"), count=3
            )
        else:
            sides.Evaluator(party, "a").run(
                ADD, [None, bits(1, 3, 16)], owners=("garbler", "evaluator"), count=3
            )

    assert "lowest bit" in str(both(program).errors["a"])


def test_tables_of_another_shape_are_refused() -> None:
    other = trace(lambda x, y: x + y + x, 16, 16)

    def program(party: Party) -> None:
        side = garbled.open_side(party, "a", "b")
        mine = [share(party, owner, bits(1, 3, 16)) for owner in ("garbler", "evaluator")]
        side.run(ADD if party.name == "b" else other, mine, owners=("garbler", "evaluator"), count=3)

    error = both(program).errors["b"]
    assert isinstance(error, RemoteProtocolError)
    assert "a sent" in str(error)


def test_a_message_that_is_none_ends_in_order() -> None:
    def wire(parcel: Parcel) -> bytes | None:
        return parcel.payload[:-1] if len(parcel.payload) > 10_000 else parcel.payload

    def program(party: Party) -> None:
        side = garbled.open_side(party, "a", "b")
        mine = [share(party, owner, bits(1, 30, 16)) for owner in ("garbler", "evaluator")]
        side.run(ADD, mine, owners=("garbler", "evaluator"), count=30)

    assert isinstance(both(program, wire=wire).errors["b"], RemoteProtocolError)
