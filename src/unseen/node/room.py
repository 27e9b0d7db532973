"""Whether this node has the disk and the memory that a run is expected to take: asked before its first message, and before each task.

What a task takes is the estimate of its step. Temporary files of tasks lie in one folder (`jobs.scratch`, else the system's);
artefacts and checkpoints lie in the home and are not reckoned here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from unseen.core.cost import Cost, amount
from unseen.core.errors import DeniedError, UnavailableError
from unseen.govern.contract import Contract
from unseen.node.config import JobsConfig


class Room:
    """See the module."""

    def __init__(self, me: str, config: JobsConfig) -> None:
        self.me = me
        self._config = config

    @property
    def folder(self) -> Path:
        """Where temporary files go."""
        return self._config.scratch or Path(tempfile.gettempdir())

    def lacking(self, contract: Contract, costs: Mapping[str, Cost]) -> tuple[str, ...]:
        """Of each task that does not fit here now, by its estimate, why; one sentence each."""
        found = (
            self._objection(task.name, costs[task.name])
            for task in contract.tasks
            if self.me in task.parties and task.name in costs
        )
        return tuple(filter(None, found))

    def check(self, contract: Contract, costs: Mapping[str, Cost]) -> None:
        """Check that a run fits.

        Raises
        ------
        DeniedError
            It does not: nothing of it has begun anywhere by this party's doing.
        """
        if lacking := self.lacking(contract, costs):
            raise DeniedError(
                f"{self.me} has too little room for a run.",
                why=" ".join(lacking),
                mend=f"free space on the disk of {self.folder}, set jobs.scratch in node.toml to a folder on a larger one, or raise "
                "jobs.scratch_bytes or jobs.memory_bytes; or agree on fewer rows, columns or bins",
                clause="jobs",
                party=self.me,
            )

    def check_now(self, task: str, costs: Mapping[str, Cost]) -> None:
        """Check once more, right before a task, that the disk still has room for it.

        Raises
        ------
        UnavailableError
            Not now: the task is tried again.
        """
        cost = costs.get(task)
        if cost is not None and (objection := self._of_disk(task, cost)):
            raise UnavailableError(
                f"{self.me} has too little room for task '{task}'.",
                why=objection,
                mend=f"free space on the disk of {self.folder}",
                party=self.me,
            )

    def _objection(self, task: str, cost: Cost) -> str:
        most_memory, most_scratch = self._config.memory_bytes, self._config.scratch_bytes
        if most_memory is not None and cost.memory_bytes > most_memory:
            return (
                f"Task '{task}' is expected to take {amount(cost.memory_bytes)} of memory at one party, and this node allows "
                f"{amount(most_memory)} (jobs.memory_bytes)."
            )
        scratch = cost.scratch.get(self.me, 0)
        if most_scratch is not None and scratch > most_scratch:
            return (
                f"Task '{task}' is expected to take {amount(scratch)} of temporary files here, and this node allows "
                f"{amount(most_scratch)} (jobs.scratch_bytes)."
            )
        return self._of_disk(task, cost)

    def _of_disk(self, task: str, cost: Cost) -> str:
        scratch = cost.scratch.get(self.me, 0)
        if not scratch or scratch <= (free := self._free()):
            return ""
        return (
            f"Task '{task}' is expected to take {amount(scratch)} of temporary files here, and {self.folder} has "
            f"{amount(free)} free."
        )

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self.folder).free
        except OSError:
            return 0
