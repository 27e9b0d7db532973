"""Plug-ins are found by file name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from unseen.core import registry
from unseen.core.errors import UsageError


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "a_family_for_tests"
    package.mkdir()
    for name, text in (
        ("__init__", ""),
        ("one", "NAME = 1"),
        ("two_words", "NAME = 2"),
        ("_private", "raise RuntimeError"),
    ):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield package.name
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def test_the_file_name_is_the_plug_ins_name(family: str) -> None:
    assert registry.names(family) == ("one", "two-words")
    assert registry.load(family, "two-words").NAME == 2


@pytest.mark.parametrize("name", ["three", "_private", "private", "two_words", "", "one.two", "../one"])
def test_what_is_not_there_is_an_error_that_lists_what_is(family: str, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry.load(family, name)
    assert "one, two-words" in caught.value.why


@pytest.mark.parametrize(
    "package", ["unseen.jobs.steps", "unseen.psi.protocols", "unseen.mpc.protocols", "unseen.data.connectors"]
)
def test_our_own_families_have_members(package: str) -> None:
    assert registry.names(package)
    for name in registry.names(package):
        assert registry.load(package, name).__doc__
