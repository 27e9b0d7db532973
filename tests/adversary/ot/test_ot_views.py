"""What either end of oblivious transfers sees is noise, and mutants that these tests must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.ot import outputs, softspoken, trees
from unseen.ot.correlation import ReceiverCorrelation, SenderCorrelation
from unseen.party import Party
from unseen.testing.simulate import Run, simulate
from unseen.testing.views import objections, secret_arrays

COUNT = 6000


def program(party: Party) -> Any:
    """Choices and messages that are far from random, twice the same."""
    if party.name == "a":
        sender = outputs.Sender(party, "b", softspoken.Sender(party, "b"), security="malicious")
        for _ in range(2):
            sender.chosen(np.zeros((COUNT, 2, 16), np.uint8))
        sender.one_of_many(np.zeros((COUNT // 10, 5, 24), np.uint8))
        return None
    receiver = outputs.Receiver(party, "a", softspoken.Receiver(party, "a"), security="malicious")
    for _ in range(2):
        receiver.chosen(np.zeros(COUNT, np.uint8), 16)
    return receiver.one_of_many(np.zeros(COUNT // 10, np.int64), 5, 24)


def found(run: Run[Any]) -> list[str]:
    assert not run.errors
    return [line for name in ("a", "b") for line in objections(secret_arrays(run.views[name]))]


def go() -> Run[Any]:
    return simulate(program, ("a", "b"))


def test_views_are_uniform() -> None:
    assert found(go()) == []


def test_two_runs_share_no_bytes() -> None:
    def rows(run: Run[Any]) -> set[bytes]:
        arrays = [data for name in ("a", "b") for _, data in secret_arrays(run.views[name])]
        return {data[at : at + 16].tobytes() for data in arrays for at in range(0, len(data) - 15, 16)}

    assert not rows(go()) & rows(go())


def test_lengths_do_not_depend_on_choices() -> None:
    def sizes(bit: int) -> list[int]:
        def body(party: Party) -> None:
            if party.name == "a":
                softspoken.Sender(party, "b").correlated(COUNT)
            else:
                softspoken.Receiver(party, "a").correlated(COUNT, np.full(COUNT, bit, np.uint8))

        run = simulate(body, ("a", "b"))
        return [len(data) for name in ("a", "b") for _, data in secret_arrays(run.views[name])]

    assert sizes(0) == sizes(1)


def test_answers_to_the_check_hide_the_choices() -> None:
    """The hash of choices that are all zero is zero but for the sacrificed ones."""
    assert hashes_of_choices() == 3


def hashes_of_choices() -> int:
    def body(party: Party) -> None:
        if party.name == "a":
            sender = softspoken.Sender(party, "b")
            for _ in range(3):
                sender.correlated(1000)
        else:
            receiver = softspoken.Receiver(party, "a")
            for _ in range(3):
                receiver.correlated(1000, np.zeros(1000, np.uint8))

    run = simulate(body, ("a", "b"))
    answers = [
        s.message.choices.tobytes() for s in run.views["a"] if isinstance(s.message, softspoken.Answer)
    ]
    return len(set(answers) - {bytes(16)})


# ---------------------------------------------------------------- mutants


def test_mutant_constant_mask_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key for all leaves: the sums of a tree's streams vanish, and corrections are choices in clear."""
    monkeypatch.setattr(trees, "_leaf_keys", lambda leaves: np.full_like(leaves, 5))
    assert any("constant" in line or "uniform" in line for line in found(go()))


def test_mutant_reused_counter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The streams of one call used for the next: equal choices, equal corrections."""
    real = softspoken._stretch
    monkeypatch.setattr(softspoken, "_stretch", lambda _first, *rest, **more: (0, real(0, *rest, **more)[1]))
    monkeypatch.setattr(softspoken.Receiver, "_packed", lambda _self, bits: packed_without_padding(bits))
    assert any("same" in line for line in found(go()))


def packed_without_padding(bits: np.ndarray) -> np.ndarray:
    """Zeros instead of random sacrificed choices: also a mutant, see below."""
    blocks = 1 + -(-len(bits) // 128)
    out = np.zeros(blocks * 128, np.uint8)
    out[128 : 128 + len(bits)] = bits
    return np.packbits(out, bitorder="little").reshape(blocks, 16)


def test_mutant_sacrificed_choices_that_hide_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(softspoken.Receiver, "_packed", lambda _self, bits: packed_without_padding(bits))
    assert hashes_of_choices() < 3


def test_mutant_missing_tweak_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pads_of_equal_rows() == 200
    real = outputs.hash_both
    monkeypatch.setattr(
        outputs,
        "hash_both",
        lambda rows, delta, _first: np.concatenate([real(row[None], delta, 0) for row in rows]),
    )
    assert pads_of_equal_rows() < 200


def test_mutant_tweaks_from_the_start_in_every_call_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = outputs.hash_both
    monkeypatch.setattr(outputs, "hash_both", lambda rows, delta, _first: real(rows, delta, 0))
    assert pads_of_equal_rows() < 200


class EqualRows:
    """A source whose receiver has brought about equal rows, as one that deviates may."""

    def correlated(self, count: int, choices: Any = None) -> Any:
        rows = np.full((count, 16), 9, np.uint8)
        if choices is None:
            return SenderCorrelation(np.full(16, 1, np.uint8), rows)
        return ReceiverCorrelation(choices, rows)


def pads_of_equal_rows() -> int:
    """How many different pads come of 100 transfers with equal rows, in two calls."""
    sender = outputs.Sender(None, "b", EqualRows(), security="malicious")  # type: ignore[arg-type]
    pads = np.concatenate([sender.random(50), sender.random(50)])
    return len(np.unique(pads.reshape(-1, 16), axis=0))


def test_mutant_pads_without_the_number_of_the_alternative_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 1 of N the keys of a level serve N / 2 alternatives: without the number their pads are equal."""
    real = outputs._stretched
    monkeypatch.setattr(outputs, "_stretched", lambda pads, _numbers, width: real(pads, 0, width))
    run = go()
    offered = [s.message.messages for s in run.views["b"] if isinstance(s.message, outputs.Pads)][-1]
    sums = offered[:, 0] ^ offered[:, 1] ^ offered[:, 2] ^ offered[:, 3]
    assert not sums.any()
    monkeypatch.setattr(outputs, "_stretched", real)
    run = go()
    offered = [s.message.messages for s in run.views["b"] if isinstance(s.message, outputs.Pads)][-1]
    assert (offered[:, 0] ^ offered[:, 1] ^ offered[:, 2] ^ offered[:, 3]).any()
