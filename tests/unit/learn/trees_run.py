"""Trees on shares, run by all parties in this process, beside the plain trainer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.learn.vertical.trees import plain, shared
from unseen.learn.vertical.trees.bins import Bins
from unseen.learn.vertical.trees.model import Booster, Settings, Splits
from unseen.learn.vertical.trees.told import disclosure
from unseen.mpc import Engine
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run

HOLDERS = ("a", "b", "c")


@dataclass
class Case:
    """Pooled codes (columns, rows), bins of each column, and which holder has how many columns."""

    codes: np.ndarray
    bins: list[int]
    labels: np.ndarray
    settings: Settings
    columns: dict[str, int]

    @property
    def of_holders(self) -> dict[str, slice]:
        ends = np.cumsum([0, *self.columns.values()])
        return {
            name: slice(int(start), int(end))
            for name, start, end in zip(self.columns, ends[:-1], ends[1:], strict=True)
        }

    def public(self) -> Bins:
        missing = [bool((codes == bins).any()) for codes, bins in zip(self.codes, self.bins, strict=True)]
        return Bins(
            self.codes.shape[1],
            {name: tuple(self.bins[part]) for name, part in self.of_holders.items()},
            {name: tuple(missing[part]) for name, part in self.of_holders.items()},
        )

    def label_rows(self) -> np.ndarray:
        if self.settings.objective == "softmax":
            return (self.labels == np.arange(self.settings.classes)[:, None]).astype(float)
        return self.labels.astype(float)[None]


def grow(
    case: Case,
    protocol: str = "dealer",
    *,
    weights: np.ndarray | None = None,
    start: np.ndarray | None = None,
    **options: Any,
) -> Run[Any]:
    """Every party's (splits, leaves or None, scores or None, gains or None); all but splits go to a.

    `weights` of rows and scores to `start` from are a's.
    """
    names = (*case.columns, "helper")
    told = [
        Disclosure("weights", "weights", ("a",), Door.REVEAL),
        Disclosure("scores", "scores", ("a",), Door.REVEAL),
        Disclosure("gains", "gains", ("a",), Door.REVEAL),
        *(Disclosure(disclosure(name), "splits", (name,), Door.REVEAL, times=1000) for name in case.columns),
    ]
    bins, parts, labels = case.public(), case.of_holders, case.label_rows()

    def program(party: Party) -> Any:
        if protocol == "dealer":
            engine = Engine(party, holders=tuple(case.columns), helper="helper", protocol=protocol)
        elif protocol in ("replicated3", "replicated3-malicious"):
            engine = Engine(party, holders=names, protocol=protocol)
        else:
            engine = Engine(party, holders=tuple(case.columns), protocol=protocol)
        mine = case.codes[parts[party.name]] if party.name in parts else None
        label = engine.share(labels if party.name == "a" else None, owner="a", shape=labels.shape)
        given = {"weights": weights, "start": start}
        secret = {
            name: engine.share(each if party.name == "a" else None, owner="a", shape=each.shape)
            for name, each in given.items()
            if each is not None
        }
        grown = shared.fit(engine, mine, bins, label, case.settings, **secret, **options)
        missing = bins.bins.get(party.name, ())
        if grown.tables is None:
            holders = tuple(name for name, count in case.columns.items() if count)
            scored = shared.scores(
                engine, grown, mine, missing, case.settings, holders=holders, rows=bins.rows
            )
        else:
            scored = shared.hidden_scores(engine, grown, mine, bins.widths, case.settings, rows=bins.rows)
        leaves = engine.reveal("weights", grown.weights, to=("a",))
        told_scores = engine.reveal("scores", scored, to=("a",))
        gained = None if grown.gains is None else engine.reveal("gains", grown.gains, to=("a",))
        return grown.splits, leaves, told_scores, gained

    parties = names if protocol not in ("pair2", "plain") else tuple(case.columns)
    return run(program, parties, disclosures=told, timeout_s=120)


def pooled(case: Case, outcome: Run[Any]) -> Booster:
    """What all holders know of the trees, put together, with the weights that a was told."""
    settings = case.settings
    made = Splits.none(settings.trees, settings.nodes)
    for name, part in case.of_holders.items():
        own = outcome.results[name][0]
        if own is None:
            continue
        mine = own.column >= 0
        assert not (mine & (made.column >= 0)).any()
        made.column[mine] = own.column[mine] + part.start
        made.bin[mine], made.missing_left[mine] = own.bin[mine], own.missing_left[mine]
    return Booster(settings, made, outcome.results["a"][1])


def expected(case: Case, **options: Any) -> tuple[Booster, np.ndarray]:
    """The plain trainer's trees and scores."""
    model = plain.fit(case.codes, case.bins, case.labels, case.settings, **options)
    return model, plain.scores(model, case.codes, case.bins)
