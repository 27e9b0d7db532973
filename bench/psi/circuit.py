"""Intersections that nobody sees, with a helper and without one: shares of membership and of a column of 64-bit integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.parties import Wire, play
from bench.report import Sample
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.psi.protocols.circuit import hidden

Third = Literal["helper", "none"]

HOLDERS = ("listener", "caller")
TRUST = {
    "helper": "two semi-honest holders and a helper that colludes with neither; dual LPN, correlation-robust AES",
    "none": "two semi-honest holders and nobody else; dual LPN, correlation-robust AES",
}
QUICK: Mapping[Third, Any] = {
    "helper": {},
    "none": {"assumption": "symmetric"},
}  # many bytes cost nothing on loopback
TOLD = [
    Disclosure("check", "how many rows are common, and a sum over them", HOLDERS[:1], Door.REVEAL, times=2)
]


def ours(count: int, third: Third, *, wire: Wire = "lan") -> Sample:
    """One hidden intersection of `count` by `count` ids, half of them common, from ids and column to shares."""
    parties = HOLDERS if third == "none" else (*HOLDERS, "helper")

    def ready(name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        everybody = np.random.default_rng(7).integers(0, 256, (count + count // 2, 32), np.uint8)
        first = (count // 2) * (name == HOLDERS[1])
        return everybody[first : first + count], np.arange(first, first + count)

    def program(party: Party, mine: tuple[NDArray[np.uint8], NDArray[np.int64]]) -> Any:
        ids, amounts = mine if party.name in HOLDERS else (None, None)
        helper, protocol = ("helper", "dealer2") if third == "helper" else (None, "pair2")
        engine = Engine(party, holders=HOLDERS, helper=helper, protocol=protocol, **QUICK[third])
        found = hidden(
            engine,
            ids,
            {"amount": amounts} if party.name == HOLDERS[1] and amounts is not None else {},
            sizes=dict.fromkeys(HOLDERS, count),
            columns={HOLDERS[1]: {"amount": int}},
            table=HOLDERS[0],
        )
        total = found.columns[HOLDERS[1]]["amount"].sum()
        shown = [engine.reveal("check", array, to=HOLDERS[:1]) for array in (found.member.sum(), total)]
        return None if shown[0] is None else [float(item) for item in shown if item is not None]

    played = play(program, parties, wire=wire, disclosures=TOLD, ready=ready)
    common = np.arange(count // 2, count)
    if played.parties[HOLDERS[0]].result != [float(len(common)), float(common.sum())]:
        raise RuntimeError(f"a wrong result: {played.parties[HOLDERS[0]].result}")
    each = {f"cpu_{name}_s": told.cpu_s for name, told in played.parties.items()}
    return played.sample(more=each)
