"""The steps of data preparation on two holders: what comes out is what pooled data give, and bad input is one clear error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import UnseenError, UsageError
from unseen.data.table import Table
from unseen.govern.report import render
from unseen.jobs import binned
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import Matrix, from_table, to_table
from unseen.learn.prepare import woe
from unseen.testing.simulate import run

HOLDERS = ("bank", "telecom")
ROLES = {"holders": HOLDERS, "label_holder": ("bank",)}
ROWS = 400
RNG = np.random.default_rng(4)
X = RNG.normal(size=ROWS)
Y = (RNG.random(ROWS) < 1 / (1 + np.exp(-X))).astype(int)
IDS = [f"c{row}" for row in range(ROWS)]


def bank(**columns: Any) -> Artefact:
    made = pa.table({"id": IDS, "y": Y, **columns})
    return from_table(Table.of(made, id_columns=("id",), label_columns=("y",)))


def telecom(**columns: Any) -> Artefact:
    return from_table(Table.of(pa.table({"id": IDS, **columns}), id_columns=("id",)))


def play(
    name: str,
    inputs: Mapping[str, Mapping[str, Artefact]],
    roles: Mapping[str, tuple[str, ...]] = ROLES,
    **params: Any,
) -> dict[str, Any]:
    installed, who = step(name), Roles({role: roles[role] for role in step(name).ROLES if role in roles})
    parsed = parse_params(name, params)
    return run(
        lambda party: installed.run(party, inputs.get(party.name, {}), parsed, who),
        who.everyone,
        disclosures=installed.disclosures(parsed, who),
        timeout_s=60,
    ).results


def counts(values: np.ndarray, cuts: list[float]) -> tuple[np.ndarray, np.ndarray]:
    codes = np.searchsorted(cuts, values, side="right")
    positives = np.bincount(codes, weights=Y, minlength=len(cuts) + 1)
    return positives, np.bincount(codes, minlength=len(cuts) + 1) - positives


@pytest.mark.parametrize("tell", ["owner", "both", "nobody"])
def test_bins_of_another_holder_are_those_of_pooled_data(tell: str) -> None:
    inputs = {"bank": {"table": bank(own=X)}, "telecom": {"table": telecom(other=X)}}
    made = play("bin", inputs, tell=tell, fine=6, merge="none", at_least=1)
    own, other = (made[name]["metrics"].meta for name in HOLDERS)
    if tell == "nobody":
        assert np.isclose(own["iv"][0], other["iv"][0], atol=1e-2)  # empty bins are smoothed too
        assert "others" not in own or own["others"] == {}
        assert made["telecom"]["rules"].meta["rules"] == []
        return
    assert own["bins"]["own"] == other["bins"]["other"]
    cuts = made["telecom"]["rules"].meta["rules"][0]["state"]["other"]["cuts"]
    found = woe.evidence(*counts(X, cuts))
    assert np.allclose([item["woe"] for item in other["bins"]["other"]], found.woe)
    assert np.isclose(other["iv"][0], found.iv)
    assert ("telecom" in own["others"]) == (tell == "both")
    table = play("transform", {who: {"rules": made[who]["rules"], **inputs[who]} for who in HOLDERS})
    weights = Matrix.of(table["telecom"]["table"]).values[:, 0]
    assert np.allclose(weights, found.woe[np.searchsorted(cuts, X, side="right")])


@pytest.mark.parametrize("merge", ["chi2", "optimal", "monotone"])
def test_every_bin_that_is_told_has_rows_of_both_classes(merge: str) -> None:
    word = np.where(X > 1, "high", np.where(X > 0.9, "rare", "low"))
    gaps = np.where(RNG.random(ROWS) < 0.2, np.nan, X)
    inputs = {
        "bank": {"table": bank(own=X)},
        "telecom": {"table": telecom(x=pa.array(gaps, from_pandas=True), word=word, same=np.ones(ROWS))},
    }
    made = play("bin", inputs, merge=merge, most=4, at_least=15)["telecom"]["metrics"].meta
    for name, bins in made["bins"].items():
        assert len(bins) <= 5
        assert name == "same" or min(min(b["positives"], b["negatives"]) for b in bins) >= 15
        assert sum(b["positives"] for b in bins) in (0, Y.sum())
    assert made["bins"]["x"][-1]["values"] == "missing"
    assert made["iv"][2] == 0  # a constant says nothing
    weights = [b["woe"] for b in made["bins"]["x"][:-1]]
    assert merge != "monotone" or weights == sorted(weights)


def test_what_training_had_not_has_no_weight() -> None:
    word = np.where(X > 0, "high", "low")
    inputs = {"bank": {"table": bank(own=X)}, "telecom": {"table": telecom(word=word, x=X)}}
    rules = play("bin", inputs)["telecom"]["rules"]
    new = Table.of(pa.table({"word": ["high", "new", None], "x": [0.0, np.inf, None]}))
    (row, other, missing) = to_table(
        step("transform").run(None, {"rules": rules, "table": from_table(new)}, None, None)["table"]  # type: ignore[arg-type]
    ).numeric(("word", "x"))
    assert row[0] > 0
    assert other[0] == missing[0] == missing[1] == 0
    assert other[1] > 0


def test_bins_that_cannot_be_made() -> None:
    whole = {"bank": {"table": bank(own=X)}, "telecom": {"table": telecom(x=X)}}
    with pytest.raises(UsageError, match="parameters"):
        play("bin", whole, tell="nobody", merge="chi2")
    unlabelled = {"bank": {"table": telecom(own=X)}, "telecom": {"table": telecom(x=X)}}
    with pytest.raises(UsageError, match="label"):
        play("bin", unlabelled)
    empty = {
        "bank": {"table": bank(own=X)},
        "telecom": {"table": telecom(x=pa.array([None] * ROWS, pa.float64()))},
    }
    with pytest.raises(UsageError, match="cannot be cut") as caught:
        play("bin", empty)
    assert "'x'" in caught.value.problems[0]
    shorter = to_table(whole["telecom"]["table"]).take(np.arange(10))
    with pytest.raises(UnseenError, match="10 rows where bank has 400"):
        play("bin", {"bank": whole["bank"], "telecom": {"table": from_table(shorter)}})
    with pytest.raises(UsageError, match="cannot be cut"):
        play("bin", whole, columns={"telecom": ("nope",)})


def test_rules_of_who_is_no_holder_are_refused() -> None:
    inputs = {who: {"train": telecom(x=X), "test": telecom(x=X)} for who in HOLDERS}
    with pytest.raises(UsageError, match="stranger"):
        play("prepare", inputs, rules=({"do": "scale", "of": "stranger"},))


def test_columns_are_left_out_for_the_reasons_asked_for() -> None:
    noise = RNG.normal(size=(ROWS, 3))
    own = {"x": X, "noise": noise[:, 0], "same": np.full(ROWS, 2.0)}
    other = {
        "double": X + 0.01 * noise[:, 1],
        "helps": X + noise[:, 1],
        "moves": noise[:, 2],
        "word": np.where(X > 0, "a", "b"),
    }
    later = {**other, "moves": noise[:, 2] + 3}
    inputs = {
        "bank": {"train": bank(**own), "test": telecom(**own)},  # later rows have no label yet
        "telecom": {"train": telecom(**other), "test": telecom(**later)},
    }
    made = play("select", inputs, stability=0.25, iv=0.25, correlation=0.9, vif=5.0)
    reports = {who: made[who]["metrics"].meta for who in HOLDERS}
    assert reports["bank"]["left_out"] == {"noise": "says little", "same": "does not vary"}
    assert reports["telecom"]["left_out"] == {"double": "repeats others", "moves": "is not stable"}
    assert to_table(made["telecom"]["test"]).names == ("id", "helps", "word")
    assert to_table(made["bank"]["train"]).names == ("id", "y", "x")
    assert to_table(made["bank"]["test"]).names == ("id", "x")
    untouched = play("select", inputs, {"holders": HOLDERS})
    assert untouched["telecom"]["metrics"].meta["left_out"] == {}


@pytest.mark.parametrize("helper", [(), ("helper",)])
def test_correlations_are_told_as_the_contract_says(helper: tuple[str, ...]) -> None:
    other = np.column_stack([X + RNG.normal(size=ROWS), RNG.normal(size=ROWS)])
    inputs = {
        "bank": {"table": bank(x=X)},
        "telecom": {"table": telecom(y=other[:, 0], z=other[:, 1])},
    }
    roles = {"holders": HOLDERS, "receivers": ("bank",), "helper": helper}
    made = play("correlate", inputs, roles, columns={"bank": ("x",), "telecom": ("y",)}, vif=True)
    report = made["bank"]["metrics"].meta
    assert report["of"] == [["bank", "x"], ["telecom", "y"]]
    r = np.corrcoef(X, other[:, 0])[0, 1]
    assert np.isclose(report["correlations"][0][1], r, atol=1e-4)
    assert np.isclose(report["vif"][0], 1 / (1 - r**2), rtol=0.01)
    assert "correlations" not in made["telecom"]["metrics"].meta
    with pytest.raises(UsageError, match="no column nope"):
        play("correlate", inputs, roles, columns={"telecom": ("nope",)})
    with pytest.raises(UsageError, match="stranger"):
        play("correlate", inputs, roles, columns={"stranger": ("x",)})
    flat = {**inputs, "bank": {"table": bank(x=np.ones(ROWS))}}
    with pytest.raises(UsageError, match="do not vary"):
        play("correlate", flat, roles, vif=True)


def test_others_are_told_of_columns_as_far_as_the_contract_says() -> None:
    inputs = {
        "bank": {"table": bank(x=X)},
        "telecom": {"table": telecom(y=X * 2, few=np.arange(ROWS) == 3, w=["a"] * ROWS)},
    }
    roles = {"holders": HOLDERS, "receivers": ("bank",)}
    made = {
        who: item["metrics"].meta
        for who, item in play("describe", inputs, roles, columns={"telecom": ("y", "few")}).items()
    }
    assert made["bank"]["columns"]["x"]["count"] == ROWS
    assert made["bank"]["columns"]["y"]["mean"] == Y.mean()
    told = made["bank"]["told"]["telecom"]
    assert np.isclose(told["y"]["mean"], 2 * X.mean(), atol=0.05)
    assert told["few"] == {
        **dict.fromkeys(("count", "missing", "mean", "sd")),
        "quantiles": dict.fromkeys(("0.25", "0.5", "0.75")),
    }
    assert made["telecom"]["told"] == {}
    assert made["telecom"]["columns"]["w"]["most_frequent"] == {"a": ROWS}
    alone = play("describe", inputs, {"holders": HOLDERS})
    assert alone["bank"]["metrics"].meta["told"] == {}
    for wrong in ({"telecom": ("nope",)}, {"telecom": ("w",)}, {"stranger": ("y",)}):
        with pytest.raises(UsageError):
            play("describe", inputs, roles, columns=wrong)


@pytest.mark.long  # loading matplotlib
def test_bins_are_a_page_with_pictures() -> None:
    pytest.importorskip("matplotlib")
    word = np.where(X > 0, "high", "low")
    gaps = np.where(RNG.random(ROWS) < 0.2, np.nan, X)
    inputs = {
        "bank": {"table": bank(own=X)},
        "telecom": {"table": telecom(x=pa.array(gaps, from_pandas=True), word=word)},
    }
    meta = play("bin", inputs, most=3)["telecom"]["metrics"].meta
    page, drawn = binned.page(meta, "Bins")
    assert [section.title for section in page.sections] == sorted(
        ("x", "word"), key=lambda name: -meta["iv"][meta["columns"].index(name)]
    )
    values = [item["values"] for item in meta["bins"]["x"]]
    assert values[0].startswith("< ")
    assert values[-1] == "missing"
    assert values[-2].startswith("≥ ")
    assert {item["values"] for item in meta["bins"]["word"]} == {"high", "low"}
    assert drawn["bins-1"].svg().startswith("<svg")
    assert "information value" in render(page)
    assert binned.strength(0.01) != binned.strength(0.9)


def test_three_holders_one_label() -> None:
    three = (*HOLDERS, "shop")
    roles = {"holders": three, "label_holder": ("bank",)}
    noise = RNG.normal(size=ROWS)
    inputs = {
        "bank": {"table": bank(own=X)},
        "telecom": {"table": telecom(y=X + noise)},
        "shop": {"table": telecom(z=X, w=noise)},
    }
    made = play("bin", inputs, roles, tell="both")
    others = made["bank"]["metrics"].meta["others"]
    assert [len(others[name]["iv"]) for name in ("telecom", "shop")] == [1, 2]
    assert others["shop"]["iv"][0] > 0.3 > made["shop"]["metrics"].meta["iv"][1]
    both = {who: {"train": item["table"], "test": item["table"]} for who, item in inputs.items()}
    kept = play("select", both, roles, iv=0.2, correlation=0.9, vif=20.0)
    assert kept["shop"]["metrics"].meta["left_out"] == {"z": "repeats others", "w": "says little"}
    assert kept["telecom"]["metrics"].meta["left_out"] == {}


def test_a_bin_of_one_row_says_nothing_of_its_label_in_an_information_value() -> None:
    flags = {"flag": (np.arange(ROWS) == 7).astype(float), "same": np.zeros(ROWS)}
    inputs = {"bank": {"table": bank(own=X)}, "telecom": {"table": telecom(**flags)}}
    one, none = play("bin", inputs, tell="nobody", merge="none", fine=3)["telecom"]["metrics"].meta["iv"]
    assert one == pytest.approx(none, abs=2e-4)


def test_columns_are_not_judged_on_other_rows() -> None:
    inputs = {
        "bank": {"train": bank(own=X), "test": bank(own=X)},
        "telecom": {"train": telecom(x=X), "test": telecom(x=X)},
    }
    shorter = from_table(to_table(inputs["telecom"]["train"]).take(np.arange(ROWS - 1)))
    inputs["telecom"]["train"] = shorter
    with pytest.raises(UnseenError, match="399 rows where bank has 400"):
        play("select", inputs, iv=0.1)
