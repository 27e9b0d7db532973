"""Cut columns into bins and weigh them by the labels of one holder, whose labels nobody else learns (联合分箱)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.data.table import Table
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import from_preparation, label_of, to_table
from unseen.learn.prepare import bins, joint_bins, woe
from unseen.learn.prepare.bins import Coding, Woe
from unseen.learn.prepare.preparation import Preparation
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Door, Message, Party, Released

VERSION = 1
SUMMARY = "Cut columns into bins and weigh them by the labels (WOE, IV); nobody learns another holder's labels or values."
ROLES = {"holders": "have the columns", "label_holder": "the holder that has the label"}
INPUTS = {"table": "training rows"}
OUTPUTS = {
    "rules": "bins and their weights of evidence of this holder's columns, for the step `transform`",
    "metrics": "information values and bins, as far as they are told",
}
LEVELS = ("shared",)
TRUST = "Semi-honest holders; no third party."

_SHAPE = "binned-columns"


class Params(engines.OnShares):
    """Which columns, how they are cut and merged, and who learns what.

    Attributes
    ----------
    columns
        Holder -> names; of a holder that is not named all features.
    by, fine
        Cut numbers into `fine` bins by quantiles or equal widths; of text keep as many categories.
    merge, most
        How the holder of the column merges neighbours then, to `most` bins: `none`, `chi2`, `optimal` (greatest IV) or
        `monotone` (greatest IV whose weights only rise or only fall).
    at_least
        Rows of either class that every bin must have before anything about it is told; neighbours are merged until it has. With
        tell = nobody bins have twice as many rows, of whatever class: no counts are told, but one IV of all bins.
    smoothing
        Added to the counts of each bin.
    tell
        Who learns positives and negatives per bin of a column that is not the label holder's: its `owner`, or `both`
        the owner and the label holder, or `nobody`: then only information values are told, to `iv_to`.
    """

    BY_HOLDER: ClassVar = ("columns",)
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    by: Literal["quantile", "width"] = "quantile"
    fine: Annotated[int, Field(ge=2, le=100)] = 20
    merge: woe.Merge = "optimal"
    most: Annotated[int, Field(ge=2, le=100)] = 6
    at_least: Annotated[int, Field(ge=1)] = 10
    smoothing: Annotated[float, Field(gt=0)] = woe.SMOOTHING
    tell: Literal["owner", "both", "nobody"] = "owner"
    iv_to: Literal["owner", "both"] = "owner"

    @model_validator(mode="after")
    def _offered(self) -> Self:
        if self.tell == "nobody" and self.merge != "none":
            raise ValueError(
                "bins are merged by who knows their counts: with tell = nobody, merge must be none"
            )
        return self

    def assumes(self, _roles: Roles) -> Assumption:
        """Two at a time, however many holders there are."""
        return self.transfers


class Width(Message, frozen=True, tag="jobs.bin-width/1"):
    """How many columns the sender bins, and how many rows it has."""

    columns: Released[int]
    rows: Released[int]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """For each owner of columns but the label holder: how many there are, and counts or information values."""
    label_holder = roles.one("label_holder")
    told = []
    for owner in _owners(roles):
        pair = (owner, label_holder)
        told.append(
            Disclosure(
                f"{_SHAPE}-{owner}",
                f"how many rows {owner} has and columns it bins",
                pair,
                Door.RELEASE,
                1,
                times=2,
            )
        )
        if params.tell == "nobody":
            what = f"the information value of each of {owner}'s columns"
            told.append(
                Disclosure(f"iv-{owner}", what, pair if params.iv_to == "both" else (owner,), Door.REVEAL)
            )
            continue
        what = (
            f"rows with and without the label in each bin of {owner}'s columns, of bins merged until each has "
            f"{params.at_least} of either"
        )
        told.append(
            Disclosure(f"counts-{owner}", what, pair if params.tell == "both" else (owner,), Door.REVEAL)
        )
    return tuple(told)


def _owners(roles: Roles) -> tuple[str, ...]:
    return tuple(holder for holder in roles.all("holders") if holder != roles.one("label_holder"))


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """Labels encrypted once for some columns, a chain of comparisons; by measurement on two cores."""
    sent, rounds, seconds, memory = 0.0, 0, 0.02, 0
    for owner in _owners(roles):
        rows = sizes.rows.get(owner, 0)
        columns = len(params.columns.get(owner, ())) or sizes.columns.get(owner, 0)
        codes = columns * (params.fine + 1)
        sent += 8e5 + joint_bins.count_bytes(rows, codes)
        if params.tell == "nobody":
            sent, rounds = sent + min(25_000 * codes, 4e6 + 12_500 * codes), rounds + 65
        else:
            sent, rounds = sent + 6000 * codes, rounds + 42 + 11 * (params.fine + 1)
        seconds += 0.2 + 6e-8 * rows * codes
        memory = max(memory, 8 * rows * min(codes, 700))
    seconds += sent / network.bytes_per_s + rounds * (network.latency_s + 1e-4)
    return Cost(seconds, round(sent), rounds, memory)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder; the label holder takes part for each other holder in turn."""
    label_holder, me = roles.one("label_holder"), party.name
    table = to_table(inputs["table"])
    names = params.columns.get(me, table.features)
    codings, codes = _coded(table, names, params)
    report: dict[str, Any] = {"columns": list(names)}
    if me == label_holder:
        labels = label_of(table, me)
        others = {
            owner: _told(party, owner, label_holder, None, labels, table.rows, 0, params)
            for owner in _owners(roles)
        }
        states = _own(codings, codes, labels, params, names)
        report["others"] = {owner: _shown(told, params) for owner, told in others.items() if told is not None}
    else:
        told = _told(party, me, label_holder, codes, None, table.rows, len(names), params)
        states = (
            {} if told is None or params.tell == "nobody" else _states(codings, codes, told, params, names)
        )
        if params.tell == "nobody" and told is not None:
            report["iv"] = told.tolist()
    if states:
        report["iv"] = [states[name]["iv"] for name in names]
        report["bins"] = {name: _rows(codings[name], state) for name, state in states.items()}
    fitted = Preparation([Woe(of=me, columns=tuple(states))] if states else [])
    fitted.learnt(table, [states] if states else [])
    return {"rules": from_preparation(fitted), "metrics": Artefact("metrics", {}, report)}


def _coded(
    table: Table, names: tuple[str, ...], params: Params
) -> tuple[dict[str, Coding], NDArray[np.int64]]:
    codings, codes, problems = {}, np.zeros((table.rows, len(names)), np.int64), []
    for place, name in enumerate(names):
        try:
            codings[name] = Coding.learn(table, name, by=params.by, fine=params.fine)
            codes[:, place] = codings[name].codes(table, name)
        except UsageError as error:
            problems.append(f"column '{name}': {error.what}")
    if problems:
        raise UsageError(
            "These columns cannot be cut into bins.",
            mend="mend them, or name the others in `columns`",
            problems=tuple(problems),
        )
    return codings, codes


def _told(
    party: Party,
    owner: str,
    label_holder: str,
    codes: NDArray[np.int64] | None,
    labels: NDArray[np.float64] | None,
    rows: int,
    columns: int,
    params: Params,
) -> NDArray[np.float64] | None:
    """What this party learns of the owner's columns: counts (columns, bins, 3) or information values (columns,)."""
    if codes is not None:
        if params.tell == "nobody":
            codes = bins.joined(codes, params.fine + 1, 2 * params.at_least)
        release = [
            party.release(f"{_SHAPE}-{owner}", n, to=(label_holder,), elements=1) for n in (columns, rows)
        ]
        party.send(label_holder, Width(*release))
    else:
        width = party.recv(owner, Width)
        columns = width.columns.value
        if width.rows.value != rows or columns < 0:
            raise RemoteProtocolError(
                f"{owner} has {width.rows.value} rows where {party.name} has {rows}.",
                mend="align the tables first (step psi)",
                party=owner,
            )
    if not columns:
        return None
    pair = joint_bins.Pair(
        party,
        owner=owner,
        label_holder=label_holder,
        codes=codes,
        labels=labels,
        rows=rows,
        columns=columns,
        bins=params.fine + 1,
        assumption=params.transfers,
    )
    positives = pair.positives()
    both = (owner, label_holder)
    if params.tell == "nobody":
        _, iv = joint_bins.hidden_woe(pair, positives, smoothing=params.smoothing)
        return pair.engine.reveal(f"iv-{owner}", iv, to=both if params.iv_to == "both" else (owner,))
    safe = joint_bins.safe_counts(positives, pair.totals() - positives, at_least=params.at_least)
    return pair.engine.reveal(f"counts-{owner}", safe, to=both if params.tell == "both" else (owner,))


def _own(
    codings: dict[str, Coding],
    codes: NDArray[np.int64],
    labels: NDArray[np.float64],
    params: Params,
    names: tuple[str, ...],
) -> dict[str, Any]:
    """The label holder's own columns, by the same rules."""
    size = params.fine + 1
    told = np.zeros((len(names), size, 3))
    for place in range(len(names)):
        positives = np.bincount(codes[:, place], weights=labels, minlength=size).astype(np.float64)
        totals = np.bincount(codes[:, place], minlength=size).astype(np.float64)
        told[place] = np.stack(bins.plain_ends(positives, totals - positives, params.at_least), axis=1)
    return _states(codings, codes, told, params, names)


def _states(
    codings: dict[str, Coding],
    codes: NDArray[np.int64],
    told: NDArray[np.float64],
    params: Params,
    names: tuple[str, ...],
) -> dict[str, Any]:
    return {
        name: bins.learn(
            codings[name],
            np.bincount(codes[:, place], minlength=params.fine + 1).astype(np.float64),
            *told[place].T,
            merge=params.merge,
            most=params.most,
            smoothing=params.smoothing,
        )
        for place, name in enumerate(names)
    }


def _rows(coding: Coding, state: dict[str, Any]) -> list[dict[str, Any]]:
    """The bins of a column, for people."""
    groups, made = np.array(state["groups"]), []
    for group, weight in enumerate(state["woe"]):
        counts = [state[key][group] if state[key] else 0.0 for key in ("positives", "negatives")]
        text = coding.named(np.flatnonzero(groups == group), missing=state["missing"])
        made.append({"values": text, "positives": counts[0], "negatives": counts[1], "woe": weight})
    return made


def _shown(told: NDArray[np.float64], params: Params) -> dict[str, Any]:
    """What the label holder learns of another holder's columns, which it knows by number only."""
    if params.tell == "nobody":
        return {"iv": told.tolist()}
    ivs = []
    for column in told:
        ends = column[:, 0] > 0
        enough = ends.sum() > 1
        ivs.append(
            woe.evidence(column[ends, 1], column[ends, 2], smoothing=params.smoothing).iv if enough else 0.0
        )
    return {"iv": ivs, "counts": told.tolist()}
