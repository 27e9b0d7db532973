"""The step common-statistics: what it answers, what it declares, what it refuses."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from unseen.core.cost import Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.govern.contract import Contract
from unseen.jobs.local import run_local
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.steps import common_statistics as step
from unseen.jobs.tables import from_table
from unseen.mpc.protocols.pair2 import wires
from unseen.party import MemoryJournal
from unseen.psi import vole_oprf
from unseen.scenes import overlap
from unseen.scenes.partition import breast_cancer
from unseen.testing.simulate import Run, simulate

ROLES = Roles({"holders": ("a", "b"), "receivers": ("b",)})
INCOME = {number: 1000.0 + 10 * number for number in range(60)}
SPENT = {number: float(number % 9) for number in range(60)}
MINE, THEIRS = list(range(40)), list(range(59, 14, -1))
COMMON = sorted(set(MINE) & set(THEIRS))


def table(numbers: list[int], **columns: dict[int, float]) -> Table:
    named = {name: [values[number] for number in numbers] for name, values in columns.items()}
    return Table.of(pa.table({"id": [f"p{number}" for number in numbers], **named}), id_columns=("id",))


TABLES = {"a": table(MINE, income=INCOME), "b": table(THEIRS, spent=SPENT)}


def go(roles: Roles = ROLES, **params: Any) -> Run[Any]:
    asked = step.Params(**params)
    return simulate(
        lambda party: step.run(party, {"table": from_table(TABLES[party.name])}, asked, roles),
        ("a", "b"),
        disclosures=step.disclosures(asked, roles),
        timeout_s=10,
    )


def answer(**params: Any) -> dict[str, Any]:
    outcome = go(**params)
    assert not outcome.errors, outcome.errors
    assert outcome.results["a"] == {}
    return dict(outcome.results["b"]["answer"].meta)


def test_the_four_questions() -> None:
    incomes = np.array([INCOME[number] for number in COMMON])
    spent = np.array([SPENT[number] for number in COMMON])
    assert answer() == {"ask": "count", "at_least": 10, "below": [False], "count": [25], "value": [25.0]}
    assert answer(ask="total", of=("a", "income"))["value"] == [incomes.sum()]
    assert answer(ask="mean", of=("b", "spent"))["value"] == [pytest.approx(spent.mean())]
    edges = [1000, 1200, 1250, 1390]
    told = answer(ask="histogram", by=("a", "income"), edges=edges, of=("b", "spent"), at_least=6)
    inside = [(incomes >= low) & (incomes < high) for low, high in pairwise(edges)]
    few = [part.sum() < 6 for part in inside]
    assert any(few)
    assert not all(few)
    assert told["below"] == few
    assert told["count"] == [0 if small else part.sum() for small, part in zip(few, inside, strict=True)]
    means = [0 if small else spent[part].mean() for small, part in zip(few, inside, strict=True)]
    assert told["value"] == pytest.approx(means)


def test_several_columns_at_once() -> None:
    incomes = np.array([INCOME[number] for number in COMMON])
    spent = np.array([SPENT[number] for number in COMMON])
    both = [("a", "income"), ("b", "spent")]
    told = answer(ask="mean", of=both)
    assert (told["count"], told["value"]) == ([25], [pytest.approx([incomes.mean(), spent.mean()])])
    assert answer(ask="total", of=both)["value"] == [[incomes.sum(), spent.sum()]]
    _, declared = step.disclosures(step.Params(ask="mean", of=both), ROLES)
    assert declared.max_elements == 4
    assert "a's column 'income', b's column 'spent'" in declared.what


def test_answers_with_noise() -> None:
    told = answer(ask="mean", of=("a", "income"), epsilon=9.0, clip=[(1000, 1300)], at_least=5)
    assert told["epsilon"] == 9.0
    clipped = np.clip([INCOME[number] for number in COMMON], 1000, 1300).mean()
    assert told["value"] == [pytest.approx(clipped, rel=0.3)]
    assert told["value"] != [clipped]
    declared = step.disclosures(
        step.Params(ask="mean", of=("a", "income"), epsilon=0.5, clip=[(0, 9)]), ROLES
    )
    assert "noise for differential privacy (epsilon 0.5)" in declared[1].what
    assert "values of 'income' between 0 and 9" in declared[1].what


@pytest.mark.parametrize(
    ("assumption", "lookups", "transfers"),
    [("lpn", "lpn", "lpn"), ("mixed", "lpn", "symmetric"), ("symmetric", "symmetric", "symmetric")],
)
def test_what_it_rests_on_is_what_was_chosen(
    assumption: str, lookups: str, transfers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[str, str]] = set()

    def noting(kind: str, made: Any) -> Any:
        def noted(*args: Any, **named: Any) -> Any:
            seen.add((kind, named.get("assumption", "lpn")))
            return made(*args, **named)

        return noted

    for side in ("VectorSide", "DeltaSide"):
        monkeypatch.setattr(vole_oprf, side, noting("lookups", getattr(vole_oprf, side)))
    monkeypatch.setattr(wires, "FEW", 1)
    monkeypatch.setattr(wires.silent, "Sender", noting("transfers", wires.silent.Sender))
    assert answer(assumption=assumption)["count"] == [25]
    assert seen == {("lookups", lookups), *([("transfers", "lpn")] if transfers == "lpn" else [])}
    assert step.Params(assumption=assumption).assumes(ROLES) == lookups


def test_with_a_helper() -> None:
    helped = Roles({**ROLES.by_name, "helper": ("helper",)})
    asked = step.Params(ask="mean", of=("b", "spent"))

    def body(party: Any) -> Any:
        inputs = {"table": from_table(TABLES[party.name])} if party.name in TABLES else {}
        return step.run(party, inputs, asked, helped)

    told = step.disclosures(asked, helped)
    outcome = simulate(body, ("a", "b", "helper"), disclosures=told, timeout_s=10)
    assert not outcome.errors, outcome.errors
    assert outcome.results["helper"] == {}
    spent = np.mean([SPENT[number] for number in COMMON])
    assert outcome.results["b"]["answer"].meta["value"] == [pytest.approx(spent)]
    assert told[0].to == ("a", "b", "helper")
    sizes = Sizes({"a": 10**6, "b": 10**6}, {"a": 1, "b": 1})
    costs = [step.estimate(asked, roles, sizes, Network()).seconds for roles in (ROLES, helped)]
    assert costs[1] < costs[0]


@pytest.mark.parametrize("helper", [None, pytest.param("helper", marks=pytest.mark.long)])
def test_three_holders(helper: str | None) -> None:
    third = list(range(20, 60, 2))
    common = sorted(set(COMMON) & set(third))
    tables = {**TABLES, "c": table(third, spent=INCOME)}
    roles = Roles({"holders": ("a", "b", "c"), "receivers": ("c",), "helper": (helper,) if helper else ()})
    asked = step.Params(ask="mean", of=(("a", "income"), ("c", "spent")), at_least=10)

    def body(party: Any) -> Any:
        inputs = {"table": from_table(tables[party.name])} if party.name in tables else {}
        return step.run(party, inputs, asked, roles)

    told = step.disclosures(asked, roles)
    outcome = simulate(body, roles.everyone, disclosures=told, timeout_s=20)
    assert not outcome.errors, outcome.errors
    assert [name for name in roles.everyone if outcome.results[name]] == ["c"]
    meta = outcome.results["c"]["answer"].meta
    mean = np.mean([INCOME[number] for number in common])
    assert (meta["count"], meta["value"]) == ([len(common)], [pytest.approx([mean, mean])])
    sizes = Sizes(dict.fromkeys("abc", 1000), dict.fromkeys("abc", 1))
    assert step.estimate(asked, roles, sizes, Network()).bytes > 0


def test_fewer_than_agreed() -> None:
    told = answer(ask="mean", of=("a", "income"), at_least=26)
    assert (told["below"], told["count"], told["value"]) == ([True], [0], [0.0])


def test_bounds_instead_of_sizes() -> None:
    bounds = {"a": 50, "b": 64}
    assert answer(bounds=bounds)["count"] == [25]
    names = [item.name for item in step.disclosures(step.Params(bounds=bounds), ROLES)]
    assert names == ["answer"]
    outcome = go(bounds={"a": 30, "b": 64})
    assert any("agreed bound" in str(error) for error in outcome.errors.values())


def test_kinds_bring_spellings_together() -> None:
    asked = step.Params(at_least=1, kinds=("phone:CN",))
    phones = {"a": ["138 0013 8000", "13800138001"], "b": ["+86-138-0013-8000"]}
    tables = {name: Table.of(pa.table({"tel": told}), id_columns=["tel"]) for name, told in phones.items()}
    outcome = simulate(
        lambda party: step.run(party, {"table": from_table(tables[party.name])}, asked, ROLES),
        ("a", "b"),
        disclosures=step.disclosures(asked, ROLES),
    )
    assert not outcome.errors, outcome.errors
    assert outcome.results["b"]["answer"].meta["count"] == [1]


def test_what_is_declared_says_what_is_asked() -> None:
    asked = step.Params(
        ask="histogram", by=("a", "income"), edges=(0, 1, 2.5), of=("b", "spent"), at_least=30
    )
    size, told = step.disclosures(asked, ROLES)
    assert (size.to, told.to, told.max_elements) == (("a", "b"), ("b",), 6)
    for part in ("a's column 'income'", "b's column 'spent'", "0, 1, 2.5", "fewer than 30"):
        assert part in told.what


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"ask": "mean"}, "name it in `of`"),
        ({"ask": "count", "of": ("a", "x")}, "leave out"),
        ({"ask": "histogram", "by": ("a", "x"), "edges": [1]}, "two `edges`"),
        ({"edges": [1, 2], "by": ("a", "x")}, "nothing else"),
        ({"at_least": 0}, "greater than or equal to 1"),
        ({"ask": "mean", "of": ("a", "x"), "epsilon": 1}, "for each column"),
        ({"ask": "mean", "of": ("a", "x"), "clip": [(0, 1)]}, "for each column"),
        ({"ask": "mean", "of": ("a", "x"), "epsilon": 1, "clip": [(1, 1)]}, "low < high"),
        ({"ask": "mean", "of": [("a", "x"), ("a", "x")]}, "twice"),
        ({"epsilon": 0}, "greater than 0"),
        ({"epsilon": 11}, "less than or equal to 10"),
    ],
)
def test_parameters_that_do_not_fit(params: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        step.Params(**params)


@pytest.mark.parametrize(
    ("roles", "params", "match"),
    [
        (Roles({"holders": ("a", "b"), "receivers": ("c",)}), {}, "for two holders or more"),
        (ROLES, {"bounds": {"a": 50}}, "all there, or none"),
        (ROLES, {"ask": "total", "of": ("c", "x")}, "only these"),
        (ROLES, {"ask": "total", "of": ("a", "height")}, "no column height"),
    ],
)
def test_what_does_not_fit_the_tables(roles: Roles, params: dict[str, Any], match: str) -> None:
    outcome = go(roles, **params)
    causes = [error for error in outcome.errors.values() if isinstance(error, UsageError)]
    assert causes
    assert match in str(causes[0])


def test_the_scene() -> None:
    """Hospital and laboratory: how often the illness is found at each level of a measurement, as the joined table says."""
    study = overlap.study()
    identities = {name: f"ed25519:{place:064x}" for place, name in enumerate(("hospital", "laboratory"))}
    contract: Contract = study.contract(identities)
    meta = run_local(contract, study.tables).artefacts["hospital"]["levels.answer"].meta
    left, right = (holding.table for holding in breast_cancer())
    joined = left.join(right, keys="patient", join_type="inner")
    by = joined.column(right.column_names[-1]).to_numpy()
    ill = joined.column("diagnosis").to_numpy()
    for place, (low, high) in enumerate(pairwise(overlap.EDGES)):
        inside = (by >= low) & (by < high)
        assert meta["below"][place] == (inside.sum() < overlap.AT_LEAST)
        if inside.sum() >= overlap.AT_LEAST:
            assert meta["count"][place] == inside.sum()
            assert meta["value"][place] == pytest.approx(ill[inside].mean())
    assert False in meta["below"]


def test_after_a_crash_the_noise_is_the_same() -> None:
    """A second attempt by parties that kept no more than their journals answers the same; other seeds answer something else."""
    asked = step.Params(ask="mean", of=("a", "income"), epsilon=5.0, clip=[(1000, 1600)], at_least=1)

    def answered(seed: int, attempt: int) -> Any:
        journals = {name: MemoryJournal() for name in ("a", "b")}
        for place, journal in enumerate(journals.values()):
            journal.load_output_seed(bytes([seed + place] * 32))
        outcome = simulate(
            lambda party: step.run(party, {"table": from_table(TABLES[party.name])}, asked, ROLES),
            ("a", "b"),
            disclosures=step.disclosures(asked, ROLES),
            journals=journals,
            attempt=attempt,
        )
        assert not outcome.errors, outcome.errors
        return outcome.results["b"]["answer"].meta

    first = answered(1, 1)
    assert answered(1, 2) == first
    assert answered(7, 1)["value"] != first["value"]
