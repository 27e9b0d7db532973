"""The documentation is complete and true: settings, steps, errors, protocols, figures, links, and blocks that run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from unseen.core import errors, registry
from unseen.jobs.step import STEPS
from unseen.mpc import Engine
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.node.config import NodeConfig
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def text(*names: str) -> str:
    return "\n".join((DOCS / name).read_text(encoding="utf-8") for name in names)


def settings(section: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += settings(inner, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found


@pytest.mark.parametrize("name", settings(NodeConfig))
def test_every_setting_stands_in_the_page_of_the_node(name: str) -> None:
    assert f"`{name}`" in text("node.md")


@pytest.mark.parametrize("name", registry.names(STEPS))
def test_every_step_stands_in_the_page_of_jobs(name: str) -> None:
    assert f"`{name}`" in text("jobs.md", "concepts.md")


@pytest.mark.parametrize(
    ("family", "name"),
    [(family, name) for family in ("psi", "mpc") for name in registry.names(f"unseen.{family}.protocols")],
)
def test_every_protocol_has_a_page_with_what_it_must_say(family: str, name: str) -> None:
    if name == "plain":
        pytest.skip("the reference that protects nothing")
    page = text(f"protocols/{family}-{name}.md").lower()
    for word in ("semi-honest", "assumption", "learn", "rounds", "source"):
        assert word in page, word


@pytest.mark.parametrize("name", ["train-linear", "split", "mpc-sigmoid"])
def test_what_else_the_main_job_says_to_others_has_a_page(name: str) -> None:
    page = text(f"protocols/{name}.md")
    assert all(word in page for word in ("adversary", "cost" if name != "train-linear" else "bytes", "ource"))


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_every_exit_code_is_documented(kind: type) -> None:
    code = getattr(kind, "exit_code", None)
    if code is not None:
        assert re.search(rf"\|\s*{code}\s*\|", text("cli.md")), f"{kind.__name__}: {code}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    content = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", content):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("area", sorted(path.parent.name for path in (ROOT / "bench").glob("*/__main__.py")))
def test_every_figure_was_written_by_its_benchmark(area: str) -> None:
    page = DOCS / "benchmarks" / f"{area}.md"
    if not page.exists():
        pytest.skip("this area has not been measured yet")
    assert f"Written by `python -m bench.{area}`" in page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (block,) = blocks(ROOT / "README.md")
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr
    assert "auc" in done.stdout


@pytest.mark.parametrize("place", range(len(blocks(DOCS / "protocols" / "proofs.md"))))
def test_proofs_are_made_and_checked_as_their_page_says(place: int) -> None:
    exec(compile(blocks(DOCS / "protocols" / "proofs.md")[place], "proofs.md", "exec"), {})


def test_the_same_lines_run_in_any_environment(tmp_path: Path) -> None:
    """The notebook: a few lines, and the environment is an argument."""
    block = next(block for block in blocks(DOCS / "quickstart.md") if "Local()" in block)
    loopback = (
        "from unseen.client.loopback import Loopback\n"
        "from unseen.scenes import medicine\n"
        'with Loopback(("hospital", "laboratory", "helper")) as world:\n'
        "    other = medicine.study().run(world)\n"
        'print(result.at("hospital").metrics("evaluate")["auc"] > 0.9, len(other.bundle) > 0)\n'
        'print(other.at("hospital").metrics("evaluate")["auc"] > 0.9)\n'
    )
    done = subprocess.run(
        [sys.executable, "-c", block + loopback],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"] * 3


ROW = r"^\| (\d+) to (\d+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$"
ERRORS = re.findall(ROW, text("protocols/mpc-sigmoid.md"), re.MULTILINE)


def test_the_error_table_is_there() -> None:
    assert len(ERRORS) == 7


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]} to {row[1]}")
def test_the_published_error_of_the_sigmoid(row: tuple[str, ...], *, precise: bool) -> None:
    low, high = float(row[0]), float(row[1])
    largest, mean = map(float, row[2:4] if precise else row[4:6])
    side = np.linspace(low, high * (1 - 1e-7), 20_001)
    grid = np.round(np.r_[-side[::-1], side] * 2**20) / 2**20
    told = Disclosure("result", "the result of a test", ("a",), Door.REVEAL)

    def program(party: Party) -> object:
        engine = Engine(party, holders=("a", "b"), helper="helper", bits=20)
        x = engine.share(grid if party.name == "a" else None, owner="a", shape=grid.shape)
        return engine.reveal("result", sigmoid(x, precise=precise), to=("a",))

    got = run(program, ("a", "b", "helper"), disclosures=[told]).results["a"]
    upper = 1 / (1 + np.exp(-np.abs(grid)))
    error = np.abs(got - np.where(grid > 0, upper, 1 - upper))
    assert error.max() <= largest
    assert error.mean() <= mean
