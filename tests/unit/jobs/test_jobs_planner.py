"""The planner pins steps, collects disclosures and estimates, and names every problem at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from unseen.core import registry
from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.govern.contract import AssetTerms, ColumnTerms, Contract, PartyTerms
from unseen.jobs.planner import TaskSketch, costs_of, plan
from unseen.jobs.step import STEPS, Roles, fingerprint, parse_params, pinned, step
from unseen.jobs.steps import train_gbdt

HOLDERS = ("hospital", "laboratory")
TOGETHER = {"holders": HOLDERS, "helper": ("helper",)}


def asset(holder: str, columns: int, rows: int = 1000) -> AssetTerms:
    terms = tuple(ColumnTerms(name=f"x{index}", type="numeric") for index in range(columns))
    return AssetTerms(
        name=f"data-of-{holder}", holder=holder, columns=terms, rows=rows, steps=("psi",), purposes=("p",)
    )


ASSETS = (asset("hospital", 3), asset("laboratory", 5, rows=800))
TRAIN = TaskSketch(
    "train",
    "train-linear",
    {**TOGETHER, "label_holder": ("hospital",)},
    {"table": "scaled.train"},
    {"l2": 2.0},
)


def test_what_goes_into_the_contract() -> None:
    planned = plan([TRAIN], ASSETS, level="shared")
    (task,) = planned.tasks
    name = "train-linear"
    assert (task.step, task.version, task.fingerprint) == (name, step(name).VERSION, fingerprint(name))
    assert task.params == parse_params("train-linear", {"l2": 2.0}).model_dump(mode="json")
    assert (task.params["l2"], task.params["iterations"], task.params["bound"]) == (2.0, 10, False)
    assert [(item.name, item.to, item.door) for item in planned.disclosures] == [
        ("shape", ("helper", "hospital", "laboratory"), "release")
    ]
    assert "helper must not collude" in planned.reasons["train"]


def test_estimates_grow_with_rows_and_with_latency() -> None:
    small = plan([TRAIN], ASSETS, level="shared").costs["train"]
    large = plan([TRAIN], (asset("hospital", 3, 9000), asset("laboratory", 5, 9000)), level="shared").costs[
        "train"
    ]
    far = plan([TRAIN], ASSETS, level="shared", network=Network(latency_s=0.05)).costs["train"]
    assert large.bytes > 5 * small.bytes
    assert large.memory_bytes > small.memory_bytes
    assert far.seconds > small.seconds + 0.04 * far.rounds


def test_all_problems_at_once() -> None:
    sketches = [
        TaskSketch("one", "train-boosted-magic", {}, {}, {}),
        TaskSketch(
            "two", "psi", {"holders": HOLDERS, "helper": ("helper",)}, {"table": "asset:data-of-hospital"}, {}
        ),
        TaskSketch("three", "psi", {"holders": HOLDERS}, {}, {}),
        TaskSketch("four", "split", {"holders": HOLDERS}, {"table": "two.table"}, {"test_fraction": 3}),
    ]
    with pytest.raises(UsageError) as caught:
        plan(sketches, ASSETS, level="shared")
    text = "\n".join(caught.value.problems)
    for expected in (
        "'one'",
        "train-boosted-magic",
        "'two'",
        "unknown: helper",
        "'three'",
        "'four'",
        "test_fraction",
    ):
        assert expected in text


def test_a_wrong_parameter_is_said_once_of_the_task_that_has_it() -> None:
    train = {"holders": HOLDERS, "label_holder": HOLDERS[:1], "helper": ("helper",)}
    sketches = [
        TaskSketch(
            "fit",
            "train-linear",
            train,
            {"table": "asset:data-of-hospital"},
            {"family": "poisson", "woe_bins": 8},
        ),
        TaskSketch(
            "score",
            "predict",
            {"holders": HOLDERS, "receiver": HOLDERS[:1], "helper": ("helper",)},
            {"model": "fit.model", "table": "asset:data-of-hospital"},
            {},
        ),
    ]
    with pytest.raises(UsageError) as caught:
        plan(sketches, ASSETS, level="shared")
    [problem] = caught.value.problems
    assert problem.startswith("task 'fit': `woe_bins` are two or more")


def test_what_is_said_by_holder_of_who_is_none_is_refused() -> None:
    roles = {"holders": HOLDERS, "label_holder": HOLDERS[:1]}
    inputs = {"table": "asset:data-of-hospital"}
    grow = TaskSketch("grow", "train-gbdt", roles, inputs, {"monotone": {"hospitals": {"age": 1}}})
    cut = TaskSketch("cut", "bin", roles, inputs, {"columns": {"lab": ["age"]}})
    with pytest.raises(UsageError) as caught:
        plan([grow, cut], ASSETS, level="shared")
    assert len(caught.value.problems) == 2
    assert "`monotone` is by holder, and hospitals is none" in caught.value.problems[0]


def test_a_level_that_the_step_does_not_give_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        plan([TRAIN], ASSETS, level="shared-malicious")
    assert "does not give the security level" in caught.value.problems[0]


@pytest.mark.parametrize("name", registry.names(STEPS))
def test_every_step_says_what_it_is(name: str) -> None:
    """The contract test of all steps."""
    installed = step(name)
    assert installed.VERSION >= 1
    assert installed.SUMMARY.endswith(".")
    assert installed.TRUST.endswith(".")
    assert installed.ROLES
    assert set(installed.LEVELS) <= {"federated", "shared", "shared-malicious", "enclave"}
    roles = Roles({role: HOLDERS if role == "holders" else ("hospital",) for role in installed.ROLES})
    columns = {"value": ("hospital", ("age",)), "group": ("laboratory", ("flag",))}
    given = {"columns": columns} if name == "run-function" else {}  # it takes what its function takes
    params = pinned(installed, installed.Params(**given))
    told = installed.disclosures(params, roles)
    assert len({item.name for item in told}) == len(told)
    for item in told:
        assert item.what
        assert set(item.to) <= {"hospital", "laboratory"}


@pytest.mark.parametrize("trees", [2, 20])
def test_scoring_costs_what_the_kind_of_the_model_costs(trees: int) -> None:
    """Measured with 2 trees of depth 3, 800 rows of 6 columns: 839 kB and 28 rounds; a linear model 660 kB and 25."""
    grow = TaskSketch("grow", "train-gbdt", TRAIN.roles, TRAIN.inputs, {"rounds": trees, "depth": 3})
    assets = (asset("hospital", 3, 800), asset("laboratory", 3, 800))
    costs = [
        plan(
            [
                made,
                TaskSketch(
                    "score",
                    "predict",
                    {**TOGETHER, "receiver": ("hospital",)},
                    {"table": "scaled.test", "model": f"{made.name}.model"},
                    {},
                ),
            ],
            assets,
            level="shared",
        ).costs["score"]
        for made in (TRAIN, grow)
    ]
    assert [cost.rounds for cost in costs] == [23, 15 + 6 * trees]
    assert 620e3 < costs[0].bytes < 1.2 * 660e3
    if trees == 2:
        assert 0.9 * 839e3 < costs[1].bytes < 1.1 * 839e3


def scoring(maker: str, cutting: dict[str, Any], *, rows: int = 1600, columns: int = 2) -> Cost:
    """The estimate of scoring with what another task makes."""
    assets = (asset("hospital", columns, rows), asset("laboratory", columns, rows))
    made = TaskSketch("made", maker, TRAIN.roles, TRAIN.inputs, cutting)
    score = replace(SCORE, inputs={"table": "scaled.test", "model": "made.model"})
    return plan([made, score], assets, level="shared").costs["score"]


SCORE = TaskSketch("score", "predict", {**TOGETHER, "receiver": ("hospital",)}, {}, {})
MEASURED = [
    # of 1,600 rows under dealer2: maker, parameters, columns of each, bytes a row, rounds
    ("train-gbdt", {"rounds": 4, "depth": 2, "bins": 4}, 2, 1254, 35),
    ("train-gbdt", {"rounds": 6, "depth": 5, "bins": 4}, 2, 3124, 63),
    ("train-gbdt", {"rounds": 4, "depth": 2, "bins": 4, "tell_splits": False}, 2, 1577, 40),
    ("train-gbdt", {"rounds": 2, "depth": 4, "bins": 4, "tell_splits": False}, 2, 1862, 32),
    ("train-gbdt", {"rounds": 6, "depth": 5, "bins": 4, "tell_splits": False}, 2, 6259, 70),
    ("train-linear", {}, 4, 852, 23),
    ("train-linear", {"woe_bins": 8}, 4, 1226, 17),
    ("train-linear", {"woe_bins": 8}, 8, 1803, 17),
]


@pytest.mark.parametrize(("maker", "params", "columns", "each", "rounds"), MEASURED)
def test_scoring_was_measured(
    maker: str, params: dict[str, Any], columns: int, each: int, rounds: int
) -> None:
    cost = scoring(maker, params, columns=columns)
    assert cost.bytes == pytest.approx(1600 * each, rel=0.05)
    assert cost.rounds == rounds


CUT = TaskSketch("cut", "split", {"holders": HOLDERS}, {"table": "asset:data-of-hospital"}, {})


@pytest.mark.parametrize(
    ("table", "how", "part"),
    [
        ("joined.table", {}, 1),  # where the whole join is measured on, it is all of them
        ("cut.test", {}, 1 / 4),
        ("cut.train", {}, 3 / 4),
        ("ready.test", {"test_fraction": 0.5}, 1 / 2),
        ("cut.test", {"fold": 2}, 1 / 5),
    ],
)
def test_estimates_are_of_the_rows_that_were_held_out(table: str, how: dict[str, Any], part: float) -> None:
    ready = TaskSketch(
        "ready", "prepare", {"holders": HOLDERS}, {"train": "cut.train", "test": "cut.test"}, {}
    )
    score = replace(SCORE, inputs={"table": table, "model": "train.model"})
    costs = plan([TRAIN, replace(CUT, params=how), ready, score], ASSETS, level="shared").costs
    assert costs["score"].bytes == pytest.approx(800 * part * (724 + 16 * 8), rel=0.05)


def test_tables_that_are_made_of_one_another_end() -> None:
    turning = replace(CUT, inputs={"table": "cut.test"})
    score = replace(SCORE, inputs={"table": "cut.test", "model": "train.model"})
    costs = plan([TRAIN, turning, score], ASSETS, level="shared").costs
    assert costs["score"].bytes == pytest.approx(200 * (724 + 16 * 8), rel=0.05)


def test_scoring_with_an_earlier_jobs_model_is_of_all_rows_and_of_its_kind() -> None:
    version = f"model:model-{'a' * 64}"
    public = train_gbdt.makes(train_gbdt.Params(rounds=6, depth=5), {})[1]
    assets = tuple(item.model_copy(update={"steps": ("psi", "predict")}) for item in ASSETS)
    tables = {item.holder: item.reference for item in assets}
    later = replace(SCORE, inputs={"table": tables, "model": version})
    planned = plan([later], assets, level="shared")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    agreed = Contract(
        title="Scores",
        purpose="p",
        parties=tuple(
            PartyTerms(name=name, identity=f"ed25519:{name}", roles=("holder",))
            for name in (*HOLDERS, "helper")
        ),
        assets=assets,
        tasks=planned.tasks,
        disclosures=planned.disclosures,
        security_level="shared",
        valid_from=start,
        valid_until=start + timedelta(days=1),
    )
    known = costs_of(agreed, earlier=lambda reference: ("trees", public) if reference == version else None)
    assert known["score"].bytes == pytest.approx(800 * 3124, rel=0.05)
    assert costs_of(agreed)["score"].bytes == pytest.approx(800 * (724 + 16 * 8), rel=0.05)
