"""The contract: one id for one content, consistent within, signed by whom it names, and run only as it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from govern_world import KEYS, NOW, asset, contract, signatures
from pydantic import ValidationError

from unseen.core.cost import Cost
from unseen.core.errors import DeniedError, VerificationError
from unseen.govern.authorise import check_run, check_terms
from unseen.govern.contract import Contract, TaskTerms
from unseen.govern.policy import compile_policy
from unseen.govern.signatures import sign, verify
from unseen.govern.summary import Language, StepFacts, learns, summarise
from unseen.ot.correlation import Assumption
from unseen.party import Door

LANGUAGES: tuple[Language, ...] = ("en", "zh")
OTHER_KEY = "ed25519:" + "11" * 32


def facts(_step: str) -> StepFacts:
    return StepFacts("Find common rows.", "Semi-honest holders; nobody else.")


# ---------------------------------------------------------------------- identity and consistency


def test_the_id_is_that_of_the_content() -> None:
    terms = contract()
    assert Contract.model_validate(terms.to_json()).id == terms.id
    changed = {
        terms.model_copy(update=change).id
        for change in (
            {"title": "x"},
            {"purpose": "billing"},
            {"runs": 2},
            {"nonce": "m"},
            {"valid_until": terms.valid_until + timedelta(seconds=1)},
            {"disclosures": ()},
            {"assets": (asset(rows=99), terms.assets[1])},
            {"security_level": "federated"},
        )
    }
    assert len(changed) == 8
    assert terms.id not in changed


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"assets": (asset(), asset())}, "asset 'loans' appears twice"),
        (
            {"assets": (asset(holder="nobody"), asset(name="patients", holder="clinic"))},
            "'nobody' is no party",
        ),
        ({"purpose": "billing"}, "does not allow the purpose 'billing'"),
        ({"assets": (asset(steps=("split",)), asset(name="patients", holder="clinic"))}, "the step 'psi'"),
        ({"assets": (asset(holder="clinic"), asset(name="patients", holder="clinic"))}, "gives bank the"),
        ({"tasks": ()}, "names task 'align', which is not in the workflow"),
        ({"valid_until": NOW - timedelta(days=2)}, "ends before it begins"),
        ({"final_when_witnessed_by": 3}, "more witnesses than there are parties"),
        ({"runs": 0}, "greater than or equal to 1"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        contract(**changes)


def test_inputs_are_those_that_a_party_brings() -> None:
    assert contract().inputs_of("align", "bank") == {"table": "asset:loans"}
    assert contract().inputs_of("align", "clinic") == {"table": "asset:patients"}


# ---------------------------------------------------------------------- signatures


def test_a_signature_is_on_one_contract_by_one_key() -> None:
    terms = contract()
    signed = sign(terms, KEYS["bank"])
    verify(terms, "bank", signed)
    for terms_, party, signature in (
        (contract(nonce="other"), "bank", signed),
        (terms, "clinic", signed),
        (terms, "bank", sign(terms, Ed25519PrivateKey.generate())),
        (terms, "bank", b""),
        (terms, "stranger", signed),
    ):
        with pytest.raises(VerificationError):
            verify(terms_, party, signature)


# ---------------------------------------------------------------------- plain words


def test_plain_words_say_who_brings_what_and_who_learns_what() -> None:
    words = summarise(contract(), facts=facts)
    for text in (
        "bank brings 'loans': 100 rows; ids in client, label default, 1 columns to model with",
        "clinic brings 'patients'",
        "1. align (psi): Find common rows.",
        "bank, from align: common rows",
        "Allowed runs: 1",
        "Semi-honest holders; nobody else.",
        "What nobody gets",
    ):
        assert text in words


def test_whoever_learns_or_brings_nothing_is_told_so() -> None:
    only_bank = contract().disclosures[0].model_copy(update={"to": ("bank",)})
    terms = contract(disclosures=(only_bank,))
    assert "clinic learns nothing." in summarise(terms, facts=facts)
    assert [item.name for item in learns(terms, "bank")] == ["intersection"]
    assert learns(terms, "clinic") == ()


def test_what_a_run_takes_is_told_of_each_task_and_of_all() -> None:
    costs = {
        "align": Cost(2.0, 3_000_000, 4, 200_000_000),
        "train": Cost(240.0, 5_000_000_000, 900, 3_500_000_000, {"bank": 16_000_000_000}),
    }
    words = summarise(contract(), facts=facts, costs=costs)
    for text in (
        "In all: 4 min, 5.0 GB sent by all parties together, 3.5 GB of memory at one party, 16 GB of temporary files",
        "- align: 2 s, 3.0 MB sent by all parties together, 200 MB of memory at one party\n",
        "1000 Mbit/s and 0.2 ms",
    ):
        assert text in words
    chinese = summarise(contract(), facts=facts, costs=costs, language="zh")
    assert "合计：4 分钟，各方共发送 5.0 GB，单方内存 3.5 GB，各方临时文件共 16 GB" in chinese
    assert words.count("\n") == chinese.count("\n")


def test_chinese_has_every_section_of_the_english() -> None:
    english = summarise(contract(), facts=facts)
    chinese = summarise(contract(), facts=facts, language="zh")
    assert english.count("## ") == chinese.count("## ")
    assert "参与方" in chinese


@pytest.mark.parametrize(
    ("assumption", "english", "chinese"),
    [("lpn", "younger than", "更新的假设"), ("symmetric", "not on learning parity", "不依据")],
)
def test_what_secrecy_rests_on_is_said_of_the_tasks_that_two_do_alone(
    assumption: Assumption, english: str, chinese: str
) -> None:
    rests: dict[str, Assumption] = {"align": assumption}

    def says(name: str) -> StepFacts:
        return replace(facts(name), assumes=lambda terms: rests.get(terms.name))

    words, other = (summarise(contract(), facts=says, language=language) for language in LANGUAGES)
    assert "'align': two make randomness" in words
    assert english in words
    assert "“align”：两方自行生成随机数" in other
    assert chinese in other
    assert "assumptions" not in summarise(contract(), facts=facts)


def test_the_policy_is_what_the_contract_lists_for_that_task() -> None:
    policy = compile_policy(contract(), "align")
    (item,) = policy.disclosures
    assert (item.name, item.to, item.door) == ("intersection", ("bank", "clinic"), Door.RELEASE)
    assert compile_policy(contract(), "another").disclosures == ()


# ---------------------------------------------------------------------- before a run


def may_run(**changes: Any) -> None:
    terms = changes.pop("terms", contract())
    given = {"now": NOW, "signatures": signatures(terms), "runs_used": 0, **changes}
    check_run(terms, **given)


def test_a_signed_contract_in_force_with_runs_left_may_run() -> None:
    may_run()
    may_run(runs_used=1, starting=False)


@pytest.mark.parametrize(
    ("changes", "clause", "says"),
    [
        ({"signatures": {}}, "signatures", "bank has not signed"),
        ({"signatures": signatures(contract(nonce="other"))}, "signatures", "."),
        ({"now": NOW + timedelta(days=1)}, "validity", "not in force"),
        ({"now": NOW - timedelta(days=2)}, "validity", "not in force"),
        ({"runs_used": 1}, "runs", "No runs are left"),
    ],
)
def test_what_stands_in_the_way_of_a_run(changes: dict[str, Any], clause: str, says: str) -> None:
    with pytest.raises(DeniedError, match=says) as caught:
        may_run(**changes)
    assert caught.value.clause == clause


def may_sign(
    *,
    own: dict[str, Any] | None = None,
    pinned: dict[str, str] | None = None,
    terms: Contract | None = None,
) -> None:
    terms = terms or contract()
    known = {party.name: party.identity for party in terms.parties}
    check_terms(
        terms,
        me="bank",
        assets={"loans": asset()} if own is None else own,
        pinned={**known, **(pinned or {})},
    )


def later(name: str, step: str, source: str) -> TaskTerms:
    return TaskTerms(
        name=name,
        step=step,
        version=1,
        fingerprint="f" * 64,
        roles={"holders": ("clinic",)},
        inputs={"table": source},
    )


def test_what_comes_of_an_asset_is_bound_by_its_owner_too() -> None:
    """The clinic's tasks on aligned rows work on what came of the bank's asset, although they never read it."""
    (align,) = contract().tasks
    tasks = (align, later("cut", "split", "align.table"), later("fit", "train-linear", "cut.train"))
    with pytest.raises(ValidationError, match="the owner of 'loans' does not allow the step 'split'"):
        contract(tasks=tasks)
    wide = ("psi", "split", "train-linear")
    terms = contract(
        tasks=tasks, assets=(asset(steps=wide), asset(name="patients", holder="clinic", steps=wide))
    )
    assert [task.name for task in terms.tasks_on("loans")] == ["align", "cut", "fit"]
    narrowed = {"loans": asset(steps=("psi", "split"))}
    with pytest.raises(DeniedError, match=r"step 'train-linear'\.\nWhy: task 'fit'"):
        may_sign(terms=terms, own=narrowed)


def test_a_task_on_other_data_is_no_matter_of_the_owner() -> None:
    (align,) = contract().tasks
    alone = later("alone", "split", "asset:own")
    both = contract(
        tasks=(align, alone),
        assets=(
            asset(),
            asset(name="patients", holder="clinic"),
            asset(name="own", holder="clinic", steps=("split",)),
        ),
    )
    assert [task.name for task in both.tasks_on("loans")] == ["align"]
    assert [task.name for task in both.tasks_on("own")] == ["alone"]


def test_a_party_signs_what_is_as_it_knows_it() -> None:
    may_sign()


@pytest.mark.parametrize(
    ("changes", "clause", "says"),
    [
        ({"own": {}}, "asset loans", "no asset 'loans'"),
        (
            {"own": {"loans": asset(commitment="00" * 32)}},
            "asset loans",
            "not those that the contract was made",
        ),
        ({"own": {"loans": asset(purposes=("billing",))}}, "asset loans", "may not be used for 'screening'"),
        ({"own": {"loans": asset(steps=("split",))}}, "asset loans", "may not be used by the step 'psi'"),
        ({"own": {"loans": asset(columns=())}}, "asset loans", "columns of 'loans' are not"),
        ({"pinned": {"clinic": OTHER_KEY}}, "parties", "another key for clinic"),
    ],
)
def test_what_stands_in_the_way_of_a_signature(changes: dict[str, Any], clause: str, says: str) -> None:
    with pytest.raises(DeniedError, match=says) as caught:
        may_sign(**changes)
    assert caught.value.clause == clause


def test_a_stranger_is_no_party() -> None:
    with pytest.raises(DeniedError, match="clinic is no peer"):
        check_terms(
            contract(),
            me="bank",
            assets={"loans": asset()},
            pinned={"bank": contract().party("bank").identity},
        )
