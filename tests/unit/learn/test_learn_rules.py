"""Rules of data preparation against the formulas of NumPy and scikit-learn, and against data that they were not made for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.data.table import Table
from unseen.learn.prepare.preparation import Preparation
from unseen.learn.prepare.rules import Clip, Cut, Impute, OneHot, Ordinal, Scale

NAN = float("nan")


def table(**columns: Any) -> Table:
    return Table.of(pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()}))


def told(made: Table, name: str = "x") -> list[float]:
    return np.asarray(made.data.column(name).to_numpy(), np.float64).tolist()


def apply(rule: Any, train: list[Any], test: list[Any] | None = None) -> Table:
    return rule.fit(table(x=train)).transform(table(x=train if test is None else test))


@pytest.mark.parametrize(
    ("by", "value"), [("mean", 2.0), ("median", 1.0), ("most-frequent", 1.0), ("constant", 9.0)]
)
def test_missing_values_are_filled_with_what_training_had(by: str, value: float) -> None:
    rule = Impute(by=by, value=9.0)
    assert told(apply(rule, [1.0, 1.0, 4.0, NAN], [NAN, 7.0])) == [value, 7.0]


def test_a_flag_tells_where_something_was_missing() -> None:
    made = apply(Impute(flag=True), [1.0, 3.0], [NAN, 7.0])
    assert made.features == ("x", "x=missing")
    assert told(made, "x=missing") == [1.0, 0.0]


def test_infinities_are_refused_or_missing_or_clipped() -> None:
    with pytest.raises(UsageError) as caught:
        apply(Impute(), [1.0, np.inf])
    assert "infinite" in caught.value.problems[0]
    assert told(apply(Impute(infinite="missing"), [1.0, np.inf])) == [1.0, 1.0]
    assert told(apply(Clip(low=0, high=1), [1.0, 2.0, np.inf, -np.inf])) == [1.0, 2.0, 2.0, 1.0]
    for rule in (Scale(), Cut(bins=2)):
        with pytest.raises(UsageError, match="cannot be learnt"):
            apply(rule, [1.0, np.inf])


@given(arrays(np.float64, st.integers(2, 30), elements=st.floats(-1e6, 1e6)))
def test_scaling_is_numpys(values: np.ndarray) -> None:
    standard = np.array(told(apply(Scale(), list(values))))
    assert abs(standard.mean()) < 1e-6
    assert np.isclose(standard.std(), 1) or np.ptp(values) < 1e-5
    unit = np.array(told(apply(Scale(to="min-max"), list(values))))
    if np.ptp(values) > 1e-5:
        assert np.allclose(unit, (values - values.min()) / np.ptp(values))


@pytest.mark.long  # loading scikit-learn
def test_scaling_by_rank_is_scikit_learns() -> None:
    pre = pytest.importorskip("sklearn.preprocessing")
    rng = np.random.default_rng(5)
    train = np.r_[rng.lognormal(size=3000), np.zeros(300)]
    test = np.r_[rng.lognormal(size=100), -1.0, 1e9]
    for to, least in (("uniform", 1e-12), ("normal", 1e-9)):
        theirs = pre.QuantileTransformer(n_quantiles=1000, output_distribution=to).fit(train[:, None])
        ours = np.array(told(apply(Scale(to=to), list(train), list(test))))
        assert np.allclose(ours, theirs.transform(test[:, None])[:, 0], atol=least)
    # A value that is the least and comes often stands in its middle; scikit-learn puts it at 0.
    assert abs(told(apply(Scale(to="uniform"), list(train), [0.0]))[0] - 300 / 3300 / 2) < 1e-3


def test_a_constant_column_stays_harmless() -> None:
    assert told(apply(Scale(), [3.0, 3.0], [3.0, 4.0])) == [0.0, 1.0]
    assert told(apply(Scale(to="min-max"), [3.0, 3.0])) == [0.0, 0.0]
    assert told(apply(Scale(to="uniform"), [3.0, 3.0], [2.0, 3.0, 4.0])) == [0.0, 0.5, 1.0]
    assert told(apply(Scale(to="normal"), [3.0, 3.0])) == [0.0, 0.0]
    assert told(apply(Cut(), [3.0, 3.0], [2.0, NAN])) == [0.0, 1.0]
    assert told(apply(Clip(by="iqr"), [3.0, 3.0], [9.0])) == [3.0]


def test_outliers_go_to_quantiles_or_quartiles() -> None:
    values = list(np.arange(101.0))
    assert told(apply(Clip(low=0.1, high=0.9), values, [0.0, 50.0, 100.0, NAN]))[:3] == [10.0, 50.0, 90.0]
    assert told(apply(Clip(by="iqr", reach=0.5), values, [-1e9, 1e9])) == [0.0, 100.0]


def test_categories_become_columns() -> None:
    made = apply(OneHot(), ["b", "a", None], ["a", None, "b"])
    assert made.features == ("x=a", "x=b", "x=missing")
    assert [told(made, name) for name in made.features] == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert apply(OneHot(drop_first=True), ["b", "a"]).features == ("x=b",)
    one = OneHot(of="bank", columns=("x",)).fit(table(x=[1, 2]))
    assert told(one.transform(table(x=[2.0, NAN, 1.0][::2])), "x=2") == [1, 0]  # integers then, floats now


def test_text_is_filled_by_its_most_frequent_category_or_by_a_word() -> None:
    columns, later = (
        table(x=["b", None, "a", "b"], z=[1.0, NAN, 1.0, 2.0]),
        table(x=[None, "c"], z=[NAN, 3.0]),
    )
    most = Preparation([Impute(by="most-frequent", flag=True)]).fit(columns).transform(later)
    assert most.data["x"].to_pylist() == ["b", "c"]
    assert told(most, "x=missing") == [1, 0]
    assert told(most, "z") == [1, 3]
    word = Preparation([Impute(by="constant", value="none"), OneHot(unseen="zero")]).fit(columns)
    again = Preparation.from_plain(json.loads(json.dumps(word.to_plain())))
    assert told(again.transform(later), "x=none") == [1, 0]
    assert again.transform(later).features == ("x=a", "x=b", "x=none", "z")  # numbers are not its business
    empty = (
        Impute(of="a", columns=("x",), by="constant", value="q").fit(columns).transform(table(x=[None, None]))
    )
    assert empty.data["x"].to_pylist() == ["q", "q"]
    with pytest.raises(UsageError, match="cannot be learnt"):
        Impute(of="a", columns=("z",), by="constant", value="none").fit(columns)
    with pytest.raises(UsageError, match="cannot be learnt"):
        Impute(of="a", columns=("x",)).fit(columns)


def test_categories_that_training_did_not_have() -> None:
    with pytest.raises(UsageError, match="'c'"):
        apply(OneHot(), ["a", "b"], ["c"])
    with pytest.raises(UsageError, match="missing value"):
        apply(OneHot(), ["a", "b"], [None, "a"])
    zero = apply(OneHot(unseen="zero"), ["a", "b"], ["c", None, "a"])
    assert [told(zero, name) for name in zero.features] == [[0, 0, 1], [0, 0, 0]]
    other = apply(OneHot(unseen="other"), ["a", None], ["c", None, "a"])
    assert other.features == ("x=a", "x=missing", "x=other")
    assert [told(other, name) for name in other.features] == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    shared = apply(OneHot(unseen="other"), ["other", "missing", None, "a"], ["c", None, "other", "missing"])
    assert shared.features == ("x=a", "x=missing", "x=other")  # categories that are called so themselves
    assert told(shared, "x=other") == [1, 0, 1, 0]
    assert told(shared, "x=missing") == [0, 1, 0, 1]


def test_categories_become_numbers() -> None:
    made = told(apply(Ordinal(), ["b", "a", None]))
    assert made[:2] == [1, 0]
    assert np.isnan(made[2])
    assert told(apply(Ordinal(order=("low", "high")), ["high", "low"])) == [1, 0]
    assert told(apply(Ordinal(unseen="own"), ["a", "b"], ["z", "b"])) == [2, 1]
    with pytest.raises(UsageError, match="'z'"):
        apply(Ordinal(), ["a", "b"], ["z"])
    with pytest.raises(UsageError, match="cannot be learnt"):
        apply(Ordinal(order=("a",)), ["a", "b"])


@pytest.mark.parametrize("rule", [Impute(), Impute(by="median"), Clip(), Scale(), Scale(to="uniform"), Cut()])
def test_a_column_without_values_is_one_clear_error(rule: Any) -> None:
    columns = table(x=pa.array([None, None], pa.float64()), y=[1.0, 2.0])
    with pytest.raises(UsageError, match="cannot be learnt") as caught:
        rule.fit(columns)
    assert len(caught.value.problems) == 1
    assert "'x'" in caught.value.problems[0]
    with pytest.raises(UsageError, match="cannot be learnt"):
        OneHot(of="a", columns=("x",)).fit(columns)
    assert told(Impute(of="a", columns=("x",), by="constant").fit(columns).transform(columns)) == [0.0, 0.0]
    nothing = table(x=pa.nulls(2))  # as a file without a single value in that column is read
    for encoded in (OneHot(of="a", columns=("x",)), Ordinal(of="a", columns=("x",))):
        with pytest.raises(UsageError, match="cannot be learnt"):
            encoded.fit(nothing)


def test_a_column_without_values_at_scoring_is_missing_whatever_its_type() -> None:
    fitted = Preparation([Impute(), OneHot(unseen="zero")]).fit(table(x=[1.0, 3.0], kind=["a", "b"]))
    made = fitted.transform(table(x=[None, None], kind=[None, None]))
    assert made.numeric(made.features).tolist() == [[2, 0, 0], [2, 0, 0]]


def test_text_is_no_number_and_many_categories_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Scale(of="a", columns=("x", "z")).fit(table(x=["a"]))
    assert [item.split(":")[0] for item in caught.value.problems] == ["column 'x'", "column 'z'"]
    with pytest.raises(UsageError) as caught:
        apply(OneHot(most=2), ["a", "b", "c"])
    assert "at most 2" in caught.value.problems[0]
    with pytest.raises(UsageError, match="would be called"):
        Impute(of="a", columns=("x",), flag=True).fit(table(x=[1.0])).transform(
            Table.of(pa.table({"x": [1.0], "x=missing": [0.0]}))
        )


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (Clip, {"low": 0.9, "high": 0.1}),
        (Cut, {"bins": 1}),
        (Impute, {"by": "guess"}),
        (Scale, {"columns": ("x",)}),
    ],
)
def test_parameters_that_are_none(rule: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**wrong)


MANY = (Impute(by="median", flag=True), Clip(), Scale(to="normal"), OneHot(unseen="other"))


def test_rules_follow_one_another_and_survive_as_plain_data() -> None:
    rng = np.random.default_rng(3)
    train = table(x=[*rng.normal(size=30), NAN], kind=["a", "b", None] * 10 + ["b"], n=list(range(31)))
    test = table(n=[1.5, 99.0], kind=["c", "a"], x=[NAN, 0.1])  # another order, floats for integers
    fitted = Preparation(MANY).fit(train)
    stored = json.loads(json.dumps(fitted.to_plain()))
    again = Preparation.from_plain(stored)
    for made in (fitted.transform(test), again.transform(test)):
        assert made.features == (
            "x",
            "x=missing",
            "kind=a",
            "kind=b",
            "kind=missing",
            "kind=other",
            "n",
            "n=missing",
        )
        assert np.isfinite(made.numeric(made.features)).all()
    assert fitted.transform(test).data.equals(again.transform(test).data)
    assert fitted.get_params() == again.get_params()
    assert not MANY[0]._state  # the rules that were asked for have learnt nothing


def test_other_columns_than_in_training_are_named_all_at_once() -> None:
    fitted = Preparation([Impute()]).fit(table(x=[1.0], kind=["a"], day=[3]))
    with pytest.raises(UsageError, match="not those of training") as caught:
        fitted.transform(table(x=["now text"], kind=["a"], new=[1.0]))
    assert len(caught.value.problems) == 3


def test_nothing_learnt_nothing_applied() -> None:
    for call in (
        lambda: Preparation([]).transform(table(x=[1.0])),
        lambda: Scale().transform(table(x=[1.0])),
    ):
        with pytest.raises(LocalProtocolError, match="learnt nothing"):
            call()
    with pytest.raises(UsageError, match="no training rows"):
        Preparation([Scale()]).fit(table(x=[1.0]).take(np.array([], np.int64)))
