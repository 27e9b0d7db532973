"""What travels besides the node's own values: errors as JSON, and a job's events as Server-Sent Events.

An error's body is `{"error": {"code", "what", "why", "mend", "party", "step"}}` and, where there are some,
`problems` (all wrong fields at once) or `clause` (the rule that said no). A stream of events is `text/event-stream`
(WHATWG HTML, section 9.2): `event: job` carries a JobEvent, `event: end` says that the stream is complete, `event:
error` carries an error; a comment keeps the connection alive while nothing happens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from unseen.core.errors import DeniedError, UnseenError, UsageError, from_dict

KEEP_ALIVE = ": still here\n\n"
EVENT_STREAM = "text/event-stream"
BYTES = "application/octet-stream"


def error_body(error: UnseenError) -> dict[str, Any]:
    """JSON form of an error for this party's user."""
    fields: dict[str, Any] = dict(error.to_dict())
    if isinstance(error, UsageError) and error.problems:
        fields |= {"why": error.why, "problems": list(error.problems)}
    if isinstance(error, DeniedError) and error.clause:
        fields["clause"] = error.clause
    return {"error": fields}


def error_from(body: Any, *, status: int) -> UnseenError:
    """The error that :func:`error_body` wrote; for any other body one that says so."""
    fields = body.get("error") if isinstance(body, dict) else None
    if not isinstance(fields, dict):
        return UnseenError(
            f"The node answered with HTTP status {status} and no readable error.",
            why="something between here and the node answered, or it is not a node of unseen",
            mend="check the address, and proxies on the way",
        )
    texts = {key: value for key, value in fields.items() if value is None or isinstance(value, str)}
    error = from_dict(texts)
    if isinstance(error, UsageError):
        error.problems = tuple(str(problem) for problem in fields.get("problems") or ())
    if isinstance(error, DeniedError):
        error.clause = str(fields.get("clause") or "")
    return error


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream."""

    kind: str
    data: str
    number: str = ""


def write_event(event: ServerEvent) -> str:
    """The lines of one event. `data` must have no line breaks (JSON has none)."""
    number = f"id: {event.number}\n" if event.number else ""
    return f"{number}event: {event.kind}\ndata: {event.data}\n\n"


def read_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Events in lines without their ends; comments and unfinished events are left out."""
    kind, number = "message", ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(kind, "\n".join(data), number)
            kind, number, data = "message", "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            number = value
        elif name == "data":
            data.append(value)


def error_event(error: UnseenError) -> str:
    """An error as the last event of a stream."""
    return write_event(ServerEvent("error", json.dumps(error_body(error))))
