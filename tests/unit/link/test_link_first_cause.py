"""A failure goes from party to party under the name of the one where it happened, whoever tells whom first."""

from __future__ import annotations

import threading
from itertools import permutations
from typing import Any

import pytest

from unseen.core.errors import UnseenError, UsageError, VerificationError
from unseen.link.channel import abort_all
from unseen.link.memory import mesh
from unseen.party import Message, Party, Public
from unseen.testing.simulate import simulate

NAMES = ("bank", "helper", "telecom")
REFUSED = UsageError("The label has one class.", mend="bring rows of both classes")


class Word(Message, frozen=True, tag="test.first-cause/1"):
    """Anything."""

    text: Public[str]


@pytest.mark.parametrize("order", list(permutations(NAMES)), ids="-".join)
@pytest.mark.parametrize("shape", ["all wait for it", "one after the other"])
def test_the_first_cause_wins_everywhere(order: tuple[str, ...], shape: str) -> None:
    first, second, third = order
    waits_for = {second: first, third: first if shape == "all wait for it" else second}

    def program(party: Party) -> Any:
        if party.name == first:
            raise REFUSED
        return party.recv(waits_for[party.name], Word)

    errors = simulate(program, order).errors
    assert errors[first] is REFUSED
    for name in (second, third):
        told = errors[name]
        assert isinstance(told, UsageError)
        assert told.party == first
        assert f"ask {first}" in told.mend
        assert REFUSED.what not in str(told)


def test_who_sends_to_a_party_that_failed_hears_why() -> None:
    gone = threading.Event()

    def program(party: Party) -> Any:
        if party.name == "bank":
            try:
                raise REFUSED
            finally:
                gone.set()
        gone.wait(10)
        while True:
            party.send("bank", Word("x") if party.name == "telecom" else Word("y"))

    errors = simulate(program, NAMES).errors
    assert {name: (type(error), getattr(error, "party", None)) for name, error in errors.items()} == {
        "bank": (UsageError, None),
        "telecom": (UsageError, "bank"),
        "helper": (UsageError, "bank"),
    }


def test_a_party_that_is_named_is_not_told_that_itself_failed_first() -> None:
    links = mesh(NAMES)
    abort_all(links["helper"], VerificationError("a wrong tag", party="bank"), "train")
    found = {}
    for name in ("bank", "telecom"):
        with pytest.raises(UnseenError) as caught:
            links[name]["helper"].channel("m").recv(1)
        found[name] = caught.value
    assert (found["bank"].party, found["bank"].why) == ("helper", "")
    assert (found["telecom"].party, found["telecom"].why) == ("bank", "so says helper")
