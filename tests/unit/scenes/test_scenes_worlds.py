"""The made-up worlds have the causes they claim, and the scenes run on them: two holders with a helper, three alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from unseen.client import Local
from unseen.core.errors import UsageError
from unseen.learn.evaluate.ranking import by_level
from unseen.scenes import finance, government, public_data, worlds
from unseen.scenes.comparison import Rankings
from unseen.scenes.joint_model import parties, workflow
from unseen.scenes.partition import Holding

WORLDS = {"finance": (finance, worlds.credit), "government": (government, worlds.firms)}


def joined(holdings: tuple[Holding, ...]) -> dict[str, np.ndarray]:
    """All columns of the rows that every holder has."""
    places = [
        {name: row for row, name in enumerate(item.table.column(item.key).to_pylist())} for item in holdings
    ]
    common = sorted(set.intersection(*map(set, places)))
    return {
        name: item.table.column(name).to_numpy()[[where[one] for one in common]]
        for item, where in zip(holdings, places, strict=True)
        for name in item.table.column_names
        if name != item.key
    }


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_is_the_same_every_time_and_other_with_another_seed(name: str) -> None:
    make: Any = WORLDS[name][1]
    first, again, other = make(rows=50), make(rows=50), make(rows=50, seed=1)
    assert all(one.table.equals(two.table) for one, two in zip(first, again, strict=True))
    assert not first[0].table.equals(other[0].table)
    assert [item.label for item in first] == ["default", *[None] * (len(first) - 1)]
    assert all(item.table.num_rows == 44 for item in first)


def test_hidden_strain_shows_at_both_and_wealth_protects() -> None:
    data = joined(worlds.credit(rows=8000))
    label = data["default"]
    assert 0.1 < label.mean() < 0.3
    for column, sign in (
        ("declined", 1),
        ("late_payments", 1),
        ("balance_before_payday", -1),
        ("savings", -1),
    ):
        assert sign * np.corrcoef(data[column], label)[0, 1] > 0.05
    assert abs(np.corrcoef(data["term_months"], label)[0, 1]) < 0.05  # no cause of anything


def test_health_and_order_of_a_firm_show_at_tax_office_and_registry() -> None:
    data = joined(worlds.firms(rows=8000))
    label = data["default"]
    for column, sign in (("vat_days_late", 1), ("margin", -1), ("changes_of_directors", 1), ("years", -1)):
        assert sign * np.corrcoef(data[column], label)[0, 1] > 0.05
    assert abs(np.corrcoef(data["branches"], label)[0, 1]) < 0.05


def levels(scores: np.ndarray) -> np.ndarray:
    """Scores without their rounding: those that differ by less than 2e-5 from the next are one."""
    order = np.argsort(scores)
    made = np.empty(len(scores))
    made[order] = np.cumsum(np.diff(scores[order], prepend=-1.0) > 2e-5)
    return made


@pytest.mark.parametrize("trees", [0, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", WORLDS)
def test_a_small_run_of_the_scene(name: str, trees: int) -> None:
    scene, make = WORLDS[name]
    holdings = make(rows=900)
    flow = workflow(holdings, replace(scene.SCENE.settings, trees=trees))
    assert flow.parties == tuple(sorted(parties(holdings)))
    assert ("helper" in flow.parties) == (len(holdings) == 2)
    bank = flow.run(Local()).at("bank")
    told, scores = bank.metrics("evaluate"), bank.scores("predict")
    ids = bank.ids("predict").data.column(holdings[0].key).to_pylist()
    where = {one: row for row, one in enumerate(holdings[0].table.column(holdings[0].key).to_pylist())}
    labels = holdings[0].table.column("default").to_numpy()[[where[one] for one in ids]].astype(float)
    exact = by_level(labels, scores)
    assert told["rows"] == len(scores)
    assert told["positives"] == labels.sum()
    assert told["auc"] == pytest.approx(exact.auc, abs=1e-3)  # scored twice, each time rounded anew
    assert told["auc"] > 0.65
    if trees:
        # Few trees give many rows one score: ties, which rounding (each row's anew) would break by chance.
        assert bank.metrics("boost-evaluate")["auc"] == pytest.approx(
            by_level(labels, levels(bank.scores("boost-predict"))).auc, abs=1e-9
        )
    groups = bank["evaluate.metrics"].arrays["groups"]
    assert groups[:, 0].sum() == len(scores)
    assert np.minimum(groups[:, 1], groups[:, 0] - groups[:, 1]).min() >= 10 or len(groups) == 1


def test_where_the_business_curve_is_read() -> None:
    labels = np.array([1.0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    read = Rankings.of(labels, np.arange(10.0)[::-1] / 10).business()
    assert read == {"approved_at_half_the_bad_rate": 0.5, "bad_rate_at_80_percent_approved": 1 / 8}


def test_words_become_columns_and_repeated_keys_are_dropped(tmp_path: Path) -> None:
    names = public_data._CLAIM + public_data._ACCIDENT
    columns = {name: ["a"] * 50 + ["b"] * 50 for name in names} | {"Age": list(range(100))}
    keys = [*range(99), 98]
    table = pa.table({**columns, "PolicyNumber": keys, "FraudFound_P": [0, 1] * 50})
    pyarrow.csv.write_csv(table, tmp_path / "fraud_oracle.csv")
    insurer, police = public_data.known(tmp_path)
    assert insurer.table.num_rows == police.table.num_rows == 99
    assert insurer.features[:2] == ("PolicyType=b", "VehicleCategory=b")
    assert (insurer.label, police.label) == ("label", None)
    assert public_data.known(tmp_path / "nowhere") == ()


def test_three_files_of_ones_own(tmp_path: Path) -> None:
    for name, columns in (("bank", {"y": [0, 1]}), ("tax", {"v": [1, 2]}), ("register", {"w": [1, 2]})):
        pyarrow.csv.write_csv(pa.table({"id": [1, 2], **columns}), tmp_path / f"{name}.csv")
    holdings = government._source(tmp_path, None, None)
    assert [item.party for item in holdings] == ["bank", "register", "tax"]
    with pytest.raises(UsageError, match="3 tables where two are due"):
        finance._source(tmp_path, None, None)


SETS = {
    "fate_default_credit": (2, 0.2212, ("bank", "payments")),
    "vehicle_insurance_fraud": (2, 0.0599, ("insurer", "police")),
    "sba_small_business_loans": (3, 0.3260, ("bank", "tax", "registry")),
}


@pytest.mark.parametrize("name", SETS)
def test_public_data_sets_where_they_are(name: str) -> None:
    folder = os.environ.get("UNSEEN_DATA")
    if not folder or not (Path(folder) / name).is_dir():
        pytest.skip(f"UNSEEN_DATA names no folder with the data set {name}")
    count, rate, names = SETS[name]
    holdings = public_data.known(Path(folder) / name)
    assert (len(holdings), tuple(item.party for item in holdings)) == (count, names)
    first = holdings[0]
    assert first.table.column(str(first.label)).to_numpy().mean() == pytest.approx(rate, abs=2e-3)
    for item in holdings:
        values = [item.table.column(feature).to_numpy() for feature in item.features]
        assert all(np.isfinite(np.asarray(one, float)).all() for one in values)
