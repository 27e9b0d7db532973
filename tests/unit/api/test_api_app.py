"""The API as an attacker, an auditor and a careless program meet it."""

from __future__ import annotations

import json
from urllib.parse import quote

import anyio
import httpx
import pytest
from api_double import ERRORS, JOB, NOW, Double, sample

from unseen.api.app import is_stream
from unseen.api.limits import MAX_BODY_BYTES
from unseen.api.routes import PREFIX, operations, route, routes
from unseen.api.server import serve
from unseen.api.stream import Watchers
from unseen.api.tokens import ROLES, Tokens, may
from unseen.core.errors import UnavailableError
from unseen.node.config import NodeConfig
from unseen.node.home import Home
from unseen.node.metrics import Metrics
from unseen.node.models import JobEvent
from unseen.node.operations import READ_ONLY


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home"))
    home.make()
    tokens = Tokens(home.path)
    texts = {role: tokens.add(role, role).text for role in ROLES}
    node = Double()
    node.over.set()
    with (
        serve(node, NodeConfig(name="hospital", home=home.path), Metrics()) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=60) as client,
    ):
        yield node, client, texts


@pytest.fixture
def node(world):
    world[0].calls.clear()
    world[0].events.clear()
    return world[0]


@pytest.fixture
def client(world, node):
    return world[1]


def _headers(world, role="owner"):
    return {"Authorization": f"Bearer {world[2][role]}"}


def _send(client, operation, headers):
    found = route(operation)
    arguments = sample(operation)
    path = found.path
    for field in found.at("path"):
        path = path.replace(f"{{{field.name}}}", quote(arguments[field.name], safe=""))
    body = {field.name: arguments.get(field.name) for field in found.at("field")} or None
    for field in found.at("body"):
        value = arguments[field.name]
        body = value if isinstance(value, dict) else value.model_dump(mode="json")
    query = {field.name: arguments[field.name] for field in found.at("query") if field.name in arguments}
    return client.request(found.method, path, json=body, params=query, headers=headers)


def test_every_operation_has_one_route_and_no_route_stands_for_nothing():
    assert sorted(found.operation for found in routes()) == sorted(operations())
    assert len({(found.method, found.path) for found in routes()}) == len(routes())


def test_what_a_browser_may_repeat_changes_nothing():
    for found in routes():
        if found.method == "GET":
            assert found.operation in READ_ONLY, found.operation


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", operations())
def test_roles(world, client, node, role, operation):
    answer = _send(client, operation, _headers(world, role))
    called = {name for name, _ in node.calls}
    if may(role, operation):
        assert answer.is_success, answer.text
        assert operation in called
    else:
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "denied"
        assert answer.json()["error"]["clause"] == f"role {role}"
        assert called == set()


@pytest.mark.parametrize("operation", operations())
@pytest.mark.parametrize(
    "header",
    [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic dTpw"}, {"Authorization": "Bearer"}],
)
def test_nobody_gets_anything(client, node, operation, header):
    answer = _send(client, operation, header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "denied"
    assert node.calls == []


def test_a_token_in_the_address_opens_nothing(world, client):
    token = world[2]["owner"]
    assert client.get(f"{PREFIX}/status?token={token}&access_token={token}").status_code == 401


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors_have_their_classs_status(world, client, name):
    answer = client.get(f"{PREFIX}/contracts/{name}", headers=_headers(world))
    assert answer.status_code == ERRORS[name].http
    assert answer.json()["error"]["what"] == ERRORS[name].what


def test_a_bug_is_500_and_tells_nothing(world, client):
    answer = client.get(f"{PREFIX}/contracts/bug", headers=_headers(world))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/assets", {"name": "X X", "path": "p"}, ["name", "steps", "purposes"]),
        ("/assets", {"name": "x", "path": "p", "steps": ["a"], "purposes": ["b"], "extra": 1}, ["extra"]),
        ("/jobs", {}, ["contract_id"]),
        ("/jobs", {"contract_id": "c", "more": 1}, ["more"]),
        ("/jobs", {"contract_id": 3}, ["contract_id"]),
        ("/peers", [], ["body"]),
        ("/contracts", [1], ["body"]),
        ("/assets/a/offer", {"to": "laboratory"}, ["to"]),
    ],
)
def test_all_mistakes_at_once(world, client, node, path, body, words):
    answer = client.post(PREFIX + path, json=body, headers=_headers(world))
    assert answer.status_code == 422
    problems = answer.json()["error"]["problems"]
    assert len(problems) == len(words)
    for word, problem in zip(words, problems, strict=True):
        assert problem.startswith(word)
    assert node.calls == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"contract_id": "a"} x', b"[" * 100_000])
def test_what_is_no_json(world, client, node, content):
    headers = {**_headers(world), "Content-Type": "application/json"}
    answer = client.post(f"{PREFIX}/jobs", content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "usage"
    assert node.calls == []


def test_mistakes_do_not_repeat_what_was_sent(world, client):
    answer = client.post(
        f"{PREFIX}/jobs", json={"contract_id": {"secret": "s3cret"}}, headers=_headers(world)
    )
    assert "s3cret" not in answer.text


def test_bodies_have_a_limit_declared_or_not(world, client, node):
    headers = {**_headers(world), "Content-Type": "application/json"}
    large = b" " * (MAX_BODY_BYTES + 1)
    assert client.post(f"{PREFIX}/jobs", content=large, headers=headers).status_code == 413

    def pieces():
        for _ in range(9):
            yield b" " * (1 << 20)

    answer = client.post(f"{PREFIX}/jobs", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "usage"
    assert node.calls == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/v2/status", 404), ("PUT", "/v1/status", 405), ("GET", "/docs", 404)],
)
def test_no_such_route(world, client, method, path, status):
    answer = client.request(method, path, headers=_headers(world))
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == "usage"


def test_health_is_open_and_says_nothing_more(client):
    assert client.get("/health").json().keys() == {"status", "version"}


def test_figures_are_for_whoever_may_see_the_status(world, client):
    assert client.get("/metrics").status_code == 401
    answer = client.get("/metrics", headers=_headers(world, "auditor"))
    assert "unseen_peers_connected 0.0" in answer.text


def test_openapi_describes_every_operation_with_its_types(client):
    described = client.get("/openapi.json").json()
    by_id = {
        method["operationId"]: method
        for methods in described["paths"].values()
        for method in methods.values()
        if method["operationId"] in operations()
    }
    assert by_id.keys() == set(operations())
    for name, method in by_id.items():
        assert method["summary"]
        assert method["security"], name
        assert "403" in method["responses"]
    assert "JobStartRequest" in described["components"]["schemas"]
    assert "ContractView" in described["components"]["schemas"]
    json.dumps(described, allow_nan=False)


def test_a_stream_has_numbers_and_an_end(world, client, node):
    node.events = [JobEvent(seq=number, at=NOW, job=JOB.id, kind="task") for number in (1, 2)]
    answer = client.get(f"{PREFIX}/jobs/{JOB.id}/events", headers=_headers(world, "auditor"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [line for line in answer.text.splitlines() if line.startswith(("event", "id"))]
    assert kinds == ["id: 1", "event: job", "id: 2", "event: job", "event: end"]


def test_a_stream_goes_on_where_a_browser_lost_it(world, client, node):
    node.events = [JobEvent(seq=number, at=NOW, job=JOB.id, kind="task") for number in (1, 2, 3)]
    headers = {**_headers(world), "Last-Event-ID": "2"}
    answer = client.get(f"{PREFIX}/jobs/{JOB.id}/events", headers=headers)
    assert [line for line in answer.text.splitlines() if line.startswith("id")] == ["id: 3"]


def test_watching_what_is_not_there_is_a_plain_error(world, client):
    assert client.get(f"{PREFIX}/jobs/usage/events", headers=_headers(world)).status_code == 422


def test_too_many_watchers_are_refused(world):
    full = Watchers(world[0], most=0)
    assert is_stream(route("job_watch"))

    async def ask():
        return await full.stream(None, job_id=JOB.id)  # type: ignore[arg-type]

    with pytest.raises(UnavailableError, match="watch"):
        anyio.run(ask)
