"""Run a few lines on secret arrays at two or three holders and a helper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run

TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL, times=20)


def compute(
    body: Callable[..., Any],
    *inputs: Any,
    holders: tuple[str, ...] = ("a", "b"),
    bits: int = 20,
    **options: Any,
) -> Run[Any]:
    """`body(engine, *secrets)` at all parties; inputs belong to the holders in turn; reveals what it returns to a."""

    def program(party: Party) -> Any:
        engine = Engine(party, holders=holders, helper="helper", bits=bits)
        secrets = []
        for place, values in enumerate(inputs):
            owner = holders[place % len(holders)]
            mine = values if party.name == owner else None
            secrets.append(engine.share(mine, owner=owner, shape=np.shape(values)))
        result = body(engine, *secrets)
        return engine.reveal("result", result, to=("a",))

    return run(program, (*holders, "helper"), disclosures=[TOLD], **options)


def result(body: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    """What party a gets."""
    return compute(body, *inputs, **options).results["a"]
