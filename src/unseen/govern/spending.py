"""What runs of a contract tell about assets, against what the assets' owners allow (隐私预算).

One answer about a set can be harmless and two can not: two counts over sets that differ in a row tell of that row. So answers are
counted over all contracts: at every holder, for its own assets, when a run is counted, before its first message. A resumed run is the
same run; a cancelled one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unseen.core.errors import DeniedError
from unseen.dp.budget import Budget, Spent, total
from unseen.govern.contract import AssetTerms, Contract, TaskTerms

Tells = Callable[[TaskTerms], Spent | None]
"""What one run of a task tells about each asset that it works on; None: no answer about sets of rows."""


def account(asset: AssetTerms) -> str:
    """The name under which an asset's answers are added up."""
    return asset.name if asset.budget is None else asset.budget.name


def told_by_a_run(contract: Contract, assets: Mapping[str, AssetTerms], tells: Tells) -> dict[str, Spent]:
    """Account -> what one run tells, of the named assets; those of which nothing is told are left out."""
    tasks: dict[str, dict[str, TaskTerms]] = {}
    for asset in contract.assets:
        if asset.name in assets:
            named = tasks.setdefault(account(assets[asset.name]), {})
            named.update({task.name: task for task in contract.tasks_on(asset.name)})
    found = {
        name: total(spent for task in named.values() if (spent := tells(task)) is not None)
        for name, named in tasks.items()
    }
    return {name: spent for name, spent in found.items() if spent.answers}


def check_budget(asset: AssetTerms, spent: Spent, more: Spent) -> None:
    """Check that a run may tell so much more about an asset.

    Raises
    ------
    DeniedError
        The budget does not allow it: names it, and what is left.
    """
    if asset.budget is None:
        return
    why = Budget(asset.budget.epsilon, asset.budget.answers).objection(spent, more)
    if why:
        raise DeniedError(
            f"The budget '{asset.budget.name}' of '{asset.name}' does not allow this run.",
            why=why,
            mend="ask for fewer answers or more noise; its owner may add the asset again with a larger budget",
            clause=f"budget of asset {asset.name}",
            party=asset.holder,
        )
