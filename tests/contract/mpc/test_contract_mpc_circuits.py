"""Boolean circuits give the same under every protocol as in clear."""

from __future__ import annotations

import numpy as np
import pytest
from protocol_run import each_of, result, seat, seats

from unseen.core.errors import UsageError
from unseen.mpc import SecretArray, apply
from unseen.mpc.circuits import Circuit, choose, trace
from unseen.mpc.circuits.aes import aes128
from unseen.mpc.functions import circuits, garbling
from unseen.mpc.garbled import plan

TWO = [item for item in seats() if item[1] == 2]
RNG = np.random.default_rng(5)
X, Y = RNG.integers(-(1 << 31), 1 << 31, (3, 50)), RNG.integers(-(1 << 31), 1 << 31, (3, 50))
FLAG = RNG.random(50) < 0.5

CIRCUITS = {
    "sum": trace(lambda x, y: x + y, 64, 64, shallow=True),
    "larger": trace(lambda x, y: choose(x.less(y), y, x), 64, 64, shallow=True),
    "parity": trace(lambda x, y: x[0] ^ y[0] ^ x[1], 64, 64),
    "low product": trace(lambda x, y: x * y, 12, 12),
}


@seat
@pytest.mark.parametrize("name", CIRCUITS)
def test_same_as_in_clear(name: str, seat: tuple[str, int]) -> None:
    circuit = CIRCUITS[name]
    got = result(seat, lambda x, y: apply(circuit, x, y), X, Y, dtype=int)
    np.testing.assert_array_equal(got, apply(circuit, X, Y))
    if name == "larger":
        np.testing.assert_array_equal(got, np.maximum(X, Y))


@seat
def test_booleans_public_arrays_and_several_outputs(seat: tuple[str, int]) -> None:
    circuit = trace(lambda c, x, y: (choose(c, x, y), c & x[7], ~(x ^ x)), 1, 8, 8)
    public = np.arange(50)
    expected = apply(circuit, FLAG, public, 3, bits=True)

    def body(flag: SecretArray) -> SecretArray:
        chosen, top, ones = apply(circuit, flag, public, 3, bits=True)
        assert (chosen.shape, top.shape, ones.shape) == ((50, 8), (50,), (50, 8))
        return np.concatenate([chosen, top.reshape(50, 1), ones], axis=1)

    got = result(seat, body, FLAG, dtype=bool)
    np.testing.assert_array_equal(
        got, np.concatenate([expected[0], expected[1][:, None], expected[2]], axis=1)
    )


@seat
def test_random_circuits(seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, in pieces of a few words, and garbled where there are two holders."""
    garbles = seat in TWO
    for seed in range(3):
        rng = np.random.default_rng(seed)
        kinds, limit = rng.integers(0, 3, 90), 20 + np.arange(90)
        left, right, ends = rng.integers(0, limit), rng.integers(0, limit), rng.integers(0, 110, 15)
        circuit = Circuit([10, 10], [1, 14], kinds=kinds, left=left, right=right, results=ends)
        one, many = apply(circuit, X, Y)
        monkeypatch.setattr(circuits, "_BYTES_AT_ONCE", 1 << (26 if seed else 10))

        def body(x: SecretArray, y: SecretArray, circuit: Circuit = circuit) -> SecretArray:
            ways = [
                apply(circuit, x, y, garbled=garbled) for garbled in ((False, True) if garbles else (False,))
            ]
            return np.stack([item for way in ways for item in (way[0].engine.as_number(way[0]), way[1])])

        got = result(seat, body, X, Y, dtype=int)
        np.testing.assert_array_equal(got, np.stack([one, many] * (1 + garbles)))


@seat
def test_aes_on_secret_bits(seat: tuple[str, int]) -> None:
    """FIPS 197, appendix C.1: nobody knows the key nor the block."""
    key, block, expected = (
        np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8), bitorder="little").astype(bool)
        for text in (
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        )
    )
    got = result(seat, lambda k, b: apply(aes128(), k, b), key, np.stack([block] * 2), dtype=bool)
    np.testing.assert_array_equal(got, np.stack([expected] * 2))


# ---------------------------------------------------------------------- garbled, wherever there are two holders

two = each_of(TWO)


@two
@pytest.mark.parametrize("name", CIRCUITS)
def test_garbled_is_the_same(name: str, seat: tuple[str, int]) -> None:
    circuit = CIRCUITS[name]
    got = result(seat, lambda x, y: apply(circuit, x, y, garbled=True), X, Y, dtype=int)
    np.testing.assert_array_equal(got, apply(circuit, X, Y))


@two
def test_garbled_with_public_arrays_and_booleans(seat: tuple[str, int]) -> None:
    circuit = trace(lambda c, x, y: (choose(c, x, y), c & x[7], x + y), 1, 8, 8)
    public = np.arange(50)
    expected = apply(circuit, FLAG, public, 3)

    def body(flag: SecretArray) -> SecretArray:
        chosen, top, total = apply(circuit, flag, public, 3, garbled=True)
        return np.stack([chosen, flag.engine.as_number(top), total])

    np.testing.assert_array_equal(result(seat, body, FLAG, dtype=bool), np.stack(expected))


@two
def test_garbled_and_shared_by_turns(seat: tuple[str, int]) -> None:
    """Results of one way are inputs of the other, as Booleans and as integers."""
    low = trace(lambda x: x & 255, 16)
    square = trace(lambda x: x * x, 16)
    x = np.arange(300, 340)

    def body(a: SecretArray) -> SecretArray:
        once = apply(low, a, garbled=True)
        twice = apply(square, once + 1)
        bits = apply(square, twice, bits=True, garbled=True)
        return apply(square, apply(low, bits, garbled=True))

    expected = apply(square, apply(low, apply(square, apply(square, apply(low, x) + 1))))
    np.testing.assert_array_equal(result(seat, body, x, dtype=int), expected)


@two
def test_garbled_pieces(seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Elements, groups and gates in many pieces."""
    monkeypatch.setattr(garbling, "_BITS_AT_ONCE", 10_000)
    monkeypatch.setattr(circuits, "_BITS_AT_ONCE", 1_000)
    monkeypatch.setattr(plan, "_TABLES_AT_ONCE", 1 << 14)
    monkeypatch.setattr(plan, "_LABELS_AT_ONCE", 1 << 16)
    got = result(seat, lambda x, y: apply(CIRCUITS["low product"], x, y, garbled=True), X, Y, dtype=int)
    np.testing.assert_array_equal(got, X * Y & 4095)


@each_of([item for item in seats() if item[1] != 2])
def test_garbling_is_for_two_holders(seat: tuple[str, int]) -> None:
    with pytest.raises(UsageError, match="between two holders"):
        result(seat, lambda x, y: apply(CIRCUITS["sum"], x, y, garbled=True), X, Y, dtype=int)
