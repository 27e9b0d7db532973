"""Tables as they come: constant, empty and repeated columns, one class, other columns than in training. A clear error, or a defined way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, parse_params, step
from unseen.jobs.tables import from_table
from unseen.learn.evaluate.ranking import by_level
from unseen.learn.prepare.cuts import quantile_cuts
from unseen.learn.vertical.trees import coded, plain
from unseen.learn.vertical.trees.model import Settings
from unseen.learn.vertical.trees.objectives import probabilities
from unseen.testing.simulate import Run, simulate

HOLDERS = ("bank", "telecom")
ROLES = {"holders": HOLDERS, "label_holder": ("bank",), "receiver": ("bank",), "helper": ("helper",)}
ROWS = 120
RNG = np.random.default_rng(2)
X, Z = RNG.normal(size=(2, ROWS))
GAPS = np.where(RNG.random(ROWS) < 0.2, np.nan, Z)
Y = (RNG.random(ROWS) < 1 / (1 + np.exp(-X - Z))).astype(int)
NOTHING, SAME = np.full(ROWS, np.nan), np.full(ROWS, 3.0)
TREES = {"rounds": 2, "depth": 2, "bins": 4}
LINEAR = {"iterations": 3}


def table(label: Any = None, **columns: Any) -> Artefact:
    ids = [f"c{row}" for row in range(len(next(iter(columns.values()))))]
    told = {} if label is None else {"y": label}
    made = pa.table({"id": ids, **told, **columns})
    return from_table(Table.of(made, id_columns=("id",), label_columns=tuple(told)))


def play(name: str, inputs: dict[str, dict[str, Artefact]], **params: Any) -> Run[Any]:
    installed = step(name)
    who = Roles({role: ROLES[role] for role in installed.ROLES if role in ROLES})
    chosen = parse_params(name, params)
    return simulate(
        lambda party: installed.run(party, inputs.get(party.name, {}), chosen, who),
        who.everyone,
        disclosures=installed.disclosures(chosen, who),
    )


def both(z: Any, *, label: Any = Y, x: Any = X) -> dict[str, dict[str, Artefact]]:
    return {"bank": {"table": table(label, x=x)}, "telecom": {"table": table(z=z)}}


def levels(scores: np.ndarray) -> np.ndarray:
    """Scores without their rounding: those that differ by less than 2e-5 from the next are one."""
    order = np.argsort(scores)
    made = np.empty(len(scores))
    made[order] = np.cumsum(np.diff(scores[order], prepend=-1.0) > 2e-5)
    return made


@pytest.mark.parametrize(
    ("name", "params", "inputs", "who", "words"),
    [
        (
            "train-gbdt",
            TREES,
            both(NOTHING),
            "telecom",
            r"without a single number cannot be cut into bins: z\.",
        ),
        ("train-gbdt-federated", TREES, both(NOTHING), "telecom", r"cannot be cut into bins: z\."),
        ("train-linear", LINEAR, both(NOTHING), "telecom", f"'z' has no number in {ROWS} row"),
        ("train-linear", LINEAR, both(np.where(X > 2, np.inf, Z)), "telecom", "has no number in"),
        ("train-gbdt", TREES, both(Z, label=np.ones(ROWS, int)), "bank", "does not have two classes"),
        ("train-gbdt-federated", TREES, both(Z, label=np.ones(ROWS, int)), "bank", "two classes"),
        ("train-linear", LINEAR, both(Z, label=np.zeros(ROWS, int)), "bank", "two classes"),
        ("train-linear", LINEAR, both(Z[:-1]), "telecom", "different numbers of rows"),
        ("train-linear", LINEAR, both(Z * 1e300), "telecom", "too large to be scaled: z"),
        ("train-gbdt", TREES, both(Z[:0], x=X[:0], label=Y[:0]), "telecom", "no rows to train on"),
        ("train-linear", LINEAR, both(["a", "b"] * (ROWS // 2)), "telecom", "'z' holds no numbers"),
    ],
)
def test_what_cannot_be_used_is_told_by_name(
    name: str, params: dict[str, Any], inputs: Any, who: str, words: str
) -> None:
    done = play(name, inputs, **params)
    assert set(done.errors) == {*HOLDERS, *(["helper"] if name != "train-gbdt-federated" else [])}
    with pytest.raises(type(done.errors[who]), match=words):
        raise done.errors[who]


def test_columns_that_say_nothing_are_left_out_by_name() -> None:
    inputs = {
        "bank": {"train": table(Y, x=X), "test": table(Y, x=X)},
        "telecom": {
            "train": table(none=NOTHING, word=pa.array([None] * ROWS, pa.string()), same=SAME, copy=X, z=Z),
            "test": table(none=NOTHING, word=pa.array([None] * ROWS, pa.string()), same=SAME, copy=X, z=Z),
        },
    }
    told = play("select", inputs, correlation=0.9).results["telecom"]["metrics"].meta
    assert told["kept"] == ["z"]
    assert told["left_out"] == {
        "none": "has no value", "word": "has no value", "same": "does not vary", "copy": "repeats others",
    }  # fmt: skip


@pytest.mark.parametrize("rows", [ROWS, 1])
def test_trees_take_columns_that_lack_values_in_training_and_in_scoring(rows: int) -> None:
    trained = play("train-gbdt", both(GAPS, x=SAME), **TREES)
    assert not trained.errors
    values = np.column_stack([SAME, GAPS])
    cuts = tuple(quantile_cuts(column, TREES["bins"]) for column in values.T)
    bins = [len(cut) + 1 for cut in cuts]
    settings = Settings(rounds=2, depth=2)
    model = plain.fit(coded(values, cuts), bins, Y.astype(float), settings)
    later = np.column_stack([np.where(np.arange(rows) % 2, 3.0, np.nan), GAPS[:rows]])  # x had no gaps before
    inputs = {
        "bank": {"table": table(x=later[:, 0]), **trained.results["bank"]},
        "telecom": {"table": table(z=later[:, 1]), **trained.results["telecom"]},
    }
    scores = play("predict", inputs).results["bank"]["scores"].arrays["scores"]
    want = probabilities(plain.scores(model, coded(later, cuts), bins), "binary")[0]
    np.testing.assert_allclose(scores, want, atol=2e-3)


def test_bins_take_values_that_are_missing_and_the_words_of_a_model_that_has_no_coefficients() -> None:
    trained = play("train-linear", both(GAPS), woe_bins=4, iterations=4)
    assert not trained.errors
    held = trained.results["telecom"]["model"]
    assert held.meta["public"] == {"bins": 4, "least_rows": 10}
    assert held.meta["known"] == {}
    tables = {"bank": table(Y, x=np.where(X > 1, np.nan, X)), "telecom": table(z=GAPS)}
    inputs = {name: {"table": tables[name], **trained.results[name]} for name in HOLDERS}
    scores = play("predict", inputs).results["bank"]["scores"].arrays["scores"]
    assert by_level(Y.astype(float), scores).auc > 0.7
    told = play("evaluate", inputs, measures=("ranking",)).results["bank"]["metrics"].meta
    assert told["auc"] == pytest.approx(by_level(Y.astype(float), levels(scores)).auc, abs=1e-9)
    with pytest.raises(Exception, match=r"cannot be told as a whole(.|\n)*least_rows"):
        raise play("reveal-model", {name: trained.results[name] for name in HOLDERS}).errors["bank"]
    assert "telecom" in play("train-linear", both(NOTHING), woe_bins=4).errors


def test_linear_models_refuse_gaps_in_scoring_and_other_columns() -> None:
    trained = play("train-linear", both(Z), **LINEAR)
    models = {name: trained.results[name] for name in HOLDERS}
    gaps = {
        "bank": {"table": table(x=X), **models["bank"]},
        "telecom": {"table": table(z=NOTHING), **models["telecom"]},
    }
    with pytest.raises(Exception, match=r"missing or infinite(.|\n)*step 'transform'"):
        raise play("predict", gaps).errors["telecom"]
    other = {**gaps, "telecom": {"table": table(zz=Z), **models["telecom"]}}
    with pytest.raises(Exception, match=r"other columns(.|\n)*missing here: z; not in training: zz"):
        raise play("predict", other).errors["telecom"]


@pytest.mark.parametrize(("name", "params"), [("train-linear", LINEAR), ("train-gbdt", TREES)])
def test_scoring_takes_the_columns_of_training_in_any_order_and_leaves_others_alone(
    name: str, params: dict[str, Any]
) -> None:
    trained = play(name, {**both(Z), "telecom": {"table": table(z=Z, w=Z * X)}}, **params)
    scores = []
    for columns in ({"z": Z, "w": Z * X}, {"w": Z * X, "note": ["?"] * len(Z), "z": Z, "gaps": NOTHING}):
        inputs = {
            "bank": {"table": table(x=X), **trained.results["bank"]},
            "telecom": {"table": table(**columns), **trained.results["telecom"]},
        }
        scores.append(play("predict", inputs).results["bank"]["scores"].arrays["scores"])
    np.testing.assert_allclose(*scores, atol=1e-5)


@pytest.mark.parametrize(("name", "params"), [("train-linear", LINEAR), ("train-gbdt", TREES)])
def test_training_goes_on_with_the_columns_that_the_model_has(name: str, params: dict[str, Any]) -> None:
    first = play(name, both(Z), **params).results
    scores = []
    for others in ({}, {"new": Z * X, "note": ["?"] * ROWS}):
        own = {
            "bank": {"table": table(Y, **others, x=X), "start": first["bank"]["model"]},
            "telecom": {"table": table(**others, z=Z), "start": first["telecom"]["model"]},
        }
        more = play(name, own, warm_start=True, **params)
        assert not more.errors
        inputs = {who: {**own[who], **more.results[who]} for who in HOLDERS}
        scores.append(play("predict", inputs).results["bank"]["scores"].arrays["scores"])
    np.testing.assert_allclose(*scores, atol=1e-4)
    own["telecom"]["table"] = table(zz=Z)
    with pytest.raises(Exception, match=r"other columns(.|\n)*missing here: z"):
        raise play(name, own, warm_start=True, **params).errors["telecom"]
