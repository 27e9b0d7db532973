"""Every command against a served double: arguments arrive, answers and errors look right."""

from __future__ import annotations

import io
import json

import pytest
from api_double import (
    ASSET,
    CONTRACT,
    ERRORS,
    JOB,
    NOW,
    PRINT,
    PROBLEM,
    STATUS,
    TASKS,
    Double,
)

from unseen.api.routes import operations
from unseen.api.server import serve
from unseen.api.tokens import Tokens
from unseen.cli import show
from unseen.cli.main import run
from unseen.node import models as m
from unseen.node.config import NodeConfig, to_toml
from unseen.node.home import Home


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home"))
    home.make()
    config = NodeConfig(name="hospital", home=home.path)
    (home.path / "node.toml").write_text(to_toml(config))
    Tokens(home.path).write_owner()
    node = Double()
    with serve(node, config):
        yield node, home.path


@pytest.fixture
def node(served, monkeypatch):
    monkeypatch.setenv("UNSEEN_HOME", str(served[1]))
    monkeypatch.delenv("UNSEEN_TOKEN", raising=False)
    served[0].calls.clear()
    served[0].events.clear()
    served[0].over.set()
    return served[0]


CONTRACT_JSON = {"title": "T", "a": [1, {"b": None}]}

# command -> the operation it calls, with these arguments
COMMANDS = {
    "node status": ("status", {}),
    "node backup /tmp/b.tar": ("backup", {"path": "/tmp/b.tar"}),
    "peer invite": ("peer_invite", {}),
    "peer inspect TEXT": ("peer_inspect", {"text": "TEXT"}),
    "peer accept TEXT --fingerprint abc": (
        "peer_accept",
        {"request": m.AcceptPeer(text="TEXT", fingerprint="abc")},
    ),
    "peer list": ("peer_list", {}),
    "peer remove laboratory": ("peer_remove", {"name": "laboratory"}),
    "asset add d /data/x.csv --step psi --step train-linear --purpose screening --id patient --label y "
    "--sensitivity.age special --legal-basis consent --ignore z": (
        "asset_add",
        {
            "request": m.AddAsset(
                name="d",
                path="/data/x.csv",
                id_columns=("patient",),
                label_columns=("y",),
                ignore_columns=("z",),
                sensitivity={"age": "special"},
                steps=("psi", "train-linear"),
                purposes=("screening",),
                legal_basis="consent",
            )
        },
    ),
    "asset list": ("asset_list", {}),
    "asset show diagnoses": ("asset_show", {"name": "diagnoses", "holder": None}),
    "asset show d --holder laboratory": ("asset_show", {"name": "d", "holder": "laboratory"}),
    "asset offer d --to a --to b": ("asset_offer", {"name": "d", "to": ("a", "b")}),
    "asset remove d": ("asset_remove", {"name": "d"}),
    "contract propose FILE": ("contract_propose", {"contract": CONTRACT_JSON}),
    "contract list": ("contract_list", {}),
    "contract show c1": ("contract_show", {"contract_id": "c1"}),
    "contract sign c1 --yes": ("contract_sign", {"contract_id": CONTRACT.id}),
    "contract refuse c1 --reason no": ("contract_refuse", {"contract_id": "c1", "reason": "no"}),
    "contract withdraw c1": ("contract_withdraw", {"contract_id": "c1", "reason": ""}),
    "job start c1": ("job_start", {"contract_id": "c1"}),
    "job list": ("job_list", {}),
    "job show j1": ("job_show", {"job_id": "j1"}),
    "job watch j1": ("job_watch", None),
    "job result j1": ("job_result", {"job_id": "j1"}),
    "job artefacts j1": ("artefacts", {"job_id": "j1"}),
    "job cancel j1 --reason stop": ("job_cancel", {"job_id": "j1", "reason": "stop"}),
    "stock list": ("stock_list", {}),
    "model list": ("model_list", {}),
    "model show model-1": ("model_show", {"version": "model-1"}),
    "model verify model-1": ("model_verify", {"version": "model-1"}),
    "model export model-1 /m.pmml --format pmml": (
        "model_export",
        {"version": "model-1", "path": "/m.pmml", "form": "pmml"},
    ),
    "step list": ("step_list", {}),
    "step show psi": ("step_show", {"name": "psi"}),
    "ledger heads": ("ledger_heads", {}),
    "ledger entries --after 3 --limit 7": ("ledger_entries", {"after": 3, "limit": 7}),
    "export result j1 /o --report": ("result_export", {"job_id": "j1", "folder": "/o", "report": True}),
    "export artefact j1 a.b /o": (
        "artefact_export",
        {"job_id": "j1", "reference": "a.b", "folder": "/o"},
    ),
    "export evidence c1 /e.bundle": ("evidence_export", {"contract_id": "c1", "path": "/e.bundle"}),
}


def _arguments(command, tmp_path):
    file = tmp_path / "contract.json"
    file.write_text(json.dumps(CONTRACT_JSON))
    return [str(file) if word == "FILE" else word for word in command.split()]


def test_every_operation_has_a_command():
    elsewhere = {"identity", "evidence_bundle"}  # shown by others: status, export
    assert {operation for operation, _ in COMMANDS.values()} == set(operations()) - elsewhere


@pytest.mark.parametrize("command", COMMANDS)
def test_arguments_arrive(command, node, tmp_path, capsys):
    assert run(_arguments(command, tmp_path)) == 0, capsys.readouterr().err
    operation, arguments = COMMANDS[command]
    if arguments is None:
        assert operation in {name for name, _ in node.calls}
    else:
        assert (operation, arguments) in node.calls


@pytest.mark.parametrize("command", [command for command in COMMANDS if "watch" not in command])
def test_json_is_the_nodes_value_and_nothing_else_is_on_standard_output(command, node, tmp_path, capsys):
    assert run([*_arguments(command, tmp_path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    operation, arguments = COMMANDS[command]
    value = getattr(node, operation)(**arguments)
    if value is None:
        assert shown is None
    elif isinstance(value, tuple):
        assert [type(value[0]).model_validate(item) for item in shown] == list(value)
    else:
        assert type(value).model_validate(shown) == value


@pytest.mark.parametrize("name", sorted(ERRORS))
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_errors_are_told_with_their_exit_code(name, flags, node, capsys):
    assert run(["contract", "show", name, *flags]) == ERRORS[name].exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    if flags:
        assert json.loads(printed.err)["error"]["what"] == ERRORS[name].what
    else:
        for part in (ERRORS[name].what, ERRORS[name].why, ERRORS[name].mend):
            assert part in printed.err


def test_all_problems_and_the_place_are_told(node, capsys):
    run(["contract", "show", "usage"])
    run(["contract", "show", "remote"])
    printed = capsys.readouterr().err
    assert "- a: bad" in printed
    assert "- b: worse" in printed
    assert "At: party laboratory, step align" in printed


def test_a_bug_is_exit_1_without_traceback(node, capsys):
    assert run(["contract", "show", "bug"]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("peer accpt", "accept"),
        ("peer accept", "--help"),
        ("nonsense", "--help"),
        ("job show", "--help"),
        ("ledger entries --after x", "--after"),
        ("peer list --lang fr", "fr"),
        ("asset add X /x --step a --purpose b", "name"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_where_to_look(command, words, node, capsys):
    assert run(command.split()) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.out == ""
    assert node.calls == []


def test_not_running_is_said_with_the_command_to_start_it(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("UNSEEN_TOKEN", raising=False)
    (tmp_path / "node.toml").write_text('name = "a"\n')
    Tokens(tmp_path).write_owner()
    assert run(["job", "list", "--home", str(tmp_path)]) == 6
    assert f"unseen node run --home {tmp_path}" in capsys.readouterr().err


def test_an_invitation_goes_alone_to_standard_output(node, capsys):
    run(["peer", "invite"])
    printed = capsys.readouterr()
    assert printed.out == "unseen-invitation-text\n"
    assert PRINT in printed.err


@pytest.mark.parametrize("way", ["file", "stdin", "long"])
def test_an_invitation_comes_as_file_or_text(way, node, tmp_path, monkeypatch, capsys):
    text = "x" * 5000 if way == "long" else "the text"
    file = tmp_path / "invitation"
    file.write_text(text + "\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))
    run(["peer", "inspect", {"file": str(file), "stdin": "-", "long": text}[way]])
    assert node.calls == [("peer_inspect", {"text": text})]


@pytest.mark.parametrize("content", ["{", "[]", "3", ""])
def test_what_is_no_contract_is_not_sent(content, node, tmp_path, capsys):
    file = tmp_path / "c.json"
    file.write_text(content)
    assert run(["contract", "propose", str(file)]) == 2
    assert run(["contract", "propose", str(tmp_path / "none.json")]) == 2
    assert node.calls == []


def test_signing_needs_a_yes(node, capsys):
    assert run(["contract", "sign", "c1"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert "contract_sign" not in {name for name, _ in node.calls}


def test_relative_paths_are_of_the_person_not_of_the_daemon(node, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(["node", "backup", "b"])
    run(["export", "evidence", "c", "e"])
    run(["asset", "add", "d", "x.csv", "--step", "psi", "--purpose", "p"])
    paths = [node.calls[0][1]["path"], node.calls[1][1]["path"], node.calls[2][1]["request"].path]
    assert paths == [str(tmp_path / name) for name in ("b", "e", "x.csv")]


def test_what_steers_a_terminal_is_spelled_out(node, capsys, monkeypatch):
    evil = "Harmless\x1b[2J\u202e\u200b\x07 title\r"
    monkeypatch.setattr(node, "contract_list", lambda: (CONTRACT.model_copy(update={"title": evil}),))
    monkeypatch.setattr(
        node,
        "contract_show",
        lambda contract_id: CONTRACT.model_copy(update={"title": evil, "summary": evil}),
    )
    show.contracts(node.contract_list())
    show.contract(node.contract_show("c"))
    shown = capsys.readouterr().out
    for character in "\x1b\u202e\u200b\x07\r":
        assert character not in shown
    assert "\\x1b[2J\\u202e" in shown


def test_tables_hold_what_matters(node, capsys):
    for command, words in {
        "node status": [STATUS.name, PRINT, "native", "laboratory"],
        "contract list": [CONTRACT.id[:21], "Joint model", "hospital", "laboratory", "1 of 3"],
        "contract show c": [CONTRACT.id, "The hospital brings diagnoses.", "pending"],
        "asset show diagnoses": ["patient", "integer", ASSET.path, "screening"],
        "job show j": [JOB.id, "align", "1/4", "round 1"],
        "job result j": ["evaluate.metrics", "10x2", "auc", "0.99"],
        "step show psi": ["holders", "two or more"],
        "ledger heads": ["ee" * 32, "laboratory"],
    }.items():
        run(command.split())
        shown = capsys.readouterr().out
        for word in words:
            assert str(word) in shown, (command, word)


def _event(seq, **more):
    return m.JobEvent(seq=seq, at=NOW, job=JOB.id, **({"kind": "task"} | more))


def test_watching_shows_every_task_at_every_party(node, capsys):
    done = tuple(task.model_copy(update={"state": "finished", "done": 4}) for task in TASKS)
    node.events = [
        _event(number + 1, kind="progress", progress=task) for number, task in enumerate((*TASKS, *done))
    ]
    assert run(["job", "watch", "j1"]) == 0
    told = capsys.readouterr().err
    for task in TASKS:
        assert f"{task.task} at {task.party}: running" in told
        assert f"{task.task} at {task.party}: finished" in told


def test_watching_as_json_is_one_value_a_line(node, capsys):
    node.events = [_event(1), _event(2)]
    assert run(["job", "start", "c", "--watch", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["seq"] for line in lines[:2]] == [1, 2]
    assert lines[2]["state"] == "finished"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_failed_job_fails_the_command_with_its_own_error(flags, node, capsys, monkeypatch):
    failed = JOB.model_copy(update={"state": "failed", "problem": PROBLEM})
    monkeypatch.setattr(node, "final", failed)
    assert run(["job", "watch", "j1", *flags]) == 6
    printed = capsys.readouterr().err
    assert PROBLEM.what in printed
    assert "laboratory" in printed


def test_a_cancelled_job_is_no_success(node, monkeypatch, capsys):
    monkeypatch.setattr(node, "final", JOB.model_copy(update={"state": "cancelled"}))
    assert run(["job", "watch", "j1"]) == 1
    assert "cancelled" in capsys.readouterr().err


def test_a_node_elsewhere(node, served, capsys, monkeypatch):
    address = (served[1] / "run" / "api.address").read_text().strip()
    monkeypatch.setenv("UNSEEN_HOME", "/nowhere")
    monkeypatch.setenv("UNSEEN_API", address)
    assert run(["job", "list"]) == 2
    assert "UNSEEN_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("UNSEEN_TOKEN", (served[1] / "owner.token").read_text().strip())
    assert run(["job", "list"]) == 0
    monkeypatch.setenv("UNSEEN_API", "127.0.0.1:1")
    assert run(["job", "list"]) == 6
    assert "127.0.0.1:1" in capsys.readouterr().err
