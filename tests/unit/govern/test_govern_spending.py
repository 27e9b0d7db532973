"""Budgets of assets: what a run tells is added up over contracts, and what is too much is refused with what is left."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.govern.govern_world import asset, contract

from unseen.core.errors import DeniedError
from unseen.dp import Spent
from unseen.govern.contract import BudgetTerms, TaskTerms
from unseen.govern.spending import account, check_budget, told_by_a_run
from unseen.govern.summary import StepFacts, repeated, summarise

EXACT, NOISY = Spent(1, 0.0, 1), Spent(1, 0.25, 0)


def tells(spent: Spent | None) -> Any:
    return lambda _terms: spent


def facts(spent: Spent | None) -> Any:
    return lambda _name: StepFacts("a step", "nobody", tells(spent))


def test_an_asset_without_a_budget_is_written_as_ever() -> None:
    assert "budget" not in asset().model_dump(mode="json")
    with_one = asset(budget=BudgetTerms(name="people", epsilon=1.0))
    assert with_one.model_dump(mode="json")["budget"] == {"name": "people", "epsilon": 1.0, "answers": None}
    assert contract(assets=(with_one, asset(name="patients", holder="clinic"))).id != contract().id


def test_what_a_run_tells_is_counted_for_own_assets() -> None:
    terms = contract()
    assert told_by_a_run(terms, {"loans": asset()}, tells(NOISY)) == {"loans": NOISY}
    assert told_by_a_run(terms, {"loans": asset()}, tells(None)) == {}
    assert told_by_a_run(terms, {}, tells(NOISY)) == {}


def test_assets_of_one_budget_share_it() -> None:
    budget = BudgetTerms(name="people", answers=1)
    both = (asset(budget=budget), asset(name="older", budget=budget), asset(name="patients", holder="clinic"))
    align = contract().tasks[0]
    second = TaskTerms(
        **{**align.model_dump(), "name": "again", "inputs": {"table": {"bank": "asset:older"}}}
    )
    terms = contract(assets=both, tasks=(align, second))
    own = {item.name: item for item in both if item.holder == "bank"}
    assert {account(item) for item in own.values()} == {"people"}
    assert told_by_a_run(terms, own, tells(EXACT)) == {"people": Spent(2, 0.0, 2)}


@pytest.mark.parametrize(
    ("budget", "spent", "more", "left"),
    [
        ({"answers": 2}, Spent(2, 0, 2), EXACT, "2 were given, 0 left"),
        ({"epsilon": 1.0}, Spent(), EXACT, "with noise only"),
        ({"epsilon": 1.0}, Spent(3, 0.8), NOISY, "0.2 left"),
    ],
)
def test_too_much_is_refused(budget: dict[str, Any], spent: Spent, more: Spent, left: str) -> None:
    owned = asset(budget=BudgetTerms(name="people", **budget))
    with pytest.raises(DeniedError, match=left) as caught:
        check_budget(owned, spent, more)
    assert caught.value.clause == "budget of asset loans"
    check_budget(asset(), spent, more)
    check_budget(owned, Spent(), NOISY)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plain_words(language: Any) -> None:
    terms = contract(
        runs=3,
        assets=(
            asset(budget=BudgetTerms(name="people", epsilon=2, answers=5)),
            asset(name="patients", holder="clinic"),
        ),
    )
    exact = repeated(terms, facts=facts(EXACT), language=language)
    noisy = repeated(terms, facts=facts(NOISY), language=language)
    assert repeated(terms, facts=facts(None), language=language) == ()
    assert len(exact) == len(noisy) == 2
    assert "0.25" in noisy[0]
    assert "0.75" in noisy[0]
    assert "5" in exact[1]
    for line in (*exact, *noisy):
        assert "epsilon" in line or "5" in line
    assert exact[0] in summarise(terms, facts=facts(EXACT), language=language)
    assert exact[0] not in summarise(terms, facts=facts(None), language=language)
