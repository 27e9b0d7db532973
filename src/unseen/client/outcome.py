"""What came of a workflow, by party: the same in every environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.data.table import Table
from unseen.jobs.artefacts import Artefact


@dataclass(frozen=True, slots=True)
class PartyOutcome:
    """What one party has afterwards: its artefacts by reference (`TASK.OUTPUT`)."""

    party: str
    artefacts: Mapping[str, Artefact]

    def __getitem__(self, reference: str) -> Artefact:
        if reference not in self.artefacts:
            raise UsageError(
                f"{self.party} has no '{reference}'.",
                why=f"it has: {', '.join(sorted(self.artefacts)) or 'nothing'}",
            )
        return self.artefacts[reference]

    def metrics(self, task: str) -> dict[str, Any]:
        """The measures of an evaluation."""
        return dict(self[f"{task}.metrics"].meta)

    def scores(self, task: str) -> NDArray[np.float64]:
        """One probability per row."""
        return self[f"{task}.scores"].arrays["scores"]

    def ids(self, task: str) -> Table:
        """The ids of the rows that `scores` are of."""
        return Table.from_ipc(self[f"{task}.scores"].arrays["ids"].tobytes())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    parties
        Party -> what it has.
    bundle
        The evidence, to be audited; empty where nobody signed (Local).
    """

    parties: Mapping[str, PartyOutcome]
    bundle: bytes = b""

    def at(self, party: str) -> PartyOutcome:
        """One party's."""
        if party not in self.parties:
            raise UsageError(f"There is no party '{party}'.", why=f"parties: {', '.join(self.parties)}")
        return self.parties[party]
