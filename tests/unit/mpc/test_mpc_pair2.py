"""What two parties make by encryption, by transfers and by silent ones: results are the same, bytes as declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.mpc import Engine
from unseen.mpc.protocols import pair2
from unseen.mpc.protocols.pair2 import carry, cross, gates, products, wires
from unseen.ot import lpn_params
from unseen.party import Party
from unseen.testing.simulate import run

HOLDERS = ("a", "b")
RNG = np.random.default_rng(5)


def shared(values: np.ndarray) -> dict[str, np.ndarray]:
    mask = RNG.integers(0, 1 << 64, values.shape, np.uint64)
    return {"a": mask[None], "b": (values - mask)[None]}


def both(body: Any, **options: Any) -> tuple[np.ndarray, int]:
    """The sum of what both get, and how many bytes both sent after the set-up."""
    sent = {}

    def program(party: Party) -> Any:
        protocol = Engine(party, holders=HOLDERS, protocol="pair2", **options).protocol
        before = sum(stats.bytes_sent for stats in party.stats().values())
        made = body(protocol, party.name)
        sent[party.name] = sum(stats.bytes_sent for stats in party.stats().values()) - before
        return made

    results = run(program, HOLDERS).results
    return results["a"] + results["b"], sum(sent.values())


@pytest.mark.parametrize("count", [1, 2047, 2048, 8193])
def test_products_on_both_sides_of_the_limit(count: int) -> None:
    x, y = RNG.integers(0, 1 << 64, (2, count), np.uint64)
    left, right = shared(x), shared(y)
    made, sent = both(lambda protocol, me: protocol.multiply(left[me], right[me]))
    np.testing.assert_array_equal(made[0], x * y)
    keys = 310_000 * (count >= cross.LEAST)
    declared = pair2.price("multiply", count, 2).size_bytes + keys
    assert abs(sent - declared) < 0.02 * declared + 2500  # heads of messages; transfers come 128 at a time


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (0, 3, 2), (2, 0, 3), (7, 3, 5), (3, 40, 1), (40, 30, 20), (2, 70, 90)]
)
def test_matrices_of_all_sides(shape: tuple[int, int, int]) -> None:
    rows, inner, columns = shape
    x, y = (
        RNG.integers(0, 1 << 64, (rows, inner), np.uint64),
        RNG.integers(0, 1 << 64, (inner, columns), np.uint64),
    )
    left, right = shared(x), shared(y)
    made, _ = both(lambda protocol, me: protocol.matmul(left[me], right[me]))
    np.testing.assert_array_equal(made[0], x @ y)


def test_which_matrices_are_encrypted() -> None:
    assert not cross.encrypts(7, 3, 5)
    assert not cross.encrypts(0, 3, 5)
    assert cross.encrypts(40, 30, 20)
    assert cross.encrypts(1000, 1000, 1000)


def test_a_shuffle_of_any_number_of_rows() -> None:
    for count in (0, 1, 2, 3, 64, 65):
        rows = np.arange(2 * count, dtype=np.uint64).reshape(count, 2)
        parts = shared(rows)
        made, _ = both(lambda protocol, me, parts=parts: protocol.shuffle(parts[me])[0])
        assert sorted(map(tuple, made[0].tolist())) == sorted(map(tuple, rows.tolist()))


def test_powers_of_two() -> None:
    x = RNG.uniform(8, 43.9, 500)
    values = np.rint(x * 2.0**25).astype(np.uint64)
    parts = shared(values)
    made, _ = both(lambda protocol, me: np.stack(protocol.mask(parts[me]).powers(25)[:2]))
    bits = 40
    whole, rest = made[0, 0].astype(float), made[1, 0].astype(float) / 2.0**bits
    np.testing.assert_allclose(whole * rest, np.exp2(values / 2.0**25), rtol=3e-6)
    assert ((rest >= 1) & (rest < 4)).all()


def test_choosing_by_bits_takes_two_transfers() -> None:
    x, bits, mask = RNG.integers(0, 1 << 64, 1024, np.uint64), *RNG.integers(0, 2, (2, 1024), np.uint8)
    parts, hidden = shared(x), {"a": mask[None], "b": (bits ^ mask)[None]}
    made, sent = both(lambda protocol, me: protocol.select(hidden[me], parts[me]))
    np.testing.assert_array_equal(made[0], x * bits)
    assert abs(sent - 24 * 1024) < 300  # heads of messages


SET_UP = 590_000  # of silent transfers: base transfers, what the first round is fed with, and a round ahead each way
COUNT = 1 << 13


def compared(**options: Any) -> int:
    """Bytes of that many comparisons, which must be right."""
    x = RNG.integers(-(1 << 62), 1 << 62, COUNT, np.int64)
    x[:3] = 0, -1, 1
    parts = shared(x.view(np.uint64))
    bits, sent = both(lambda protocol, me: protocol.mask(parts[me]).less_than([0])[0, 0], **options)
    np.testing.assert_array_equal(bits & 1, x < 0)
    return sent


def test_many_comparisons_are_silent_unless_lpn_is_not_assumed() -> None:
    declared = pair2.price("less", COUNT, 2).size_bytes
    few = COUNT // 8
    as_it_was = COUNT / few * pair2.price("less", few, 2).size_bytes
    assert declared < as_it_was / 5
    a_round = 2 * 136_000
    assert declared + SET_UP <= compared() + a_round <= declared + SET_UP + 2 * a_round
    assert abs(compared(assumption="symmetric") - as_it_was) < 0.02 * as_it_was


def test_the_bar_for_comparisons() -> None:
    """What CHEETAH sends for 2^20 of them, measured."""
    assert pair2.price("less", 1 << 20, 2).size_bytes + SET_UP < 91_300_000


def test_rounds_are_made_before_they_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parties choose first: with many small rounds a sender that is not ahead would leave them waiting for one another."""
    small = lpn_params.PrimalSet("small", 64, 9, 8, 16384, "for tests", "2026-11")
    monkeypatch.setattr(lpn_params, "primal", lambda name: small)
    monkeypatch.setattr(wires, "FEW", 0)
    monkeypatch.setattr(wires, "AHEAD", 1 << 13)
    monkeypatch.setattr(gates, "PIECE", 32)
    monkeypatch.setattr(gates, "TOGETHER", (1 << 13) // 64)
    monkeypatch.setattr(carry, "PIECE", 256)
    monkeypatch.setattr(products, "PIECE", 1 << 12)
    compared()


def test_a_protocol_without_transfers_has_no_assumption_to_choose() -> None:
    def body(party: Party) -> None:
        Engine(party, holders=HOLDERS, helper=None, protocol="plain", assumption="symmetric")

    with pytest.raises(UsageError, match="no assumption"):
        run(body, HOLDERS)
