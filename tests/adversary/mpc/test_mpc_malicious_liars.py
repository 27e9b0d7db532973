"""A party of the malicious protocol that deviates: what it changes ends in an error before any release, or is another input.

Of the second kind are the shares of the liar's own input, if it goes on with what it sent: that is the share of some value.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
import pytest
from malicious_run import PARTIES, Flip, engine_of, everything, expected, found_out, go, off_by, wires_of

from unseen.core.errors import LocalProtocolError, UnavailableError, UnseenError, VerificationError
from unseen.link.memory import Parcel
from unseen.mpc.protocols.replicated3_malicious import gates, sharing
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires, Digest
from unseen.party import Party
from unseen.testing.simulate import Run

MESSAGES = 170  # of each party in `everything`, at least
NUMBER = np.uint64(1 << 63)  # the error that a weak check overlooks


def released(run: Run[Any]) -> Any:
    return run.results.get("a")


def flipped(sender: str, nth: int, place: int = -1, bit: int = 0) -> tuple[Run[Any], Flip]:
    wire = Flip(sender, nth, place, bit)
    return go(everything, wire=wire, timeout_s=10), wire


def judge(run: Run[Any], wire: Flip) -> None:
    """Nothing but the result is released, or nothing, and all end in order."""
    assert all(isinstance(error, UnseenError) for error in run.errors.values()), run.errors
    if released(run) is None:
        assert run.errors
    else:
        np.testing.assert_allclose(released(run), expected(), rtol=1e-3)
        # Padding of three bits, or a's own: it hears of no objection before it has what is for it.
        assert (wire.sender, wire.nth) == ("c", 6) or wire.sender == "a"
    assert not [
        error for error in run.errors.values() if getattr(error, "party", None) not in (None, *PARTIES)
    ]


def test_honest_parties_get_the_result() -> None:
    run, wire = flipped("a", -1)
    assert not run.errors
    np.testing.assert_allclose(released(run), expected(), rtol=1e-3)
    assert wire.count >= MESSAGES


@pytest.mark.parametrize("sender", PARTIES)
@pytest.mark.parametrize("nth", [*range(0, 12, 2), *range(13, MESSAGES, 17)])
def test_a_flipped_bit_of_any_message(sender: str, nth: int) -> None:
    judge(*flipped(sender, nth, -1, 7 if nth % 2 else 0))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sender", PARTIES)
def test_a_flipped_bit_of_every_message(sender: str) -> None:
    _, wire = flipped(sender, -1)
    for nth in range(wire.count):
        for place in (-1, 0, 9, -25):
            judge(*flipped(sender, nth, place, 7))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_party_that_errs_at_random() -> None:
    """Any error in any products, by any party that goes on with it: found out, whatever it was."""
    rng = np.random.default_rng(7)
    for _ in range(300):
        liar = PARTIES[rng.integers(3)]
        errors = {
            int(place): plus(np.uint64(1) << np.uint64(rng.integers(64)), int(rng.integers(-1, 1)))
            for place in rng.choice(60, rng.integers(1, 4), replace=False)
        }

        def program(party: Party, liar: str = liar, errors: dict[int, Any] = errors) -> Any:
            return everything(
                party, start=lambda engine: off_by(engine, errors) if party.name == liar else None
            )

        run = go(program, liar=liar, timeout_s=10)
        assert found_out(run, liar), (liar, errors)


@pytest.mark.parametrize("consistent", [True, False])
def test_a_changed_share_of_an_input_is_another_input(consistent: bool) -> None:
    """Whoever sends another share and goes on with it has put in another value; who does not go on with it is found out."""

    def program(party: Party) -> Any:
        engine = engine_of(party)
        if party.name == "c":
            wires = wires_of(engine)
            plain = wires.send
            wires.send = lambda place, values: plain(place, plus(np.uint64(1 << 20))(values))  # type: ignore[method-assign]
        y = engine.share(np.full(2, 2.0) if party.name == "c" else None, owner="c", shape=(2,))
        if party.name == "c":
            wires.send = plain  # type: ignore[method-assign]
            y.share[0, 0] += np.uint64(consistent << 20)
        return engine.reveal("result", y * y, to=("a",))

    run = go(program, liar="c", timeout_s=10)
    if consistent:
        np.testing.assert_allclose(run.results["a"], [9.0, 4.0], atol=1e-5)
    else:
        assert found_out(run, "c")


# ---------------------------------------------------------------- every kind of lie, by a party that runs other code


def result_of(party: Party, make: Any, *, liar: str, errors: dict[int, Any]) -> Any:
    """`make(engine, x, y)` revealed to a, where the liar's parts of products are off by `errors`."""
    engine = engine_of(party)
    x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
    y = engine.share(np.arange(4.0) if party.name == "b" else None, owner="b", shape=(4,))
    if party.name == liar:
        off_by(engine, errors)
    return engine.reveal("result", make(engine, x, y), to=("a",))


def product(engine: Any, x: Any, y: Any) -> Any:
    return engine.number(engine.protocol.multiply(x.share, y.share), 40)


def conjunction(engine: Any, x: Any, y: Any) -> Any:
    bits = [np.ascontiguousarray(one.share & np.uint64(255))[:, None] for one in (x, y)]
    (made,) = engine.protocol.and_both(bits[0], (bits[1],))
    return engine.number(engine.protocol.to_ring((made[:, 0] & np.uint64(1)).astype(np.uint8)), 0)


def matrix(engine: Any, x: Any, y: Any) -> Any:
    left, right = (np.ascontiguousarray(one.share.reshape(2, 2, 2)) for one in (x, y))
    return engine.number(engine.protocol.matmul(left, right), 40)


def shuffled(engine: Any, x: Any, y: Any) -> Any:
    return engine.number(engine.protocol.shuffle(x.share[..., None])[0][..., 0], 20)


def plus(error: Any, at: int = 0) -> Any:
    def change(part: Any) -> Any:
        out = part.copy()
        out.reshape(-1)[[at]] += error
        return out

    return change


def toggle(mask: int, at: int = 0) -> Any:
    def change(part: Any) -> Any:
        out = part.copy()
        out.reshape(-1)[at] ^= out.dtype.type(mask)
        return out

    return change


LIES: dict[str, tuple[Any, dict[int, Any]]] = {
    "a product, by one": (product, {0: plus(np.uint64(1))}),
    "a product, by 2^63": (product, {0: plus(NUMBER)}),
    "a triple": (product, {2: plus(np.uint64(1), 7)}),
    "the zero-share of a reveal": (product, {1: plus(np.uint64(1))}),
    "an AND": (conjunction, {0: toggle(1)}),
    "a matrix product, by 2^63": (matrix, {0: plus(NUMBER)}),
    "a product that checks a matrix product": (matrix, {1: plus(np.uint64(5))}),
    "a matrix product and what checks it": (matrix, {0: plus(np.uint64(5)), 1: plus(np.uint64(5))}),
}


@pytest.mark.parametrize("liar", PARTIES)
@pytest.mark.parametrize("name", LIES)
def test_a_lie_ends_the_computation(name: str, liar: str) -> None:
    make, errors = LIES[name]
    run = go(lambda party: result_of(party, make, liar=liar, errors=errors), liar=liar, timeout_s=10)
    assert found_out(run, liar)
    for error in run.errors.values():
        if isinstance(error, VerificationError):
            assert "One of the others deviated" in str(error)
            assert error.party is None


@pytest.mark.parametrize("at", range(4))
def test_a_lie_in_any_batch(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "BATCH", 3)
    errors = {0: plus(NUMBER, at)}
    assert found_out(
        go(lambda party: result_of(party, product, liar="c", errors=errors), liar="c", timeout_s=10), "c"
    )


def hop_liar(party: Party, *, liar: str, hop: int, columns: bool = False, octets: bool = False) -> Any:
    """The liar changes the top of a row of its message of one hop, and where it can of the columns that check it."""
    engine = engine_of(party)
    x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
    chosen = engine.share(np.ones(4) if party.name == "a" else None, owner="a", shape=(4,), dtype=bool)
    protocol, wires = engine.protocol, wires_of(engine)
    if party.name == liar:
        honest = protocol._move  # type: ignore[attr-defined]
        change = toggle(128) if octets else plus(NUMBER)

        def move(moved: Any, first: int, order: Any) -> Any:
            behind = len(moved) == 1  # the columns
            wrong = first == hop and order is not None and (columns or not behind)
            plain = wires.send
            if wrong:
                wires.send = lambda place, values: plain(  # type: ignore[method-assign]
                    place, change(values) if (values.dtype == np.uint8) == octets else values
                )
            out = honest(moved, first, order)
            wires.send = plain  # type: ignore[method-assign]
            return out

        protocol._move = move  # type: ignore[attr-defined]
    numbers, moved = protocol.shuffle(x.share[..., None], chosen.bit_share[..., None])
    told = protocol.to_ring(moved[..., 0] & np.uint8(1)) if octets else numbers[..., 0]
    return engine.reveal("result", engine.number(told, 0), to=("a",))


@pytest.mark.parametrize("octets", [False, True])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize(("liar", "hop"), [("a", 0), ("b", 0), ("b", 1), ("c", 1), ("c", 2), ("a", 2)])
def test_a_changed_row_of_a_hop(liar: str, hop: int, columns: bool, octets: bool) -> None:
    run = go(
        lambda party: hop_liar(party, liar=liar, hop=hop, columns=columns, octets=octets),
        liar=liar,
        timeout_s=10,
    )
    assert found_out(run, liar)


def test_two_versions_of_a_part_are_refused() -> None:
    """A giver of a reveal changes its part: the receiver gets each component from two."""
    counts = Flip("b", -1)
    go(everything, wire=counts)
    run = go(everything, wire=Flip("b", counts.count - 1), liar="b")
    assert isinstance(run.errors["a"], VerificationError)
    assert "two versions" in str(run.errors["a"])
    assert not released(run)


def test_after_a_failed_check_the_protocol_refuses_everything() -> None:
    kept: dict[str, Any] = {}

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.ones(4) if party.name == "a" else None, owner="a", shape=(4,))
        kept[party.name] = (engine, x)
        if party.name == "c":
            off_by(engine, {0: plus(np.uint64(1))})
        return engine.reveal("result", product(engine, x, x), to=("a",))

    go(program, timeout_s=10)
    engine, x = kept["a"]
    for use in (
        lambda: engine.protocol.multiply(x.share, x.share),
        lambda: engine.share(np.ones(2), owner="a", shape=(2,)),
        lambda: engine.reveal("result", x, to=("a",)),
        engine.protocol.verify,
    ):
        with pytest.raises(LocalProtocolError, match="has ended"):
            use()


# ---------------------------------------------------------------- what a failed check tells


def test_a_failed_check_tells_the_liar_what_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digests that it gets when its product is found wrong are those that it can make itself, error and shares known."""
    error, own, counts, told = np.uint64(77), [], [], []
    honest_zero, honest_compare = CheckedWires.zero, CheckedWires._compare

    def zero(self: CheckedWires, share: Any, *, xor: bool = False) -> None:
        if self.party.name == "b":
            own.append(share.reshape(2, -1).copy())
        honest_zero(self, share, xor=xor)

    def compare(self: CheckedWires, label: str, mine: bytes, before: bytes, after: bytes) -> None:
        if self.party.name == "b" and label == "results of products":  # it listens first
            counts.append(mine[:8])
            told.extend(self.party.recv(name, Digest).digest.tobytes() for name in ("a", "c"))
            raise UnavailableError("b has heard enough.")
        honest_compare(self, label, mine, before, after)

    monkeypatch.setattr(CheckedWires, "zero", zero)
    monkeypatch.setattr(CheckedWires, "_compare", compare)
    run = go(
        lambda party: result_of(party, product, liar="b", errors={0: plus(error)}), liar="b", timeout_s=10
    )
    assert found_out(run, "b")
    for part in own[
        1:
    ]:  # the first claim is the reveal's; the others are of each triple in the buckets of the products
        part[:, 0] -= error

    def digest(component: int) -> bytes:
        inner = hashlib.sha256(b"".join(part[component].tobytes() for part in own)).digest()
        text = b"unseen/mpc/replicated3-malicious/v1\nresults of products\n"
        return hashlib.sha256(text + counts[0] + inner).digest()

    assert told == [digest(1), digest(0)]


def test_whoever_was_told_a_wrong_component_computes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that it says is what it saw: a digest of sums made with a wrong opening would tell of the secrets in them."""
    assert _compared_by_the_victim(monkeypatch)[-1] == "opened values"


def test_mutant_that_compares_what_was_opened_later(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, late = CheckedWires.same, []

    def same(self: CheckedWires, label: str, data: bytes) -> None:
        if label == "opened values" and self.party.name == "a":
            late.append(data)
            self._compare("nothing", b"", b"", b"")
        elif label == "opened values":
            self._compare("nothing", b"", b"", b"")
        else:
            honest(self, label, data)

    monkeypatch.setattr(CheckedWires, "same", same)
    assert _compared_by_the_victim(monkeypatch)[-1] == "results of products"
    assert late


def _compared_by_the_victim(patch: pytest.MonkeyPatch) -> list[str]:
    """Labels of what a compares, when c sends it a wrong component of the last number that checks a product."""
    labels: list[str] = []
    honest = CheckedWires._compare

    def compare(self: CheckedWires, label: str, mine: bytes, before: bytes, after: bytes) -> None:
        if self.party.name == "a":
            labels.append(label)
        honest(self, label, mine, before, after)

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
        z = product(engine, x, x)
        if party.name == "c":
            wires = wires_of(engine)
            give = wires._give

            def lie(place: int, message: Any) -> None:
                wrong = hasattr(message, "values") and message.values.size > 100 and place == wires.place + 1
                give(place, type(message)(plus(np.uint64(1), -1)(message.values)) if wrong else message)

            wires._give = lie  # type: ignore[method-assign]
        return engine.reveal("result", z, to=("a",))

    patch.setattr(CheckedWires, "_compare", compare)
    assert found_out(go(program, liar="c", timeout_s=10), "c")
    return labels


def test_no_coin_is_shown_before_all_have_what_came_before() -> None:
    """The last hop of a shuffle is between c and a. While a waits for c, b must not show c the coin that checks it."""
    assert _shown_early() == 0


def test_a_coin_without_that_is_shown_early(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = CheckedWires.same
    monkeypatch.setattr(
        CheckedWires,
        "same",
        lambda self, label, data: self.use() if label == "state" else honest(self, label, data),
    )
    assert _shown_early() > 0


def _shown_early() -> int:
    """How many components b has sent to c too early: while the moved columns of the last hop are on their way from c to a."""
    seen = {"large": 0, "to c": 0, "early": 0}

    def program(party: Party) -> Any:
        engine = engine_of(party)
        x = engine.share(np.arange(4.0) if party.name == "a" else None, owner="a", shape=(4,))
        engine.protocol.shuffle(x.share[..., None])

    def wire(parcel: Parcel) -> bytes:
        way = parcel.sender + parcel.receiver if b"piece" in parcel.payload[:40] else ""
        if way == "ca" and len(parcel.payload) > 4 * 40 * 8:
            seen["large"] += 1
            if seen["large"] == 3:  # after two openings, of the hops before
                time.sleep(0.3)
                seen["early"] = seen["to c"]
        seen["to c"] += way == "bc"
        return parcel.payload

    run = go(program, wire=wire, timeout_s=10)
    assert not run.errors
    assert seen["large"] == 4
    return (
        seen["early"] - 7
    )  # the key for rounding; coin and opening of two hops; rows and columns of the one with c


# ---------------------------------------------------------------- mutants


def cheat(party: Party, *, rng: np.random.Generator | None = None) -> Any:
    """c adds 1 to a product and to as many triples as its bucket has: at random, or where no coin would put them."""
    engine = engine_of(party)
    x = engine.share(np.ones(1) if party.name == "a" else None, owner="a", shape=(1,))
    size = gates.bucket(1)
    at = np.arange(size, 2 * size) if rng is None else rng.choice(2 * size, size, replace=False)

    def triples(part: Any) -> Any:
        out = part.copy()
        out[at] += np.uint64(1 << 40)
        return out

    if party.name == "c":
        off_by(engine, {0: plus(np.uint64(1 << 40)), 2: triples})
    return engine.reveal("result", product(engine, x, x), to=("a",))


def cheated(**options: Any) -> bool:
    run = go(lambda party: cheat(party, **options), timeout_s=10)
    if "a" in run.results:
        np.testing.assert_array_equal(run.results["a"], [2.0])  # 1 is right
    return "a" in run.results


def test_cheating_on_a_product_and_a_bucket_is_found() -> None:
    rng = np.random.default_rng(1)
    assert not any(cheated(rng=rng) for _ in range(5))
    assert not any(cheated() for _ in range(5))


def test_mutant_an_order_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Known:
        def permutation(self, count: int) -> Any:
            return np.arange(count)

        def bytes(self, count: int) -> bytes:
            return bytes(count)

    monkeypatch.setattr(CheckedWires, "coin", lambda self: Known())
    assert cheated()


@pytest.mark.parametrize("size", [1, 2])
def test_mutant_small_buckets_let_through_what_the_bound_says(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One product with a bucket of 1 passes with probability 1/2, with 2 of them 1/6."""
    monkeypatch.setattr(gates, "bucket", lambda _products: size)
    rng, tries = np.random.default_rng(2), 60
    passed = sum(cheated(rng=rng) for _ in range(tries))
    p = {1: 1 / 2, 2: 1 / 6}[size]
    assert passed > 0
    assert abs(passed - p * tries) < 5 * np.sqrt(tries * p * (1 - p))


def _nothing(*_: Any, **__: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "method", "lie"),
    [("no sacrifice", "zero", "a product, by one"), ("no comparison of sums", "settle", "a product, by one")],
)
def test_mutants_let_a_wrong_product_through(
    name: str, method: str, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CheckedWires, method, _nothing)
    make, errors = LIES[lie]
    run = go(lambda party: result_of(party, make, liar="c", errors=errors), timeout_s=10)
    assert not run.errors, name
    assert not np.array_equal(run.results["a"], np.arange(4.0) ** 2)


def test_mutant_no_comparison_of_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Openings that are not compared: c changes what b sees of a comparison, and b goes another way than a."""
    seen: dict[str, Any] = {}

    def program(party: Party) -> None:
        engine = engine_of(party)
        x = engine.share(np.arange(64.0) if party.name == "a" else None, owner="a", shape=(64,))
        bits = engine.protocol.mask(x.share).less_than((1 << 25,))[:, 0]
        if party.name == "c":
            wires = wires_of(engine)
            give = wires._give

            def lie(place: int, message: Any) -> None:
                wrong = "Opened" in type(message).__name__
                give(place, type(message)(message.values ^ np.uint64(1)) if wrong else message)

            wires._give = lie  # type: ignore[method-assign]
        seen[party.name] = engine.protocol.open_shuffled(bits)

    assert found_out(go(program, liar="c", timeout_s=10), "c")
    assert not {"a", "b"} & set(seen)
    honest = CheckedWires.same
    monkeypatch.setattr(
        CheckedWires,
        "same",
        lambda self, label, data: self.use() if label == "opened values" else honest(self, label, data),
    )
    go(program, liar="c", timeout_s=10)
    assert not np.array_equal(seen["a"], seen["b"])


def test_mutant_a_hop_without_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "SECURITY_BITS", 0)
    run = go(lambda party: hop_liar(party, liar="b", hop=1), timeout_s=10)
    assert not run.errors
    assert not np.array_equal(np.sort(run.results["a"]), np.arange(4.0))
