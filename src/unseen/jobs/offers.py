"""What a step could do instead that nobody would see: offered wherever a step tells who is in an intersection.

A step that has such a variant says so by `hidden_variant(params, roles)`: the step's name and its parameters, or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unseen.core.cost import Cost, Network, amount
from unseen.core.errors import UsageError
from unseen.jobs.step import Roles, Sizes, Step, parse_params, step
from unseen.psi.protocol import DISCLOSURE as INTERSECTION

_ANYBODY = "another organisation"
HIDES = "which rows are common, and how many"


@dataclass(frozen=True, slots=True)
class Offer:
    """Another step for a task.

    Attributes
    ----------
    step, params, helper
        What to write into the workflow instead; `helper` is a party that the workflow names as one, "another organisation" where one is
        needed and it names none, None for nobody.
    cost, instead_of
        What it is expected to cost, and the step as it was asked for.
    """

    step: str
    params: Mapping[str, Any]
    helper: str | None
    cost: Cost
    instead_of: Cost

    def __str__(self) -> str:
        given = ", ".join(
            f"{name} = {str(value).lower() if isinstance(value, bool) else value}"
            for name, value in self.params.items()
            if value not in ([], "inner") and name != "repeats"
        )
        who = f" and {self.helper} as helper" if self.helper else ""
        often = (
            "; `repeats` says how often an id comes at most, once unless raised"
            if "repeats" in self.params
            else ""
        )
        return (
            f"the step '{self.step}' with {given}{who} hides {HIDES}: about {_amount(self.cost)} instead of "
            f"{_amount(self.instead_of)}; the rows stay in shares, for standardise-joined and train-linear (joined), "
            f"and figures about common rows are had of common-statistics{often}"
        )


def offer(
    installed: Step, params: Any, roles: Roles, sizes: Sizes, network: Network, *, helper: str | None
) -> Offer | None:
    """What hides who is in the intersection that a step tells of; None where it tells nothing of that, or nothing hides it."""
    told = {item.name for item in installed.disclosures(params, roles)}
    variant = getattr(installed, "hidden_variant", lambda _params, _roles: None)(params, roles)
    if INTERSECTION not in told or variant is None:
        return None
    name, given = variant
    for who in (helper, _ANYBODY) if helper is None else (helper,):
        seats = Roles({**roles.by_name, **({"helper": (who,)} if who else {})})
        try:
            cost = step(name).estimate(parse_params(name, given), seats, sizes, network)
        except UsageError:
            continue  # not for these parties
        return Offer(name, given, who, cost, installed.estimate(params, roles, sizes, network))
    return None


def _amount(cost: Cost) -> str:
    return f"{cost.seconds:.2g} s, {cost.bytes / 1e6:,.1f} MB sent and {amount(cost.memory_bytes)} of memory"
