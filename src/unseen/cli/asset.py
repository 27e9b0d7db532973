"""`unseen asset`: the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, done, emit

Names = Annotated[tuple[str, ...], Parameter(negative="")]
Sensitivity = Literal["public", "internal", "personal", "special"]


def add(
    name: str,
    path: Path,
    *,
    step: Names,
    purpose: Names,
    id: Names = (),  # noqa: A002 - the option's name
    label: Names = (),
    ignore: Names = (),
    sensitivity: dict[str, Sensitivity] | None = None,
    legal_basis: str = "",
    epsilon: float | None = None,
    answers: int | None = None,
    budget: str = "",
    common: Common = COMMON,
) -> None:
    """Put a CSV or Parquet file into the catalogue. The file stays where it is.

    Parameters
    ----------
    name
        What contracts call it.
    path
        The file.
    step
        Steps that may work on it and on what comes of it, parted by commas or given several times.
    purpose
        What it may be used for; may be given several times.
    id
        Columns that identify a record.
    label
        Columns that hold what is to be predicted.
    ignore
        Columns that nobody shall use.
    sensitivity
        How sensitive a column is, as in `--sensitivity.age special`; "personal" where nothing is said.
    legal_basis
        Why you may use these data.
    epsilon
        Differential privacy: what all answers about it may spend together; answers without noise are refused then.
    answers
        How many answers about it there may be, over all contracts.
    budget
        Name of the budget, where other assets are to share it: those about the same people.
    """
    from unseen.cli.forms import add_asset  # noqa: PLC0415 - after the arguments are known to be right

    request = add_asset(
        name=name,
        path=str(path.expanduser().absolute()),
        id_columns=id,
        label_columns=label,
        ignore_columns=ignore,
        sensitivity=sensitivity or {},
        steps=tuple(name for given in step for name in given.split(",")),
        purposes=purpose,
        legal_basis=legal_basis,
        epsilon=epsilon,
        answers=answers,
        budget=budget,
    )
    with connect(common) as node:
        emit(common, node.asset_add(request), show.asset)


def list_(*, common: Common = COMMON) -> None:
    """Show own assets, and those whose terms peers offered."""
    with connect(common) as node:
        emit(common, node.asset_list(), show.assets)


def show_(name: str, *, holder: str | None = None, common: Common = COMMON) -> None:
    """Show one asset with its columns; says whether the file has changed.

    Parameters
    ----------
    name
        The asset's name.
    holder
        The peer that offered it; this node if left out.
    """
    with connect(common) as node:
        emit(common, node.asset_show(name, holder=holder), show.asset)


def offer(name: str, *, to: Names, common: Common = COMMON) -> None:
    """Send the terms of an own asset (columns, row count, allowed steps; no data) to peers.

    Parameters
    ----------
    name
        The asset's name.
    to
        Peers; may be given several times.
    """
    with connect(common) as node:
        node.asset_offer(name, to)
    done(common, f"Offered {name} to {', '.join(to)}.")


def remove(name: str, *, common: Common = COMMON) -> None:
    """Take an own asset out of the catalogue. The file stays; contracts that name it can no longer run.

    Parameters
    ----------
    name
        The asset's name.
    """
    with connect(common) as node:
        node.asset_remove(name)
    done(common, f"Removed {name}; the file stays.")
