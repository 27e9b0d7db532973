"""Where a step tells who is common, the planner names what hides it; what is withheld makes no contract."""

from __future__ import annotations

import pytest

from unseen.client.workflow import Workflow
from unseen.core.errors import UsageError
from unseen.govern.contract import AssetTerms, ColumnTerms
from unseen.jobs.planner import Plan, TaskSketch, plan

HOLDERS = ("a", "b", "c", "d")
ASSETS = [
    AssetTerms(
        name=f"of-{holder}",
        holder=holder,
        columns=(ColumnTerms(name="x", type="numeric"),),
        rows=100_000,
        steps=("psi", "join"),
        purposes=("test",),
    )
    for holder in HOLDERS
]


def planned(
    step: str, holders: tuple[str, ...] = ("a", "b"), *, helper: bool = False, **params: object
) -> Plan:
    inputs = {"table": {holder: f"asset:of-{holder}" for holder in holders}}
    sketches = [TaskSketch("align", step, {"holders": holders}, inputs, params)]
    if helper:
        roles = {"holders": holders, "helper": ("helper",), "receiver": ("a",)}
        sketches.append(
            TaskSketch("score", "predict", roles, {"model": "x.model", "table": "align.table"}, {})
        )
    return plan(sketches, ASSETS, level="shared", withhold=("intersection",))


@pytest.mark.parametrize("step", ["psi", "join"])
def test_the_offer(step: str) -> None:
    alone, helped = planned(step), planned(step, helper=True)
    for made in (alone, helped):
        offer = made.offers["align"]
        assert (offer.step, offer.params["hidden"]) == ("join", True)
        assert offer.cost.bytes > offer.instead_of.bytes > 0
        assert str(offer) in made.reasons["align"]
        assert made.lacking == {"align": ("intersection",)}
        assert all(item.name != "intersection" for item in made.disclosures)
    assert (alone.offers["align"].helper, helped.offers["align"].helper) == (None, "helper")
    assert helped.offers["align"].cost.seconds < alone.offers["align"].cost.seconds
    assert "'join' with hidden = true and helper as helper" in helped.reasons["align"]


def test_an_offered_join_says_how_often_ids_come() -> None:
    offer = planned("join", how="left").offers["align"]
    assert (offer.params["how"], offer.params["repeats"]) == ("left", {"a": 1, "b": 1})
    assert "how often an id comes at most" in str(offer)


@pytest.mark.parametrize(("hidden", "whom"), [(False, "all but one may collude"), (True, "no two collude")])
def test_whom_to_trust_is_that_of_the_open_join_or_of_the_engine(*, hidden: bool, whom: str) -> None:
    assert whom in planned("join", HOLDERS[:3], hidden=hidden).reasons["align"]


@pytest.mark.parametrize("step", ["psi", "join"])
@pytest.mark.parametrize(("count", "helper"), [(3, None), (4, "another organisation")])
def test_more_holders_than_two(step: str, count: int, helper: str | None) -> None:
    made = planned(step, HOLDERS[:count])
    offer = made.offers["align"]
    assert (offer.step, offer.params["hidden"], offer.helper) == ("join", True, helper)
    assert offer.cost.bytes > offer.instead_of.bytes > 0
    assert made.lacking == {"align": ("intersection",)}
    assert planned(step, HOLDERS[:count], helper=True).offers["align"].helper == "helper"


def test_where_nothing_hides_it_nothing_is_offered() -> None:
    hidden = planned("join", hidden=True)
    assert (hidden.offers, hidden.lacking) == ({}, {})
    hidden.check_complete()


def test_a_workflow_that_withholds_it_becomes_no_contract() -> None:
    flow = Workflow("test", purpose="test", withhold=("intersection",))
    for holder in ("a", "b"):
        flow.party(holder, roles=("holder",))
    references = {terms.holder: flow.asset(terms) for terms in ASSETS[:2]}
    flow.task("align", "psi", roles={"holders": ("a", "b")}, inputs={"table": references})
    identities = {name: f"ed25519:{place:064x}" for place, name in enumerate(("a", "b"))}
    with pytest.raises(UsageError, match="more than this contract is to list") as caught:
        flow.contract(identities)
    assert "task 'align' tells 'intersection'" in caught.value.problems[0]
    assert "the step 'join' with hidden = true" in caught.value.problems[0]
