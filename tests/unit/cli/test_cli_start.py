"""The command starts fast, lists itself, and its page in the documentation is current."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from unseen.api.tokens import Tokens
from unseen.cli.main import build, run
from unseen.scenes import medicine

LATE = ("pydantic", "fastapi", "uvicorn", "httpx", "sqlalchemy", "numpy", "pyarrow", "cryptography")


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_help_is_there_at_once():
    best = 9.0
    for _ in range(3):
        before = _children_s()
        assert _python("-m", "unseen.cli.main", "--help").returncode == 0
        best = min(best, _children_s() - before)
    assert best < 0.4


def _children_s():
    """Processor time of ended children: what a busy machine does not change."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_loads_no_library_of_the_node():
    code = (
        "import sys; from unseen.cli.main import run; run(['--help']);"
        f"print('LATE', [name for name in {LATE!r} if name in sys.modules])"
    )
    assert "LATE []" in _python("-c", code).stdout


def test_client_commands_load_neither_server_nor_database():
    code = (
        "import sys; from unseen.cli.main import run; run(['peer', 'list', '--home', '/nowhere']);"
        "print('LATE', [name for name in ('fastapi', 'uvicorn', 'sqlalchemy') if name in sys.modules])"
    )
    assert "LATE []" in _python("-c", code).stdout


def _commands(app, path=()):
    for name in app:
        if name.startswith("-"):
            continue
        inner = app[name]
        if any(not deeper.startswith("-") for deeper in inner):
            yield from _commands(inner, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", list(_commands(build())), ids=" ".join)
def test_every_command_has_help_and_takes_json(command, capsys):
    assert run([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("--json", "--home", "--lang"):
        assert word in shown
    assert command[-1] in shown


def test_the_commands_of_the_plan_are_there():
    found = {" ".join(command) for command in _commands(build())}
    assert found >= {
        "node init", "node run", "node backup", "node restore", "node token add", "peer invite", "peer accept",
        "asset add", "asset list", "contract propose", "contract show", "contract sign", "job start",
        "job watch", "job result", "job cancel", "audit", "demo", "completion",
    }  # fmt: skip


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == "0.1.0"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_the_commands(shell, capsys):
    assert run(["completion", shell]) == 0
    assert "contract" in capsys.readouterr().out


def test_tokens_work_without_a_daemon(tmp_path, capsys):
    home = ["--home", str(tmp_path)]
    assert run(["node", "token", "list", *home]) == 2
    (tmp_path / "node.toml").write_text('name = "a"\n')
    Tokens(tmp_path).write_owner()
    capsys.readouterr()
    assert run(["node", "token", "add", "eve", "--role", "auditor", *home]) == 0
    printed = capsys.readouterr()
    assert Tokens(tmp_path).check(printed.out.strip()).role == "auditor"
    assert printed.out.strip() not in printed.err
    assert run(["node", "token", "list", *home]) == 0
    assert "eve" in capsys.readouterr().out
    assert run(["node", "token", "remove", "eve", *home]) == 0
    assert run(["node", "token", "remove", "eve", *home]) == 2
    assert run(["node", "token", "add", "x", "--role", "god", *home]) == 2


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    process = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m unseen.cli.main completion bash | head -c 10"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr == ""


def test_unknown_scenes_are_named(capsys):
    assert run(["demo", "--scene", "nonsense"]) == 2
    assert "medicine" in capsys.readouterr().err
    assert run(["demo", "--scene", "partition"]) == 2


def test_a_scene_is_found_by_name_and_given_the_options(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(medicine, "main", lambda **options: seen.update(options) or 3, raising=False)
    assert run(["demo", "--data", str(tmp_path), "--json", "--lang", "zh"]) == 3
    assert seen["data"] == tmp_path
    assert (seen["as_json"], seen["lang"]) == (True, "zh")
