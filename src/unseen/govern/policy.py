"""From the signed contract to the rules of a gate."""

from __future__ import annotations

from unseen.govern.contract import Contract
from unseen.party import Disclosure, DisclosurePolicy, Door


def compile_policy(contract: Contract, task: str) -> DisclosurePolicy:
    """What may leave during one task: exactly the disclosures that the contract lists for it."""
    return DisclosurePolicy(
        contract.id,
        task,
        tuple(
            Disclosure(item.name, item.what, item.to, Door(item.door), item.max_elements, item.times)
            for item in contract.disclosures
            if item.task == task
        ),
    )
