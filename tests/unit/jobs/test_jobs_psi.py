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


def intersect(tables, **params):
    holders = tuple(tables)
    roles = Roles({"holders": holders})

    def program(party):
        inputs = {"table": from_table(tables[party.name])}
        return to_table(psi.run(party, inputs, psi.Params(**params), roles)["table"]).data.to_pydict()

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


def test_three_holders():
    tables = {
        "a": holding("id", ["u", "v", "w", "x"]),
        "b": holding("number", ["x", "w", "a", "v"]),
        "c": holding("key", ["b", "v", "x"]),
    }
    found = intersect(tables)
    assert sorted(found["a"]["id"]) == ["v", "x"]
    assert found["a"]["id"] == found["b"]["number"] == found["c"]["key"]
    roles = Roles({"holders": tuple(tables)})
    sizes = Sizes(rows=dict.fromkeys(tables, 1000), columns={})
    assert psi.estimate(psi.Params(), roles, sizes, Network()).bytes > 0
