"""The HTTP API of one node: every operation as a route, by the table of :mod:`unseen.api.routes`.

Errors are `{"error": {...}}` with the class's HTTP status; requests carry `Authorization: Bearer TOKEN`. Only
`/health` and `/openapi.json` are open to anyone who reaches the address.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any, get_origin

import structlog
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from unseen import __version__
from unseen.api.limits import LimitBody
from unseen.api.routes import Route, routes
from unseen.api.stream import Watchers
from unseen.api.tokens import Tokens, TokenView, may
from unseen.api.wire import BYTES, EVENT_STREAM, error_body
from unseen.core.errors import DeniedError, UnseenError, UsageError
from unseen.node.metrics import Metrics
from unseen.node.operations import Node

_log = structlog.get_logger("unseen.api")
_BEARER = HTTPBearer(auto_error=False, description="A token made by `unseen node token add`")
_UNAUTHORISED = 401
_BAD_REQUEST = 400
_NO_CONTENT = 204
_PARAMETER = inspect.Parameter


class _UnknownCallerError(DeniedError):
    """Nobody we know: 401 rather than 403."""

    http = _UNAUTHORISED


def create_app(node: Node, tokens: Tokens, *, metrics: Metrics | None = None) -> FastAPI:
    """The application; without `metrics`, `/metrics` says that there are none."""
    app = FastAPI(
        title="unseen node",
        version=__version__,
        description="What a person or program may ask of one party's node. Internal address only.",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    watchers = Watchers(node)
    for route in routes():
        _add(app, route, _endpoint(route, node, watchers), tokens)
    _add_health(app)
    _add_metrics(app, tokens, metrics)
    app.add_middleware(LimitBody)
    app.add_exception_handler(UnseenError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
    return app


def caller(tokens: Tokens, given: HTTPAuthorizationCredentials | None, operation: str) -> TokenView:
    """Who calls, if they may.

    Raises
    ------
    DeniedError
        Without a known token (401), or with one whose role does not cover the operation (403).
    """
    if given is None:
        raise _UnknownCallerError(
            "This request carries no token.",
            mend="send 'Authorization: Bearer TOKEN'; the owner's is in owner.token in the node's home",
        )
    try:
        token = tokens.check(given.credentials)
    except DeniedError as error:
        raise _UnknownCallerError(error.what, why=error.why, mend=error.mend) from None
    if not may(token.role, operation):
        raise DeniedError(
            f"Token '{token.name}' may not call {operation}.",
            clause=f"role {token.role}",
            mend="use a token of another role (`unseen node token add`)",
        )
    return token


def _guarded(tokens: Tokens, operation: str) -> type[APIRoute]:
    """A kind of route that asks for the token before it reads anything else of a request."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def check(request: Request) -> Response:
                token = caller(tokens, await _BEARER(request), operation)
                _log.info("api.call", operation=operation, token=token.name, role=token.role)
                return await handle(request)

            return check

    return Guarded


def _add(app: FastAPI, route: Route, endpoint: Callable[..., Any], tokens: Tokens) -> None:
    stream, raw, nothing = is_stream(route), route.returns is bytes, route.returns is type(None)
    media = EVENT_STREAM if stream else BYTES
    responses: dict[int | str, dict[str, Any]] = {
        code: {"description": text} for code, text in _ERRORS.items()
    }
    if stream or raw:
        responses[200] = {"content": {media: {}}, "description": route.summary}
    router = APIRouter(route_class=_guarded(tokens, route.operation))
    router.add_api_route(
        route.path,
        endpoint,
        methods=[route.method],
        name=route.operation,
        operation_id=route.operation,
        tags=[route.tag],
        summary=route.summary,
        description=route.description,
        status_code=_NO_CONTENT if nothing else 200,
        response_model=None if stream or raw or nothing else route.returns,
        response_class=Response if stream or raw or nothing else JSONResponse,
        responses=responses,
        dependencies=[Depends(_BEARER)],  # for the description; the route's class does it
    )
    app.include_router(router)


_ERRORS = {
    401: "No token, or one that is not known",
    403: "Role, contract or policy says no",
    409: "A signature or proof does not verify",
    422: "The input is wrong",
    503: "Node, disk or peer is not available",
}


def is_stream(route: Route) -> bool:
    """Whether the operation gives its answer piece by piece."""
    return get_origin(route.returns) is Iterator


def _endpoint(route: Route, node: Node, watchers: Watchers) -> Callable[..., Any]:
    """A function with the signature that FastAPI reads, which calls the operation."""
    operation = getattr(node, route.operation)

    def call(**arguments: Any) -> Any:
        body = arguments.pop("body_", None)
        if body is not None:
            arguments.update({field.name: getattr(body, field.name) for field in route.at("field")})
        answer = operation(**arguments)
        return Response(answer, media_type=BYTES) if route.returns is bytes else answer

    async def watch(request: Request, **arguments: Any) -> Response:
        return await watchers.stream(request, **arguments)

    endpoint: Callable[..., Any] = watch if is_stream(route) else call
    parameters = [_parameter(field.name, field.type, field.default, field.where) for field in route.fields]
    parameters = [parameter for parameter in parameters if parameter is not None]
    if is_stream(route):
        parameters.append(_PARAMETER("request", _PARAMETER.KEYWORD_ONLY, annotation=Request))
    if route.body is not None:
        due = any(field.default is _PARAMETER.empty for field in route.at("field"))
        default = _PARAMETER.empty if due else route.body()
        parameters.append(
            _PARAMETER("body_", _PARAMETER.KEYWORD_ONLY, annotation=route.body, default=default)
        )
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    endpoint.__name__ = route.operation
    return endpoint


def _parameter(name: str, kind: Any, default: Any, where: str) -> Any:
    if where == "field":
        return None
    annotation = {"path": Annotated[kind, Path()], "query": Annotated[kind, Query()]}.get(where, kind)
    return _PARAMETER(name, _PARAMETER.KEYWORD_ONLY, annotation=annotation, default=default)


def _add_health(app: FastAPI) -> None:
    @app.get("/health", tags=["care"], summary="The node answers.")
    def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}


def _add_metrics(app: FastAPI, tokens: Tokens, metrics: Metrics | None) -> None:
    # whoever may see the status may see its figures
    router = APIRouter(route_class=_guarded(tokens, "status"), dependencies=[Depends(_BEARER)])

    @router.get("/metrics", tags=["care"], summary="Figures for Prometheus.")
    def figures() -> Response:
        if metrics is None:
            raise UsageError("This node keeps no figures.")
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.include_router(router)


def _answer(error: UnseenError) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if error.http == _UNAUTHORISED else None
    return JSONResponse(error_body(error), status_code=error.http, headers=headers)


async def _on_error(_request: Request, error: Exception) -> JSONResponse:
    return _answer(error) if isinstance(error, UnseenError) else await _on_bug(_request, error)


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    problems = tuple(
        f"{'.'.join(str(part) for part in item['loc'] if part != 'body') or 'body'}: "
        f"{str(item['msg']).removeprefix('Value error, ')}"
        for item in found
    )
    many = "s" if len(problems) > 1 else ""
    return _answer(
        UsageError(
            f"The request has {len(problems)} mistake{many}.", mend="correct them all", problems=problems
        )
    )


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == _BAD_REQUEST:
        return _answer(UsageError("The request's body cannot be read.", why="it is not JSON as we take it"))
    wrong = UsageError(
        f"There is no {request.method} {request.url.path} in this API.",
        mend="see /openapi.json or docs/api.md",
    )
    return JSONResponse(error_body(wrong), status_code=status)


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    _log.error("api.bug", path=request.url.path, exc_info=error)
    hidden = UnseenError(
        "The node failed on this request.",
        why="a mistake in unseen; details are in the node's log",
        mend="report it with that part of the log",
    )
    return _answer(hidden)
