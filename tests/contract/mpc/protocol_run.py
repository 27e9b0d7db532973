"""Run lines on secret arrays under any protocol, and count what they cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unseen.core import registry
from unseen.mpc import Engine
from unseen.mpc.engine import PROTOCOLS
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run

TOLD = Disclosure("result", "the result of a test", ("p0",), Door.REVEAL, times=50)


def seats() -> list[tuple[str, int]]:
    """Every protocol with the smallest number of holders it takes, and with one more where it takes more."""
    found = []
    for name in registry.names(PROTOCOLS):
        holders = registry.load(PROTOCOLS, name).STATEMENT.holders
        found += [(name, count) for count in holders[:2]]
    return found


def parties_of(protocol: str, holders: int) -> tuple[tuple[str, ...], str | None]:
    helper = "helper" if registry.load(PROTOCOLS, protocol).STATEMENT.helper else None
    return tuple(f"p{place}" for place in range(holders)), helper


def compute(
    seat: tuple[str, int],
    body: Callable[..., Any],
    *inputs: Any,
    bits: int = 20,
    dtype: type = float,
    reveal: bool = True,
    **options: Any,
) -> Run[Any]:
    """`body(*secrets)` at all parties; inputs belong to the holders in turn; p0 gets what it returns."""
    names, helper = parties_of(*seat)

    def program(party: Party) -> Any:
        engine = Engine(party, holders=names, helper=helper, protocol=seat[0], bits=bits)
        secrets = []
        for place, values in enumerate(inputs):
            owner = names[place % len(names)]
            mine = values if party.name == owner else None
            secrets.append(engine.share(mine, owner=owner, shape=np.shape(values), dtype=dtype))
        made = body(*secrets)
        return engine.reveal("result", made, to=("p0",)) if reveal else None

    everyone = (*names, *((helper,) if helper else ()))
    return run(program, everyone, disclosures=[TOLD], **options)


def result(seat: tuple[str, int], body: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    return compute(seat, body, *inputs, **options).results["p0"]


def payload(outcome: Run[Any]) -> int:
    """Bytes of all arrays that anybody received."""
    arrays = [
        getattr(seen.message, name)
        for view in outcome.views.values()
        for seen in view
        for name in type(seen.message).__struct_fields__
    ]
    return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
