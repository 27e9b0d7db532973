"""The step join, open and hidden, and training on rows that nobody knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from unseen.core.cost import Network
from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.dp import DiscreteLaplace
from unseen.jobs.artefacts import decode, encode
from unseen.jobs.joined import KIND, Joined
from unseen.jobs.local import run_local
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.steps import common_statistics, evaluate, standardise_joined, train_linear
from unseen.jobs.steps import join as step
from unseen.jobs.tables import Matrix, from_table, to_table
from unseen.psi import answers
from unseen.scenes import hidden_training
from unseen.scenes.partition import breast_cancer
from unseen.testing.simulate import Run, simulate

OPEN = Roles({"holders": ("a", "b")})
HELPED = Roles({"holders": ("a", "b"), "helper": ("helper",), "label_holder": ("a",)})
IDENTITIES = {
    name: f"ed25519:{place:064x}" for place, name in enumerate(("hospital", "laboratory", "helper"))
}


def table(ids: list[int], label: bool, **columns: Any) -> Table:
    named = {"id": [f"p{number}" for number in ids], **columns}
    return Table.of(pa.table(named), id_columns=("id",), label_columns=("ill",) if label else ())


TABLES = {
    "a": table([1, 2, 3, 3], True, x=[1.0, 2.0, 3.0, 4.0], ill=[0, 1, 0, 1]),
    "b": table([3, 1, 4, 3], False, y=[10.0, 20.0, 30.0, 40.0]),
}


def go(roles: Roles = OPEN, tables: Any = TABLES, **params: Any) -> Run[Any]:
    asked = step.Params(**params)

    def body(party: Any) -> Any:
        inputs = {"table": from_table(tables[party.name])} if party.name in tables else {}
        return step.run(party, inputs, asked, roles)

    return simulate(body, roles.everyone, disclosures=step.disclosures(asked, roles), timeout_s=20)


@pytest.mark.parametrize("how", ["inner", "left", "right", "full"])
def test_open(how: Any) -> None:
    outcome = go(how=how)
    assert not outcome.errors, outcome.errors
    left, right = (to_table(outcome.results[name]["table"]).data for name in ("a", "b"))
    assert left.num_rows == right.num_rows == {"inner": 5, "left": 6, "right": 6, "full": 7}[how]
    for mine, theirs in zip(left.column("id").to_pylist(), right.column("id").to_pylist(), strict=True):
        assert None in (mine, theirs) or mine == theirs


def test_hidden_shares_add_up_and_are_kept() -> None:
    repeats = {"a": 2, "b": 2}
    outcome = go(HELPED, how="left", hidden=True, repeats=repeats, at_most=7)
    assert not outcome.errors, outcome.errors
    assert outcome.results["helper"] == {}
    one, other = (Joined.of(decode(encode(outcome.results[name]["table"]))) for name in ("a", "b"))
    assert one.known == other.known
    assert one.known.places == 7
    assert [item.name for item in one.known.columns] == ["x", "ill", "y"]
    assert [item.role for item in one.known.columns] == ["feature", "label", "feature"]
    member = (one.member ^ other.member)[0].astype(bool)
    assert member.sum() == 6
    values = (one.values + other.values)[0].view(np.int64) / [2.0**20, 1, 2.0**20]
    x, ill, y = values[member].T
    assert sorted(zip(x, ill, y, strict=True)) == [
        (1, 0, 20), (2, 1, 0), (3, 0, 10), (3, 0, 40), (4, 1, 10), (4, 1, 40)
    ]  # fmt: skip


SEVERAL = {**TABLES, "c": table([9, 3, 1, 8], False, z=[5.0, 6.0, 7.0, 8.0])}


@pytest.mark.parametrize("how", ["inner", "right"])
def test_three_tables(how: Any) -> None:
    """Ids 1 and 3 are common: 1 once, 3 in four rows."""
    roles = Roles({"holders": ("a", "b", "c")})
    outcome = go(roles, SEVERAL, how=how, hidden=True, repeats={"a": 2, "b": 2})
    assert not outcome.errors, outcome.errors
    each = [Joined.of(outcome.results[name]["table"]) for name in "abc"]
    assert {item.known.protocol for item in each} == {"replicated3"}
    assert each[0].known.per_id == 4
    values = sum(item.values[0] for item in each).view(np.int64)
    member = np.bitwise_xor.reduce([item.member[0] for item in each]).astype(bool)
    found = (values[member] / [2.0**20, 1, 2.0**20, 2.0**20]).tolist()
    common = [[1, 0, 20, 7], [3, 0, 10, 6], [3, 0, 40, 6], [4, 1, 10, 6], [4, 1, 40, 6]]
    assert sorted(found) == sorted(common + ([[0, 0, 0, 5], [0, 0, 0, 8]] if how == "right" else []))
    open_ = go(roles, SEVERAL)
    assert not open_.errors, open_.errors
    columns = [
        to_table(open_.results[name]["table"]).data.column(column).to_pylist()
        for name, column in zip("abc", "xyz", strict=True)
    ]
    assert sorted(map(list, zip(*columns, strict=True))) == [[x, y, z] for x, _, y, z in common]


def test_a_holder_that_describes_columns_in_other_words_is_refused() -> None:
    asked = step.Params(hidden=True)

    def body(party: Any) -> Any:
        if party.name == "a":
            return step.run(party, {"table": from_table(TABLES["a"])}, asked, HELPED)
        told = step.Brought(
            party.release("shape", 4, to=party.peers, elements=1),
            party.release("shape", ("y",), to=party.peers, elements=1),
            party.release("shape", ("secret",), to=party.peers, elements=1),
        )
        for peer in party.peers:
            party.send(peer, told)
        return None

    outcome = simulate(body, ("a", "b"), disclosures=step.disclosures(asked, HELPED), timeout_s=20)
    assert "b describes its table in a way that cannot be" in str(outcome.errors["a"])


def test_the_length_is_told_with_noise() -> None:
    outcome = go(HELPED, hidden=True, repeats={"a": 2, "b": 2}, epsilon=9.0)
    assert not outcome.errors, outcome.errors
    one, other = (Joined.of(outcome.results[name]["table"]) for name in ("a", "b"))
    assert one.known == other.known
    assert 5 <= one.known.places < 40  # of 121 before it was cut
    assert (one.member ^ other.member).sum() == 5
    asked = step.Params(hidden=True, epsilon=0.5, repeats={"b": 3})
    _, told, passed = step.disclosures(asked, HELPED)
    assert (told.to, told.max_elements) == (("a",), 1)
    assert (passed.to, passed.max_elements, passed.what) == (("b", "helper"), 1, told.what)
    assert "the result and 167 more, with noise for differential privacy (epsilon 0.5)" in told.what
    spent = step.spends(asked, HELPED)
    assert spent is not None
    assert spent.epsilon == 0.5
    assert step.spends(step.Params(hidden=True), HELPED) is None


def test_training_rows_are_no_more_than_the_shortest_table() -> None:
    tables = {name: table(list(range(6)), False, **{name: [0.5, -0.5] * 3}) for name in ("a", "b")}
    made = go(HELPED, tables, hidden=True, scaled=True)
    assert not made.errors, made.errors
    assert Joined.of(made.results["a"]["table"]).known.places == 6


def test_what_is_declared() -> None:
    names = [item.name for item in step.disclosures(step.Params(), OPEN)]
    assert names == ["intersection", "repeats"]
    assert [item.name for item in step.disclosures(step.Params(how="full"), OPEN)][2:] == ["alone"]
    (told,) = step.disclosures(step.Params(hidden=True), HELPED)
    assert told.to == ("a", "b", "helper")
    assert "number of rows" in told.what
    (told,) = step.disclosures(step.Params(hidden=True, bounds={"a": 9, "b": 9}), HELPED)
    assert "number of rows" not in told.what


def test_a_full_hidden_join_costs_more() -> None:
    sizes = Sizes({"a": 1000, "b": 2000}, {"a": 3, "b": 3})
    cost = {
        how: step.estimate(step.Params(how=how, hidden=True), HELPED, sizes, Network()).bytes
        for how in ("inner", "full")
    }
    assert cost["inner"] < cost["full"]
    assert step.estimate(step.Params(), OPEN, sizes, Network()).bytes < cost["inner"]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"at_most": 5}, "hidden join only"),
        ({"hidden": True, "method": "dh"}, "one protocol"),
        ({"hidden": True, "at_most": 5, "epsilon": 1.0}, "a number that is told"),
        ({"epsilon": 1.0}, "hidden join only"),
        ({"hidden": True, "repeats": {"a": 0}}, "greater than or equal to 1"),
        ({"how": "outer"}, "inner"),
    ],
)
def test_parameters_that_do_not_fit(params: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        step.Params(**params)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"bounds": {"a": 9}}, "all there, or none"),
        ({"columns": {"a": ["height"]}}, "no column height"),
        ({"scaled": True}, "not standardised"),
        ({}, "more than once"),
        ({"repeats": {"a": 2, "b": 2}, "bounds": {"a": 3, "b": 9}}, "agreed bound"),
    ],
)
def test_what_does_not_fit_the_tables(params: dict[str, Any], match: str) -> None:
    outcome = go(HELPED, hidden=True, **params)
    causes = [str(error) for error in outcome.errors.values() if isinstance(error, UsageError)]
    assert causes
    assert match in causes[0]


@pytest.mark.parametrize("name", ["standardise-joined", "train-linear"])
def test_steps_refuse_joined_rows_that_they_cannot_use(name: str) -> None:
    made = go(HELPED, how="left", hidden=True, repeats={"a": 2, "b": 2}).results
    installed: Any = {"standardise-joined": standardise_joined, "train-linear": train_linear}[name]
    asked = installed.Params(**({"joined": True} if name == "train-linear" else {}))
    outcome = simulate(
        lambda party: installed.run(party, made[party.name], asked, HELPED),
        HELPED.everyone,
        disclosures=installed.disclosures(asked, HELPED),
    )
    assert any("joined rows cannot be" in str(error) for error in outcome.errors.values())


@pytest.mark.parametrize(("how", "params", "wanted"), [
    ("inner", {"ask": "mean", "of": ("b", "y")}, ([5], [24.0])),
    ("inner", {"ask": "total", "of": [("a", "x"), ("a", "ill")]}, ([0], [[15.0, 2.0]])),
    ("full", {}, ([7], [7.0])),
    ("left", {"ask": "mean", "of": ("b", "y")}, None),
])  # fmt: skip
def test_figures_about_joined_rows(how: Any, params: dict[str, Any], wanted: Any) -> None:
    """Pairs (x, y): 1-20, 3-10, 3-40, 4-10, 4-40."""
    made = go(HELPED, how=how, hidden=True, repeats={"a": 2, "b": 2}).results
    roles = Roles({**OPEN.by_name, "helper": ("helper",), "receivers": ("b",)})
    asked = common_statistics.Params(joined=True, at_least=1, **params)
    (told,) = common_statistics.disclosures(asked, roles)
    assert "rows of the join" in told.what
    assert "common" not in told.what
    outcome = simulate(
        lambda party: common_statistics.run(party, made[party.name], asked, roles),
        roles.everyone,
        disclosures=common_statistics.disclosures(asked, roles),
    )
    if wanted is None:
        assert any("cannot be asked about columns" in str(error) for error in outcome.errors.values())
        return
    assert not outcome.errors, outcome.errors
    meta = outcome.results["b"]["answer"].meta
    assert (meta["count"], meta["value"]) == wanted


ONE_PERSON = {
    "a": table([1, 1, 2], True, x=[0.5, 0.5, -0.5], ill=[0, 1, 0]),
    "b": table([1, 1, 3], False, y=[0.5, -0.5, 0.5]),
}


def test_rows_of_one_id_are_not_many() -> None:
    """An id that each holder has twice is in four rows: no four people."""
    made = go(HELPED, tables=ONE_PERSON, hidden=True, scaled=True, repeats={"a": 2, "b": 2}).results
    roles = Roles({**HELPED.by_name, "receivers": ("b",)})

    def told(installed: Any, **params: Any) -> Any:
        asked = installed.Params(joined=True, at_least=2, **params)
        outcome = simulate(
            lambda party: installed.run(party, made[party.name], asked, roles),
            roles.everyone,
            disclosures=installed.disclosures(asked, roles),
            timeout_s=20,
        )
        assert not outcome.errors, outcome.errors
        return outcome.results

    meta = told(common_statistics)["b"]["answer"].meta
    assert (meta["below"], meta["count"], meta["at_least"]) == ([True], [0], 8)
    models = told(train_linear, iterations=2, coefficients_to_owners=True)
    known = [models[name]["model"].meta["known"] for name in ("a", "b")]
    assert known == [{"coefficients": [0.0], "intercept": [0.0]}, {"coefficients": [0.0]}]


def asked_with_noise(at_most: int | None, **params: Any) -> Run[Any]:
    twice = [number for number in range(10) for _ in range(2)]
    tables = {"a": table(twice, True, x=[0.5] * 20, ill=[0, 1] * 10), "b": table(twice, False, y=[1.0] * 20)}
    joined = go(HELPED, tables=tables, hidden=True, repeats={"a": 2, "b": 2}, at_most=at_most)
    assert not joined.errors, joined.errors
    made = joined.results
    roles = Roles({**HELPED.by_name, "receivers": ("b",)})
    asked = common_statistics.Params(joined=True, at_least=1, epsilon=10, **params)
    return simulate(
        lambda party: common_statistics.run(party, made[party.name], asked, roles),
        roles.everyone,
        disclosures=common_statistics.disclosures(asked, roles),
        timeout_s=20,
    )


def test_noise_about_joined_rows_hides_all_rows_of_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rows of one id: noise for four times what a row changes, values clipped where nobody has the rows."""
    laws: list[DiscreteLaplace] = []
    whole = answers.discrete_laplace

    def watched(engine: Any, law: DiscreteLaplace, shape: tuple[int, ...]) -> Any:
        laws.append(law)
        return whole(engine, law, shape)

    monkeypatch.setattr(answers, "discrete_laplace", watched)
    outcome = asked_with_noise(None, ask="total", of=("a", "x"), clip=((0.25, 0.375),))
    assert not outcome.errors, outcome.errors
    meta = outcome.results["b"]["answer"].meta
    assert meta["value"][0] == pytest.approx(40 * 0.375, abs=5)
    assert {(law.epsilon, law.sensitivity) for law in laws} == {(5, 4), (5, 4 * 0.375 * 2**20)}


def test_rows_that_may_have_been_lost_are_not_asked_with_noise() -> None:
    errors = asked_with_noise(2).errors.values()
    assert any("cannot be asked with noise" in str(error) for error in errors)


def pooled() -> tuple[np.ndarray, float]:
    """What scikit-learn makes of the common rows, scaled as in the scene, for columns as each holder scaled them."""
    left, right = (holding for holding in breast_cancer())
    joined = left.table.join(right.table, left.key, join_type="inner")
    features = [*left.features, *right.features]
    names = {name: holding.table for holding in (left, right) for name in holding.features}
    own = {name: names[name].column(name).to_numpy() for name in features}
    x = np.column_stack([(joined.column(n).to_numpy() - own[n].mean()) / own[n].std() for n in features])
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    model = LogisticRegression(C=1.0, max_iter=1000, tol=1e-10)
    model.fit((x - mean) / deviation, joined.column(left.label).to_numpy())
    weights = model.coef_[0] / deviation
    return weights, float(model.intercept_[0] - weights @ mean)


def test_the_model_of_the_scene_is_that_of_the_common_rows() -> None:
    study = hidden_training.study()
    run = run_local(study.contract(IDENTITIES), study.tables)
    for party in ("hospital", "laboratory"):
        assert run.artefacts[party]["join.table"].kind == KIND
        assert Matrix.of(run.artefacts[party]["scale.train"]).values.shape[0] == 512
    known = [run.artefacts[party]["train.model"].meta["known"] for party in ("hospital", "laboratory")]
    weights, intercept = pooled()
    np.testing.assert_allclose(np.r_[known[0]["coefficients"], known[1]["coefficients"]], weights, atol=5e-3)
    assert known[0]["intercept"][0] == pytest.approx(intercept, abs=5e-3)
    assert "intercept" not in known[1]


@pytest.mark.parametrize("helper", [(), pytest.param(("helper",), marks=pytest.mark.long)])
def test_three_holders_train_on_rows_that_nobody_knows(helper: tuple[str, ...]) -> None:
    """Join, scale, train, count and evaluate, each holder with one column: as scikit-learn on the common rows."""
    rng = np.random.default_rng(4)
    ids = {"a": list(range(120)), "b": list(range(119, 9, -1)), "c": list(range(20, 130))}
    common = [number for number in ids["a"] if all(number in rows for rows in ids.values())]
    x = {name: rng.normal(size=130) for name in ids}
    y = (x["a"] - x["b"] + 0.5 * x["c"] + rng.normal(size=130) > 0).astype(int)

    def column(name: str) -> np.ndarray:
        own = x[name][ids[name]]
        return np.array((own - own.mean()) / own.std())

    tables = {
        name: table(
            rows, name == "a", **{name: column(name)}, **({"ill": y[rows].tolist()} if name == "a" else {})
        )
        for name, rows in ids.items()
    }
    roles = Roles({"holders": ("a", "b", "c"), "label_holder": ("a",), "helper": helper})
    made = go(roles, tables, hidden=True, scaled=True, epsilon=4.0)
    assert not made.errors, made.errors

    def then(installed: Any, before: Any, seats: Roles, **params: Any) -> Any:
        asked = installed.Params(**params)
        outcome = simulate(
            lambda party: installed.run(party, before[party.name], asked, seats),
            ("a", "b", "c", *helper),
            disclosures=installed.disclosures(asked, seats),
            timeout_s=60,
        )
        assert not outcome.errors, outcome.errors
        return outcome.results

    counting = Roles({"holders": ("a", "b", "c"), "receivers": ("c",), "helper": helper})
    counted = then(common_statistics, made.results, counting, joined=True)
    assert counted["c"]["answer"].meta["count"] == [len(common)]
    scaled = then(standardise_joined, made.results, roles)
    trained = then(train_linear, scaled, roles, joined=True, coefficients_to_owners=True)
    found = [trained[name]["model"].meta["known"]["coefficients"][0] for name in ids]
    whole = {name: dict(zip(ids[name], column(name), strict=True)) for name in ids}
    pooled = np.array([[whole[name][number] for name in ids] for number in common])
    deviation = pooled.std(axis=0)
    model = LogisticRegression(C=1.0, tol=1e-10).fit((pooled - pooled.mean(axis=0)) / deviation, y[common])
    np.testing.assert_allclose(found, model.coef_[0] / deviation, atol=5e-3)
    both = {
        name: made.results[name] if name in helper else {**made.results[name], **trained[name]}
        for name in ("a", "b", "c", *helper)
    }
    seats = Roles({**roles.by_name, "receiver": ("b",)})
    told = then(evaluate, both, seats, joined=True, measures=("ranking",))["b"]["metrics"].meta
    scores = model.predict_proba((pooled - pooled.mean(axis=0)) / deviation)[:, 1]
    assert told["auc"] == pytest.approx(roc_auc_score(y[common], scores), abs=2e-3)
