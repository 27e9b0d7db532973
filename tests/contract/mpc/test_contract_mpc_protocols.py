"""Every protocol of the secret-shared engine computes what NumPy computes, at the price it declares."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from protocol_run import TOLD, measure, parties_of, result, seat

from unseen.core import registry
from unseen.core.errors import DeniedError
from unseen.mpc import Engine, SecretArray, equal, planes
from unseen.mpc.engine import PROTOCOLS
from unseen.mpc.protocol import Statement
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run, simulate

ULP = 2.0**-20
RNG = np.random.default_rng(11)
X, Y, V = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3)), RNG.normal(size=3)
EDGES = [0, 1, -1, 2, -2, (1 << 62) - 1, -(1 << 62) + 1, 1 << 61, -(1 << 61), (1 << 40) + 1, 12345678901]

LOW = (1 << 40) - 1


def raw(x: SecretArray, integers: Any) -> SecretArray:
    """A secret array of these ring elements, made of public ones under a secret zero."""
    ring = np.asarray(integers, np.int64).view(np.uint64)
    zero = x.engine.protocol.share(
        np.zeros(ring.shape, np.uint64) if x.engine.protocol.party.name == "p0" else None,
        owner="p0",
        shape=ring.shape,
    )
    return x.engine.number(x.engine.protocol.public(ring) + zero, 0)


def checks_everything(seat: tuple[str, int]) -> bool:
    """Whether it works so hard that fewer numbers must do."""
    return registry.load(PROTOCOLS, seat[0]).STATEMENT.adversary == "malicious with abort"


CASES: dict[str, Any] = {
    "add": lambda x, y, v: x + y,
    "broadcast": lambda x, y, v: x + v,
    "subtract": lambda x, y, v: 1 - x - y,
    "negate": lambda x, y, v: -x,
    "multiply": lambda x, y, v: x * y,
    "multiply row": lambda x, y, v: x * v,
    "square": lambda x, y, v: np.square(x),
    "public factors": lambda x, y, v: x * 0.25 + 3 * y + np.array([1.0, 2.0, 3.0]) * x,
    "divide by public": lambda x, y, v: x / 3 + y / np.array([1.0, 2.0, 4.0]),
    "matrix": lambda x, y, v: x @ y.T,
    "matrix vector": lambda x, y, v: x @ v,
    "vector matrix": lambda x, y, v: v @ x.T,
    "inner": lambda x, y, v: (v @ v).reshape(1),
    "public matrix": lambda x, y, v: x @ np.eye(3) + (np.eye(5) @ y),
    "slices": lambda x, y, v: x[1:4, ::2] - y[2:5, :2],
    "fancy": lambda x, y, v: x[[0, 2, 2]] + y[np.array([True, False, True, True, False])],
    "newaxis": lambda x, y, v: x[:, None, 0] * v[None],
    "sums": lambda x, y, v: x.sum(axis=0) + y.sum() + np.sum(v),
    "mean": lambda x, y, v: x.mean(axis=1) + np.mean(y),
    "variance": lambda x, y, v: np.var(x, axis=0) + x.var(),
    "cumsum": lambda x, y, v: np.cumsum(x, axis=1) + np.cumsum(y).reshape(5, 3),
    "less": lambda x, y, v: x < y,
    "less public": lambda x, y, v: (x < 0.25) & (x > -0.5),
    "others": lambda x, y, v: (x <= y) ^ (x >= v) | ~(x > y),
    "where": lambda x, y, v: np.where(x < y, x, y) + np.where(x > 0, 1.0, -1.0),
    "maximum": lambda x, y, v: np.maximum(x, y) - np.minimum(x, v),
    "absolute": lambda x, y, v: abs(x) + np.sign(y),
    "clip": lambda x, y, v: np.clip(x, -0.5, 0.5),
    "max": lambda x, y, v: x.max(axis=0) - np.min(y, axis=0),
    "argmax": lambda x, y, v: np.argmax(x, axis=1) + y.argmin(axis=1),
    "rate": lambda x, y, v: (x * (x > 0)).sum() / (x > 0).sum() + np.sqrt((y > 0).sum()),
    "one number": lambda x, y, v: x[0, 0] * y[1, 2] - v.sum(),
    "count": lambda x, y, v: (x < y).sum(axis=0),
    "stack": lambda x, y, v: np.concatenate([np.stack([x, y]), np.ones((1, 5, 3))]),
    "transpose": lambda x, y, v: np.transpose(x) @ y,
    "powers": lambda x, y, v: x**3 - y**2 + (abs(x) + 1) ** -1 + abs(y) ** 0.5 + 2**v + x**0,
    "along axes": lambda x, y, v: (
        np.diff(x, axis=0)
        + y.max(axis=0, keepdims=True)
        + x.prod(axis=0) * np.ptp(y, axis=0)
        + np.average(y, weights=x * x)
    ),
    "stacks of matrices": lambda x, y, v: (
        np.stack([x, y]) @ np.stack([y.T, x.T]) + (np.stack([x, y]) @ v)[:, None]
    ),
    "rows and columns": lambda x, y, v: np.vstack(
        [np.outer(v, v), np.hstack([x, y])[:, 2:5], np.column_stack([v, v, v])]
    ),
    "moved": lambda x, y, v: (
        np.flip(x, 0)
        + np.roll(y, 1, axis=1)
        + np.tile(v, (5, 1))
        + np.take(x, [0, 2, 1], axis=1)
        + y.swapaxes(0, 1).T
    ),
    "as other kinds": lambda x, y, v: (
        (x > 0).astype(int) + (y > 0).astype(float) + (x - x[0]).astype(bool) + (x * 9).astype(int)
    ),
    "bounds out of reach": lambda x, y, v: np.stack(
        [
            x < 1e30,
            x > -np.inf,
            x >= 2**70,
            x < np.array([1e13, -np.inf, 1e-9]),
            np.array([0, np.inf, -1e13]) < y,
        ]
    ),
}


@seat
@pytest.mark.parametrize("name", CASES)
def test_same_as_numpy(name: str, seat: tuple[str, int]) -> None:
    body = CASES[name]
    expected = body(X, Y, V)
    got = result(seat, body, X, Y, V)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got.astype(float), expected.astype(float), atol=30 * ULP)


@seat
def test_equality(seat: tuple[str, int]) -> None:
    x, y = np.array([0, 1, -1, 5, 1 << 40]), np.array([0, 1, 1, 4, 1 << 40])
    np.testing.assert_array_equal(result(seat, equal, x, y, dtype=int), x == y)
    np.testing.assert_array_equal(result(seat, lambda a: equal(a, 1), x, dtype=int), x == 1)


@seat
def test_numbers_with_fractions_equal_themselves(seat: tuple[str, int]) -> None:
    """No unit is 1.1 or 2.675: of a secret and of a public one the same is taken."""
    x = np.array([1.1, 2.675, -0.3, -1200.1, 0.0])

    def body(a: Any) -> Any:
        one = [
            np.stack([a < bound, a <= bound, a > bound, bound > a]) for bound in (1.1, 2.675, -0.3, -1200.1)
        ]
        return np.concatenate([*one, np.stack([a < x, a <= x, x > a, abs(a) < 1e-9, a > -1e-9])])

    np.testing.assert_array_equal(result(seat, body, x), body(x))


WHOLE = np.array([[2**61 - 1, -(2**61)], [5, 2**60 + 1]])
WHOLE_CASES: dict[str, Any] = {
    "themselves": lambda i: i,
    "public numbers": lambda i: i + 1 - np.array([[3, 4], [5, 2**60]]),
    "compared": lambda i: i < np.array([[0, 0], [6, 2**60 + 2]]),
    "chosen": lambda i: np.where(i < 0, i, 0),
    "public matrices": lambda i: np.array([[1, 0], [0, 2]]) @ i + i @ np.array([[0, 1], [1, 0]]),
    "joined": lambda i: np.append(i, [[7, 8]], axis=0),
    "sorted": lambda i: np.sort(i, axis=1),
    "where the largest is": lambda i: np.argmax(i, axis=1),
    "counted": lambda i: np.count_nonzero(i < 0, axis=0),
    "compared with one": lambda i: np.stack(
        [i < 2**60 + 1, i > 2**60, i <= 2**61 - 2, i < 2**61 - 1, i < 2**63 - 1, i >= -(2**63)]
    ),
    "compared with fractions": lambda i: np.stack(
        [i > 4.5, i < [[1e19, -(2.0**61)]], equal(i, 5.0), equal(i, 4.5)]
    ),
    "told from 0": lambda i: np.where(i - 5, i, 7),
}


@seat
@pytest.mark.parametrize("name", WHOLE_CASES)
def test_whole_numbers_are_exact_and_stay_whole(name: str, seat: tuple[str, int]) -> None:
    """Of 64 bits, where a float64 has 53 and fixed point 43."""
    with np.errstate(over="ignore"):
        expected = WHOLE_CASES[name](WHOLE)
    got = result(seat, WHOLE_CASES[name], WHOLE, dtype=int)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


RING = np.array([-(2**63), -(2**63) + 1, -1, 0, 1, 2**62, 2**63 - 2, 2**63 - 1], np.int64)
LEFT, RIGHT = (side.ravel() for side in np.meshgrid(RING, RING))


@seat
def test_at_the_edges_of_the_ring_it_wraps_as_numpy_does(seat: tuple[str, int]) -> None:
    def body(x: SecretArray) -> Any:
        left, right = raw(x, LEFT), raw(x, RIGHT)
        kept = [left + right, left - right, -left, left * right, np.cumsum(left), left * 3 - (1 << 61)]
        square = raw(x, LEFT.reshape(8, 8)) @ raw(x, RIGHT.reshape(8, 8))
        return x.engine.concatenate([*kept, square.ravel()])

    with np.errstate(over="ignore"):
        expected = [
            LEFT + RIGHT,
            LEFT - RIGHT,
            -LEFT,
            LEFT * RIGHT,
            np.cumsum(LEFT),
            LEFT * 3 - (1 << 61),
        ]
        expected.append((LEFT.reshape(8, 8) @ RIGHT.reshape(8, 8)).ravel())
    np.testing.assert_array_equal(result(seat, body, np.zeros(1)), np.concatenate(expected))


@seat
def test_what_holders_know_together(seat: tuple[str, int]) -> None:
    """Each holder has a part of sums, and one of XORs."""
    names, helper = parties_of(*seat)
    rng = np.random.default_rng(5)
    parts = {name: rng.integers(0, 1 << 63, (2, 70), np.uint64) for name in names}
    nothing = np.zeros((2, 70), np.uint64)

    def program(party: Party) -> Any:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0])
        mine = parts.get(party.name, nothing)
        total = engine.number(engine.protocol.collect(mine[:1] >> np.uint64(20)), 0)
        together = engine.protocol.collect(mine, xor=True)
        bits = engine.as_number(engine.boolean(planes.unpack(together, (70 * 64,))))
        return [engine.reveal("result", item, to=names[:1]) for item in (total, bits)]

    everyone = (*names, *((helper,) if helper else ()))
    total, bits = run(program, everyone, disclosures=[TOLD]).results[names[0]]
    np.testing.assert_array_equal(total, sum(part[:1] >> np.uint64(20) for part in parts.values()))
    xor = np.bitwise_xor.reduce(list(parts.values()))
    wanted = np.unpackbits(xor.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(bits, wanted)


@seat
def test_booleans_as_inputs(seat: tuple[str, int]) -> None:
    x, y = np.arange(70) % 3 == 0, np.arange(70) % 2 == 0
    for body in (np.logical_and, np.logical_or, np.logical_xor, lambda a, b: ~(a & ~b)):
        np.testing.assert_array_equal(result(seat, body, x, y, dtype=bool), body(x, y))
    np.testing.assert_array_equal(result(seat, lambda a, b: (a & b).sum(), x, y, dtype=bool), (x & y).sum())


@seat
@pytest.mark.parametrize("drop", [1, 8, 20, 33, 40])
@pytest.mark.parametrize("exact", [False, True])
def test_truncation_on_the_whole_range(seat: tuple[str, int], drop: int, exact: bool) -> None:
    """Floor or one more, never 2^(64 - f) off: what local truncation would do for one number in a few."""
    values = EDGES + RNG.integers(-(1 << 62) + 1, 1 << 62, 3000).tolist()
    floor = np.asarray(values, np.int64) >> drop

    def body(x: SecretArray) -> SecretArray:
        kept = x.engine.protocol.truncate(raw(x, values).share, drop, exact=exact)
        return x.engine.number(kept - x.engine.protocol.public(floor.view(np.uint64)), 0)

    error = result(seat, body, np.zeros(1))
    assert set(np.unique(error)) <= ({0.0} if exact else {0.0, 1.0})


@seat
def test_products_are_truncated_on_the_whole_range(seat: tuple[str, int]) -> None:
    """Fused or not, a product near the limit of 2^62 is off by one unit at most."""
    left = RNG.integers(-(1 << 30), 1 << 30, 5000)
    right = RNG.integers(-(1 << 31), 1 << 31, 5000)

    def body(x: SecretArray) -> SecretArray:
        protocol = x.engine.protocol
        product = protocol.multiply(raw(x, left).share, raw(x, right).share, drop=20)
        return x.engine.number(product - protocol.public((left * right >> 20).view(np.uint64)), 0)

    assert set(np.unique(result(seat, body, np.zeros(1)))) <= {0.0, 1.0}


@seat
def test_truncation_is_right_on_average(seat: tuple[str, int]) -> None:
    if registry.load(PROTOCOLS, seat[0]).STATEMENT.adversary == "none":
        pytest.skip("the reference rounds down")
    count = 10000 if checks_everything(seat) else 40000
    given = np.full(count, 0.3 * 2.0**-10)
    # Shares of a public number are not random.
    got = result(seat, lambda x: np.stack([x, x.engine.lift(given, 20)]) * 2.0**-10, given)
    assert (abs(got.mean(axis=1) - 0.3 * 2.0**-20) < 6 * 0.5 * 2.0**-20 / np.sqrt(count)).all()


@seat
def test_comparison_on_the_whole_range(seat: tuple[str, int]) -> None:
    values = [*EDGES, *RNG.integers(-(1 << 61), 1 << 61, 2000).tolist(), 99, 100, 101, -99, -100, -101]
    bounds = (0, 100, -100, 1 << 60)
    got = result(
        seat,
        lambda x: x.engine.boolean(x.engine.protocol.mask(raw(x, values).share).less_than(bounds)),
        np.zeros(1),
    )
    np.testing.assert_array_equal(got, np.array(values)[None, :] < np.array(bounds)[:, None])


@seat
@pytest.mark.parametrize("coarse", [20, 44])
def test_a_coarse_comparison_errs_only_just_above_the_bound(seat: tuple[str, int], coarse: int) -> None:
    unit, bounds = 1 << coarse, (0, 8 << coarse)
    steps = np.array([-3, -1, 0, 1, 2, 7, 8, 9, 10])[:, None] * unit
    values = np.r_[np.add(steps, (-unit // 2, -1, 0, 1, unit // 3)).reshape(-1), -(1 << 61), 1 << 61]
    got = result(
        seat,
        lambda x: x.engine.boolean(
            x.engine.protocol.mask(raw(x, values).share).less_than(bounds, coarse=coarse)
        ),
        np.zeros(1),
    )
    for below, bound in zip(got, bounds, strict=True):
        assert below[values < bound].all()
        assert not below[values >= bound + unit].any()


@seat
@pytest.mark.parametrize("places", [64, 42, 7, 1])
def test_bits_of_any_word(seat: tuple[str, int], places: int) -> None:
    values = np.array([*EDGES, -(1 << 63), (1 << 63) - 1], np.int64)

    def body(x: SecretArray) -> SecretArray:
        bits = planes.bits_of(x.engine.protocol, raw(x, values).share, places)
        return x.engine.boolean(planes.unpack(bits, values.shape))

    expected = values.view(np.uint64)[None] >> np.arange(places, dtype=np.uint64)[:, None] & np.uint64(1)
    np.testing.assert_array_equal(result(seat, body, np.zeros(1)), expected.astype(bool))


@seat
def test_the_highest_place(seat: tuple[str, int]) -> None:
    values = np.array([0, 1, 2, 3, 1000, (1 << 41) + 5], np.int64)

    def body(x: SecretArray) -> SecretArray:
        protocol = x.engine.protocol
        bits = planes.bits_of(protocol, raw(x, values).share, 42)
        return x.engine.boolean(planes.unpack(planes.highest(protocol, bits), values.shape))

    got = result(seat, body, np.zeros(1))
    assert got[:, 0].sum() == 0
    np.testing.assert_array_equal(got[:, 1:].argmax(axis=0), [0, 1, 1, 9, 41])
    np.testing.assert_array_equal(got[:, 1:].sum(axis=0), np.ones(5))


@seat
def test_a_shuffle_keeps_rows_together(seat: tuple[str, int]) -> None:
    rows = np.arange(300) * np.ones((2, 1), int)

    def body(x: SecretArray) -> SecretArray:
        return x.engine.number(x.engine.protocol.shuffle(np.ascontiguousarray(x.T.share))[0], 0)

    got = result(seat, body, rows, dtype=int)
    np.testing.assert_array_equal(got[:, 0], got[:, 1])
    np.testing.assert_array_equal(np.sort(got[:, 0]), np.arange(300))
    if registry.load(PROTOCOLS, seat[0]).STATEMENT.adversary != "none":
        assert (got[:, 0] != np.arange(300)).sum() > 250


@seat
def test_a_shuffle_of_numbers_and_bytes(seat: tuple[str, int]) -> None:
    """All columns go the same way: bytes are shared by XOR, words of any width by addition."""
    rows = np.arange(200)

    def body(x: SecretArray) -> SecretArray:
        protocol = x.engine.protocol
        bits = planes.bits_of(protocol, x.share, 8)
        octets = planes.words_of(bits, x.shape).astype(np.uint8)[..., None]
        small, octets = protocol.shuffle(x.share.astype(np.uint16)[..., None], octets)
        back = planes.unpack(planes.places_of(octets[..., 0].astype(np.uint64), 8), x.shape)
        numbers = (protocol.to_ring(back) << np.arange(8, dtype=np.uint64)[:, None]).sum(axis=1)
        assert small.dtype == np.uint16
        told = protocol.open_shuffled(small[..., 0])
        moved = x.engine.number(numbers, 0)
        return x.engine.concatenate([moved, x.engine.lift(told.astype(int), 0)])

    got = result(seat, body, rows, dtype=int)
    np.testing.assert_array_equal(got[:200], got[200:])
    np.testing.assert_array_equal(np.sort(got[:200]), rows)


@seat
@pytest.mark.parametrize("word", [np.uint16, np.uint32, np.uint64])
def test_sums_of_products_in_words_of_any_width(seat: tuple[str, int], word: Any) -> None:
    left, right = RNG.integers(0, 1 << 40, (3, 50)), RNG.integers(0, 1 << 23, (3, 50))
    odd = RNG.integers(0, 2, (3, 50)).astype(bool)

    def body(x: SecretArray, y: SecretArray, z: SecretArray) -> SecretArray:
        protocol = x.engine.protocol
        bits = planes.unpack(planes.bits_of(protocol, z.share, 1), z.shape)[:, 0]
        numbers = protocol.to_ring(bits, word)
        total = protocol.inner(x.share.astype(word), y.share.astype(word))
        total += numbers.astype(word).sum(axis=1, dtype=word)
        (moved,) = protocol.shuffle(total[..., None])
        told = protocol.open_shuffled(moved[..., 0])
        return x.engine.lift(told.astype(np.int64) & LOW, 0)

    expected = ((left * right).sum(axis=0) + odd.sum(axis=0)).astype(word).astype(np.int64) & LOW
    got = result(seat, body, left, right, odd.astype(int), dtype=int)
    np.testing.assert_array_equal(np.sort(got), np.sort(expected.astype(float)))


@seat
def test_a_shuffle_is_uniform(seat: tuple[str, int]) -> None:
    """Every row comes to every place equally often (others had a bias here): 5 rows, chi-square with 16 degrees."""
    if registry.load(PROTOCOLS, seat[0]).STATEMENT.adversary == "none":
        pytest.skip("the reference keeps the order")
    counts, each = np.zeros((5, 5)), 10 if checks_everything(seat) else 30
    for _ in range(10):

        def body(x: SecretArray) -> SecretArray:
            shares = [x.engine.protocol.shuffle(x.share[..., None])[0][..., 0] for _ in range(each)]
            return x.engine.number(np.stack(shares, axis=1), 0)

        for order in result(seat, body, np.arange(5), dtype=int).astype(int):
            counts[np.arange(5), order] += 1
    assert ((counts - 2 * each) ** 2 / (2 * each)).sum() < 60  # p < 1e-6


@seat
def test_parts_of_a_reveal_are_fresh(seat: tuple[str, int]) -> None:
    """What the receiver gets are not the shares themselves, nor the same parts twice."""
    names, helper = parties_of(*seat)
    seen: dict[str, Any] = {}

    def program(party: Any) -> None:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0])
        x = engine.share(np.ones(50) if party.name == "p0" else None, owner="p0", shape=(50,))
        seen[party.name] = x.share
        for _ in range(2):
            engine.reveal("result", x, to=("p0",))

    outcome = run(program, (*names, *((helper,) if helper else ())), disclosures=[TOLD])
    parts = [s.message.values for s in outcome.views["p0"] if type(s.message).__name__ == "Part"]
    assert len({part.tobytes() for part in parts}) == len(parts) == 2 * (len(names) - 1)
    for share in seen.values():
        assert not any(np.array_equal(part, component) for part in parts for component in share)


@seat
def test_many_secrets_are_revealed_in_the_rounds_of_one(seat: tuple[str, int]) -> None:
    names, _ = parties_of(*seat)
    to = {"numbers": names, "flags": names[:1], "others": names[-1:]}
    told = [Disclosure(name, "a test", receivers, Door.REVEAL) for name, receivers in to.items()]
    got: dict[str, Any] = {}

    def body(engine: Any, x: SecretArray, *, wanted: tuple[str, ...]) -> None:
        made = {"numbers": x, "flags": x > 1, "others": x.reshape(2, 3) > 3}
        received = engine.reveal_all({name: made[name] for name in wanted}, to=to)
        got[engine.protocol.party.name] = {name: item for name, item in received.items() if item is not None}

    x = np.arange(6.0)
    one, three = (
        measure(seat, partial(body, wanted=wanted), x, disclosures=told).depth
        for wanted in (("flags",), tuple(to))
    )
    assert three <= one + 1  # where transfers are made, more may take one round more
    wanted = {"numbers": x, "flags": x > 1, "others": x.reshape(2, 3) > 3}
    for name in names:
        assert set(got[name]) == {item for item, receivers in to.items() if name in receivers}
        for item, values in got[name].items():
            assert values.dtype == wanted[item].dtype
            np.testing.assert_array_equal(values, wanted[item])


@seat
def test_where_the_contract_lacks_one_of_many_none_is_revealed(seat: tuple[str, int]) -> None:
    names, helper = parties_of(*seat)

    def program(party: Any) -> None:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0])
        x = engine.share(np.ones(3) if party.name == "p0" else None, owner="p0", shape=(3,))
        engine.reveal_all({"result": x, "more": x}, to=("p0",))

    outcome = simulate(program, (*names, *((helper,) if helper else ())), disclosures=[TOLD])
    assert any(isinstance(error, DeniedError) for error in outcome.errors.values())
    assert not [s for view in outcome.views.values() for s in view if type(s.message).__name__ == "Part"]
    assert not any(journal.entries for journal in outcome.journals.values())  # type: ignore[attr-defined]


@pytest.mark.long
@pytest.mark.timeout(900)
@seat
def test_a_hundred_million_truncations(seat: tuple[str, int]) -> None:
    """None wraps round, near the limit of the format as elsewhere. In parts: a simulated run keeps all that its parties see."""

    def part(turns: range, x: SecretArray) -> SecretArray:
        protocol, worst = x.engine.protocol, []
        for turn in turns:
            values = np.random.default_rng(turn).integers(-(1 << 62) + 1, 1 << 62, 1 << 20)
            kept = protocol.truncate(raw(x, values).share, 20)
            off = x.engine.number(kept - protocol.public((values >> 20).view(np.uint64)), 0)
            told = x.engine.reveal("result", off, to=("p0",))
            worst.append([0, 1] if told is None else [told.min(), told.max()])
        return x.engine.lift(np.array(worst), 0)

    for begin in range(0, 2 if checks_everything(seat) else 100, 10):
        turns = range(begin, 2 if checks_everything(seat) else begin + 10)
        got = result(seat, partial(part, turns), np.zeros(1), timeout_s=600)
        assert set(np.unique(got)) <= {0, 1}


@seat
def test_a_fixed_operand_serves_many_products(seat: tuple[str, int]) -> None:
    def body(x: SecretArray, w: SecretArray) -> SecretArray:
        fixed = x.engine.fix(x)
        first = fixed @ w
        return fixed.T @ (first - fixed @ (w * 2)) + (fixed * w[None, :]).sum(axis=0)

    expected = X.T @ (X @ V - X @ (2 * V)) + (X * V).sum(axis=0)
    np.testing.assert_allclose(result(seat, body, X, V), expected, atol=60 * ULP)


@pytest.mark.parametrize("name", registry.names(PROTOCOLS))
def test_each_states_what_it_guarantees(name: str) -> None:
    statement = registry.load(PROTOCOLS, name).STATEMENT
    assert isinstance(statement, Statement)
    assert statement.adversary in {"none", "semi-honest", "malicious with abort"}
    assert statement.summary.endswith(".")


def _share(engine: Any, x: SecretArray, y: SecretArray) -> None:
    mine = np.ones(x.shape) if engine.protocol.party.name == "p0" else None
    engine.share(mine, owner="p0", shape=x.shape)


OPERATIONS: dict[str, Any] = {
    "share": _share,
    "multiply": lambda engine, x, y: engine.protocol.multiply(x.share, y.share),
    "truncate": lambda engine, x, y: engine.protocol.truncate(x.share, 20),
    "multiply and truncate": lambda engine, x, y: engine.protocol.multiply(x.share, y.share, drop=20),
    "less": lambda engine, x, y: engine.protocol.mask(x.share).less_than([0]),
    "bit to number": lambda engine, x, y: engine.protocol.to_ring((x.share & np.uint64(1)).astype(np.uint8)),
    "shuffle": lambda engine, x, y: engine.protocol.shuffle(x.share[..., None]),
}


@seat
@pytest.mark.parametrize("operation", OPERATIONS)
def test_measured_equals_declared(seat: tuple[str, int], operation: str) -> None:
    elements = 64 * 16
    declared = registry.load(PROTOCOLS, seat[0]).price(operation, elements, seat[1])
    meter = measure(seat, OPERATIONS[operation], np.ones(elements), np.ones(elements))
    assert (meter.size_bytes, meter.depth) == (declared.size_bytes, declared.rounds)
