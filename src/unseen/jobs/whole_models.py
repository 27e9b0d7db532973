"""Whole models as artefacts of kind "model", and as files of other software."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import msgspec

from unseen.core import registry
from unseen.core.errors import UsageError
from unseen.jobs.artefacts import Artefact
from unseen.learn.export.before import Chain
from unseen.learn.export.whole import Whole

WHOLE = "model"
_FORMATS = "unseen.learn.export"
_WITHOUT_BEFORE, FORMAT = 1, 2


class Format(Protocol):
    """The names of a file in `learn/export`."""

    SUFFIX: str

    def written(self, model: Whole) -> bytes:
        """The file's content."""


@dataclass(frozen=True, slots=True)
class WholeModel:
    """A whole model, and whose its columns are: (holder, name), in order."""

    model: Whole
    columns: tuple[tuple[str, str], ...]

    def to_artefact(self) -> Artefact:
        """As artefact of kind "model"."""
        before = {"before": msgspec.to_builtins(self.model.before)} if self.model.before else {}
        meta: dict[str, Any] = {
            "format": FORMAT if before else _WITHOUT_BEFORE,
            "kind": self.model.kind,
            "family": self.model.family,
            "columns": [list(one) for one in self.columns],
            **before,
        }
        return Artefact(WHOLE, self.model.arrays, meta)

    @classmethod
    def of(cls, artefact: Artefact) -> WholeModel:
        """The model of an artefact.

        Raises
        ------
        UsageError
            It is none, or of a later format.
        """
        if artefact.kind != WHOLE or artefact.meta["format"] not in (_WITHOUT_BEFORE, FORMAT):
            raise UsageError(f"A {artefact.kind} is there where a whole model of format {FORMAT} is due.")
        before = msgspec.convert(artefact.meta.get("before", ()), tuple[Chain, ...])
        columns = tuple((holder, name) for holder, name in artefact.meta["columns"])
        model = Whole(artefact.meta["kind"], artefact.meta["family"], names(columns), artefact.arrays, before)
        return cls(model, columns)

    def with_rules(self, before: tuple[Chain, ...]) -> WholeModel:
        """The same, to be used on columns as they come: one chain for each of the model's columns, of its holder."""
        sources = tuple(
            dict.fromkeys(
                (holder, chain.source) for (holder, _), chain in zip(self.columns, before, strict=True)
            )
        )
        called = dict(zip(sources, names(sources), strict=True))
        chains = tuple(
            msgspec.structs.replace(chain, source=called[holder, chain.source])
            for (holder, _), chain in zip(self.columns, before, strict=True)
        )
        return replace(self, model=replace(self.model, before=chains))


def names(columns: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Names of columns of several holders: as they are, with the holder before those that several have."""
    plain = [name for _, name in columns]
    return tuple(name if plain.count(name) == 1 else f"{holder}.{name}" for holder, name in columns)


def formats() -> tuple[str, ...]:
    """Names of the formats."""
    found = registry.names(_FORMATS)
    return tuple(name for name in found if hasattr(registry.load(_FORMATS, name), "SUFFIX"))


def written(whole: WholeModel, form: str) -> bytes:
    """The model as a file of that format.

    Raises
    ------
    UsageError
        There is no such format, or it cannot hold this model.
    """
    if form not in formats():
        raise UsageError(f"There is no format '{form}'.", mend=f"there are: {', '.join(formats())}")
    return cast("Format", registry.load(_FORMATS, form)).written(whole.model)
