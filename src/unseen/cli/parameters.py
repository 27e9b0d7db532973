"""A step's parameters in words for people: what kind of value each takes, and what it means, out of their JSON schema."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_RULE = ("do", "of", "columns")  # what every rule of `prepare` takes, and the step says once
_ATTRIBUTES = re.compile(r"\n*Attributes\n-+\n")


def kinds(params: Schema) -> tuple[tuple[str, str, str], ...]:
    """Of each parameter its name, what it takes, and its default ("due" if it has none)."""
    due = set(params.get("required", ()))
    return tuple(
        (name, _kind(schema), "due" if name in due else _default(schema))
        for name, schema in params.get("properties", {}).items()
    )


def meanings(params: Schema) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What is said of all of them together, and of one or a few by name; then of the kinds of entries that they are made of."""
    about, *named = _ATTRIBUTES.split(inspect.cleandoc(params.get("description", "")))
    entries = []
    for entry in re.split(r"\n(?=\S)", named[0]) if named else ():
        names, _, words = entry.partition("\n")
        entries.append((names, " ".join(words.split())))
    for made in params.get("$defs", {}).values():
        word = made.get("properties", {}).get("do", {}).get("const", made.get("title", ""))
        own = ", ".join(
            f"{name} ({kind}; {default})" for name, kind, default in kinds(made) if name not in _RULE
        )
        entries.append((word, " ".join(made.get("description", "").split()) + f" Takes {own}."))
    return about, tuple(entries)


def _kind(schema: Schema) -> str:
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema.get("anyOf", schema.get("oneOf", ()))))
    if "enum" in schema or "const" in schema:
        return ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    if "$ref" in schema:
        return "an entry as below"
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        parts = schema.get("prefixItems")
        return f"({', '.join(map(_kind, parts))})" if parts else f"list of {_kind(schema.get('items', {}))}"
    if kind == "object":
        return f"name -> {_kind(schema.get('additionalProperties', {}))}"
    return {"null": "nothing", "string": "text", "boolean": "yes or no"}.get(kind, kind) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {schema[name]:g}" for name, sign in signs.items() if name in schema]
    return f" {', '.join(found)}" if found else ""


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)
