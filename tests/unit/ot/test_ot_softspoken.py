"""SoftSpoken end to end: both halves fit, for every depth and security, over any number of calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.ot import softspoken, trees
from unseen.party import Party
from unseen.testing.simulate import Run, run, simulate

COUNTS = (0, 1, 127, 128, 129, 1000)


def program(
    counts: Sequence[int] = COUNTS,
    *,
    k: int = 4,
    security: Any = "malicious",
    chosen: bool = False,
    **options: Any,
) -> Callable[[Party], Any]:
    def body(party: Party) -> Any:
        if party.name == "a":
            sender = softspoken.Sender(party, "b", k=k, security=security, **options)
            return [sender.correlated(count) for count in counts]
        receiver = softspoken.Receiver(party, "a", k=k, security=security)
        return [receiver.correlated(count, choices(count) if chosen else None) for count in counts]

    return body


def choices(count: int) -> np.ndarray:
    return (np.arange(count) % 3 == 1).astype(np.uint8)


def check(outcome: Run[Any], counts: Sequence[int] = COUNTS) -> None:
    for count, sent, received in zip(counts, outcome.results["a"], outcome.results["b"], strict=True):
        assert len(sent) == len(received) == count
        np.testing.assert_array_equal(sent.rows, received.rows ^ received.choices[:, None] * sent.delta)


@pytest.mark.parametrize("k", softspoken.DEPTHS)
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize("chosen", [False, True])
def test_halves_fit(k: int, security: str, chosen: bool) -> None:
    outcome = run(program(k=k, security=security, chosen=chosen), ("a", "b"))
    check(outcome)
    for count, received in zip(COUNTS, outcome.results["b"], strict=True):
        assert not chosen or (received.choices == choices(count)).all()


@pytest.mark.parametrize("chosen", [False, True])
def test_several_pieces(monkeypatch: pytest.MonkeyPatch, chosen: bool) -> None:
    monkeypatch.setattr(softspoken, "PIECE", 3)
    check(run(program(chosen=chosen), ("a", "b")))


def test_random_choices_and_rows_are_random() -> None:
    outcome = run(program([40_000]), ("a", "b"))
    received, sent = outcome.results["b"][0], outcome.results["a"][0]
    assert abs(received.choices.mean() - 0.5) < 0.015
    for rows in (received.rows, sent.rows):
        ones = np.unpackbits(rows, axis=1).mean(axis=0)
        assert abs(ones - 0.5).max() < 0.015
        assert len(np.unique(rows, axis=0)) == len(rows)


def test_no_two_objects_have_one_delta_and_one_object_keeps_it() -> None:
    deltas = []
    for _ in range(3):
        outcome = run(program([5, 5]), ("a", "b"))
        one, two = outcome.results["a"]
        assert (one.delta == two.delta).all()
        assert not (one.rows == two.rows).all()
        deltas.append(one.delta.tobytes())
    assert len(set(deltas)) == 3
    assert 0.3 < np.unpackbits(np.frombuffer(b"".join(deltas), np.uint8)).mean() < 0.7


def test_a_given_delta_is_used() -> None:
    delta = np.arange(16, dtype=np.uint8)
    outcome = run(program([300], delta=delta), ("a", "b"))
    check(outcome, [300])
    assert (outcome.results["a"][0].delta == delta).all()


@pytest.mark.parametrize(("k", "bits"), [(2, 63), (4, 31), (8, 15)])
def test_cost(k: int, bits: int) -> None:
    """What the module's docstring says."""
    setup = run(program([], k=k), ("a", "b"))
    assert setup.bytes_sent < 12_600
    count = 12_800
    semi = run(program([count], k=k, security="semi-honest"), ("a", "b"))
    base = run(program([], k=k, security="semi-honest"), ("a", "b"))
    assert abs(semi.bytes_sent - base.bytes_sent - count * bits / 8) < 60
    full = run(program([count], k=k), ("a", "b"))
    extra = (full.bytes_sent - setup.bytes_sent) - (semi.bytes_sent - base.bytes_sent)
    assert abs(extra - 80 - 128 * bits / 8) < 160


@pytest.mark.parametrize("depth", [2, 4, 8])
@pytest.mark.parametrize("malicious", [False, True])
def test_trees_lack_one_leaf_each(depth: int, malicious: bool) -> None:
    delta = np.random.default_rng(depth).integers(0, 256, 16).astype(np.uint8)

    def body(party: Party) -> np.ndarray:
        if party.name == "a":
            return trees.own(party, "b", depth, malicious=malicious)
        return trees.own_but_one(party, "a", delta, depth, malicious=malicious)

    outcome = run(body, ("a", "b"))
    whole, punctured = outcome.results["a"], outcome.results["b"]
    assert len(np.unique(whole.reshape(-1, 16), axis=0)) == whole.size // 16
    number = int.from_bytes(delta.tobytes(), "little")
    for tree in range(128 // depth):
        missing = number >> depth * tree & (1 << depth) - 1
        due = whole[tree][np.arange(1 << depth) ^ missing]
        np.testing.assert_array_equal(punctured[tree][1:], due[1:])
        assert not (punctured[tree][0] == due[0]).all()


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="depth"):
        softspoken.Sender(None, "b", k=3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="semi-honest"):
        softspoken.Receiver(None, "b", security="both")  # type: ignore[arg-type]


def test_an_error_ends_the_object() -> None:
    """A second try under the same Delta would leak more of it."""

    def body(party: Party) -> Any:
        if party.name == "b":
            softspoken.Receiver(party, "a")
            return None
        sender = softspoken.Sender(party, "b")
        party.timeout_s = 0.05
        with pytest.raises(Exception, match="nothing for"):
            sender.correlated(10)
        sender.correlated(10)
        return None

    outcome = simulate(body, ("a", "b"))
    assert isinstance(outcome.errors["a"], LocalProtocolError)
    assert "no further use" in str(outcome.errors["a"])
