"""Local(): the whole workflow in this process, each party a thread. For trying out: nothing is protected here."""

from __future__ import annotations

from collections.abc import Callable

from unseen.client.outcome import Outcome, PartyOutcome
from unseen.client.workflow import Workflow
from unseen.core.events import Progress
from unseen.jobs.local import run_local

Watch = Callable[[str, Progress], None]


class Local:
    """The same steps, gates and disclosure rules as on nodes, without nodes."""

    def run(self, workflow: Workflow, *, watch: Watch = lambda _party, _progress: None) -> Outcome:
        """Run a workflow whose tables were given with :meth:`Workflow.table`.

        Raises
        ------
        UsageError
            A table is missing, or a task takes a model by its version, which only nodes have.
        UnseenError
            A task failed.
        """
        identities = {name: f"ed25519:{place:064x}" for place, name in enumerate(workflow.parties)}
        done = run_local(workflow.contract(identities), workflow.tables, watch=watch)
        return Outcome({name: PartyOutcome(name, held) for name, held in done.artefacts.items()})
