"""Each step of jobs on two inputs with equal declared outputs, for the tests of what its messages show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from unseen.data.table import Table
from unseen.jobs import stocks
from unseen.jobs.artefacts import Artefact
from unseen.jobs.measures import Measured
from unseen.jobs.step import Roles, pinned, step
from unseen.jobs.tables import Matrix, from_preparation, from_table, prepared_by
from unseen.learn.prepare.preparation import Preparation
from unseen.party import Disclosure, Party
from unseen.party.kept import Kept
from unseen.testing.distributions import leaks
from unseen.testing.simulate import run

HOLDERS = ("a", "b")
CREW = (*HOLDERS, "helper")
ROWS = 6
Inputs = Mapping[str, Mapping[str, Artefact]]


@dataclass(frozen=True)
class Scene:
    """A step with its roles, and two inputs that its disclosures do not tell apart; with `ahead`, it takes from a stock."""

    step: str
    roles: Mapping[str, tuple[str, ...]]
    parties: tuple[str, ...]
    inputs: tuple[Inputs, Inputs]
    params: Mapping[str, Any]
    ahead: bool = False

    @property
    def told(self) -> tuple[Disclosure, ...]:
        module = step(self.step)
        return module.disclosures(pinned(module, module.Params(**self.params)), Roles(self.roles))

    def program(self, which: int) -> Callable[[Party], Any]:
        module = step(self.step)
        params, roles = pinned(module, module.Params(**self.params)), Roles(self.roles)

        def body(party: Party) -> Any:
            with TemporaryDirectory() as folder:
                party.kept = Kept(Path(folder), party.name.encode().ljust(32))
                if self.ahead:
                    stocks.make(party, HOLDERS, runs=1, transfers=1, products=0)
                made = module.run(party, self.inputs[which].get(party.name, {}), params, roles)
                assert len(party.kept.drawn) == self.ahead
            return made

        return body

    def leaks(self, *, runs: int = 200) -> list[str]:
        return leaks(self.program(0), self.program(1), self.parties, disclosures=self.told, runs=runs)


def patients(numbers: list[int], **columns: list[float]) -> Artefact:
    ids = [f"p{number}" for number in numbers]
    return from_table(Table.of(pa.table({"patient": ids, **columns}), id_columns=("patient",)))


def scaled(party: str, seed: int) -> Artefact:
    """Standardised columns; the label at a."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(ROWS, 1 if party == "a" else 2))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    label = np.roll(np.array([0.0, 1.0] * (ROWS // 2)), seed) if party == "a" else None
    ids = Table.of(pa.table({"patient": [f"p{row}" for row in range(ROWS)]}), id_columns=("patient",))
    names = tuple(f"{party}{place}" for place in range(values.shape[1]))
    return Matrix(values, names, label, ids).to_artefact()


def tables(seed: int) -> Inputs:
    return {name: {"table": scaled(name, seed)} for name in HOLDERS}


def psi() -> Scene:
    # the same sizes and the same number in common; other ids, at other places of the tables
    one = {"a": patients(list(range(8))), "b": patients(list(range(3, 13)))}
    other = {"a": patients([50, 51, 90, 91, 92, 52, 53, 54]), "b": patients([*range(70, 75), *range(50, 55)])}
    inputs = tuple({name: {"table": item} for name, item in given.items()} for given in (one, other))
    return Scene("psi", {"holders": HOLDERS}, HOLDERS, inputs, {})  # type: ignore[arg-type]


def statistics() -> Scene:
    # other ids and values, and another number in common, which is below the bound either way: nothing may tell them apart
    one = {
        "a": patients(list(range(8)), x=[float(row) for row in range(8)]),
        "b": patients(list(range(3, 9))),
    }
    other = {"a": patients(list(range(50, 58)), x=[7.0] * 8), "b": patients(list(range(57, 63)))}
    inputs = tuple({name: {"table": item} for name, item in given.items()} for given in (one, other))
    roles = {"holders": HOLDERS, "receivers": ("a",)}
    return Scene("common-statistics", roles, HOLDERS, inputs, {"ask": "mean", "of": ("a", "x")})  # type: ignore[arg-type]


def stocked() -> Scene:
    """Nothing is brought; what two make and keep is nothing but noise to either."""
    return Scene("make-stock", {"holders": HOLDERS}, HOLDERS, ({}, {}), {"transfers": 1, "products": 1})


def several(name: str, receivers: tuple[str, ...] = (), **params: Any) -> Scene:
    """Three holders alone. Intersections of two are of other sizes; with all three as many ids are common, one of them at most."""
    one = {"a": [1, 2, 3, 4, 5], "b": [9, 3, 4, 5], "c": [6, 7, 3, 8]}
    other = {"a": [20, 21, 22, 30, 31], "b": [22, 40, 41, 42], "c": [40, 41, 22, 20]}
    inputs: list[Inputs] = []
    for ids, shift in ((one, 0.0), (other, 0.5)):
        inputs.append(
            {
                who: {"table": patients(rows, **{f"x{who}": [shift + row / 9 for row in range(len(rows))]})}
                for who, rows in ids.items()
            }
        )
    parties = tuple(one)
    roles = {"holders": parties, "receivers": receivers} if receivers else {"holders": parties}
    return Scene(name, roles, parties, (inputs[0], inputs[1]), params)


def split() -> Scene:
    one = {name: {"table": patients(list(range(20)))} for name in HOLDERS}
    other = {name: {"table": patients(list(range(100, 120)))} for name in HOLDERS}
    return Scene("split", {"holders": HOLDERS}, HOLDERS, (one, other), {})


def strata(name: str) -> Scene:
    # other labels, as many of either class, so that what is told is drawn from the same distribution
    def given(seed: int) -> Inputs:
        y = np.random.default_rng(seed).permutation([0.0, 1.0] * 40).tolist()
        ids = {"patient": [f"p{row}" for row in range(80)]}
        holds = Table.of(pa.table({**ids, "y": y}), id_columns=("patient",), label_columns=("y",))
        return {
            "a": {"table": from_table(holds)},
            "b": {"table": from_table(Table.of(pa.table(ids), id_columns=("patient",)))},
        }

    sizes = {"folds": 2} if name == "folds" else {"test_fraction": 0.5}
    roles = {"holders": HOLDERS, "label_holder": ("a",)}
    return Scene(name, roles, HOLDERS, (given(1), given(2)), {"stratify": True, **sizes})


def average() -> Scene:
    # each works alone
    def given(shift: float) -> Inputs:
        folds = {
            f"fold-{place}": Measured({"rows": 9, "auc": 0.1 * place + shift}).to_artefact()
            for place in (1, 2)
        }
        return dict.fromkeys(HOLDERS, folds)

    return Scene("average", {"receiver": ("a",)}, HOLDERS, (given(0.0), given(0.3)), {})


def standardise() -> Scene:
    def given(shift: int) -> Inputs:
        rows = {part: patients([1, 2, 3], x=[1.0 + shift, 2.0, 4.0]) for part in ("train", "test")}
        return dict.fromkeys(HOLDERS, rows)

    return Scene("standardise", {"holders": HOLDERS}, HOLDERS, (given(0), given(7)), {})


def prepare() -> Scene:
    def given(shift: int) -> Inputs:
        rows = {part: patients([1, 2, 3], x=[1.0 + shift, 2.0, 4.0]) for part in ("train", "test")}
        return dict.fromkeys(HOLDERS, rows)

    params = {"rules": ({"do": "clip"}, {"do": "scale"})}
    return Scene("prepare", {"holders": HOLDERS}, HOLDERS, (given(0), given(7)), params)


def transform() -> Scene:
    first = prepare()
    given: list[Inputs] = []
    for which in (0, 1):
        made = run(first.program(which), HOLDERS).results
        given.append(
            {who: {"rules": made[who]["rules"], "table": first.inputs[which][who]["test"]} for who in HOLDERS}
        )
    return Scene("transform", {"holders": HOLDERS}, HOLDERS, (given[0], given[1]), {})


def weigh() -> Scene:
    # other values, other labels and other counts, of which none may be told: there are never as many of either class
    def given(seed: int) -> Inputs:
        rng = np.random.default_rng(seed)
        x, y = (
            rng.normal(size=20).tolist(),
            rng.permutation([0.0] * (6 + seed) + [1.0] * (14 - seed)).tolist(),
        )
        ids = {"patient": [f"p{row}" for row in range(20)]}
        holds = Table.of(pa.table({**ids, "y": y}), id_columns=("patient",), label_columns=("y",))
        return {
            "a": {"table": from_table(holds)},
            "b": {"table": from_table(Table.of(pa.table({**ids, "x": x}), id_columns=("patient",)))},
        }

    roles = {"holders": HOLDERS, "label_holder": ("a",)}
    return Scene("bin", roles, HOLDERS, (given(1), given(2)), {"fine": 2, "at_least": 15, "tell": "both"})


def joining(**params: Any) -> Scene:
    """Other ids, another number of common rows, other repeats; when open, what is declared is the same."""

    def given(ids: Mapping[str, list[int]], shift: float) -> Inputs:
        found = {}
        for name, numbers in ids.items():
            values = np.arange(len(numbers)) + shift
            found[name] = {"table": patients(numbers, **{f"x{name}": (values / 9 - shift / 9).tolist()})}
        return found

    roles: dict[str, tuple[str, ...]] = {"holders": HOLDERS}
    if not params.get("hidden"):
        one = {"a": [1, 2, 3, 3, 4], "b": [3, 3, 4, 9]}
        other = {"a": [8, 8, 7, 30, 31], "b": [5, 7, 8, 8]}
        return Scene("join", roles, HOLDERS, (given(one, 0), given(other, 2)), params)
    one, other = {"a": [1, 2, 3, 3, 4], "b": [3, 3, 4, 9]}, {"a": [8, 8, 7, 30, 31], "b": [5, 7, 6, 6]}
    return Scene(
        "join",
        {**roles, "helper": ("helper",)},
        CREW,
        (given(one, 0), given(other, 2)),
        {"hidden": True, **params},
    )


def joined_training(name: str, *, numbers: bool = False) -> Scene:
    """What two hidden joins made, of tables that have other rows in common; labels are yes and no, or `numbers`."""
    parties = {"holders": HOLDERS, "helper": ("helper",)}
    params = {"hidden": True, "scaled": True, "at_most": 5}
    given: list[Inputs] = []
    for seed, common in ((1, 3), (2, 6)):
        matrices = {who: Matrix.of(scaled(who, seed)) for who in HOLDERS}
        moved = Table.of(
            pa.table({"patient": [f"p{row + ROWS - common}" for row in range(ROWS)]}), id_columns=("patient",)
        )
        label = np.arange(ROWS) + seed / 2 if numbers else matrices["a"].label
        tables = {"a": replace(matrices["a"], label=label), "b": replace(matrices["b"], ids=moved)}
        inputs = {who: {"table": item.to_artefact()} for who, item in tables.items()}
        scene = Scene("join", parties, CREW, (inputs, inputs), params)
        made = run(scene.program(0), CREW, disclosures=scene.told).results
        given.append({who: {"table": made[who]["table"]} for who in HOLDERS})
    if name == "standardise-joined":
        return Scene(name, parties, CREW, (given[0], given[1]), {})
    asked = {"iterations": 1, "l2": 100.0, "joined": True, "family": "linear" if numbers else "logistic"}
    return Scene(name, {**parties, "label_holder": ("a",)}, CREW, (given[0], given[1]), asked)


def joined_places(name: str) -> Scene:
    """The holders alone toss a coin about the places of two joins."""
    scene = joined_training("standardise-joined")
    sizes = {"folds": 2} if name == "folds" else {"test_fraction": 0.4}
    return Scene(name, {"holders": HOLDERS}, HOLDERS, scene.inputs, sizes)


def joined_measuring() -> Scene:
    """Every measure of two models on rows that nobody knows, of which there are 3 in the one and 5 in the other."""
    scene = joined_training("train-linear")
    given: list[Inputs] = []
    for which in (0, 1):
        made = run(scene.program(which), CREW, disclosures=scene.told).results
        given.append({who: {**scene.inputs[which][who], "model": made[who]["model"]} for who in HOLDERS})
    roles = {**scene.roles, "receiver": ("a",)}
    asked = {"joined": True, "groups": 2, "edges": (0.5,), "at_least": 1}
    return Scene("evaluate", roles, CREW, (given[0], given[1]), asked)


def joined_errors() -> Scene:
    """Errors of numbers on the same, by models that were trained openly."""
    rows, trained = joined_training("standardise-joined", numbers=True), train()
    given: list[Inputs] = []
    for which in (0, 1):
        models = run(trained.program(which), CREW, disclosures=trained.told).results
        given.append({who: {**rows.inputs[which][who], "model": models[who]["model"]} for who in HOLDERS})
    asked = {"joined": True, "kind": "regression", "at_least": 1}
    return Scene("evaluate", {**trained.roles, "receiver": ("a",)}, CREW, (given[0], given[1]), asked)


def compared(name: str, **params: Any) -> Scene:
    # other numbers; no column is like another, so that all are kept
    def given(seed: int) -> Inputs:
        rng = np.random.default_rng(seed)
        ids = {"patient": [f"p{row}" for row in range(24)]}
        made = {}
        for who in HOLDERS:
            x = np.linalg.qr(rng.normal(size=(24, 2)))[0]
            rows = from_table(
                Table.of(pa.table({**ids, "x": x[:, 0], "z": x[:, 1]}), id_columns=("patient",))
            )
            made[who] = {"table": rows} if name == "correlate" else {"train": rows, "test": rows}
        return made

    roles = {"holders": HOLDERS, "helper": ("helper",)}
    return Scene(name, roles, CREW, (given(1), given(2)), params)


def describe() -> Scene:
    # a column of which too little is there either way, and one of which nothing is told
    def given(shift: float) -> Inputs:
        x = [None] * 15 + [shift + row for row in range(5)]
        return {who: {"table": patients(list(range(20)), x=x, z=[shift] * 20)} for who in HOLDERS}  # type: ignore[dict-item]

    roles = {"holders": HOLDERS, "receivers": ("a",)}
    return Scene("describe", roles, HOLDERS, (given(1.0), given(7.0)), {"columns": {"b": ("x",)}})


def train() -> Scene:
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",)}
    # few rounds, every kind of message: a high penalty makes the inverse quick
    params = {"iterations": 1, "l2": 100.0}
    return Scene("train-linear", roles, CREW, (tables(1), tables(2)), params)


def descend(**params: Any) -> Scene:
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",)}
    # the exact sigmoid, for the quick one tells all whether it was right: parts that add up to what is declared
    settings = {"method": "sgd", "epochs": 1, "batch": ROWS, "exact_sigmoid": True, **params}
    return Scene("train-linear", roles, CREW, (tables(1), tables(2)), settings)


def weighed() -> Scene:
    """On weights of evidence that nobody learns: other labels and other bins, of which nothing may be seen."""
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",)}
    settings = {"woe_bins": 2, "woe_least_rows": 1, "iterations": 1, "l2": 100.0}
    return Scene("train-linear", roles, CREW, (tables(1), tables(2)), settings)


def card() -> Scene:
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",), "receiver": ("a",)}
    scene = descend(coefficients_to_owners=True)
    given: list[Inputs] = []
    for which in (0, 1):
        made = run(scene.program(which), CREW, disclosures=scene.told).results
        table = {who: scaled(who, which + 1) for who in HOLDERS}
        given.append(
            {who: {"train": table[who], "table": table[who], "model": made[who]["model"]} for who in HOLDERS}
        )
    return Scene("scorecard", roles, CREW, (given[0], given[1]), {})


def hidden_card(tables: str) -> Scene:
    """Of bins whose evidence nobody learns: what an owner is told it learns alone."""
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",), "receiver": ("a",)}
    scene = weighed()
    given: list[Inputs] = []
    for which in (0, 1):
        made = run(scene.program(which), CREW, disclosures=scene.told).results
        given.append({who: {"table": scaled(who, which + 1), "model": made[who]["model"]} for who in HOLDERS})
    return Scene("scorecard", roles, CREW, (given[0], given[1]), {"tables": tables, "least_rows": 1})


def grow(rows: int = ROWS) -> Scene:
    """Trees that split alike for labels three times as large and columns of another scale."""
    rng = np.random.default_rng(5)
    values = {name: rng.normal(size=(rows, 2)) for name in HOLDERS}
    label = values["b"][:, 0] + 0.2 * values["a"][:, 1]
    ids = Table.of(pa.table({"patient": [f"p{row}" for row in range(rows)]}), id_columns=("patient",))

    def given(scale: float) -> Inputs:
        return {
            name: {
                "table": Matrix(
                    mine if name == "a" else np.exp(mine * scale),
                    ("x", "y"),
                    label * scale if name == "a" else None,
                    ids,
                ).to_artefact()
            }
            for name, mine in values.items()
        }

    params = {"objective": "squared", "rounds": 1, "depth": 2, "bins": 2, "key_bits": 2048}
    roles = {"holders": HOLDERS, "label_holder": ("a",)}
    return Scene("train-gbdt-federated", roles, HOLDERS, (given(1.0), given(3.0)), params)


def boost(**params: Any) -> Scene:
    """The same in shares: of `grow`'s tables each holder is told the same splits. Where nobody is told any, labels and weights differ, too."""
    settings = {"objective": "squared", "rounds": 1, "depth": 2, "bins": 2, **params}
    first, second = grow(24).inputs  # enough rows that no two splits gain alike
    if not settings.get("tell_splits", True):
        own = Matrix.of(second["a"]["table"])
        assert own.label is not None
        second = {**second, "a": {"table": replace(own, label=np.roll(own.label, 1)).to_artefact()}}
        settings["weight_column"] = "weight"
        weights = np.linspace(0, 1, 24)
        first, second = (
            {**each, "b": {**each["b"], "weights": from_table(Table.of(pa.table({"weight": some})))}}
            for each, some in ((first, weights), (second, weights[::-1]))
        )
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",)}
    roles |= {"weight_holder": ("b",)} if "weight_column" in settings else {}
    return Scene("train-gbdt", roles, CREW, (first, second), settings)


def scoring(name: str, **params: Any) -> Scene:
    roles = {"holders": HOLDERS, "helper": ("helper",), "receiver": ("a",)}
    if name == "evaluate":
        roles["label_holder"] = ("a",)
    scene = train()
    given: list[Inputs] = []
    for which in (0, 1):
        models = run(scene.program(which), CREW, disclosures=scene.told).results
        given.append(
            {who: {"table": scaled(who, which + 1), "model": models[who]["model"]} for who in HOLDERS}
        )
    return Scene(name, roles, CREW, (given[0], given[1]), params)


def classing() -> Scene:
    """Two classes by the multinomial family: rows that are equal before the link are put together first."""
    roles = {"holders": HOLDERS, "helper": ("helper",), "label_holder": ("a",)}
    settings = {"family": "multinomial", "classes": 2, "iterations": 1, "l2": 100.0}
    scene = Scene("train-linear", roles, CREW, (tables(1), tables(2)), settings)
    given: list[Inputs] = []
    for which in (0, 1):
        made = run(scene.program(which), CREW, disclosures=scene.told).results
        given.append({who: {**scene.inputs[which][who], "model": made[who]["model"]} for who in HOLDERS})
    asked = {"kind": "multiclass", "classes": 2, "at_least": 1}
    return Scene("evaluate", {**roles, "receiver": ("a",)}, CREW, (given[0], given[1]), asked)


def weighing() -> Scene:
    """Both holders' weights add up alike, and are others."""
    scene = scoring("evaluate", groups=2, edges=(0.5,), at_least=1, weight_column="weight")
    given: list[Inputs] = []
    for which, inputs in enumerate(scene.inputs):
        weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0][:: -1 if which else 1]
        table = from_table(Table.of(pa.table({"weight": weights})))
        given.append({**inputs, "b": {**inputs["b"], "weights": table}})
    roles = {**scene.roles, "weight_holder": ("b",)}
    return replace(scene, roles=roles, inputs=(given[0], given[1]))


def handed_over(scene: Scene, **params: Any) -> Scene:
    """Two models on other labels and other columns of a, which is told how b scaled or cut its own; the helper sees nothing of either.

    With rules: those that change nothing.
    """
    rules: dict[str, Preparation] = {}
    if params.get("with_rules"):
        matrices = {who: Matrix.of(scene.inputs[0][who]["table"]) for who in HOLDERS}
        for who, one in matrices.items():
            columns = pa.table({name: one.values[:, place] for place, name in enumerate(one.columns)})
            rules[who] = Preparation([]).fit(Table.of(columns))
        made_so = [
            {
                who: {
                    "table": replace(
                        Matrix.of(each[who]["table"]), prepared=prepared_by(rules[who])
                    ).to_artefact()
                }
                for who in HOLDERS
            }
            for each in scene.inputs
        ]
        scene = replace(scene, inputs=(made_so[0], made_so[1]))
    trained = replace(scene, inputs=(scene.inputs[0], {**scene.inputs[1], "b": scene.inputs[0]["b"]}))
    given: list[Inputs] = []
    for which in (0, 1):
        made = run(trained.program(which), CREW, disclosures=trained.told).results
        own = {who: {"rules": from_preparation(one)} for who, one in rules.items()}
        given.append({who: {"model": made[who]["model"], **own.get(who, {})} for who in HOLDERS})
    roles = {"holders": HOLDERS, "helper": ("helper",), "receiver": ("a",)}
    return Scene("reveal-model", roles, CREW, (given[0], given[1]), params)


def function() -> Scene:
    """The same answer (a group is too small), other values."""

    def given(shift: float) -> Inputs:
        flags = [True] * 2 + [False] * 8 if shift else [False] * 10
        return {
            "a": {"table": patients(list(range(10)), x=[float(row) + shift for row in range(10)])},
            "b": {"table": patients(list(range(10)), flag=flags)},
        }

    params = {"columns": {"value": ("a", ("x",)), "group": ("b", ("flag",))}}
    roles = {"holders": HOLDERS, "helper": ("helper",), "receivers": ("a",)}
    return Scene("run-function", roles, CREW, (given(0.0), given(5.0)), params)


SCENES: dict[str, Callable[[], Scene]] = {
    "psi": psi,
    "psi of three, to one": lambda: several("psi", ("b",)),
    "common-statistics": statistics,
    "common-statistics of three": lambda: several("common-statistics", ("c",), ask="total", of=("a", "xa")),
    "make-stock": stocked,
    "common-statistics from a stock": lambda: replace(statistics(), ahead=True),
    "run-function": function,
    "split": split,
    "split by label": lambda: strata("split"),
    "folds": lambda: strata("folds"),
    "split of joined rows": lambda: joined_places("split"),
    "folds of joined rows": lambda: joined_places("folds"),
    "average": average,
    "standardise": standardise,
    "prepare": prepare,
    "transform": transform,
    "describe": describe,
    "bin": weigh,
    "select": lambda: compared("select", correlation=0.95, vif=50.0),
    "correlate": lambda: compared("correlate"),
    "train-linear by Newton's method": train,
    "train-linear": descend,
    # which coefficients are 0 in the second epoch differs, and stays secret
    "train-linear of classes, sparse": lambda: descend(family="multinomial", epochs=2, l1=1.0, momentum=0.5),
    "train-linear on evidence": weighed,
    "scorecard": card,
    "scorecard of evidence": lambda: hidden_card("evidence"),
    "scorecard under shares": lambda: hidden_card("nobody"),
    "train-linear joined": lambda: joined_training("train-linear"),
    "train-linear joined, numbers": lambda: joined_training("train-linear", numbers=True),
    "standardise-joined": lambda: joined_training("standardise-joined"),
    "join": lambda: joining(how="full", method="dh"),
    "join hidden": lambda: joining(how="full", hidden=True, repeats={"a": 2, "b": 2}, at_most=8),
    # few rows: whatever the noise, the length that is told is that of the table
    "join hidden, length told": lambda: joining(hidden=True, repeats={"a": 2, "b": 2}, epsilon=0.05),
    "join of three": lambda: several("join"),
    "join hidden of three": lambda: several("join", how="full", hidden=True, repeats={"a": 2}),
    "train-gbdt": boost,
    "train-gbdt hidden": lambda: boost(tell_splits=False),
    "train-gbdt-federated": grow,
    "evaluate": lambda: scoring("evaluate", show="scores"),
    # every measure once, of few groups: scores and labels stay secret
    "evaluate secretly": lambda: scoring("evaluate", groups=2, edges=(0.5,), at_least=1),
    "evaluate with weights": weighing,
    "evaluate joined": joined_measuring,
    "evaluate joined numbers": joined_errors,
    "evaluate several classes": classing,
    "predict": lambda: scoring("predict"),
    "reveal-model": lambda: handed_over(train()),
    "reveal-model with rules": lambda: handed_over(train(), with_rules=True),
    "reveal-model of bins": lambda: handed_over(weighed(), least_rows=1),
}
