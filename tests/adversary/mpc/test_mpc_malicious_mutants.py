"""The malicious protocol with one of its checks taken out: the lie that it is there for goes through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from malicious_lies import LIES, hop_liar, plus, product, result_of
from malicious_run import engine_of, found_out, go, off_by, wires_of

from unseen.mpc.protocols.replicated3_malicious import gates, sharing
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires
from unseen.party import Party


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
