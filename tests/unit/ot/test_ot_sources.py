"""Every output over every source: who asks for an assumption gets the protocol that needs no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import UsageError
from unseen.ot import outputs, sources
from unseen.party import Party
from unseen.testing.simulate import run

MESSAGES = np.random.default_rng(1).integers(0, 256, (50, 2, 24), np.uint8)
MANY = np.random.default_rng(2).integers(0, 256, (30, 5, 16), np.uint8)
BITS = (np.arange(50) % 3 == 0).astype(np.uint8)


@pytest.mark.parametrize("assumption", ["symmetric", "lpn"])
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_outputs_over_sources(assumption: Any, security: Any) -> None:
    def body(party: Party) -> Any:
        if party.name == "a":
            source = sources.sender(party, "b", assumption=assumption, security=security)
            sender = outputs.Sender(party, "b", source, security=security)
            pads = sender.random(40)
            sender.chosen(MESSAGES)
            sender.one_of_many(MANY)
            return pads
        source = sources.receiver(party, "a", assumption=assumption, security=security)
        receiver = outputs.Receiver(party, "a", source, security=security)
        return receiver.random(40), receiver.chosen(BITS, 24), receiver.one_of_many(np.arange(30) % 5, 5, 16)

    outcome = run(body, ("a", "b"))
    pads, ((bits, got), chosen, one) = outcome.results["a"], outcome.results["b"]
    np.testing.assert_array_equal(pads[np.arange(40), bits], got)
    np.testing.assert_array_equal(chosen, MESSAGES[np.arange(50), BITS])
    np.testing.assert_array_equal(one, MANY[np.arange(30), np.arange(30) % 5])
    streams = {type(seen.message).__module__ for seen in outcome.views["a"]}
    assert ("unseen.ot.silent" in streams) == (assumption == "lpn")


def test_nothing_else_is_assumed() -> None:
    for make in (sources.sender, sources.receiver):
        with pytest.raises(UsageError, match="symmetric"):
            make(None, "b", assumption="hope")  # type: ignore[arg-type]


def test_lowest_bits_of_marked_rows_are_shares_of_the_choices() -> None:
    def body(party: Party) -> Any:
        if party.name == "a":
            return sources.sender(party, "b", security="semi-honest", marked=True).correlated(50)
        return sources.receiver(party, "a", security="semi-honest").correlated(50, BITS)

    made = run(body, ("a", "b")).results
    assert made["a"].delta[0] & 1
    np.testing.assert_array_equal((made["a"].rows ^ made["b"].rows)[:, 0] & 1, BITS)
