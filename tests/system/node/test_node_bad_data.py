"""Files that are not as they should be: one clear error where somebody can act, party and step for the others.

The table is the whole list of what can be wrong with data. Each case is either refused when the file is added, or ends
the job at a named step; neither costs anybody what was finished before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from bad_world import (
    HELPER,
    HOSPITAL,
    LABORATORY,
    PARTIES,
    SECRET,
    Files,
    World,
    good_files,
    left_over,
    write_csv,
)

from unseen.client.loopback import Loopback
from unseen.core.errors import UsageError


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bad-data")
    with Loopback(PARTIES, folder / "homes") as nodes:
        yield World(nodes, folder)


# ---------------------------------------------------------------------- refused when it is added


def text(content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "rows.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def spoiled(column: str, row: int, value: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        columns = good_files()[LABORATORY]
        columns[column][row] = value
        return write_csv(folder / "rows.csv", columns)

    return make


def semicolons(folder: Path) -> Path:
    return write_csv(folder / "rows.csv", good_files()[LABORATORY], delimiter=";")


def spreadsheet(folder: Path) -> Path:
    path = folder / "rows.xlsx"
    path.write_bytes(b"PK")
    return path


def cut_parquet(folder: Path) -> Path:
    path = folder / "rows.parquet"
    pyarrow.parquet.write_table(pa.table({"patient": ["a", "b"], "x": [1.0, 2.0]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    return path


def parquet_of(column: pa.Array) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "rows.parquet"
        pyarrow.parquet.write_table(pa.table({"patient": ["a", "b"], "x": column}), path)
        return path

    return make


REFUSED: dict[str, tuple[Callable[[Path], Path], dict[str, object], str, str]] = {
    # name: (file, changes of the request, what it says, how to mend)
    "no such file": (lambda folder: folder / "nowhere.csv", {}, r"no file .*nowhere\.csv", "check the path"),
    "a folder": (lambda folder: folder, {}, "no file", "check the path"),
    "another format": (spreadsheet, {}, r"can read rows\.xlsx", "save it as CSV or Parquet"),
    "empty file": (text(""), {}, "cannot be read as CSV", "UTF-8 CSV with commas"),
    "a header and no rows": (text("patient,x\n"), {}, "no rows", ""),
    "wrong delimiter": (semicolons, {}, "separated by commas.*semicolon", "save it with commas"),
    "ragged rows": (text("patient,x\na,1\nb,2,3\n"), {}, "cannot be read as CSV", "UTF-8 CSV"),
    "not UTF-8": (text(b"patient,x\n\xff\xfe,1\nb,2\n"), {}, "UTF-8|cannot be read", ""),
    "a column twice": (text("patient,x,x\na,1,2\n"), {}, "'x' comes twice", ""),
    "duplicate ids": (spoiled("patient", 5, "p11"), {}, "come more than once.*p11", "drop the repeated rows"),
    "missing id": (spoiled("patient", 5, ""), {}, "patient", "fill in the id"),
    "ids with fractions": (text("patient,x\n1.5,1\n2.5,2\n"), {}, "fractions", "another id column"),
    "no id column": (semicolons, {"id_columns": ("person",)}, "no column 'person'|commas", ""),
    "no label column": (text("patient,x\na,1\n"), {"label_columns": ("y",)}, "no column 'y'", ""),
    "one column for two roles": (text("patient,x\na,1\n"), {"label_columns": ("patient",)}, "two roles", ""),
    "no such step": (text("patient,x\na,1\n"), {"steps": ("teleport",)}, "no step 'teleport'", "step list"),
    "a cut Parquet file": (cut_parquet, {}, "cannot be read as Parquet", "again"),
    "a type that is no use": (parquet_of(pa.array([[1], [2]])), {}, "'x' has the type list", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_when_it_is_added(world: World, tmp_path: Path, name: str) -> None:
    make, changes, says, mend = REFUSED[name]
    before = world.nodes[LABORATORY].asset_list()
    with pytest.raises(UsageError) as caught:
        world.add(LABORATORY, make(tmp_path), **changes)
    error = caught.value
    assert re.search(says, str(error), re.DOTALL), error
    assert re.search(mend, error.mend), error
    assert world.nodes[LABORATORY].asset_list() == before


# ---------------------------------------------------------------------- ends the job at a step


@dataclass(frozen=True)
class Case:
    """What is spoiled in good files, and who says what of it at which step."""

    spoil: Callable[[Files], None]
    party: str
    step: str
    says: str
    mend: str


def put(party: str, column: str, row: int, value: object) -> Callable[[Files], None]:
    def spoil(files: Files) -> None:
        files[party][column][row] = value

    return spoil


def all_of(party: str, column: str, value: Callable[[int], object]) -> Callable[[Files], None]:
    def spoil(files: Files) -> None:
        files[party][column] = [value(row) for row in range(len(files[party][column]))]

    return spoil


FILL = "fill or drop these rows, encode text as numbers, or leave the column out"
FAILS = {
    "text where numbers are due": Case(
        all_of(LABORATORY, SECRET, lambda row: f"level {row}"),
        LABORATORY,
        "standardise",
        f"column '{SECRET}' holds no numbers",
        FILL,
    ),
    "one text among numbers": Case(
        put(LABORATORY, SECRET, 50, "high"), LABORATORY, "standardise", f"column '{SECRET}'", FILL
    ),
    "NaN": Case(
        all_of(LABORATORY, SECRET, lambda row: "nan" if row % 2 else 0.5),
        LABORATORY,
        "standardise",
        f"column '{SECRET}' has no number in",
        FILL,
    ),
    "missing values": Case(
        all_of(HOSPITAL, "age", lambda row: "" if row % 3 else 1.5),
        HOSPITAL,
        "standardise",
        "column 'age' has no number in",
        FILL,
    ),
    "infinity": Case(
        all_of(HOSPITAL, "age", lambda row: "inf" if row % 3 else 1.5),
        HOSPITAL,
        "standardise",
        "column 'age' has no number in",
        FILL,
    ),
    "a label with one class": Case(
        all_of(HOSPITAL, "diagnosis", lambda _row: 1),
        HOSPITAL,
        "standardise",
        "label 'diagnosis' does not have two classes",
        "rows of both classes",
    ),
    "a label with three classes": Case(
        all_of(HOSPITAL, "diagnosis", lambda row: row % 3),
        HOSPITAL,
        "standardise",
        "label 'diagnosis' does not have two classes",
        "rows of both classes",
    ),
    "no rows in common": Case(
        all_of(LABORATORY, "patient", lambda row: f"q{row}"),
        HOSPITAL,
        "align",
        "no rows in common",
        "compare how each of you writes the ids",
    ),
    "one row in common": Case(
        all_of(LABORATORY, "patient", lambda row: f"q{row}" if row else "p50"),
        HOSPITAL,
        "split",
        "1 common rows cannot be cut",
        "bring more common rows",
    ),
}


@pytest.fixture(scope="module")
def finished(world: World) -> str:
    """A job that came to its end before anything went wrong."""
    ends = world.run(world.agreed(good_files()))
    assert {view.state for view in ends.values()} == {"finished"}
    return ends[HOSPITAL].id


@pytest.mark.parametrize("name", FAILS)
def test_the_job_fails_at_a_step_that_everybody_hears_of(world: World, finished: str, name: str) -> None:
    case = FAILS[name]
    files = good_files()
    case.spoil(files)
    ends = world.run(world.agreed(files))
    check_ends(ends, case)
    nothing_is_lost(world, finished, ends[HOSPITAL].id, case.step)


def check_ends(ends: dict, case: Case) -> None:
    able = {case.party} if case.step == "standardise" else {HOSPITAL, LABORATORY}
    clear = [p for name in able if (p := ends[name].problem) is not None and p.party == name]
    assert clear, ends
    for own in clear:
        assert re.search(case.says, f"{own.what} {own.why}"), own
        assert case.mend in own.mend, own
    for party, view in ends.items():
        assert view.state == "failed"
        told = view.problem
        assert told is not None
        assert told.step == case.step
        assert told.party in able
        if party not in able:
            assert f"ask {told.party} for the cause" in told.mend
            assert told.what.startswith(f"{told.party} failed at step '{case.step}'")
            assert told.code == "usage"
            assert SECRET not in f"{told.what} {told.why} {told.mend}"
            assert "age" not in told.why


def nothing_is_lost(world: World, finished: str, failed: str, step: str) -> None:
    order = ("align", "split", "standardise")
    for party in (HOSPITAL, LABORATORY):
        states = {item.task: item.state for item in world.job(party, failed).tasks if item.party == party}
        assert [states[name] for name in order[: order.index(step)]] == ["finished"] * order.index(step)
        kept = [
            entry.body["task"]
            for entry in world.nodes[party].ledger_entries(limit=10_000)
            if entry.kind == "task-finished" and entry.body and entry.body["job"] == failed
        ]
        assert kept == list(order[: order.index(step)])
    result = world.nodes[HOSPITAL].job_result(finished)
    assert any("auc" in artefact.meta for artefact in result.artefacts)
    for party in PARTIES:
        world.until(lambda party=party: not left_over(world.nodes.home(party)))
        world.until(lambda party=party: not world.nodes[party].status().jobs_running)


REFUSES = {
    HOSPITAL: (all_of(HOSPITAL, "diagnosis", lambda _row: 1), "two classes"),
    LABORATORY: (put(LABORATORY, SECRET, 50, "nan"), SECRET),
}


@pytest.mark.parametrize("party", REFUSES)
def test_with_three_at_a_step_all_name_the_one_that_refused(world: World, party: str) -> None:
    spoil, says = REFUSES[party]
    files = good_files()
    spoil(files)
    flow = world.flow(world.assets(files), prepared=False)
    ends = world.run(world.propose(world.contract(flow)))
    own = ends[party].problem
    assert own is not None
    assert re.search(says, f"{own.what} {own.why}"), own
    for view in ends.values():
        told = view.problem
        assert told is not None
        assert (told.code, told.party, told.step) == ("usage", party, "train")
        assert view is ends[party] or f"ask {party} for the cause" in told.mend


def test_a_file_that_is_gone_when_the_job_runs(world: World, finished: str) -> None:
    assets = world.assets(good_files())
    contract = world.propose(world.contract(world.flow(assets)))
    Path(str(assets[LABORATORY].path)).unlink()
    ends = world.run(contract)
    own = ends[LABORATORY].problem
    assert own is not None
    assert (own.party, own.step) == (LABORATORY, "align")
    assert re.search("no file|gone", own.what)
    assert own.mend
    for party in (HOSPITAL, HELPER):
        told = ends[party].problem
        assert told is not None
        assert (told.party, told.step) == (LABORATORY, "align")
        assert assets[LABORATORY].path not in f"{told.what} {told.why} {told.mend}"
    nothing_is_lost(world, finished, ends[HOSPITAL].id, "align")


def test_after_all_that_a_good_job_still_runs(world: World) -> None:
    ends = world.run(world.agreed(good_files(seed=9)))
    assert {view.state for view in ends.values()} == {"finished"}
