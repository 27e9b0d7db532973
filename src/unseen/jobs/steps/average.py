"""The mean of what evaluations of a cross-validation's folds measured, and its interval, at who got them (交叉验证汇总)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs.artefacts import Artefact
from unseen.jobs.measures import Measured
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.learn.evaluate.folds import averages
from unseen.party import Disclosure, Party

VERSION = 1
SUMMARY = "Work out the mean of the measures of several folds, and its 95 % interval."
ROLES = {"receiver": "has the measures of all folds"}
MOST = 20
INPUTS = {f"fold-{place}": "the measures on one fold" for place in range(1, MOST + 1)}
OPTIONAL_INPUTS = frozenset(list(INPUTS)[2:])
OUTPUTS = {"metrics": "of each measure the mean, the interval, and its value on every fold"}
LEVELS = ("shared",)
TRUST = "The receiver works alone, with what it was told before: there is nobody to trust."


class Params(StepParams):
    """There is nothing to choose."""


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing."""
    return ()


def estimate(_params: Params, _roles: Roles, _sizes: Sizes, _network: Network) -> Cost:
    """Nothing to speak of."""
    return Cost(0.01, 0, 0, 1 << 20)


def run(_party: Party, inputs: Mapping[str, Artefact], _params: Params, _roles: Roles) -> dict[str, Any]:
    """At the receiver."""
    folds = [Measured.of(inputs[name].meta, inputs[name].arrays).figures for name in INPUTS if name in inputs]
    told = averages(folds)
    if not told:
        raise UsageError(
            "The folds have no measure in common.",
            why="a mean takes the same measure on every fold",
            mend="evaluate all folds with the same parameters",
        )
    counts = [name for name in ("rows", "places") if all(name in fold for fold in folds)]
    figures: dict[str, Any] = {name: sum(fold[name] for fold in folds) for name in counts}
    figures["folds"] = len(folds)
    for name, item in told.items():
        figures |= {name: item.mean, f"{name}_low": item.low, f"{name}_high": item.high}
        figures[f"{name}_folds"] = list(item.values)
    return {"metrics": Measured(figures).to_artefact()}
