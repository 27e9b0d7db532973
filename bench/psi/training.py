"""Logistic regression on common rows: of an intersection that nobody sees, beside the same on an open one, from tables to model."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa

from bench.parties import play
from bench.psi.circuit import Third
from bench.report import Sample
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles
from unseen.jobs.steps import join, psi, standardise, standardise_joined, train_linear
from unseen.jobs.tables import from_table
from unseen.party import Disclosure, Door, Party

How = Literal["hidden", "open"]

HOLDERS = ("a", "b")
ITERATIONS = 10
EPSILON = 1.0
"""Of the number of rows of the hidden join, to which it is cut, as it is told with noise."""


def tables(rows: int, width: int) -> dict[str, Table]:
    """Half of the rows common, half of the columns at each holder, the label at a."""
    rng = np.random.default_rng(3)
    common = rows // 2
    numbers = {"a": np.arange(rows), "b": np.arange(common, common + rows)}
    x = rng.normal(size=(rows + common, width))
    chance = 1 / (1 + np.exp(-(x @ rng.normal(size=width) / np.sqrt(width) * 2 - 0.5)))
    labels = (rng.random(rows + common) < chance).astype(np.int64)
    found = {}
    for place, (name, mine) in enumerate(numbers.items()):
        order = rng.permutation(mine)
        block = x[order, place * width // 2 : (place + 1) * width // 2]
        columns = {f"{name}{i}": block[:, i] for i in range(block.shape[1])}
        label = {"label": labels[order]} if name == "a" else {}
        data = pa.table({"id": [f"C-{number:08d}" for number in order], **columns, **label})
        found[name] = Table.of(data, id_columns=("id",), label_columns=tuple(label))
    return found


def measured(rows: int, width: int, third: Third, how: How) -> Sample:
    """One run of all steps; the coefficients are told to their owners."""
    helper = ("helper",) if third == "helper" else ()
    everyone = (*HOLDERS, *helper)
    told = [
        Disclosure(name, "a measurement", everyone, Door.RELEASE, times=100)
        for name in ("intersection", "shape", "length")
    ]
    told += [
        Disclosure(name, "a measurement", everyone, Door.REVEAL, times=1)
        for name in ("rows", "coefficients-a", "coefficients-b", "intercept")
    ]

    def ready(name: str) -> Artefact | None:
        return from_table(tables(rows, width)[name]) if name in HOLDERS else None

    roles = Roles({"holders": HOLDERS, "helper": helper, "label_holder": HOLDERS[:1]})
    steps = hidden_steps() if how == "hidden" else open_steps()

    def program(party: Party, table: Artefact | None) -> Any:
        held: dict[str, Artefact] = {} if table is None else {"table": table}
        for place, (module, params, crew, renamed) in enumerate(steps):
            if party.name not in HOLDERS and not crew:
                continue
            inputs = {name: held[source] for name, source in renamed.items()} if held else {}
            part = party.stream(f"step-{place}") if crew else party.group(HOLDERS, name=f"step-{place}")
            made = module.run(part, inputs, module.Params(**params), roles)
            held = {**held, **{("table" if name == "train" else name): item for name, item in made.items()}}
        return None if table is None else held["model"].meta["known"]["coefficients"]

    return play(program, everyone, disclosures=told, ready=ready).sample()


def hidden_steps() -> list[Any]:
    """Step, parameters, whether a helper takes part, inputs."""
    whole = {"table": "table"}
    return [
        (standardise, {}, False, {"train": "table", "test": "table"}),
        (join, {"hidden": True, "scaled": True, "epsilon": EPSILON}, True, whole),
        (standardise_joined, {}, True, whole),
        (
            train_linear,
            {"joined": True, "iterations": ITERATIONS, "coefficients_to_owners": True},
            True,
            whole,
        ),
    ]


def open_steps() -> list[Any]:
    """The same with an intersection that both holders learn."""
    whole = {"table": "table"}
    return [
        (psi, {}, False, whole),
        (standardise, {}, False, {"train": "table", "test": "table"}),
        (train_linear, {"iterations": ITERATIONS, "coefficients_to_owners": True}, True, whole),
    ]
