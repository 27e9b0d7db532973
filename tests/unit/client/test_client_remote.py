"""Every operation, called over HTTP, does at the node what it does when called there."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from api_double import ERRORS, JOB, NOW, TASKS, Double, sample

from unseen.api.routes import operations
from unseen.api.server import serve
from unseen.api.tokens import Tokens
from unseen.client.remote import RemoteNode
from unseen.core.errors import DeniedError, UnavailableError, UnseenError, UsageError
from unseen.node.config import NodeConfig, to_toml
from unseen.node.home import Home
from unseen.node.models import JobEvent
from unseen.node.operations import Node


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[tuple[Double, RemoteNode, NodeConfig]]:
    folder = tmp_path_factory.mktemp("home")
    config = NodeConfig(name="hospital", home=folder)
    Home(folder).make()
    (folder / "node.toml").write_text(to_toml(config))
    Tokens(folder).write_owner()
    node = Double()
    with serve(node, config), RemoteNode.of_home(folder) as remote:
        yield node, remote, config


@pytest.fixture
def node(world) -> Double:
    world[0].calls.clear()
    world[0].events.clear()
    world[0].over.clear()
    return world[0]


@pytest.fixture
def remote(world, node) -> RemoteNode:
    return world[1]


@pytest.mark.parametrize("operation", operations())
def test_every_operation_arrives_and_answers_as_at_the_node(operation, node, remote):
    arguments = sample(operation)
    if operation == "job_watch":
        node.over.set()
    here = getattr(node, operation)(**arguments)
    expected = node.calls.pop()
    there = getattr(remote, operation)(**arguments)
    if operation == "job_watch":
        here, there = tuple(here), tuple(there)
        assert node.calls[-1][1]["after"] == expected[1]["after"]
    else:
        assert node.calls == [expected]
    assert there == here
    assert type(there) is type(here)


@pytest.mark.parametrize("operation", operations())
def test_the_double_and_the_remote_have_every_operation_with_its_signature(operation):
    original = inspect.signature(getattr(Node, operation))
    assert operation in vars(Double)
    assert operation in vars(RemoteNode)
    assert inspect.signature(getattr(RemoteNode, operation)) == original
    assert list(inspect.signature(getattr(Double, operation)).parameters) == list(original.parameters)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors_are_the_same_after_the_journey(name, remote):
    with pytest.raises(UnseenError) as caught:
        remote.contract_show(name)
    assert type(caught.value) is type(ERRORS[name])
    assert caught.value.to_dict() == ERRORS[name].to_dict()
    assert str(caught.value) == str(ERRORS[name])


def test_a_bug_of_the_node_shows_nothing_of_its_inside(remote):
    with pytest.raises(UnseenError, match="failed on this request") as caught:
        remote.contract_show("bug")
    assert "secret" not in str(caught.value)


def test_defaults_are_those_of_the_node(node, remote):
    remote.ledger_entries()
    remote.asset_show("diagnoses")
    remote.contract_refuse("c")
    assert [arguments for _, arguments in node.calls] == [
        {"after": 0, "limit": 100},
        {"name": "diagnoses", "holder": None},
        {"contract_id": "c", "reason": ""},
    ]


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "../../v1/status", "x/evidence"])
def test_names_that_would_change_the_path_are_refused(text, node, remote):
    with pytest.raises(UsageError):
        remote.peer_remove(text)
    assert node.calls == []


@pytest.mark.parametrize("text", ["a?b=c", "a#b", "%2e%2e", "a%2Fb", "ä ö", "a\nb"])
def test_odd_names_arrive_as_they_are(text, node, remote):
    remote.peer_remove(text)
    assert node.calls == [("peer_remove", {"name": text})]


def test_what_is_no_json_is_refused_before_it_is_sent(remote):
    with pytest.raises(UsageError, match="JSON"):
        remote.contract_propose({"x": float("nan")})


def _event(seq: int, **more) -> JobEvent:
    return JobEvent(seq=seq, at=NOW, job=JOB.id, **({"kind": "task"} | more))


def test_watching_ends_when_the_job_is_over(node, remote):
    node.events = [_event(1), _event(2, kind="progress", progress=TASKS[0]), _event(3)]
    node.over.set()
    assert list(remote.job_watch(JOB.id)) == node.events


def test_watching_gives_events_before_the_job_is_over(node, remote):
    node.events = [_event(1)]
    watching = remote.job_watch(JOB.id)
    assert next(watching).seq == 1
    node.events.append(_event(2))
    node.over.set()
    assert [event.seq for event in watching] == [2]


def test_watching_with_a_time_out_ends_without_an_event(node, remote):
    node.events = [_event(1)]
    assert [event.seq for event in remote.job_watch(JOB.id, timeout_s=0.1)] == [1]


def test_watching_no_job_is_an_error_at_the_first_step(remote):
    with pytest.raises(UsageError):
        next(remote.job_watch("usage"))


def test_a_wrong_token_is_denied(world):
    address = world[1].address
    with RemoteNode(address, "unseen-owner-wrong") as stranger, pytest.raises(DeniedError):
        stranger.status()


def test_the_variable_and_the_argument_go_before_the_owners_file(world, monkeypatch):
    config = world[2]
    auditor = Tokens(config.home).add("auditor-of-test", "auditor").text
    monkeypatch.setenv("UNSEEN_TOKEN", auditor)
    with RemoteNode.of_home(config.home) as remote:
        remote.status()
        with pytest.raises(DeniedError):
            remote.backup("/b")
    monkeypatch.setenv("UNSEEN_TOKEN", "wrong")
    with RemoteNode.of_home(config.home, token=auditor) as remote:
        remote.status()


def test_a_home_without_node_without_daemon_without_token(tmp_path, monkeypatch):
    monkeypatch.delenv("UNSEEN_TOKEN", raising=False)
    with pytest.raises(UsageError, match="no node at"):
        RemoteNode.of_home(tmp_path)
    (tmp_path / "node.toml").write_text('name = "a"\n')
    with pytest.raises(UsageError, match="no token"):
        RemoteNode.of_home(tmp_path)
    Tokens(tmp_path).write_owner()
    with pytest.raises(UnavailableError, match="not running") as caught:
        RemoteNode.of_home(tmp_path)
    assert caught.value.mend == f"start it with `unseen node run --home {tmp_path}`"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "api.address").write_text("127.0.0.1:1\n")
    with RemoteNode.of_home(tmp_path) as remote, pytest.raises(UnavailableError, match="not running"):
        remote.status()


def test_neither_repr_nor_errors_show_the_token(world):
    _, remote, config = world
    token = (config.home / "owner.token").read_text().strip()
    assert token not in repr(remote)
    assert (config.home / "owner.token").stat().st_mode & 0o777 == 0o600


def test_a_killed_daemons_port_is_not_sent_the_token(tmp_path):
    config = NodeConfig(name="hospital", home=tmp_path)
    Home(tmp_path).make()
    (tmp_path / "node.toml").write_text(to_toml(config))
    Tokens(tmp_path).write_owner()
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    with serve(Double(), config):
        (tmp_path / "lock").write_bytes(ended.stdout)
        with pytest.raises(UnavailableError, match="not running"):
            RemoteNode.of_home(tmp_path)
        for holder in (f"{os.getpid()}\n", "", "nonsense", "9" * 40):
            (tmp_path / "lock").write_text(holder)
            with RemoteNode.of_home(tmp_path) as remote:
                assert remote.status().name == "hospital"
