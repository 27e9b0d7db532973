"""The pages that are generated from commands and routes are current, and what they show works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from unseen.api.routes import operations as all_operations
from unseen.cli import reference
from unseen.cli.draft import WorkflowFile
from unseen.cli.main import build
from unseen.cli.parameters import meanings
from unseen.core import registry
from unseen.jobs.step import STEPS, step

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("name", "generate"),
    [("cli.md", reference.commands), ("api.md", reference.operations), ("steps.md", reference.steps)],
)
def test_pages_are_current(name, generate):
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == reference.refreshed(page, generate()), "run: python -m unseen.cli.reference docs"


def test_every_operation_is_on_the_page():
    page = reference.operations()
    for operation in all_operations():
        assert f"Operation `{operation}`;" in page


@pytest.mark.parametrize("name", registry.names(STEPS))
def test_every_parameter_of_a_step_is_explained(name):
    schema = step(name).Params.model_json_schema()
    about, named = meanings(schema)
    said = about + " ".join(f"`{names}` {words}" for names, words in named)
    for parameter in set(schema.get("properties", {})) - {
        "assumption"
    }:  # docs/jobs.md: the same in every step
        assert re.search(rf"(?<!\w){parameter}(?!\w)", said), parameter


def test_what_every_command_has_is_said_once():
    assert "--lang" not in reference.commands()
    assert "--fingerprint" in reference.commands()


def test_a_page_without_mark_is_not_overwritten():
    with pytest.raises(ValueError, match="mark"):
        reference.refreshed("text", "generated")


def test_the_workflow_file_of_the_page_is_one():
    text = re.search(r"```toml\n(title.*?)```", (DOCS / "cli.md").read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    assert WorkflowFile.model_validate(tomllib.loads(text[1])).runs == 3


def test_every_command_of_the_quickstart_exists():
    text = (DOCS / "quickstart.md").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^\w+\$\s+(unseen .*)$", text, re.MULTILINE)
    assert len(lines) > 12
    for line in lines:
        words = line.split(" 2>")[0].split(" > ")[0].split()[1:]
        app = build()
        while words and words[0] in list(app):
            app = app[words.pop(0)]
        options = {word for word in words if word.startswith("--")}
        known = {name for argument in app.assemble_argument_collection() for name in argument.names}
        assert options <= known, line
