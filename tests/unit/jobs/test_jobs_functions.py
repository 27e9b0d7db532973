"""Installed functions as steps: found among entry points, pinned by version and content, revealing what they declare."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from unseen.core.errors import DeniedError, LocalProtocolError, UsageError
from unseen.data.table import Table
from unseen.jobs import function as functions
from unseen.jobs.functions.group_difference import FUNCTION
from unseen.jobs.local import run_local
from unseen.jobs.planner import check_honest
from unseen.jobs.step import Roles
from unseen.jobs.steps import run_function as step
from unseen.jobs.tables import from_table
from unseen.mpc import launch
from unseen.scenes import difference
from unseen.testing.simulate import Run, simulate

IDENTITIES = {
    name: f"ed25519:{place:064x}" for place, name in enumerate(("hospital", "laboratory", "helper"))
}
RNG = np.random.default_rng(4)
GROUP = RNG.random(300) < 0.4
VALUE = np.round(RNG.normal(50, 8, 300) + 5 * GROUP, 3)
BODY = """
from acme.rate import rate
from unseen.jobs.function import Input, Output, function

@function(
    version=3,
    summary="What is paid in all.",
    inputs={"pay": Input("pay"), "tax": Input("tax and fees", many=True)},
    outputs={"total": Output("what is paid in all")},
)
def paid(pay, tax):
    return {"total": (pay + tax.sum(axis=1)).sum() * rate}

nothing = 7
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody else's, as pip leaves it."""
    package, info = tmp_path / "acme", tmp_path / "acme-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "rate.py").write_text("rate = 2\n")
    (package / "pay.py").write_text(BODY)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[unseen.functions]\nacme-paid = acme.pay:paid\nacme-nothing = acme.pay:nothing\nacme-gone = acme.no:it\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    forget(monkeypatch)
    yield package
    forget(monkeypatch)


def asked(**params: Any) -> step.Params:
    """As the planner puts it into a contract."""
    return step.pin(step.Params(**params))


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not loaded it."""
    for module in [name for name in sys.modules if name.split(".")[0] == "acme"]:
        monkeypatch.delitem(sys.modules, module)
    for place in [place for place in functions._AS_LOADED if place.startswith("acme")]:
        functions._AS_LOADED.pop(place)


def table(**columns: Any) -> Any:
    count = len(next(iter(columns.values())))
    return from_table(
        Table.of(pa.table({"id": [f"p{row}" for row in range(count)], **columns}), id_columns=("id",))
    )


def go(
    params: step.Params,
    tables: dict[str, Any],
    *,
    told: Callable[..., Any] = step.disclosures,
    helper: bool = True,
    receivers: tuple[str, ...] = ("a",),
) -> Run[Any]:
    by_name = {
        "holders": tuple(tables),
        "receivers": receivers,
        **({"helper": ("helper",)} if helper else {}),
    }
    roles = Roles(by_name)
    return simulate(
        lambda party: step.run(
            party, {"table": tables[party.name]} if party.name in tables else {}, params, roles
        ),
        roles.everyone,
        disclosures=told(params, roles),
        timeout_s=20,
    )


def welch(value: Any, group: Any) -> tuple[float, float]:
    one, other = value[group], value[~group]
    gap = one.mean() - other.mean()
    return gap, gap / np.sqrt(one.var() / len(one) + other.var() / len(other))


SIDES = {"value": ("a", ("x",)), "group": ("b", ("flag",))}
TABLES = {"a": table(x=VALUE), "b": table(flag=GROUP)}


# ---------------------------------------------------------------- the shipped one


def test_the_same_function_on_plain_and_on_secret_arrays() -> None:
    gap, t = welch(VALUE, GROUP)
    plain = FUNCTION(VALUE, GROUP)
    assert plain["difference"][0] == pytest.approx(gap)
    assert plain["t"][0] == pytest.approx(t)
    outcome = launch(FUNCTION, protocol="dealer", holders=3, inputs={"value": VALUE, "group": GROUP})
    assert outcome.result["difference"][0] == pytest.approx(gap, abs=2e-3)
    assert outcome.result["t"][0] == pytest.approx(t, rel=2e-3)
    assert outcome.result["enough"].tolist() == [True]


def test_small_groups_of_many_records_that_vary_much() -> None:
    # 2^14 times the variance, over the size of the group, is beyond the format
    rng = np.random.default_rng(6)
    group = np.arange(10_000) < 10
    value = np.clip(rng.normal(0, 280, 10_000) + 140 * group, -999, 999)
    meta = go(asked(columns=SIDES), {"a": table(x=value), "b": table(flag=group)}).results["a"]["answer"].meta
    gap, t = welch(value, group)
    assert meta["difference"] == pytest.approx(gap, rel=1e-3)
    assert meta["t"] == pytest.approx(t, rel=5e-3)


@pytest.mark.parametrize("third", [False, True])
def test_as_a_step(third: bool) -> None:
    tables = {**TABLES, **({"c": table(y=VALUE)} if third else {})}
    run = go(asked(columns=SIDES), tables, receivers=("b",))
    assert not run.errors, run.errors
    assert run.results["a"] == {}
    assert run.results["helper"] == {}
    meta = run.results["b"]["answer"].meta
    gap, t = welch(VALUE, GROUP)
    assert (meta["function"], meta["version"], meta["rows"], meta["enough"]) == (
        "group-difference",
        2,
        300,
        True,
    )
    assert meta["difference"] == pytest.approx(gap, abs=2e-3)
    assert meta["t"] == pytest.approx(t, rel=2e-3)


@pytest.mark.parametrize("ones", [0, 7, 300])
def test_small_groups_are_not_told(ones: int) -> None:
    tables = {"a": TABLES["a"], "b": table(flag=np.arange(300) < ones)}
    meta = go(asked(columns=SIDES), tables).results["a"]["answer"].meta
    assert (meta["enough"], meta["difference"], meta["t"]) == (False, 0.0, 0.0)
    if ones == 7:
        meta = go(asked(columns=SIDES, options={"at_least": 7}), tables).results["a"]["answer"].meta
        assert meta["enough"]


def test_what_is_declared_says_what_is_fed_in() -> None:
    roles = Roles({"holders": ("a", "b"), "receivers": ("b",), "helper": ("h",)})
    shape, *told = step.disclosures(asked(columns=SIDES), roles)
    assert shape.to == ("a", "b", "h")
    assert [(item.name, item.to, item.max_elements) for item in told] == [
        (name, ("b",), 1) for name in ("enough", "difference", "t")
    ]
    for part in ("group-difference, version 2", "value: a's x", "group: b's flag", "at_least 10"):
        assert part in told[1].what


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"columns": {"value": ("a", ("x",))}}, "columns are missing for: group"),
        ({"columns": {**SIDES, "more": ("a", ("x",))}}, "no inputs: more"),
        ({"columns": SIDES, "options": {"most": 3}}, "no options: most"),
        ({"columns": {**SIDES, "value": ("z", ("x",))}}, "no holders: z"),
        ({"columns": {**SIDES, "value": ("a", ("x", "y"))}}, "one column is due for: value"),
    ],
)
def test_what_does_not_fit_the_function(params: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        go(asked(**params), TABLES)


@pytest.mark.parametrize(
    ("tables", "error", "match"),
    [
        ({"a": table(z=VALUE), "b": TABLES["b"]}, UsageError, "no column x"),
        ({"a": TABLES["a"], "b": table(flag=VALUE)}, UsageError, "cannot be 'group'"),
    ],
)
def test_what_does_not_fit_the_tables(tables: dict[str, Any], error: type, match: str) -> None:
    causes = [item for item in go(asked(columns=SIDES), tables).errors.values() if isinstance(item, error)]
    assert causes
    assert match in str(causes[0])


# ---------------------------------------------------------------- those of others


PAID = {"pay": ("a", ("x",)), "tax": ("b", ("fee", "tax"))}
BILLS = {"a": table(x=[1.0, 2.0]), "b": table(fee=[0.5, 0.25], tax=[3.0, 4.0])}


def test_a_function_of_an_installed_package(acme: Path) -> None:
    assert {"acme-paid", "group-difference"} <= set(functions.names())
    params = asked(function="acme-paid", columns=PAID)
    assert params.version == 3
    run = go(params, BILLS)
    assert run.results["a"]["answer"].meta["total"] == 2 * 10.75


@pytest.mark.parametrize("file", ["pay.py", "rate.py", "more.txt"])
def test_other_code_than_the_contract_pins_is_refused(
    acme: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where only what it imports, or a file beside it, is another."""
    params = asked(function="acme-paid", columns=PAID)
    path = acme / file
    path.write_text((path.read_text() if path.exists() else "") + "\n# swapped\n")
    for loaded in (True, False):  # in a process that has the old code, and in a new one
        if not loaded:
            forget(monkeypatch)
        roles = Roles({"holders": ("a", "b"), "receivers": ("a",), "helper": ("helper",)})
        with pytest.raises(DeniedError, match="changed after" if loaded else "not the one in the contract"):
            step.disclosures(params, roles)
        run = go(params, BILLS, told=lambda *_: ())
        assert {type(error) for error in run.errors.values()} == {DeniedError}
        assert not [seen for view in run.views.values() for seen in view]


def test_another_version_or_none_is_refused(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = asked(function="acme-paid", columns=PAID)
    older = params.model_copy(update={"version": 2})
    assert {type(error) for error in go(older, BILLS, told=lambda *_: ()).errors.values()} == {DeniedError}
    (acme.parent / "acme-1.0.dist-info" / "entry_points.txt").write_text("[unseen.functions]\n")
    with pytest.raises(DeniedError, match="is not here"):
        functions.check_pinned("acme-paid", version=params.version, pinned=params.fingerprint)


def test_a_contract_brings_no_code(acme: Path) -> None:
    """Names are looked up, never imported: a module that lies about, but is no entry point, cannot be named."""
    for name in ("acme.pay:paid", "os:system", "acme.rate", "../acme", "group_difference "):
        with pytest.raises(UsageError, match="There is no function"):
            asked(function=name)
    with pytest.raises(UsageError, match="no function for secret arrays"):
        asked(function="acme-nothing")
    with pytest.raises(UsageError, match="lies in no file"):
        asked(function="acme-gone")


def test_two_packages_with_one_name_are_refused(acme: Path) -> None:
    other = acme.parent / "evil-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[unseen.functions]\nacme-paid = acme.rate:rate\n")
    with pytest.raises(UsageError, match="There are 2 functions"):
        asked(function="acme-paid")


LEAKS = {
    "under another name": "pay.engine.reveal('pay', pay, to=('b',))\n    ",
    "more of it": "return {'total': pay}\n    ",
    "to others": "pay.engine.reveal('total', pay.sum(), to=('b',))\n    ",
    "twice": "pay.engine.reveal('total', pay.sum(), to=('a',))\n    ",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_a_function_did_not_declare_is_held_back(acme: Path, leak: str) -> None:
    path = acme / "pay.py"
    path.write_text(path.read_text().replace("    return {", f"    {LEAKS[leak]}return {{"))
    run = go(asked(function="acme-paid", columns=PAID), BILLS)
    assert any(isinstance(error, DeniedError) for error in run.errors.values())
    parts = [s.message for view in run.views.values() for s in view if type(s.message).__name__ == "Part"]
    assert not [part for part in parts if part.values.size > 1]
    assert len(parts) == (1 if leak == "twice" else 0)


def test_what_it_returns_must_be_what_it_declares(acme: Path) -> None:
    path = acme / "pay.py"
    path.write_text(path.read_text().replace('return {"total":', 'return {"totals":'))
    run = go(asked(function="acme-paid", columns=PAID), BILLS)
    assert any(isinstance(error, LocalProtocolError) for error in run.errors.values())


# ---------------------------------------------------------------- in a contract


def test_the_scene() -> None:
    study = difference.study()
    contract = study.contract(IDENTITIES)
    task = next(item for item in contract.tasks if item.step == "run-function")
    assert task.params["version"] == 2
    assert len(task.params["fingerprint"]) == 64
    made = run_local(contract, study.tables).artefacts["hospital"]["difference.answer"]
    assert made.meta["enough"]
    assert made.meta["difference"] > 0
    changed = task.model_copy(update={"params": {**task.params, "fingerprint": "0" * 64}})
    other = contract.model_copy(update={"tasks": (contract.tasks[0], changed)})
    with pytest.raises(DeniedError, match="not the one in the contract"):
        check_honest(other, me="laboratory")
    check_honest(other, me="somebody who takes no part")
    unpinned = task.model_copy(update={"params": {**task.params, "fingerprint": None, "version": None}})
    with pytest.raises(DeniedError, match="pins version None"):
        check_honest(contract.model_copy(update={"tasks": (contract.tasks[0], unpinned)}), me="hospital")


@pytest.mark.long
def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[3] / "docs" / "functions.md"
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)
    mean, pooled = (float(word.strip("[]")) for word in capsys.readouterr().out.split()[:2])
    assert mean == pytest.approx(pooled)


@pytest.mark.parametrize(("scale", "share"), [(1000.0, 0.5), (1.0, 0.04), (0.04, 0.9)])
def test_the_published_error(scale: float, share: float) -> None:
    rng = np.random.default_rng(7)
    group = np.arange(400) < 400 * share
    value = rng.uniform(-scale, scale, 400)
    gap, t = welch(value, group)
    meta = go(asked(columns=SIDES), {"a": table(x=value), "b": table(flag=group)}).results["a"]["answer"].meta
    assert abs(meta["difference"] - gap) < (2e-3 if scale > 1 else 6e-5)
    assert abs(meta["t"] - t) < 5e-3 * abs(t) + 2e-2


def _mean(value: Any, *, at_least: float) -> Any:
    return {"mean": value.mean() * at_least}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": 0}, "version is 0"),
        ({"version": "1"}, "version is '1'"),
        ({"summary": ""}, "no summary"),
        ({"inputs": {}}, "no input; .*missing a required argument: 'value'"),
        ({"outputs": {}}, "no output"),
        ({"inputs": {"pay": functions.Input("pay")}}, "arguments are others"),
        ({"options": {}}, "'at_least'"),
        ({"options": {"at_least": "many"}}, "no number or Boolean"),
        ({"inputs": {"value": functions.Input("pay", kind=str)}}, "not float, int or bool"),
        ({"outputs": {"mean": functions.Output("mean", elements=0)}}, "0 numbers"),
    ],
)
def test_a_declaration_that_does_not_hold_is_refused_where_it_is_written(
    changed: dict[str, Any], said: str
) -> None:
    declared = {
        "version": 1,
        "summary": "A mean.",
        "inputs": {"value": functions.Input("the number")},
        "outputs": {"mean": functions.Output("its mean")},
        "options": {"at_least": 1.0},
    }
    functions.function(**declared)(_mean)
    with pytest.raises(UsageError, match=said):
        functions.function(**{**declared, **changed})(_mean)
