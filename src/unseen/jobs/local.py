"""Run a whole contract in this process: every party a thread, links in memory. For trying out and for tests.

The same steps, gates and disclosure rules as on nodes, but all data lies in one process, so nothing is protected
from whoever runs it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from unseen.core.errors import UnseenError, UsageError
from unseen.core.events import Progress
from unseen.core.ids import new_id
from unseen.data.table import Table
from unseen.govern.contract import MODEL, Contract, TaskTerms
from unseen.govern.policy import compile_policy
from unseen.jobs.artefacts import Artefact
from unseen.jobs.execute import Finished, TaskRecord, run_task
from unseen.jobs.tables import from_table
from unseen.link.channel import abort_all
from unseen.link.memory import mesh
from unseen.party import MemoryJournal, Session
from unseen.party.kept import Kept

Watch = Callable[[str, Progress], None]


@dataclass(slots=True)
class LocalRun:
    """What came of it: artefacts by party and reference (`TASK.OUTPUT`), and the record of each task by party."""

    artefacts: dict[str, dict[str, Artefact]] = field(default_factory=dict)
    records: dict[str, dict[str, TaskRecord]] = field(default_factory=dict)


def run_local(
    contract: Contract, tables: Mapping[str, Table], *, watch: Watch = lambda _party, _progress: None
) -> LocalRun:
    """Run every task of the contract in order.

    Parameters
    ----------
    tables
        Asset name -> table.
    watch
        Called as `watch(party, progress)`.

    Raises
    ------
    UsageError
        A table is missing, or a task names a model by its version.
    UnseenError
        A task failed: the error of the party that failed first.
    """
    missing = [asset.name for asset in contract.assets if asset.name not in tables]
    if missing:
        raise UsageError(f"There is no table for {', '.join(missing)}.", mend="give one for each asset")
    stored = {
        f"task '{terms.name}' takes '{reference}' as {name}"
        for terms in contract.tasks
        for party in terms.parties
        for name, reference in terms.input_of(party).items()
        if reference.startswith(MODEL)
    }
    if stored:
        raise UsageError(
            "A model by its version cannot be used in this process.",
            why="its parts are stored at nodes, and here there are none",
            mend="train in the same workflow and give the task's output (TASK.model), or run it on nodes (Loopback, Consortium)",
            problems=tuple(sorted(stored)),
        )
    run = LocalRun({name: {} for name in contract.party_names}, {name: {} for name in contract.party_names})
    for asset in contract.assets:
        run.artefacts[asset.holder][asset.reference] = from_table(tables[asset.name])
    job, key = new_id("job"), secrets.token_bytes(32)
    with TemporaryDirectory() as folder:
        for terms in contract.tasks:
            kept = {name: Kept(Path(folder) / name, key) for name in terms.parties}
            for party, finished in _run_task(contract, terms, job, run, watch, kept).items():
                run.records[party][terms.name] = finished.record
                for output, artefact in finished.outputs.items():
                    run.artefacts[party][f"{terms.name}.{output}"] = artefact
    return run


def _run_task(
    contract: Contract, terms: TaskTerms, job: str, run: LocalRun, watch: Watch, kept: Mapping[str, Kept]
) -> dict[str, Finished]:
    links = mesh(terms.parties)
    results: dict[str, Finished] = {}
    errors: list[UnseenError | Exception] = []

    def body(name: str) -> None:
        try:
            results[name] = run_task(
                terms,
                Session(job, terms.name, 1),
                me=name,
                links=links[name],
                policy=compile_policy(contract, terms.name),
                journal=MemoryJournal(),
                inputs={
                    item: run.artefacts[name][reference]
                    for item, reference in contract.inputs_of(terms.name, name).items()
                    if reference in run.artefacts[name]
                },
                progress=lambda progress: watch(name, progress),
                kept=kept[name],
            )
        except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
            if isinstance(
                error, UnseenError
            ):  # whose input it is, is known; who broke a protocol, the protocol says
                error.at(party=name if isinstance(error, UsageError) else None, step=terms.name)
            errors.append(error)
            abort_all(links[name], error, terms.name)

    threads = [
        threading.Thread(target=body, args=(name,), name=f"{terms.name}-{name}") for name in terms.parties
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
