"""`unseen model`: the models that came of joint work, by version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, emit


def list_(*, common: Common = COMMON) -> None:
    """Show the models that this party has, newest first: its parts of joint ones, and whole ones."""
    with connect(common) as node:
        emit(common, node.model_list(), show.joint_models)


def show_(version: str, *, common: Common = COMMON) -> None:
    """Show a model, and where the holders' logs say what they made.

    Parameters
    ----------
    version
        Its version, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        emit(common, node.model_show(version), show.joint_model)


def verify(version: str, *, common: Common = COMMON) -> None:
    """Check that what is stored is what this party committed to in its log, and every holder's receipt.

    Parameters
    ----------
    version
        Its version, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        emit(common, node.model_verify(version), show.joint_model)


def export(
    version: str,
    path: Path,
    *,
    form: Annotated[str, Parameter(name="--format")] = "json",
    common: Common = COMMON,
) -> None:
    """Write a whole model to a file for other software, where a contract entitled this party to it.

    Parameters
    ----------
    version
        Its version, or an unambiguous beginning of it.
    path
        A file that does not exist yet.
    form
        json (scikit-learn's attributes), pmml, onnx, or xgboost (trees).
    """
    with connect(common) as node:
        emit(common, node.model_export(version, str(path.expanduser().absolute()), form), show.exported)
