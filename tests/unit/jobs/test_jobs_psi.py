"""The psi step: kinds of ids from the contract, applied to each holder's own columns."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pydantic import ValidationError

from unseen.core.cost import Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.steps import psi
from unseen.jobs.tables import from_table, to_table
from unseen.testing.simulate import run

HOLDERS = ("a", "b")


def intersect(tables, receivers=(), **params):
    holders = tuple(tables)
    roles = Roles({"holders": holders, "receivers": tuple(receivers)})

    def program(party):
        inputs = {"table": from_table(tables[party.name])}
        made = psi.run(party, inputs, psi.Params(**params), roles)
        return to_table(made["table"]).data.to_pydict() if made else None

    told = psi.disclosures(psi.Params(**params), roles)
    return run(program, holders, disclosures=told).results


def holding(name, values):
    return Table.of(pa.table({name: values}), id_columns=[name])


def test_kinds_bring_spellings_together():
    tables = {
        "a": holding("tel", ["138 0013 8000", "13800138001"]),
        "b": holding("phone", [8613800138000, 1]),
    }
    with pytest.raises(UsageError):
        intersect(tables)
    tables["b"] = holding("phone", ["+86-138-0013-8000", "010 62345678"])
    assert intersect(tables, kinds=["phone:CN"]) == {
        "a": {"tel": ["138 0013 8000"]},
        "b": {"phone": ["+86-138-0013-8000"]},
    }


def test_kinds_must_be_known_and_as_many_as_columns():
    with pytest.raises(ValidationError, match="colour"):
        psi.Params(kinds=("colour",))
    tables = {name: holding("id", ["x"]) for name in HOLDERS}
    with pytest.raises(UsageError, match="2 kinds of ids, the table has 1"):
        intersect(tables, kinds=["text", "text"])


THREE = {
    "a": holding("id", ["u", "v", "w", "x"]),
    "b": holding("number", ["x", "w", "a", "v"]),
    "c": holding("key", ["b", "v", "x"]),
}


def test_only_receivers_learn():
    found = intersect(THREE, ["b"])
    assert (found["a"], found["c"]) == (None, None)
    assert sorted(found["b"]["number"]) == ["v", "x"]
    found = intersect(THREE, ["c", "a"])
    assert found["b"] is None
    assert found["a"]["id"] == found["c"]["key"]
    told = psi.disclosures(psi.Params(), Roles({"holders": ("a", "b", "c"), "receivers": ("b",)}))
    assert told[0].to == ("b",)
    nothing = {**THREE, "c": holding("key", ["nobody's"])}
    with pytest.raises(UsageError, match="no rows in common"):
        intersect(nothing)
    # a run that failed would tell those who are not to know
    assert intersect(nothing, ["a"]) == {"a": {"id": []}, "b": None, "c": None}
    with pytest.raises(UsageError, match="some or all of whom get the result"):
        intersect(THREE, ["d"])


def test_three_holders():
    tables = THREE
    found = intersect(tables)
    assert sorted(found["a"]["id"]) == ["v", "x"]
    assert found["a"]["id"] == found["b"]["number"] == found["c"]["key"]
    roles = Roles({"holders": tuple(tables)})
    sizes = Sizes(rows=dict.fromkeys(tables, 1000), columns={})
    assert psi.estimate(psi.Params(), roles, sizes, Network()).bytes > 0
