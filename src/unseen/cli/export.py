"""`unseen export`: write results and evidence to files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unseen.cli import show
from unseen.cli.session import COMMON, Common, connect, emit

Flag = Annotated[bool, Parameter(negative="")]


def result(job: str, folder: Path, *, report: Flag = False, common: Common = COMMON) -> None:
    """Write everything this party received from a job to a folder.

    Parameters
    ----------
    job
        The job's id, or an unambiguous beginning of it.
    folder
        A folder that is empty or does not exist yet.
    report
        With measures of a model: a page (`report.html`), and its pictures as SVG and PNG.
    """
    with connect(common) as node:
        emit(common, node.result_export(job, _absolute(folder), report=report), show.exported)


def artefact(job: str, reference: str, folder: Path, *, common: Common = COMMON) -> None:
    """Write one received artefact to a folder: `meta.json`, and a file for each array or table.

    Parameters
    ----------
    job
        The job's id, or an unambiguous beginning of it.
    reference
        TASK.OUTPUT, as `unseen job artefacts` shows it.
    folder
        A folder that is empty or does not exist yet.
    """
    with connect(common) as node:
        emit(common, node.artefact_export(job, reference, _absolute(folder)), show.exported)


def evidence(contract: str, path: Path, *, common: Common = COMMON) -> None:
    """Write everything that `unseen audit` needs about a contract to a file.

    Parameters
    ----------
    contract
        The contract's id, or an unambiguous beginning of it.
    path
        A file that does not exist yet.
    """
    with connect(common) as node:
        emit(common, node.evidence_export(contract, _absolute(path)), show.exported)


def _absolute(path: Path) -> str:
    """The node may run in another folder than this command."""
    return str(path.expanduser().absolute())
