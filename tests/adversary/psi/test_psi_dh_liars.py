"""A holder that deviates: flipped bytes, points that are none, old messages. Nobody crashes, and liars are named.

The protocol is semi-honest: a flipped bit of a masked id, a tag or the seed changes the result as another input of the
liar would, or ends in an error; only what is not of the right form is found out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import RemoteProtocolError, UnseenError
from unseen.kernels import curve
from unseen.kernels.reference import curve as reference
from unseen.link.memory import Parcel
from unseen.party import Disclosure, Door, Party, Released
from unseen.psi import intersect
from unseen.psi.protocol import Mode
from unseen.psi.protocols import dh
from unseen.testing.simulate import Run, simulate

TOLD = [Disclosure("intersection", "common rows", ("a", "b"), Door.RELEASE)]
P = reference.P
MESSAGES = 7  # two sizes, two lists, tags, seed, bits


def ids(numbers: Any) -> np.ndarray:
    out = np.zeros((len(numbers), 32), np.uint8)
    out[:, :8] = np.array(list(numbers), np.uint64).reshape(-1, 1).view(np.uint8)
    return out


def go(**options: Any) -> Run[Any]:
    sets = {"a": ids(range(20)), "b": ids(range(10, 30))}
    return simulate(
        lambda party: intersect(party, sets[party.name], holders=("a", "b"), to=("a", "b"), method="dh"),
        ("a", "b"),
        disclosures=TOLD,
        timeout_s=5,
        **options,
    )


@pytest.mark.parametrize("nth", range(MESSAGES))
@pytest.mark.parametrize("place", [0, 3, 5, 20, 40, 100, -1])
def test_a_flipped_bit_ends_in_an_error_or_another_result(nth: int, place: int) -> None:
    count = {"seen": 0}

    def wire(parcel: Parcel) -> bytes:
        data = bytearray(parcel.payload)
        if count["seen"] == nth and -len(data) <= place < len(data):
            data[place] ^= 0x10
        count["seen"] += 1
        return bytes(data)

    outcome = go(wire=wire)
    assert all(isinstance(error, UnseenError) for error in outcome.errors.values())
    for name, aligned in outcome.results.items():
        if nth != MESSAGES - 1 or name == "a":  # which of its ids are common, b has to believe
            assert set(aligned.rows) <= set(range(10, 20) if name == "a" else range(10))


def on_the_twist() -> np.ndarray:
    return next(row for row in (reference._rows([x]) for x in range(2, 99)) if not curve.x_on_curve(row)[0])


BAD: dict[str, Callable[[], np.ndarray]] = {
    "twist": on_the_twist,
    "zero": lambda: reference._rows([0]),
    "order 4": lambda: reference._rows([1]),
    "order 8": lambda: reference._rows(
        [39382357235489614581723060781553021112529911719440698176882885853963445705823]
    ),
    "not canonical": lambda: reference._rows([P + 9]),
    "top bit": lambda: curve.hash_to_x(ids([1]), b"x") | np.array([0] * 31 + [128], np.uint8),
    "all ones": lambda: np.full((1, 32), 255, np.uint8),
}


@pytest.mark.parametrize("to", [("a",), ("b",)])
@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_point_of_the_curve_is_refused_with_the_senders_name(
    kind: str, to: tuple[str, ...]
) -> None:
    """At either holder, whichever compares."""
    points = np.concatenate([curve.hash_to_x(ids(range(3)), b"x"), BAD[kind]()])
    sizes = {"a": 4, "mallory": 4}

    def program(party: Party) -> Any:
        if party.name == "mallory":
            party.send("a", dh.MaskedIds(points))
            party.recv("a", dh.MaskedIds)
            return party.recv("a", dh.SealedTags)
        return dh.intersect(party, ids(range(4)), sizes=sizes, to=to, mode=Mode())

    told = [Disclosure("intersection", "common rows", ("a", "mallory"), Door.RELEASE)]
    to = tuple("mallory" if name == "b" else name for name in to)
    outcome = simulate(program, ("a", "mallory"), disclosures=told, timeout_s=5)
    error = outcome.errors["a"]
    assert isinstance(error, RemoteProtocolError)
    assert "mallory" in error.what
    assert "mallory" not in outcome.results  # it got no tags


@pytest.mark.parametrize("kind", [dh.MaskedIds, dh.SealedTags, dh.TagSeed])
def test_a_message_of_an_earlier_run_fits_nothing(kind: Any) -> None:
    """Exponents and pads are fresh: what was recorded says nothing in another run."""
    tag = dh.Message and kind.__struct_config__.tag.encode()
    recorded: list[bytes] = []

    def record(parcel: Parcel) -> bytes:
        if parcel.sender == "b" and tag in parcel.payload[:80]:
            recorded.append(parcel.payload)
        return parcel.payload

    assert not go(wire=record).errors
    assert len(recorded) == 1

    def replay(parcel: Parcel) -> bytes:
        return recorded[0] if parcel.sender == "b" and tag in parcel.payload[:80] else parcel.payload

    outcome = go(wire=replay)
    assert not outcome.results  # no rows in common
    assert all(isinstance(error, UnseenError) for error in outcome.errors.values())


@pytest.mark.parametrize(
    "forged",
    [
        lambda _real: np.full(3, 255, np.uint8),  # bits beyond the list
        lambda _real: np.zeros(2, np.uint8),
        lambda _real: np.zeros(4, np.uint8),
        lambda _real: np.zeros((1, 3), np.uint8),
        lambda _real: np.zeros(3, np.uint64),
    ],
)
def test_bits_of_another_form_are_refused(forged: Any) -> None:
    """The comparer alone could lie about which ids are common; it cannot point outside the list."""
    real = dh.Common

    def lying(bits: Released[Any]) -> Any:
        return real(Released(forged(bits.value), Released._maker))

    patch = pytest.MonkeyPatch()
    patch.setattr(dh, "_tell", lambda run, _places: _tell_forged(run, lying))
    try:
        outcome = go()
    finally:
        patch.undo()
    assert isinstance(outcome.errors["b"], RemoteProtocolError)


def _tell_forged(run: Any, lying: Any) -> None:
    told = run.party.release("intersection", np.zeros(3, np.uint8), to=(run.peer,), elements=0)
    run.party.send(run.peer, lying(told))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    points = curve.hash_to_x(ids(range(2)), b"x")

    def program(party: Party) -> Any:
        if party.name == "a":
            return dh.intersect(party, ids(range(2)), sizes={"a": 2, "b": 2}, to=("a",), mode=Mode())
        party.send("a", dh.MaskedIds(points))
        party.recv("a", dh.MaskedIds)
        party.send("a", dh.SealedTags(np.zeros((2, 16), np.uint8)))
        told = party.release("intersection", bytes(length), to=("a",), elements=2)
        party.send("a", dh.TagSeed(told))
        return None

    outcome = simulate(program, ("a", "b"), disclosures=TOLD, timeout_s=5)
    assert isinstance(outcome.errors["a"], RemoteProtocolError)
