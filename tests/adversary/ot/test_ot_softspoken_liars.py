"""A peer that changes any byte of what it sends is found out before rows are returned, or has only guessed.

Two kinds of change do no harm, because the honest end never uses what was changed. They are the guesses that the protocol
allows a receiver to make: had it guessed wrong, everything would have ended.

* `TreeSums`: of the two sums of a level the sender reads the one off its path; the other may be anything.
* `Corrections` of a tree whose part of Delta is 0: they are multiplied by it.

In both cases the rows that come out are those of an honest run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UnseenError
from unseen.link.memory import Parcel, faithful
from unseen.ot import base, softspoken, trees
from unseen.party import Party
from unseen.testing.simulate import Run, simulate

COUNT = 20
K = 4
TREES = 32
# No part of it is 0, so that every correction matters; the guesses have tests of their own.
DELTA = np.array(
    [0x11, 0x92, 0x37, 0xF4, 0x5A, 0x68, 0xC1, 0x2E, 0x73, 0x84, 0x9D, 0xE6, 0xBF, 0x15, 0xA8, 0x4C], np.uint8
)
KEYS = np.random.default_rng(7).integers(0, 256, (128, 2, 16), np.uint8)
SUMS, PROOF, CORRECTIONS, ANSWER = range(4)


@pytest.fixture
def dealt_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of base transfers handed out, for the thousands of runs below; the real ones are flipped in their own tests."""
    monkeypatch.setattr(base, "send", lambda _party, _peer, _count: KEYS.copy())
    monkeypatch.setattr(base, "receive", lambda _party, _peer, bits: KEYS[np.arange(128), bits].copy())


def program(delta: np.ndarray = DELTA) -> Callable[[Party], Any]:
    def body(party: Party) -> Any:
        if party.name == "a":
            return softspoken.Sender(party, "b", k=K, delta=delta).correlated(COUNT)
        return softspoken.Receiver(party, "a", k=K).correlated(COUNT)

    return body


def flip(sender: str, nth: int, place: int, by: int) -> Callable[[Parcel], bytes]:
    def wire(parcel: Parcel) -> bytes:
        data = bytearray(parcel.payload)
        if parcel.sender == sender and parcel.seq == nth and place < len(data):
            data[place] ^= by
        return bytes(data)

    return wire


def lengths(body: Callable[[Party], Any]) -> dict[str, list[int]]:
    seen: dict[str, list[int]] = {"a": [], "b": []}

    def wire(parcel: Parcel) -> bytes:
        seen[parcel.sender].append(len(parcel.payload))
        return parcel.payload

    simulate(body, ("a", "b"), wire=wire)
    return seen


def fit(run: Run[Any]) -> bool:
    sent, received = run.results["a"], run.results["b"]
    return bool((sent.rows == received.rows ^ received.choices[:, None] * sent.delta).all())


def flips(sender: str, nth: int, size: int, step: int) -> Iterator[tuple[int, Run[Any]]]:
    noise = np.random.default_rng(nth)
    for place in range(0, size, step):
        by = int(noise.integers(1, 256))
        run = simulate(program(), ("a", "b"), wire=flip(sender, nth, place, by), timeout_s=10)
        assert all(isinstance(error, UnseenError) for error in run.errors.values()), (place, run.errors)
        yield place, run


def off_path(delta: np.ndarray) -> np.ndarray:
    """Which bytes of the sums the sender reads, (trees, levels, 2, 16): those of the side off its path."""
    path = np.unpackbits(delta, bitorder="little").reshape(TREES, K)[:, ::-1][:, 1:]
    return np.repeat(np.stack([path == 1, path == 0], axis=2)[..., None], 16, axis=3).reshape(-1)


@pytest.mark.usefixtures("dealt_base")
@pytest.mark.parametrize(("nth", "step"), [(SUMS, 3), (PROOF, 1), (CORRECTIONS, 1), (ANSWER, 1)])
def test_what_the_receiver_changes_is_found(nth: int, step: int) -> None:
    judge(nth, step)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("dealt_base")
def test_every_byte_of_the_sums_that_the_receiver_changes_is_found() -> None:
    judge(SUMS, 1)


def judge(nth: int, step: int) -> None:
    size = lengths(program())["b"][nth]
    body = size - TREES * (K - 1) * 2 * 16 if nth == SUMS else size
    read = off_path(DELTA)
    for place, run in flips("b", nth, size, step):
        if nth == SUMS and place >= body and not read[place - body]:
            assert not run.errors
            assert fit(run)
        else:
            assert isinstance(run.errors["a"], RemoteProtocolError), place
            assert run.errors["a"].party == "b"
            assert "a" not in run.results


@pytest.mark.usefixtures("dealt_base")
def test_every_byte_of_the_challenge_counts() -> None:
    """A sender that sends another challenge than it uses only hurts itself: the check fails at its own end."""
    for _, run in flips("a", 0, lengths(program())["a"][0], 1):
        assert run.errors["a"]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("sender", ["a", "b"])
def test_every_byte_of_the_base_transfers_counts(sender: str) -> None:
    """Other elements mean other keys on one side: the trees do not fit together, and their proof fails."""
    for _, run in flips(sender, 0, lengths(program())[sender][0], 1):
        assert run.errors["a"]


@pytest.mark.parametrize(("sender", "place"), [("b", 100), ("b", 4000), ("b", -1), ("a", -3)])
def test_bytes_of_the_base_transfers_count(sender: str, place: int) -> None:
    place %= lengths(program())[sender][0]
    run = simulate(program(), ("a", "b"), wire=flip(sender, 0, place, 4), timeout_s=10)
    assert run.errors["a"]
    assert "a" not in run.results


@pytest.mark.usefixtures("dealt_base")
def test_a_right_guess_passes_and_changes_nothing() -> None:
    """Tree 5 is multiplied by 0; changing its corrections tests just that guess, which is right once in 2^k times."""
    delta = DELTA.copy()
    delta[2] &= 0x0F
    size = lengths(program(delta))["b"][CORRECTIONS]
    body = size - 31 * 2 * 16
    place = body + (5 - 1) * 2 * 16 + 3
    passed = simulate(program(delta), ("a", "b"), wire=flip("b", CORRECTIONS, place, 1))
    assert not passed.errors
    assert fit(passed)
    caught = simulate(program(), ("a", "b"), wire=flip("b", CORRECTIONS, place, 1), timeout_s=10)
    assert isinstance(caught.errors["a"], RemoteProtocolError)


@pytest.mark.usefixtures("dealt_base")
def test_wrong_guesses_are_found_as_often_as_they_are_wrong() -> None:
    """One changed tree under a random Delta: passes with probability 1/16."""
    rng = np.random.default_rng(3)
    passed = 0
    place = lengths(program())["b"][CORRECTIONS] - 1
    for _ in range(320):
        delta = rng.integers(0, 256, 16, np.uint8)
        run = simulate(program(delta), ("a", "b"), wire=flip("b", CORRECTIONS, place, 1), timeout_s=10)
        passed += not run.errors
        assert bool(run.errors) == bool(delta[15] >> 4)
    assert 5 <= passed <= 45


def test_mutant_no_check_is_found(monkeypatch: pytest.MonkeyPatch, dealt_base: None) -> None:
    monkeypatch.setattr(
        softspoken.Sender,
        "_check",
        lambda self, _rows: self._party.send("b", softspoken.Challenge(bytes(16))),
    )
    place = (
        lengths(program())["b"][CORRECTIONS] - 16
    )  # of the last tree, the first choices after the sacrificed ones
    run = simulate(program(), ("a", "b"), wire=flip("b", CORRECTIONS, place, 255))
    assert not run.errors
    assert not fit(run)


def test_mutant_no_proof_of_trees_is_found(monkeypatch: pytest.MonkeyPatch, dealt_base: None) -> None:
    """The proof is what stands between a wrong sum and two ends with different leaves."""
    monkeypatch.setattr(trees, "_check", lambda party, peer, _nodes, _path: party.recv(peer, trees.TreeProof))
    size = lengths(program())["b"][SUMS]
    read = np.flatnonzero(off_path(DELTA))[5] + size - TREES * (K - 1) * 2 * 16
    found: list[Any] = []

    def body(party: Party) -> Any:
        if party.name == "a":
            found.append(softspoken.Sender(party, "b", k=K, delta=DELTA)._keys)
        else:
            found.append(softspoken.Receiver(party, "a", k=K)._keys)

    assert not simulate(body, ("a", "b"), wire=flip("b", SUMS, int(read), 1)).errors
    one, other = ({key.tobytes() for key in keys[:, 1:].reshape(-1, 16)} for keys in found)
    assert len(one - other) > TREES  # more than the receiver's leaves at place 0


def test_after_an_abort_there_is_no_second_try(dealt_base: None) -> None:
    outcome: list[Exception] = []

    def body(party: Party) -> Any:
        if party.name == "b":
            return softspoken.Receiver(party, "a", k=K).correlated(COUNT)
        sender = softspoken.Sender(party, "b", k=K, delta=DELTA)
        for _ in range(2):
            try:
                sender.correlated(COUNT)
            except UnseenError as error:
                outcome.append(error)
        return None

    place = lengths(program())["b"][ANSWER] - 1
    simulate(body, ("a", "b"), wire=flip("b", ANSWER, place, 1))
    assert isinstance(outcome[0], RemoteProtocolError)
    assert isinstance(outcome[1], LocalProtocolError)


def test_the_honest_run_passes(dealt_base: None) -> None:
    run = simulate(program(), ("a", "b"), wire=faithful)
    assert not run.errors
    assert fit(run)
