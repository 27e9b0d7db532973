"""Run lines on secret arrays under any protocol, and count what they cost."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from unseen.core import registry
from unseen.mpc import Engine
from unseen.mpc.engine import PROTOCOLS
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run

TOLD = Disclosure("result", "the result of a test", ("p0",), Door.REVEAL, times=200)


def seats() -> list[tuple[str, int]]:
    """Every protocol with the smallest number of holders it takes, and with one and two more where it takes more."""
    found = []
    for name in registry.names(PROTOCOLS):
        holders = registry.load(PROTOCOLS, name).STATEMENT.holders
        found += [(name, count) for count in holders[:3]]
    return found


def each_of(chosen: list[tuple[str, int]]) -> pytest.MarkDecorator:
    """A test for each of these seats; `dealer` with two holders, which is `dealer2`, and with four wait for the long run."""
    late = {("dealer", 2), ("dealer", 4)}
    cases = [
        pytest.param(item, id=f"{item[0]}-{item[1]}", marks=pytest.mark.long if item in late else ())
        for item in chosen
    ]
    return pytest.mark.parametrize("seat", cases)


seat = each_of(seats())


def parties_of(protocol: str, holders: int) -> tuple[tuple[str, ...], str | None]:
    helper = "helper" if registry.load(PROTOCOLS, protocol).STATEMENT.helper else None
    return tuple(f"p{place}" for place in range(holders)), helper


def compute(
    seat: tuple[str, int],
    body: Callable[..., Any],
    *inputs: Any,
    bits: int = 20,
    dtype: type = float,
    fss: bool = False,
    **options: Any,
) -> Run[Any]:
    """`body(*secrets)` at all parties; inputs belong to the holders in turn; p0 gets what it returns."""
    names, helper = parties_of(*seat)

    def program(party: Party) -> Any:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0], bits=bits, fss=fss)
        secrets = []
        for place, values in enumerate(inputs):
            owner = names[place % len(names)]
            mine = values if party.name == owner else None
            secrets.append(engine.share(mine, owner=owner, shape=np.shape(values), dtype=dtype))
        made = body(*secrets)
        return engine.reveal("result", made, to=("p0",))

    everyone = (*names, *((helper,) if helper else ()))
    return run(program, everyone, disclosures=[TOLD], **options)


def result(seat: tuple[str, int], body: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    return compute(seat, body, *inputs, **options).results["p0"]


class Meter:
    """Counts payload, and how long the longest chain of messages is of which each waits for the one before."""

    def __init__(self, parties: int) -> None:
        self.size_bytes = 0
        self.depth = 0
        self._ready = threading.Barrier(parties)
        self._under_way: dict[tuple[str, str], deque[int]] = defaultdict(deque)
        self._clocks: dict[str, int] = defaultdict(int)

    def attach(self, party: Party) -> None:
        """From now on, as soon as all parties are here."""
        self._ready.wait(30)
        send, recv = party.send, party.recv

        def counted_send(peer: str, message: Any) -> None:
            arrays = [getattr(message, name) for name in type(message).__struct_fields__]
            self.size_bytes += sum(item.nbytes for item in arrays if isinstance(item, np.ndarray))
            ahead = party.name == "helper"  # it waits for nobody, so nobody need wait for it
            self._under_way[party.name, peer].append(0 if ahead else self._clocks[party.name] + 1)
            send(peer, message)

        def counted_recv(peer: str, message_type: Any, **options: Any) -> Any:
            message = recv(peer, message_type, **options)
            chain = self._under_way[peer, party.name].popleft()
            self._clocks[party.name] = max(self._clocks[party.name], chain)
            self.depth = max(self.depth, chain)
            return message

        party.send, party.recv = counted_send, counted_recv
        self._ready.wait(30)


def measure(
    seat: tuple[str, int],
    body: Callable[..., Any],
    *inputs: Any,
    disclosures: Sequence[Disclosure] = (TOLD,),
    **options: Any,
) -> Meter:
    """What `body` costs and what checking it does, without the sharing of its inputs."""
    names, helper = parties_of(*seat)
    everyone = (*names, *((helper,) if helper else ()))
    meter = Meter(len(everyone))

    def program(party: Party) -> None:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0], **options)
        secrets = [
            engine.share(values if party.name == "p0" else None, owner="p0", shape=np.shape(values))
            for values in inputs
        ]
        meter.attach(party)
        body(engine, *secrets)
        engine.protocol.verify()

    run(program, everyone, disclosures=disclosures)
    return meter
