"""Making a node and auditing a file need no daemon; starting one on a wrong home is one clear error."""

from __future__ import annotations

import json

import pytest

from unseen.api.tokens import Tokens
from unseen.cli.audit import EXIT_CODES
from unseen.cli.main import run
from unseen.client.homes import make
from unseen.core.errors import UsageError
from unseen.govern.audit import AuditReport, Line
from unseen.node.config import load


def test_init_makes_a_private_home_that_tells_its_fingerprint(tmp_path, capsys):
    home = tmp_path / "deep" / "hospital"
    arguments = ["node", "init", "hospital", "--home", str(home), "--listen", "127.0.0.1:7710", "--json"]
    assert run([*arguments, "--title", "City Hospital"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "hospital"
    assert shown["addresses"] == ["127.0.0.1:7710"]
    assert len(shown["fingerprint"].split()) == 8
    config = load(home)
    assert (config.title, config.link.public) == ("City Hospital", ("127.0.0.1:7710",))
    for name in ("identity", "keyfile", "owner.token", "tokens.json"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
    assert home.stat().st_mode & 0o077 == 0
    assert Tokens(home).check((home / "owner.token").read_text().strip()).role == "owner"


def test_init_never_overwrites(tmp_path, capsys):
    home = tmp_path / "home"
    assert run(["node", "init", "a", "--home", str(home)]) == 0
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    assert run(["node", "init", "b", "--home", str(home)]) == 2
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before
    file = tmp_path / "file"
    file.write_text("precious")
    assert run(["node", "init", "a", "--home", str(file)]) == 2
    assert file.read_text() == "precious"


@pytest.mark.parametrize(
    "options",
    [["Bad Name"], ["a", "--listen", "nowhere"], ["a", "--proxy", "socks://x:1"], ["a", "--api", "x"]],
)
def test_init_with_mistakes_makes_nothing(options, tmp_path, capsys):
    home = tmp_path / "home"
    assert run(["node", "init", *options, "--home", str(home)]) == 2
    assert not home.exists()


def test_a_node_that_only_dials_out(tmp_path, capsys):
    assert run(["node", "init", "a", "--proxy", "http://proxy:8080", "--home", str(tmp_path / "a")]) == 0
    config = load(tmp_path / "a")
    assert (config.link.listen, config.link.public, config.link.proxy) == (None, (), "http://proxy:8080")
    assert "only dials out" in capsys.readouterr().out


def test_every_home_has_keys_of_its_own(tmp_path):
    one, other = (make(tmp_path / name, {"name": "same"}) for name in "ab")
    assert one.identity != other.identity
    assert (tmp_path / "a" / "keyfile").read_bytes() != (tmp_path / "b" / "keyfile").read_bytes()
    with pytest.raises(UsageError):
        make(tmp_path / "a", {"name": "same"})


def test_running_nothing(tmp_path, capsys):
    assert run(["node", "run", "--home", str(tmp_path)]) == 2
    assert "unseen node init" in capsys.readouterr().err
    assert run(["node", "restore", str(tmp_path / "none"), "--home", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("verdict", sorted(EXIT_CODES))
def test_an_audit_tells_its_verdict_by_words_page_and_code(verdict, tmp_path, monkeypatch, capsys):
    lines = (Line("Logs", "proved", "signed\x1b[2J", "hospital"), Line("Runs", "stated", "1 run"))
    report = AuditReport("contract-1", "Joint <b>model</b>", verdict, lines)
    monkeypatch.setattr("unseen.jobs.evidence.audit_bundle", lambda content: report)
    bundle, page = tmp_path / "bundle", tmp_path / "audit.html"
    bundle.write_bytes(b"x")
    assert run(["audit", str(bundle), "--html", str(page)]) == EXIT_CODES[verdict]
    shown = capsys.readouterr().out
    assert verdict in shown
    assert "\x1b" not in shown
    assert "<b>model</b>" not in page.read_text()
    assert run(["audit", str(bundle), "--json"]) == EXIT_CODES[verdict]
    assert json.loads(capsys.readouterr().out) == report.to_json()


def test_auditing_what_is_no_bundle(tmp_path, capsys):
    assert run(["audit", str(tmp_path / "none")]) == 2
    assert run(["audit", str(tmp_path)]) == 2
    (tmp_path / "b").write_bytes(b"{}")
    assert run(["audit", str(tmp_path / "b")]) == 5
    assert "Traceback" not in capsys.readouterr().err


def test_steps_are_shown_without_a_node(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("UNSEEN_API", raising=False)
    assert run(["step", "show", "train-linear", "--home", str(tmp_path / "none")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "logistic, multinomial, linear, poisson" in shown  # what a parameter takes
    assert "scikit-learn's C is 1 / l2" in shown  # what it means
    assert run(["step", "show", "magic", "--home", str(tmp_path / "none")]) == 2
