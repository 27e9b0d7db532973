"""Parties that give more than they take do not run ahead of the others, and nobody waits in a circle for that."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from protocol_run import parties_of, result

from unseen.mpc import Engine, sigmoid
from unseen.party import Party
from unseen.party import party as parties
from unseen.testing.simulate import run

AHEAD = [("dealer", 3), ("dealer2", 2), ("replicated3", 3)]
"""Where somebody only gives."""


def mixed(x: Any) -> Any:
    return np.sort(x) + np.exp(x) * sigmoid(x) + np.where(x < 0, x, x * x)


@pytest.mark.parametrize("seat", AHEAD)
def test_nobody_waits_in_a_circle_even_if_nothing_may_be_ahead(
    seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parties, "AHEAD_BYTES", 0)
    x = np.random.default_rng(1).uniform(-2, 2, 60)
    np.testing.assert_allclose(result(seat, mixed, x), mixed(x), atol=1e-2)


@pytest.mark.parametrize("seat", AHEAD)
def test_who_only_gives_waits_for_those_who_take(
    seat: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody runs a program of many exponentials but the last holder, who begins when no other goes on."""
    monkeypatch.setattr(parties, "AHEAD_BYTES", 1 << 14)
    holders, helper = parties_of(*seat)
    giver = helper or holders[0]
    done, go = [0], threading.Event()

    def program(party: Party) -> int:
        engine = Engine(party, holders=holders, helper=helper, protocol=seat[0])
        x = engine.share(np.ones(1000) if party.name == holders[0] else None, owner=holders[0], shape=(1000,))
        if party.name == holders[-1]:
            go.wait(10)
        for _ in range(20):
            np.exp(x)
            done[0] += party.name == giver
        return 1

    running = threading.Thread(target=run, args=(program, (*holders, *((helper,) if helper else ()))))
    running.start()
    running.join(0.4)
    assert done[0] <= 1
    go.set()
    running.join(20)
    assert done[0] == 20
