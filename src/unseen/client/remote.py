"""A node that runs elsewhere, with the operations of :class:`unseen.node.operations.Node`, over its HTTP API.

    node = RemoteNode.of_home("~/.unseen")
    node.contract_list()

The command line and notebooks use it; whatever takes a `Node` takes a `RemoteNode`. Errors are the same classes.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from pathlib import Path
from types import NoneType, TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from unseen.api.routes import Route, operations, route
from unseen.api.wire import error_from, read_events
from unseen.core.errors import UnavailableError, UnseenError, UsageError
from unseen.node.models import JobEvent
from unseen.node.operations import Node

TOKEN_VARIABLE = "UNSEEN_TOKEN"  # noqa: S105 - the name of a variable
TIMEOUT_S = 120.0
_CONNECT_S = 5.0
_SILENCE_S = 30.0
_OK = 200


class RemoteNode(Node):
    """Every public method of `Node` sends one request.

    Parameters
    ----------
    address
        `host:port` or URL of the node's internal address.
    token
        A token made by `unseen node token add`.
    timeout_s
        How long the node may take for an answer; watching a job is not limited.
    known_as
        How messages call the node.
    """

    def __init__(self, address: str, token: str, *, timeout_s: float = TIMEOUT_S, known_as: str = "") -> None:
        self.address = address if "://" in address else f"http://{address}"
        self._known_as = known_as or f"at {address}"
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S),
            trust_env=False,  # the token is for this address only, not for a proxy
        )

    @classmethod
    def of_home(cls, home: str | os.PathLike[str], *, token: str | None = None) -> Self:
        """The node that runs on a home of this machine.

        The token is the given one, else that of the variable UNSEEN_TOKEN, else the owner's in the home.

        Raises
        ------
        UsageError
            There is no home, or no token that we may read.
        UnavailableError
            No node runs on it.
        """
        folder = Path(home).expanduser().absolute()
        if not (folder / "node.toml").is_file():
            raise UsageError(
                f"There is no node at {folder}.",
                mend=f"make one with `unseen node init NAME --home {folder}`, or name another with --home",
            )
        text = token or os.environ.get(TOKEN_VARIABLE) or _read(folder / "owner.token")
        if text is None:
            raise UsageError(
                f"There is no token for the node at {folder}.",
                why="its owner.token is not there or not yours to read",
                mend=f"set {TOKEN_VARIABLE} to a token that its owner made for you",
            )
        address = _read(folder / "run" / "api.address")
        if address is None or _holder_is_gone(folder):
            raise not_running(folder)
        return cls(address, text, known_as=f"at {folder}")

    def close(self) -> None:
        """Close the connections. The node goes on."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteNode({self.address!r})"

    def _send(self, found: Route, arguments: Mapping[str, Any]) -> Any:
        request = _request(found, arguments)
        try:
            answer = self._client.request(found.method, **request)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if not answer.is_success:
            raise _error(answer)
        if found.returns is bytes:
            return answer.content
        if found.returns is NoneType:
            return None
        try:
            return _adapter(found.operation).validate_json(answer.content)
        except ValidationError as error:
            raise _misunderstood(found, error) from error

    def _watch(self, found: Route, arguments: Mapping[str, Any]) -> Iterator[JobEvent]:
        """Events until the stream says that it is complete; a stream that merely stops is an error."""
        timeout = httpx.Timeout(self._timeout_s, connect=_CONNECT_S, read=_SILENCE_S)
        try:
            with self._client.stream(found.method, timeout=timeout, **_request(found, arguments)) as answer:
                if answer.status_code != _OK:
                    answer.read()
                    raise _error(answer)
                for event in read_events(answer.iter_lines()):
                    if event.kind == "end":
                        return
                    if event.kind == "error":
                        raise error_from(_json(event.data), status=_OK)
                    yield JobEvent.model_validate_json(event.data)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        except ValidationError as error:
            raise _misunderstood(found, error) from error
        raise UnavailableError(f"The node {self._known_as} stopped telling.", mend="watch the job again")

    def _unreachable(self, error: httpx.TransportError) -> UnavailableError:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return UnavailableError(
                f"The node {self._known_as} is not running or cannot be reached.",
                why=str(error),
                mend="start it with `unseen node run`, or check the address",
            )
        return UnavailableError(
            f"The node {self._known_as} did not answer.",
            why=str(error) or type(error).__name__,
            mend="see its log; what was asked may have been done: look before asking again",
        )


def not_running(home: Path) -> UnavailableError:
    """What to say where no daemon runs on a home."""
    return UnavailableError(
        f"The node at {home} is not running.", mend=f"start it with `unseen node run --home {home}`"
    )


def _calling(name: str) -> Callable[..., Any]:
    original = getattr(Node, name)
    signature = inspect.signature(original)
    found = route(name)
    streamed = name == "job_watch"

    @wraps(original)
    def call(self: RemoteNode, *arguments: Any, **named: Any) -> Any:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        values = {key: value for key, value in bound.arguments.items() if key != "self"}
        return self._watch(found, values) if streamed else self._send(found, values)

    return call


for _name in operations():
    setattr(RemoteNode, _name, _calling(_name))


@cache
def _adapter(operation: str) -> TypeAdapter[Any]:
    return TypeAdapter(route(operation).returns)


def _request(found: Route, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where each argument travels, as httpx takes it."""
    url = found.path
    for field in found.at("path"):
        text = str(arguments[field.name])
        if text in {"", ".", ".."} or "/" in text:  # would lead to another route
            raise UsageError(f"'{text}' names nothing.", mend=f"give {field.name.replace('_', ' ')}")
        url = url.replace(f"{{{field.name}}}", quote(text, safe=""))
    query = {
        field.name: arguments[field.name] for field in found.at("query") if arguments[field.name] is not None
    }
    request: dict[str, Any] = {"url": url, "params": query}
    for field in found.at("body"):
        value = arguments[field.name]
        request["content"] = _dumped(value.model_dump(mode="json") if isinstance(value, BaseModel) else value)
    if found.body is not None:
        request["content"] = _dumped({field.name: arguments[field.name] for field in found.at("field")})
    if "content" in request:
        request["headers"] = {"Content-Type": "application/json"}
    return request


def _dumped(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UsageError("An argument cannot be written as JSON.", why=str(error)) from error


def _error(answer: httpx.Response) -> UnseenError:
    return error_from(_json(answer.text), status=answer.status_code)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _misunderstood(found: Route, error: ValidationError) -> UnseenError:
    return UnseenError(
        f"The node's answer to {found.operation} is not understood.",
        why=f"{error.error_count()} fields are not as version {_version()} knows them",
        mend="use the same version of unseen on both sides",
    )


def _version() -> str:
    from unseen import __version__  # noqa: PLC0415 - only for errors

    return __version__


def _holder_is_gone(home: Path) -> bool:
    """Whether the process in the home's lock file lives no more.

    A daemon that was killed leaves its address behind; whoever has that port by now must not be sent the token.
    """
    holder = _read(home / "lock")
    if holder is None or not holder.isdigit():
        return False
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
