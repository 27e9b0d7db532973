"""Functions on secret arrays that a node's owner installed: what the step `run-function` runs.

    # acme/pay.py, of an installed package that says in its pyproject.toml
    #     [project.entry-points."unseen.functions"]
    #     pay-gap = "acme.pay:pay_gap"
    @function(
        version=1,
        summary="Mean difference in pay.",
        inputs={"salary": Input("the salary"), "woman": Input("whether it is a woman's", kind=bool)},
        outputs={"gap": Output("mean salary of men less that of women")},
    )
    def pay_gap(salary, woman): ...

A function is NumPy on arrays, plain or secret, and also runs under :func:`unseen.mpc.launch`. A node never takes code from a peer:
functions are found among the shipped ones (:mod:`unseen.jobs.functions`) and, by :mod:`importlib.metadata`, among the entry points of
what is installed. A contract pins a function's version and fingerprint: SHA-256 over every file of the package that its
module lies in (a module outside of packages: over its file), with names. A function should keep what it needs in that package,
beside NumPy and unseen.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unseen.core import registry
from unseen.core.errors import DeniedError, UsageError

GROUP = "unseen.functions"
SHIPPED = "unseen.jobs.functions"
_COMPILED = "__pycache__"
_KINDS = (float, int, bool)


@dataclass(frozen=True, slots=True)
class Input:
    """An argument: one column of a holder, a vector; with `many` several columns of one holder, shape (rows, columns).

    `kind` is float, int (whole numbers) or bool (0 and 1).
    """

    what: str
    kind: type = float
    many: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """What is told to the receivers: in words, for those who sign; and how many numbers at most (None: it depends on the data)."""

    what: str
    elements: int | None = 1


@dataclass(frozen=True, slots=True)
class Function:
    """A function and what it says of itself; calling it calls the function.

    Attributes
    ----------
    options
        Public parameters, with their defaults: numbers and Booleans.
    bytes_per_row, rounds
        What it costs between two holders with a helper, for the plan of a run: as :func:`unseen.mpc.launch` measures it.

    Raises
    ------
    UsageError
        The declaration does not hold: all that is wrong with it.
    """

    body: Callable[..., Mapping[str, Any]]
    version: int
    summary: str
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    options: Mapping[str, float] = field(default_factory=dict)
    bytes_per_row: float = 1000.0
    rounds: int = 100

    def __post_init__(self) -> None:
        """Refuse a declaration that does not hold, where it is written and not on the nodes."""
        wrong = list(_wrong(self))
        if wrong:
            raise UsageError(
                f"What {getattr(self.body, '__name__', 'the function')} says of itself does not hold.",
                why="; ".join(wrong),
                mend="inputs and options are the function's arguments by name, outputs what it returns",
            )

    def __call__(self, *arrays: Any, **named: Any) -> Mapping[str, Any]:
        """The function, with default options."""
        return self.body(*arrays, **{**self.options, **named})


def _wrong(made: Function) -> Iterator[str]:
    if not isinstance(made.version, int) or made.version < 1:
        yield f"its version is {made.version!r}, no whole number from 1"
    if not made.summary:
        yield "it has no summary, which is what others sign"
    yield from (f"it has no {what}" for what in ("input", "output") if not getattr(made, f"{what}s"))
    kinds = {name: item.kind for name, item in made.inputs.items() if item.kind not in _KINDS}
    yield from (f"input {name!r} is of {kind!r}, not float, int or bool" for name, kind in kinds.items())
    counts = {name: told.elements for name, told in made.outputs.items() if told.elements is not None}
    yield from (f"output {name!r} has {count} numbers" for name, count in counts.items() if count < 1)
    odd = {name: value for name, value in made.options.items() if not isinstance(value, int | float)}
    yield from (f"option {name!r} is {value!r}, no number or Boolean" for name, value in odd.items())
    try:
        inspect.signature(made.body).bind(**dict.fromkeys([*made.inputs, *made.options]))
    except TypeError as error:
        yield f"its arguments are others ({error})"


def function(**declaration: Any) -> Callable[[Callable[..., Mapping[str, Any]]], Function]:
    """Declare the function below; the names are those of :class:`Function`."""
    return lambda body: Function(body, **declaration)


def names() -> tuple[str, ...]:
    """All functions that are installed here."""
    return tuple(sorted({*registry.names(SHIPPED), *(point.name for point in entry_points(group=GROUP))}))


def find(name: str) -> tuple[Function, str]:
    """The installed function of that name, and its fingerprint (hex).

    Raises
    ------
    UsageError
        There is none, or more than one, or what is there is no function of ours.
    DeniedError
        Its files changed after this process had loaded it.
    """
    if name in registry.names(SHIPPED):
        place, attribute = f"{SHIPPED}.{name.replace('-', '_')}", "FUNCTION"
    else:
        point = _entry_point(name)
        place, attribute = point.module, point.attr
    before = _fingerprint(place, name)
    found = importlib.import_module(place)
    loaded = _AS_LOADED.setdefault(place, before)
    if loaded != before or _fingerprint(place, name) != before:
        raise DeniedError(
            f"The files of function '{name}' changed after this process loaded it.",
            why="what would run is not what lies there",
            mend="restart the node",
            clause=f"function {name}",
        )
    for part in attribute.split("."):
        found = getattr(found, part, None)  # type: ignore[assignment]
    if not isinstance(found, Function):
        raise UsageError(
            f"The installed '{name}' is no function for secret arrays.",
            why=f"{place} has {type(found).__name__} there",
            mend="declare it with unseen.jobs.function.function",
        )
    return found, before


_AS_LOADED: dict[str, str] = {}
"""Module -> the fingerprint that its files had when this process imported it, beside Python's own table of modules."""


def _entry_point(name: str) -> EntryPoint:
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if len(points) != 1:
        packages = ", ".join(point.dist.name for point in points if point.dist is not None)
        raise UsageError(
            f"There is no function '{name}'."
            if not points
            else f"There are {len(points)} functions '{name}'.",
            why=f"installed are: {', '.join(names())}" if not points else f"in: {packages}",
            mend=f"install a package that has an entry point '{name}' in the group {GROUP}"
            if not points
            else "remove all of these packages but one",
        )
    return points[0]


def _fingerprint(place: str, name: str) -> str:
    spec = find_spec(place)
    origin = None if spec is None or spec.origin is None else Path(spec.origin)
    if origin is None or not origin.is_file():
        raise UsageError(f"The code of function '{name}' lies in no file.", why=f"it is the module {place}")
    alone = spec is not None and spec.submodule_search_locations is None and "." not in place
    root = origin.parent
    files = [origin] if alone else [path for path in sorted(root.rglob("*")) if path.is_file()]
    digest = hashlib.sha256(b"unseen/function/v1")
    for path in files:
        if _COMPILED in path.parts:
            continue
        for part in (path.relative_to(root).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def check_pinned(name: str, *, version: int | None, pinned: str | None) -> Function:
    """The installed function, if it is the one that the contract names.

    Raises
    ------
    DeniedError
        It is not installed here, or is another version or other code than the contract pins.
    """
    try:
        made, here = find(name)
    except UsageError as error:
        raise DeniedError(
            f"The function '{name}' of the contract is not here.",
            why=" ".join(part for part in (error.what, error.why) if part),
            mend="install the package that has it; a node never takes code from a peer",
            clause=f"function {name}",
        ) from error
    if (version, pinned) != (made.version, here):
        raise DeniedError(
            f"The installed function '{name}' is not the one in the contract.",
            why=f"the contract pins version {version}, source {str(pinned)[:12]}…; "
            f"installed is version {made.version}, source {here[:12]}…",
            mend="install the same release as the other parties, or propose a new contract",
            clause=f"function {name}",
        )
    return made
