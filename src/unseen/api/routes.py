"""Which HTTP route stands for which operation of :class:`unseen.node.operations.Node`.

The table says method and path; what is sent where follows from the operation's own signature, for server
(:mod:`unseen.api.app`) and client alike: parameters named in the path go there, a pydantic value or mapping is
the body, other parameters are the query of a GET or the fields of a JSON body. No web framework is imported here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from unseen.node.operations import Node

PREFIX = "/v1"
Method = Literal["GET", "POST", "DELETE"]

_TABLE: dict[str, tuple[Method, str]] = {
    "status": ("GET", "/status"),
    "identity": ("GET", "/identity"),
    "peer_invite": ("POST", "/invitations"),
    "peer_inspect": ("POST", "/invitations/inspect"),
    "peer_accept": ("POST", "/peers"),
    "peer_list": ("GET", "/peers"),
    "peer_remove": ("DELETE", "/peers/{name}"),
    "asset_add": ("POST", "/assets"),
    "asset_list": ("GET", "/assets"),
    "asset_show": ("GET", "/assets/{name}"),
    "asset_offer": ("POST", "/assets/{name}/offer"),
    "asset_remove": ("DELETE", "/assets/{name}"),
    "contract_propose": ("POST", "/contracts"),
    "contract_list": ("GET", "/contracts"),
    "contract_show": ("GET", "/contracts/{contract_id}"),
    "contract_sign": ("POST", "/contracts/{contract_id}/sign"),
    "contract_refuse": ("POST", "/contracts/{contract_id}/refuse"),
    "contract_withdraw": ("POST", "/contracts/{contract_id}/withdraw"),
    "evidence_bundle": ("GET", "/contracts/{contract_id}/evidence"),
    "evidence_export": ("POST", "/contracts/{contract_id}/evidence/export"),
    "job_start": ("POST", "/jobs"),
    "job_list": ("GET", "/jobs"),
    "job_show": ("GET", "/jobs/{job_id}"),
    "job_watch": ("GET", "/jobs/{job_id}/events"),
    "job_result": ("GET", "/jobs/{job_id}/result"),
    "result_export": ("POST", "/jobs/{job_id}/result/export"),
    "job_cancel": ("POST", "/jobs/{job_id}/cancel"),
    "artefacts": ("GET", "/jobs/{job_id}/artefacts"),
    "artefact_export": ("POST", "/jobs/{job_id}/artefacts/{reference}/export"),
    "model_list": ("GET", "/models"),
    "model_show": ("GET", "/models/{version}"),
    "model_verify": ("GET", "/models/{version}/verify"),
    "model_export": ("POST", "/models/{version}/export"),
    "ledger_heads": ("GET", "/ledger/heads"),
    "ledger_entries": ("GET", "/ledger/entries"),
    "backup": ("POST", "/backup"),
    "stock_list": ("GET", "/stocks"),
    "step_list": ("GET", "/steps"),
    "step_show": ("GET", "/steps/{name}"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of an operation and where it travels; `default` is `inspect.Parameter.empty` if due."""

    name: str
    type: Any
    default: Any
    where: Literal["path", "query", "body", "field"]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation over HTTP.

    Attributes
    ----------
    fields
        All parameters, in order.
    body
        The pydantic model of the fields that travel together in a JSON body, if there are any.
    returns
        The operation's return type.
    """

    operation: str
    method: Method
    path: str
    fields: tuple[Field, ...]
    body: type[BaseModel] | None
    returns: Any
    summary: str
    description: str

    @property
    def tag(self) -> str:
        """The resource it belongs to: first part of the path."""
        return self.path.removeprefix(PREFIX).split("/")[1]

    def at(self, where: str) -> tuple[Field, ...]:
        """Parameters that travel there."""
        return tuple(field for field in self.fields if field.where == where)


def operations() -> tuple[str, ...]:
    """Names of all operations of a node, as the class has them."""
    members = inspect.getmembers(Node, inspect.isfunction)
    return tuple(name for name, _ in members if not name.startswith("_"))


@cache
def route(operation: str) -> Route:
    """The route of one operation; KeyError if the table forgot it (a test says so first)."""
    method, path = _TABLE[operation]
    function = getattr(Node, operation)
    hints = get_type_hints(function)
    fields = tuple(
        Field(name, hints[name], parameter.default, _where(name, hints[name], method, path))
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    )
    summary, _, description = (inspect.getdoc(function) or "").partition("\n\n")
    return Route(
        operation,
        method,
        PREFIX + path,
        fields,
        _body(operation, fields),
        hints["return"],
        summary,
        description,
    )


@cache
def routes() -> tuple[Route, ...]:
    """All routes, in the table's order."""
    return tuple(route(operation) for operation in _TABLE)


def _where(name: str, kind: Any, method: Method, path: str) -> Literal["path", "query", "body", "field"]:
    if f"{{{name}}}" in path:
        return "path"
    if get_origin(kind) is Mapping or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return "body"
    return "query" if method == "GET" else "field"


def _body(operation: str, fields: tuple[Field, ...]) -> type[BaseModel] | None:
    together: dict[str, Any] = {
        field.name: (field.type, ... if field.default is inspect.Parameter.empty else field.default)
        for field in fields
        if field.where == "field"
    }
    if not together:
        return None
    title = "".join(part.capitalize() for part in operation.split("_")) + "Request"
    return create_model(title, __config__=ConfigDict(frozen=True, extra="forbid"), **together)
