"""No request may be larger than anything we would ask for."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unseen.api.wire import error_body
from unseen.core.errors import UsageError

MAX_BODY_BYTES = 8 << 20
_TOO_LARGE = 413


class _TooLargeError(Exception):
    """The body went past the limit while it was read."""


class LimitBody:
    """ASGI middleware: refuses bodies over `MAX_BODY_BYTES`, declared or not, before they are all in memory."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await _drain(receive, at_most=8 * self._limit)
            await self._refuse(send)
            return
        read, more, refused = 0, True, False

        async def counted() -> Message:
            nonlocal read, more
            message = await receive()
            read += len(message.get("body", b""))
            more = bool(message.get("more_body", False))
            if read > self._limit:
                raise _TooLargeError
            return message

        async def answer(message: Message) -> None:
            # whatever the application makes of our error, what goes out is the refusal
            nonlocal refused
            if read <= self._limit:
                await send(message)
            elif not refused:
                refused = True
                if more:
                    await _drain(receive, at_most=8 * self._limit)
                await self._refuse(send)

        await self._app(scope, counted, answer)

    async def _refuse(self, send: Send) -> None:
        error = UsageError(
            f"The request is larger than {self._limit >> 20} MiB.",
            mend="data goes into files, not into requests",
        )
        body = json.dumps(error_body(error)).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": _TOO_LARGE, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _drain(receive: Receive, *, at_most: int) -> None:
    """Read on without keeping it: who still sends when we close sees a broken connection, not our answer."""
    read = 0
    while read <= at_most:
        message = await receive()
        read += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
