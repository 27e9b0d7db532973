"""Base transfers: the receiver gets the key it chose and no other; what is no element is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UnseenError
from unseen.crypto import group
from unseen.link.memory import Parcel
from unseen.ot import base
from unseen.party import Party
from unseen.testing.simulate import Run, run, simulate

COUNT = 12
CHOICES = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0], np.uint8)


def program(party: Party) -> np.ndarray:
    return base.send(party, "b", COUNT) if party.name == "a" else base.receive(party, "a", CHOICES)


def test_the_receiver_has_the_key_of_its_choice() -> None:
    outcome = run(program, ("a", "b"))
    keys, chosen = outcome.results["a"], outcome.results["b"]
    assert keys.shape == (COUNT, 2, 16)
    np.testing.assert_array_equal(keys[np.arange(COUNT), CHOICES], chosen)
    everything = {key.tobytes() for key in keys.reshape(-1, 16)}
    assert len(everything) == 2 * COUNT


def test_cost() -> None:
    outcome = run(program, ("a", "b"))
    assert outcome.rounds("a") == outcome.rounds("b") == 1
    assert outcome.bytes_sent < COUNT * 64 + 32 + 200


@pytest.mark.parametrize("count", [0, 1])
def test_small_counts(count: int) -> None:
    def body(party: Party) -> np.ndarray:
        if party.name == "a":
            return base.send(party, "b", count)
        return base.receive(party, "a", np.ones(count, np.uint8))

    outcome = run(body, ("a", "b"))
    np.testing.assert_array_equal(outcome.results["a"][:, 1], outcome.results["b"])


def test_both_directions_at_once_have_sessions_of_their_own() -> None:
    def body(party: Party) -> Any:
        peer = "b" if party.name == "a" else "a"
        if party.name == "a":
            return base.send(party, peer, COUNT), base.receive(party, peer, CHOICES)
        return base.receive(party, peer, CHOICES), base.send(party, peer, COUNT)

    outcome = run(body, ("a", "b"))
    (keys, mine), (chosen, theirs) = outcome.results["a"], outcome.results["b"]
    np.testing.assert_array_equal(keys[np.arange(COUNT), CHOICES], chosen)
    np.testing.assert_array_equal(theirs[np.arange(COUNT), CHOICES], mine)


def test_a_second_run_on_one_stream_is_refused() -> None:
    def body(party: Party) -> Any:
        program(party)
        return program(party)

    outcome = simulate(body, ("a", "b"), timeout_s=5)
    assert any(isinstance(error, LocalProtocolError) for error in outcome.errors.values())


def test_the_hash_depends_on_session_instance_and_place() -> None:
    """Without the instance's number a batch is broken (McQuoid, Rosulek, Roy 2021)."""
    same = np.repeat(group.from_uniform(np.ones((1, 64), np.uint8)), 2, axis=0)
    zero, one = np.zeros(2, np.uint8), np.ones(2, np.uint8)
    points = [
        *base._into_group(b"s" * 32, zero, same),
        *base._into_group(b"s" * 32, one, same),
        *base._into_group(b"t" * 32, zero, same),
    ]
    assert len({point.tobytes() for point in points}) == 6


def test_the_key_depends_on_everything_that_was_said() -> None:
    offers, shared = np.zeros((1, 2, 32), np.uint8), np.zeros((1, 32), np.uint8)
    zero = np.zeros(1, np.uint8)
    other = offers.copy()
    other[0, 1, 5] = 1
    keys = {
        base._derive(b"s" * 32, zero, offers, b"p" * 32, shared).tobytes(),
        base._derive(b"t" * 32, zero, offers, b"p" * 32, shared).tobytes(),
        base._derive(b"s" * 32, zero + 1, offers, b"p" * 32, shared).tobytes(),
        base._derive(b"s" * 32, zero, other, b"p" * 32, shared).tobytes(),
        base._derive(b"s" * 32, zero, offers, b"q" * 32, shared).tobytes(),
        base._derive(b"s" * 32, zero, offers, b"p" * 32, shared + 1).tobytes(),
    }
    assert len(keys) == 6


def test_placing_does_not_branch_and_places_right() -> None:
    chosen, other = np.full((2, 32), 1, np.uint8), np.full((2, 32), 2, np.uint8)
    placed = base._placed(np.array([0, 1], np.uint8), chosen, other)
    assert placed[:, :, 0].tolist() == [[1, 2], [2, 1]]


def replaced(bad: bytes, *, at: str) -> Run[Any]:
    """Run with the last 32 bytes of the message that arrives at `at` replaced."""

    def wire(parcel: Parcel) -> bytes:
        return parcel.payload[: -len(bad)] + bad if parcel.receiver == at else parcel.payload

    return simulate(program, ("a", "b"), wire=wire, timeout_s=5)


@pytest.mark.parametrize("at", ["a", "b"])
@pytest.mark.parametrize("bad", [bytes(32), b"\xff" * 32, b"\x01" + bytes(31)])
def test_what_is_no_element_is_refused_with_the_senders_name(at: str, bad: bytes) -> None:
    error = replaced(bad, at=at).errors[at]
    assert isinstance(error, RemoteProtocolError)
    assert error.party == ("b" if at == "a" else "a")


def test_choices_must_be_bits() -> None:
    with pytest.raises(LocalProtocolError, match="neither 0 nor 1"):
        base.receive(None, "a", np.array([0, 2], np.uint8))  # type: ignore[arg-type]


@pytest.mark.parametrize("liar", ["a", "b"])
def test_every_byte_flipped_ends_in_an_error_or_in_other_keys(liar: str) -> None:
    """The flip of an element that is still one changes keys of that side's own transfers: it could have chosen them."""
    sizes: dict[str, int] = {}

    def measure(parcel: Parcel) -> bytes:
        sizes[parcel.sender] = len(parcel.payload)
        return parcel.payload

    run(program, ("a", "b"), wire=measure)
    for place in range(0, sizes[liar], 7):

        def wire(parcel: Parcel, place: int = place) -> bytes:
            data = bytearray(parcel.payload)
            if parcel.sender == liar:
                data[place] ^= 0x10
            return bytes(data)

        outcome = simulate(program, ("a", "b"), wire=wire, timeout_s=5)
        assert all(isinstance(error, UnseenError) for error in outcome.errors.values())
        if not outcome.errors:
            keys, chosen = outcome.results["a"], outcome.results["b"]
            equal = (keys[np.arange(COUNT), CHOICES] == chosen).all(axis=1)
            other = (keys[np.arange(COUNT), 1 - CHOICES] == chosen).all(axis=1)
            assert not equal.all()
            assert not other.any()
