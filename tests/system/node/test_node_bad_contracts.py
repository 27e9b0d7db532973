"""Contracts that must not run: unsigned, expired, altered, beyond what an owner allows, or not what they say."""

from __future__ import annotations

import copy
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bad_world import HELPER, HOSPITAL, LABORATORY, PARTIES, World, good_files

from unseen.client.loopback import Loopback
from unseen.core import registry
from unseen.core.errors import DeniedError, UsageError, VerificationError
from unseen.govern.contract import Contract
from unseen.jobs.step import STEPS


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bad-contracts")
    with Loopback(PARTIES, folder / "homes") as nodes:
        yield World(nodes, folder)


def good(world: World, **options: Any) -> dict[str, Any]:
    return world.contract(world.flow(world.assets(good_files()), **options))


def no_job_was_made(world: World, contract: str) -> None:
    for party in PARTIES:
        assert not [job for job in world.nodes[party].job_list() if job.contract == contract]


# ---------------------------------------------------------------------- refused at the start


def test_unsigned(world: World) -> None:
    contract = world.propose(good(world), sign=(LABORATORY,))
    with pytest.raises(DeniedError, match="helper has not signed") as caught:
        world.nodes[HOSPITAL].job_start(contract)
    assert "ask helper to sign" in caught.value.mend
    no_job_was_made(world, contract)


def test_named_by_the_beginning_of_its_id(world: World) -> None:
    contract = world.propose(good(world), sign=(LABORATORY,))
    node, beginning = world.nodes[HOSPITAL], contract[: len("contract-") + 12]
    with pytest.raises(DeniedError, match="helper has not signed"):
        node.job_start(beginning)
    assert contract.encode() in node.evidence_bundle(beginning)
    with pytest.raises(UsageError, match="No contracts of this node begin with 'contract-x'"):
        node.evidence_bundle("contract-x")
    with pytest.raises(UsageError, match="contracts of this node begin"):
        node.job_start("contract-")


def test_expired(world: World) -> None:
    contract = world.propose(good(world, days=4 / 86400))
    view = world.nodes[HOSPITAL].contract_show(contract)
    time.sleep(max(0.0, view.valid_until.timestamp() - time.time()) + 0.1)
    with pytest.raises(DeniedError, match="not in force") as caught:
        world.nodes[HOSPITAL].job_start(contract)
    assert "it holds from" in caught.value.why
    assert "new contract" in caught.value.mend
    no_job_was_made(world, contract)


def test_not_yet_in_force(world: World) -> None:
    given = good(world, days=3)
    given["valid_from"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    contract = world.propose(given)
    with pytest.raises(DeniedError, match="not in force"):
        world.nodes[HOSPITAL].job_start(contract)


def test_no_runs_left(world: World) -> None:
    contract = world.propose(good(world))
    ends = world.run(contract)
    assert {view.state for view in ends.values()} == {"finished"}
    for party in PARTIES:
        with pytest.raises(DeniedError, match="No runs are left"):
            world.nodes[party].job_start(contract)


def test_altered_after_it_was_signed_is_another_contract(world: World) -> None:
    given = good(world)
    signed = world.propose(given)
    altered = world.propose({**given, "runs": 99}, sign=())
    assert altered != signed
    with pytest.raises(DeniedError, match="has not signed"):
        world.nodes[HOSPITAL].job_start(altered)


def test_altered_in_the_database_of_one_party_is_found_there(world: World) -> None:
    contract = world.propose(good(world))
    daemon = world.nodes.daemon(HOSPITAL)
    daemon.stop()
    with sqlite3.connect(daemon.home / "node.db") as database:
        database.execute("UPDATE contracts SET body = json_set(body, '$.runs', 99) WHERE id = ?", (contract,))
    world.nodes.restart(HOSPITAL)
    with pytest.raises(VerificationError, match="is another contract"):
        world.nodes[HOSPITAL].job_start(contract)
    no_job_was_made(world, contract)
    listed = {view.id: view for view in world.nodes[HOSPITAL].contract_list()}
    assert (listed[contract].state, listed[contract].parties) == ("altered", ())
    assert {view.state for view in listed.values()} > {"altered"}  # the others are still shown


# ---------------------------------------------------------------------- refused by whom it wrongs


@dataclass(frozen=True)
class Lie:
    """What a proposer changes in a good contract, and who refuses to sign it with what words."""

    change: Callable[[dict[str, Any]], None]
    refused_by: str
    says: str
    terms: dict[str, Any] | None = None


def task(contract: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in contract["tasks"] if item["name"] == name)


def disclosure(contract: dict[str, Any], place: str, name: str) -> dict[str, Any]:
    return next(item for item in contract["disclosures"] if (item["task"], item["name"]) == (place, name))


def asset_of(contract: dict[str, Any], party: str) -> dict[str, Any]:
    return next(item for item in contract["assets"] if item["holder"] == party)


def set_in(
    find: Callable[..., dict[str, Any]], *path: str, **values: Any
) -> Callable[[dict[str, Any]], None]:
    return lambda contract: find(contract, *path).update(values)


LIES = {
    "a step that the owner does not allow": Lie(
        set_in(asset_of, LABORATORY, steps=registry.names(STEPS)),
        LABORATORY,
        "may not be used by the step 'psi'.*its owner allows: split",
        {"steps": ("split",)},
    ),
    "a purpose that the owner does not allow": Lie(
        set_in(asset_of, LABORATORY, purposes=["screening"]),
        LABORATORY,
        "may not be used for 'screening'",
        {"purposes": ("billing",)},
    ),
    "other columns": Lie(
        lambda contract: asset_of(contract, LABORATORY)["columns"].pop(), LABORATORY, "columns of .* are not"
    ),
    "other data": Lie(
        set_in(asset_of, LABORATORY, commitment="00" * 32), LABORATORY, "not those that the contract was made"
    ),
    "an asset that is not there": Lie(
        lambda contract: (
            asset_of(contract, LABORATORY).update(name="nothing"),
            task(contract, "align")["inputs"]["table"].update({LABORATORY: "asset:nothing"}),
        ),
        LABORATORY,
        "no asset 'nothing'",
    ),
    "another version of a step": Lie(set_in(task, "train", version=99), HOSPITAL, "pins version 99.*install"),
    "another source of a step": Lie(
        set_in(task, "align", fingerprint="ab" * 32), HOSPITAL, "source abababababab.*install the same"
    ),
    "another key for a party": Lie(
        lambda contract: next(p for p in contract["parties"] if p["name"] == HELPER).update(
            identity="ed25519:" + "11" * 32
        ),
        HOSPITAL,
        "another key for helper",
    ),
    "scores to somebody else too": Lie(
        set_in(disclosure, "evaluate", "scores", to=[HOSPITAL, LABORATORY]),
        HOSPITAL,
        "'scores' would go to laboratory too",
    ),
    "soothing words": Lie(
        set_in(disclosure, "evaluate", "scores", what="nothing of importance"),
        HOSPITAL,
        "described as 'nothing",
    ),
    "more than the step declares": Lie(
        set_in(disclosure, "train", "shape", max_elements=10**6), HOSPITAL, "would tell more"
    ),
    "a disclosure that no step makes": Lie(
        lambda contract: contract["disclosures"].append(
            {**disclosure(contract, "align", "intersection"), "name": "all rows"}
        ),
        HOSPITAL,
        "knows no disclosure 'all rows'",
    ),
    "safer than it is": Lie(
        lambda contract: contract.update(security_level="shared-malicious"),
        HOSPITAL,
        "does not give the security level 'shared-malicious'",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_contract_that_wrongs_somebody_is_not_signed_there(world: World, name: str) -> None:
    lie = LIES[name]
    files = good_files()
    assets = world.assets(files)
    given = world.contract(world.flow(assets))
    if lie.terms:
        # the owner allows less than the contract claims of it
        path = str(assets[LABORATORY].path)
        own = world.add(LABORATORY, path, **lie.terms)  # type: ignore[arg-type]
        asset = asset_of(given, LABORATORY)
        asset.update(name=own.terms.name, commitment=own.terms.commitment)
        task(given, "align")["inputs"]["table"][LABORATORY] = own.terms.reference
    altered = copy.deepcopy(given)
    lie.change(altered)
    if lie.refused_by == HOSPITAL:
        with pytest.raises(DeniedError) as caught:
            world.nodes[HOSPITAL].contract_propose(altered)
    else:
        contract = world.propose(altered, sign=())
        with pytest.raises(DeniedError) as caught:
            world.nodes[lie.refused_by].contract_sign(contract)
        assert world.signed(lie.refused_by, contract) <= {HOSPITAL}
        with pytest.raises(DeniedError, match="has not signed"):
            world.nodes[HOSPITAL].job_start(contract)
    assert re.search(lie.says, str(caught.value), re.DOTALL), caught.value


def test_what_the_owner_does_not_allow_is_said_before_anything_is_proposed(world: World) -> None:
    assets = world.assets(good_files())
    path = str(assets[LABORATORY].path)
    assets[LABORATORY] = world.add(LABORATORY, path, steps=("split",), purposes=("billing",))  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        world.contract(world.flow(assets))
    problems = "; ".join(caught.value.problems)
    assert "does not allow the step 'psi'" in problems
    assert "does not allow the purpose 'screening'" in problems


def test_what_is_no_contract_at_all_is_refused_with_every_problem(world: World) -> None:
    given = good(world)
    given["runs"] = 0
    given["surprise"] = True
    del given["title"]
    with pytest.raises(UsageError, match="not a contract") as caught:
        world.nodes[HOSPITAL].contract_propose(given)
    assert len(caught.value.problems) == 3


def test_a_dishonest_node_cannot_make_others_sign(world: World) -> None:
    """A proposer whose node checks nothing: what it mails is checked where it arrives, before a signature."""
    given = good(world)
    disclosure(given, "evaluate", "scores")["what"] = "nothing of importance"
    contract = Contract.model_validate(given)
    for party in (LABORATORY, HELPER):
        with pytest.raises(DeniedError, match="something else of 'evaluate'"):
            world.nodes[party].contract_propose(contract.to_json())
