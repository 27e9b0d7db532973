"""Random, chosen and 1-of-N transfers over a real source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError
from unseen.ot import outputs, softspoken
from unseen.party import Party
from unseen.testing.simulate import run


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def play(send: Any, receive: Any, security: Any = "malicious") -> tuple[Any, Any]:
    def body(party: Party) -> Any:
        if party.name == "a":
            source = softspoken.Sender(party, "b", security=security)
            return send(outputs.Sender(party, "b", source, security=security))
        source = softspoken.Receiver(party, "a", security=security)
        return receive(outputs.Receiver(party, "a", source, security=security))

    outcome = run(body, ("a", "b"))
    return outcome.results["a"], outcome.results["b"]


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_random(security: str) -> None:
    bits = (np.arange(50) % 2).astype(np.uint8)

    def receive(receiver: outputs.Receiver) -> Any:
        return [receiver.random(count, choices) for count, choices in ((300, None), (50, bits), (0, None))]

    sent, received = play(lambda sender: [sender.random(count) for count in (300, 50, 0)], receive, security)
    for pads, (choices, chosen) in zip(sent, received, strict=True):
        np.testing.assert_array_equal(pads[np.arange(len(choices)), choices], chosen)
        assert not (pads[:, 0] == pads[:, 1]).all(axis=1).any()
    np.testing.assert_array_equal(received[1][0], bits)


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize("width", [1, 16, 17, 100])
def test_chosen(security: str, width: int) -> None:
    messages, bits = noise(1, 200, 2, width), noise(2, 200) & 1
    _, got = play(
        lambda sender: sender.chosen(messages), lambda receiver: receiver.chosen(bits, width), security
    )
    np.testing.assert_array_equal(got, messages[np.arange(200), bits])


@pytest.mark.parametrize("size", [2, 3, 4, 7, 16, 33])
@pytest.mark.parametrize("width", [4, 40])
def test_one_of_many(size: int, width: int) -> None:
    messages, indices = noise(1, 60, size, width), np.arange(60) % size
    _, got = play(
        lambda sender: sender.one_of_many(messages),
        lambda receiver: receiver.one_of_many(indices, size, width),
    )
    np.testing.assert_array_equal(got, messages[np.arange(60), indices])


def test_equal_messages_look_different_everywhere() -> None:
    """No two pads are equal, over transfers, alternatives and blocks of one message."""
    seen: list[np.ndarray] = []

    def body(party: Party) -> Any:
        party.observe(
            lambda _r, _s, _c, message: isinstance(message, outputs.Pads) and seen.append(message.messages)
        )
        if party.name == "a":
            sender = outputs.Sender(party, "b", softspoken.Sender(party, "b"), security="malicious")
            sender.chosen(np.zeros((100, 2, 48), np.uint8))
            return sender.one_of_many(np.zeros((100, 6, 48), np.uint8))
        receiver = outputs.Receiver(party, "a", softspoken.Receiver(party, "a"), security="malicious")
        receiver.chosen(np.zeros(100, np.uint8), 48)
        return receiver.one_of_many(np.zeros(100, np.int64), 6, 48)

    run(body, ("a", "b"))
    parts = np.concatenate([array.reshape(-1, 16) for array in seen])
    assert len(np.unique(parts, axis=0)) == len(parts) == 3 * (200 + 600)


def test_a_receiver_without_the_keys_of_an_index_sees_noise() -> None:
    """It opens every alternative with the keys it has: only its own comes out."""
    messages = np.zeros((40, 8, 32), np.uint8)
    taken: list[tuple[np.ndarray, np.ndarray]] = []

    def receive(receiver: outputs.Receiver) -> None:
        bits = (5 >> np.arange(3) & 1).astype(np.uint8)
        _, pads = receiver.random(120, np.tile(bits, 40))
        taken.append((receiver._offered((40, 8, 32)), pads.reshape(40, 3, 16)))

    play(lambda sender: sender.one_of_many(messages), receive)
    offered, keys = taken[0]
    for number in range(8):
        opened = offered[:, number].copy()
        for level in range(3):
            opened ^= outputs._stretched(keys[:, level], number, 32)
        assert bool((opened == 0).all()) == (number == 5)


def test_shapes_are_checked() -> None:
    sender = outputs.Sender(None, "b", None, security="malicious")  # type: ignore[arg-type]
    receiver = outputs.Receiver(None, "a", None, security="malicious")  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="uint8 of shape"):
        sender.chosen(np.zeros((3, 3, 16), np.uint8))
    with pytest.raises(LocalProtocolError, match="uint8 of shape"):
        sender.one_of_many(np.zeros((3, 16), np.uint8))
    with pytest.raises(LocalProtocolError, match="2 to"):
        sender.one_of_many(np.zeros((3, 1, 16), np.uint8))
    with pytest.raises(LocalProtocolError, match="outside"):
        receiver.one_of_many(np.array([3]), 3, 16)
