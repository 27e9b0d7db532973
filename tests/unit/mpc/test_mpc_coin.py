"""The coin: the same at all, fresh, and nobody changes its part once it has seen another's."""

from __future__ import annotations

from typing import Any

import pytest

from unseen.core.errors import RemoteProtocolError, VerificationError
from unseen.mpc.coin import CoinPart, toss
from unseen.party import Party
from unseen.testing.simulate import Run, simulate

PARTIES = ("a", "b", "c")


def go(tossers: tuple[str, ...], lie: Any = None) -> Run[bytes]:
    def program(party: Party) -> bytes:
        if party.name == "b" and lie:
            send = party.send
            party.send = lambda peer, message: send(
                peer, lie(message) if isinstance(message, CoinPart) else message
            )
        return toss(party, tossers=tossers, everyone=PARTIES)

    return simulate(program, PARTIES)


@pytest.mark.parametrize("tossers", [("a",), ("b", "c"), PARTIES])
def test_all_get_the_same_and_never_again(tossers: tuple[str, ...]) -> None:
    runs = [go(tossers) for _ in range(2)]
    coins = [set(run.results.values()) for run in runs]
    assert all(len(coin) == 1 for coin in coins)
    assert not coins[0] & coins[1]


def test_another_part_than_the_one_committed_to() -> None:
    run = go(("b", "c"), lambda said: CoinPart(bytes(32), said.salt))
    error = run.errors["a"]
    assert isinstance(error, VerificationError)
    assert error.party == "b"


def test_a_part_of_another_length() -> None:
    run = go(("b", "c"), lambda said: CoinPart(said.part[:31], said.salt))
    assert isinstance(run.errors["a"], RemoteProtocolError)
