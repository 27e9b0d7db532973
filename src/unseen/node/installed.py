"""The steps that are installed here, as shown to people."""

from __future__ import annotations

from unseen.core import registry
from unseen.jobs.step import STEPS, fingerprint, step
from unseen.node.models import StepView


class InstalledSteps:
    """Reads the step registry."""

    def list(self) -> tuple[StepView, ...]:
        """All, without the schemas of their parameters."""
        return tuple(self.show(name).model_copy(update={"params": {}}) for name in registry.names(STEPS))

    def show(self, name: str) -> StepView:
        """One.

        Raises
        ------
        UsageError
            There is no such step.
        """
        found = step(name)
        return StepView(
            name=name,
            version=found.VERSION,
            fingerprint=fingerprint(name),
            summary=found.SUMMARY,
            roles=dict(found.ROLES),
            inputs=dict(found.INPUTS),
            outputs=dict(found.OUTPUTS),
            levels=tuple(found.LEVELS),
            trust=found.TRUST,
            params=found.Params.model_json_schema(),
        )
