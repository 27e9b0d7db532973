"""Leave out columns that say little, move, or repeat others (特征筛选); limits are compared where nobody sees the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.data.table import Table
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import shape_disclosure
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import from_table, label_of, prepared_of, to_table
from unseen.learn.evaluate import stability
from unseen.learn.prepare import correlation, joint_bins, woe
from unseen.learn.prepare.bins import Coding
from unseen.learn.vertical import layout
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, Door, Message, Party, Released

VERSION = 1
SUMMARY = "Keep the columns that say something, are stable and do not repeat others; only who has a column learns if it is kept."
ROLES = {
    "holders": "have the columns",
    "label_holder": "has the label; needed for information values",
    "helper": engines.ROLE_OF_HELPER,
}
OPTIONAL_ROLES = frozenset({"label_holder", *engines.OPTIONAL_ROLES})
INPUTS = {"train": "training rows", "test": "rows held out"}
OUTPUTS = {
    "train": "training rows with the columns that are kept",
    "test": "held-out rows with the same columns",
    "metrics": "which of this holder's columns are kept, and why others are not",
}
LEVELS = ("shared",)
TRUST, trust = engines.TRUST, engines.trust


class Params(engines.OnShares):
    """Limits, in the order in which they are applied; without one nothing is left out for that reason.

    Attributes
    ----------
    stability
        Most population stability index of a column, training against held-out rows; each holder its own.
    iv
        Least information value, of bins by quantiles, `fine` of them.
    correlation
        Most |r| with a column kept before it, in the order of the holders and of their columns.
    vif
        Most variance inflation factor beside the columns kept before it.
    """

    stability: Annotated[float, Field(gt=0)] | None = None
    iv: Annotated[float, Field(gt=0)] | None = None
    fine: Annotated[int, Field(ge=2, le=50)] = 10
    correlation: Annotated[float, Field(gt=0, lt=1)] | None = None
    vif: Annotated[float, Field(gt=1)] | None = None

    @property
    def jointly(self) -> bool:
        """Whether columns are compared with those of other holders."""
        return self.correlation is not None or self.vif is not None

    def assumes(self, roles: Roles) -> Assumption | None:
        """Information values are of two at a time, with a helper or not; without columns to compare there is nothing else."""
        if self.iv is not None:
            return self.transfers
        return super().assumes(roles) if self.jointly else None


class Width(Message, frozen=True, tag="jobs.select-width/2"):
    """How many columns the sender asks about, and how many rows it has."""

    columns: Released[int]
    rows: Released[int]


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """To each holder which of its own columns are kept; sizes to the others."""
    told = []
    if params.iv is not None:
        label_holder = roles.one("label_holder")
        for owner in _owners(roles):
            what = f"how many rows {owner} has and columns it asks about"
            told.append(
                Disclosure(f"asked-{owner}", what, (label_holder,), Door.RELEASE, max_elements=1, times=2)
            )
            what = f"which of {owner}'s columns have an information value of {params.iv:g} or more"
            told.append(Disclosure(f"says-{owner}", what, (owner,), Door.REVEAL))
    if params.jointly:
        told.append(shape_disclosure(roles))
        told += [
            Disclosure(f"kept-{owner}", f"which of {owner}'s columns are kept", (owner,), Door.REVEAL)
            for owner in roles.all("holders")
        ]
    return tuple(told)


def _owners(roles: Roles) -> tuple[str, ...]:
    return tuple(holder for holder in roles.all("holders") if holder != roles.one("label_holder"))


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """By measurement on two cores."""
    holders = roles.all("holders")
    rows = min((sizes.rows.get(holder, 0) for holder in holders), default=0)
    sent, rounds, seconds = 0.0, 0, 0.02 + 1e-7 * rows * sum(sizes.columns.values())
    for owner in _owners(roles) if params.iv is not None else ():
        codes = sizes.columns.get(owner, 0) * (params.fine + 1)
        sent += 9e5 + joint_bins.count_bytes(rows, codes) + min(25_000 * codes, 4e6 + 12_500 * codes)
        rounds, seconds = rounds + 80, seconds + 0.3 + 6e-8 * rows * codes
    memory = 400 * rows
    if params.jointly:
        widths = [sizes.columns.get(holder, 0) for holder in holders]
        redundant, tolerance = params.correlation is not None, params.vif is not None
        more, waits = correlation.cost(
            engines.choose(roles).protocol,
            rows,
            widths,
            redundant=redundant,
            tolerance=tolerance,
            factors=False,
        )
        sent, rounds, memory = sent + more, rounds + waits, memory + 48 * rows * sum(widths)
        seconds += 0.05 + 9e-9 * more + 4e-4 * waits
    seconds += rounds * network.latency_s + sent / network.bytes_per_s
    return Cost(seconds, round(sent), rounds, memory)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders; a helper takes part where columns of holders are compared."""
    if party.name not in roles.all("holders"):
        if params.jointly:
            _compared(party, None, params, roles)
        return {}
    train, test = to_table(inputs["train"]), to_table(inputs["test"])
    left_out, moved = _alone(train, test, params)
    if params.iv is not None:
        left_out |= _silent(party, train, [n for n in train.features if n not in left_out], params, roles)
    if params.jointly:
        names = [n for n in train.features if n not in left_out and n in _numbers(train)]
        kept = _compared(party, train.numeric(names), params, roles)
        left_out |= {name: "repeats others" for name, keep in zip(names, kept, strict=True) if not keep}
    kept_train, kept_test = (
        table.select([name for name in table.names if name not in left_out]) for table in (train, test)
    )  # held-out rows may be later ones without a label
    report = {
        "kept": [name for name in train.features if name not in left_out],
        "left_out": left_out,
        "stability": moved,
    }
    return {
        "train": from_table(kept_train, prepared=prepared_of(inputs["train"])),
        "test": from_table(kept_test, prepared=prepared_of(inputs["test"])),
        "metrics": Artefact("metrics", {}, report),
    }


def _numbers(table: Table) -> set[str]:
    return {column.name for column in table.schema if column.type in {"numeric", "integer", "boolean"}}


def _alone(train: Table, test: Table, params: Params) -> tuple[dict[str, str], dict[str, float]]:
    """What a holder sees by itself: columns that have no value or do not vary, and those that moved; and how far each did."""
    if set(test.features) != set(train.features):
        raise UsageError(
            "Training and held-out rows have other columns.",
            why=f"training: {', '.join(train.features)}; held out: {', '.join(test.features)}",
            mend="bring the same columns under the same names (--ignore leaves one out)",
        )
    left_out, moved, problems = {}, {}, []
    for name in train.features:
        if train.rows and pc.all(pc.is_null(train.data.column(name), nan_is_null=True)).as_py():
            left_out[name] = "has no value"
            continue
        try:
            coding = Coding.learn(train, name, by="quantile", fine=params.fine)
        except UsageError as error:
            problems.append(f"column '{name}': {error.what}")
            continue
        counts = [_counts(coding, table, name) for table in (train, test)]
        if (counts[0] > 0).sum() <= 1:
            left_out[name] = "does not vary"
        elif params.stability is not None and counts[1].sum():
            moved[name] = stability.psi(*counts)
            if moved[name] > params.stability:
                left_out[name] = "is not stable"
    if problems:
        raise UsageError(
            "These columns cannot be judged.", mend="fill them first (step prepare)", problems=tuple(problems)
        )
    return left_out, moved


def _counts(coding: Coding, table: Table, name: str) -> NDArray[np.float64]:
    """Rows of each code; categories that training had not are counted together."""
    codes = coding.codes(table, name)
    return np.bincount(np.where(codes < 0, coding.fine + 1, codes), minlength=coding.fine + 2).astype(
        np.float64
    )


def _silent(party: Party, train: Table, names: list[str], params: Params, roles: Roles) -> dict[str, str]:
    """Columns of this holder whose information value is too small; the label holder takes part for each other holder."""
    label_holder, size = roles.one("label_holder"), params.fine + 1
    codes = np.zeros((train.rows, len(names)), np.int64)
    for place, name in enumerate(names):
        codes[:, place] = Coding.learn(train, name, by="quantile", fine=params.fine).codes(train, name)
    if party.name != label_holder:
        told = (
            party.release(f"asked-{party.name}", number, to=(label_holder,), elements=1)
            for number in (len(names), train.rows)
        )
        party.send(label_holder, Width(*told))
        enough = _says(party, party.name, label_holder, train.rows, codes, None, params)
    else:
        labels = label_of(train, label_holder)
        for owner in _owners(roles):
            asked = party.recv(owner, Width)
            width = asked.columns.value
            if asked.rows.value != train.rows or width < 0:
                raise RemoteProtocolError(
                    f"{owner} has {asked.rows.value} rows where {party.name} has {train.rows}.",
                    mend="align the tables first (step psi)",
                    party=owner,
                )
            _says(party, owner, label_holder, train.rows, np.zeros((0, width), np.int64), labels, params)
        positives = [np.bincount(column, weights=labels, minlength=size) for column in codes.T]
        totals = [np.bincount(column, minlength=size) for column in codes.T]
        found = [
            woe.evidence(p.astype(np.float64), (n - p).astype(np.float64)).iv
            for p, n in zip(positives, totals, strict=True)
        ]
        enough = np.array(found) >= (params.iv or 0)
    return {name: "says little" for name, keep in zip(names, enough, strict=True) if not keep}


def _says(
    party: Party,
    owner: str,
    label_holder: str,
    rows: int,
    codes: NDArray[np.int64],
    labels: NDArray[np.float64] | None,
    params: Params,
) -> NDArray[np.bool_]:
    """Whether each of the owner's columns has the information value, at the owner."""
    columns = codes.shape[1]
    if not columns:
        return np.zeros(0, np.bool_)
    pair = joint_bins.Pair(
        party,
        owner=owner,
        label_holder=label_holder,
        codes=codes if party.name == owner else None,
        labels=labels,
        rows=rows,
        columns=columns,
        bins=params.fine + 1,
        assumption=params.transfers,
    )
    _, iv = joint_bins.hidden_woe(pair, pair.positives(), smoothing=woe.SMOOTHING)
    enough = pair.engine.reveal(f"says-{owner}", iv >= (params.iv or 0), to=(owner,))
    return np.zeros(columns, np.bool_) if enough is None else np.asarray(enough, np.bool_)


def _compared(
    party: Party, own: NDArray[np.float64] | None, params: Params, roles: Roles
) -> NDArray[np.bool_]:
    """Whether each of this holder's columns is kept beside those of all holders."""
    sizes = layout.agree(party, own, holders=roles.all("holders"))
    engine = engines.open_engine(party, roles, params)
    matrix = correlation.correlations(engine, sizes, own)
    kept = None if params.correlation is None else correlation.not_redundant(matrix, params.correlation)
    if params.vif is not None:
        kept = correlation.tolerated(matrix, params.vif, among=kept)
    mine = np.zeros(0, np.bool_)
    for owner in roles.all("holders"):
        if kept is None or not sizes.columns[owner]:
            continue
        told = engine.reveal(f"kept-{owner}", kept[sizes.block(owner)], to=(owner,))
        mine = mine if told is None else np.asarray(told) > 0
    return mine
