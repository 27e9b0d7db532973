"""Run an installed function on columns of all holders, in secret shares; only what it declares is revealed (自定义函数)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unseen.core.cost import Cost, Network
from unseen.core.errors import LocalProtocolError, UsageError
from unseen.data.table import Table
from unseen.jobs import engines
from unseen.jobs import function as functions
from unseen.jobs.artefacts import Artefact
from unseen.jobs.function import Function
from unseen.jobs.step import Roles, Sizes
from unseen.jobs.tables import to_table
from unseen.learn.vertical import layout
from unseen.mpc import SecretArray
from unseen.party import Disclosure, Door, Party

VERSION = 3
SUMMARY = "Run a function that all parties have installed on their columns, in secret shares; reveal what it declares."
ROLES = {
    "holders": "bring columns of the common rows, in the same order, and hold shares",
    "receivers": "the holders who get what the function returns",
    "helper": engines.ROLE_OF_HELPER,
}
INPUTS = {"table": "the common rows, in the same order at every holder (step psi)"}
OUTPUTS = {"answer": "what the function returns, at the receivers"}
LEVELS = ("shared",)
OPTIONAL_ROLES, TRUST, trust = engines.OPTIONAL_ROLES, engines.TRUST, engines.trust

_SECONDS_PER_BYTE = 2e-8


class Params(engines.OnShares):
    """Which function, on which columns.

    Attributes
    ----------
    function
        A name in the package `unseen.jobs.functions` or an entry point of the group `unseen.functions`.
    columns
        Argument -> holder and its columns: one column, or several where the function takes a matrix.
    options
        Public parameters of the function; what is not named has its default.
    version, fingerprint
        Of the function: filled in where the contract is drafted (:func:`pin`), checked at every party.
    """

    function: str = "group-difference"
    columns: dict[str, tuple[str, tuple[str, ...]]] = Field(default_factory=dict)
    options: dict[str, bool | int | float] = Field(default_factory=dict)
    version: int | None = None
    fingerprint: str | None = None


def pin(params: Params) -> Params:
    """With the version and fingerprint of the function as it is installed here, unless they are there already.

    Raises
    ------
    UsageError
        There is no such function here.
    """
    if params.fingerprint is not None:
        return params
    made, fingerprint = functions.find(params.function)
    return params.model_copy(update={"version": made.version, "fingerprint": fingerprint})


def _function(params: Params, roles: Roles) -> Function:
    """The pinned function, if roles and parameters fit it."""
    made = functions.check_pinned(params.function, version=params.version, pinned=params.fingerprint)
    holders = roles.all("holders")
    problems = [
        f"{word}: {', '.join(sorted(names))}"
        for word, names in (
            ("columns are missing for", set(made.inputs) - set(params.columns)),
            ("it has no inputs", set(params.columns) - set(made.inputs)),
            ("it has no options", set(params.options) - set(made.options)),
            ("these are no holders", {who for who, _ in params.columns.values()} - set(holders)),
            ("receivers are holders, unlike", set(roles.all("receivers")) - set(holders)),
            (
                "one column is due for",
                {
                    name
                    for name, (_, columns) in params.columns.items()
                    if name in made.inputs and not made.inputs[name].many and len(columns) != 1
                },
            ),
        )
        if names
    ]
    if problems:
        raise UsageError(
            f"The function '{params.function}' does not fit what it is given.",
            why=made.summary,
            mend=f"it takes: {'; '.join(f'{name}: {item.what}' for name, item in made.inputs.items())}",
            problems=tuple(problems),
        )
    return made


def disclosures(params: Params, roles: Roles) -> tuple[Disclosure, ...]:
    """The shape, and each of the function's outputs to the receivers."""
    made = _function(params, roles)
    fed = "; ".join(
        f"{name}: {holder}'s {', '.join(columns)}"
        for name, (holder, columns) in sorted(params.columns.items())
    )
    by = f"by function {params.function}, version {params.version}, of {fed}"
    options = {**made.options, **params.options}
    if options:
        by += f"; with {', '.join(f'{name} {value:g}' for name, value in sorted(options.items()))}"
    what = "the number of rows, and of columns of each holder"
    return (
        Disclosure(layout.DISCLOSURE, what, roles.everyone, Door.RELEASE, max_elements=1, times=2),
        *(
            Disclosure(name, f"{output.what} ({by})", roles.all("receivers"), Door.REVEAL, output.elements)
            for name, output in made.outputs.items()
        ),
    )


def estimate(params: Params, roles: Roles, sizes: Sizes, network: Network) -> Cost:
    """What the function says of itself, for the smallest table."""
    made = _function(params, roles)
    rows = min((sizes.rows.get(holder, 0) for holder in roles.all("holders")), default=0)
    sent, rounds = round(made.bytes_per_row * rows), made.rounds
    seconds = sent * _SECONDS_PER_BYTE + rounds * (network.latency_s + 1e-4) + sent / network.bytes_per_s
    return engines.scaled(Cost(seconds, sent, rounds, sent), roles, params, network)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At holders and helper."""
    made = _function(params, roles)
    holders, receivers = roles.all("holders"), roles.all("receivers")
    table = to_table(inputs["table"]) if party.name in holders else None
    own = {
        name: _column(party.name, table, made.inputs[name], name, columns)
        for name, (holder, columns) in params.columns.items()
        if holder == party.name and table is not None
    }
    block = None if table is None else np.zeros((table.rows, sum(_width(item) for item in own.values())))
    sizes = layout.agree(party, block, holders=holders)
    engine = engines.open_engine(party, roles, params)
    secrets: dict[str, Any] = {}
    for name, (holder, columns) in sorted(params.columns.items()):
        many = (len(columns),) if made.inputs[name].many else ()
        secrets[name] = engine.share(
            own.get(name), owner=holder, shape=(sizes.rows, *many), dtype=made.inputs[name].kind
        )
    answer = made(**secrets, **params.options)
    if set(answer) != set(made.outputs) or not all(isinstance(it, SecretArray) for it in answer.values()):
        raise LocalProtocolError(
            f"The function '{params.function}' returned something else than it declares.",
            why=f"declared: {', '.join(made.outputs)}; returned: {', '.join(answer)}",
            mend="return a dictionary with a secret array for each output",
        )
    told = engine.reveal_all(answer, to=receivers)
    if party.name not in receivers:
        return {}
    plain = {name: np.atleast_1d(values) for name, values in told.items() if values is not None}
    numbers = {name: values.tolist() for name, values in plain.items() if values.size == 1}
    meta = {"function": params.function, "version": params.version, "rows": sizes.rows}
    return {
        "answer": Artefact("metrics", plain, {**meta, **{name: item[0] for name, item in numbers.items()}})
    }


def _width(values: NDArray[Any]) -> int:
    return 1 if values.ndim == 1 else values.shape[1]


def _column(
    me: str, table: Table, wanted: functions.Input, name: str, columns: tuple[str, ...]
) -> NDArray[Any]:
    missing = [column for column in columns if column not in table.names]
    if missing:
        raise UsageError(
            f"{me}'s table has no column {', '.join(missing)}.", why=f"it has: {', '.join(table.names)}"
        )
    values = table.numeric(columns)
    fits = {bool: (values == 0) | (values == 1), int: values == np.rint(values)}.get(wanted.kind)
    if fits is not None and not fits.all():
        raise UsageError(
            f"{me}'s {', '.join(columns)} cannot be '{name}': {wanted.what}.",
            why=f"a number there is no {'0 or 1' if wanted.kind is bool else 'whole number'}",
        )
    return values if wanted.many else values[:, 0]
