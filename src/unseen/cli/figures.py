"""Figures of an artefact as tables for people: what `unseen job result --json` has nested, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST = 20  # single values on one line
_OF_NO_COLUMN = ("intercept", "losses")  # as long as there are columns by chance


@dataclass(frozen=True, slots=True)
class Section:
    """A table: its place within the artefact, such as "told.bank"; the names of its columns, its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def facts(meta: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Name and value of what fits on a line, floats with six digits."""
    return [(name, _plain(value)) for name, value in meta.items() if _fits(value)]


def sections(meta: Mapping[str, Any]) -> list[Section]:
    """All else: a table for each list of records, each record of records, each matrix, each set of columns.

    Parameters
    ----------
    meta
        Of `JSON`: nested records, lists, texts, numbers. Where a set of columns is as long as `columns`, these names stand before
        them; before the rows of a matrix those in `of`.
    """
    found: list[Section] = []
    for name, value in meta.items():
        if not _fits(value) and name != "of":
            found += _sections(name, value, meta)
    return found


def _fits(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _LONGEST and all(_single(item) for item in value)
    return _single(value)


def _single(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _plain(value: Any) -> object:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return f"{value:.6g}" if isinstance(value, float) else value


def _sections(title: str, value: Any, meta: Mapping[str, Any]) -> list[Section]:
    if isinstance(value, dict):
        return _of_record(title, value, meta)
    if not isinstance(value, list) or not value:
        return []
    if all(isinstance(item, dict) for item in value):
        return [_records(title, "", [("", item) for item in value])]
    if all(isinstance(item, list) and _fits(item) for item in value):
        return [_matrix(title, value, meta)]
    return []


def _of_record(title: str, value: dict[str, Any], meta: Mapping[str, Any]) -> list[Section]:
    if not value:
        return []
    inner = list(value.values())
    if all(_single(item) for item in inner):
        return [Section(title, ("", ""), tuple((name, _plain(item)) for name, item in value.items()))]
    if all(isinstance(item, dict) and _flat(item) for item in inner):
        return [_records(title, "", list(value.items()))]
    names = meta.get("columns")
    if all(isinstance(item, list) and all(map(_single, item)) for item in inner):
        return _by_column(title, value, names if isinstance(names, list) else [])
    found: list[Section] = []
    for name, item in value.items():
        if _fits(item):
            found.append(Section(f"{title}.{name}", (name,), ((_plain(item),),)))
        else:
            found += _sections(f"{title}.{name}", item, {})
    return found


def _flat(record: dict[str, Any]) -> bool:
    """Whether a record is a row: single values, or records and lists of these, one deep."""
    return all(
        _fits(item) or (isinstance(item, dict) and all(map(_single, item.values())))
        for item in record.values()
    )


def _records(title: str, first: str, records: Sequence[tuple[str, dict[str, Any]]]) -> Section:
    rows = [(name, _flattened(record)) for name, record in records]
    columns = tuple(dict.fromkeys(key for _, row in rows for key in row))
    named = any(name for name, _ in rows)
    return Section(
        title,
        (*((first,) if named else ()), *columns),
        tuple(
            (*((name,) if named else ()), *(_plain(row.get(key, "")) for key in columns))
            for name, row in rows
        ),
    )


def _flattened(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, item in record.items():
        if isinstance(item, dict):
            flat.update({f"{name} {key}": inner for key, inner in item.items()})
        else:
            flat[name] = item
    return flat


def _by_column(title: str, value: dict[str, list[Any]], names: list[Any]) -> list[Section]:
    """Lists as long as there are columns side by side, others on lines of their own."""
    beside = {
        name: item
        for name, item in value.items()
        if names and len(item) == len(names) and name not in _OF_NO_COLUMN and " of " not in name
    }  # "gain of b": by the columns of another party, whose names are not here
    found = []
    if beside:
        rows = zip(names, *beside.values(), strict=True)
        found.append(
            Section(title, ("column", *beside), tuple(tuple(_plain(item) for item in row) for row in rows))
        )
    found += [
        Section(f"{title}.{name}", (name,), tuple((_plain(entry),) for entry in item))
        for name, item in value.items()
        if name not in beside
    ]
    return found


def _matrix(title: str, value: list[list[Any]], meta: Mapping[str, Any]) -> Section:
    of = meta.get("of")
    width = max(len(row) for row in value)
    if isinstance(of, list) and len(of) == len(value) == width:
        names = [".".join(map(str, item)) if isinstance(item, list) else str(item) for item in of]
        rows = [(name, *map(_plain, row)) for name, row in zip(names, value, strict=True)]
        return Section(title, ("", *names), tuple(rows))
    return Section(
        title, tuple(map(str, range(1, width + 1))), tuple(tuple(map(_plain, row)) for row in value)
    )
