"""Learn rules of data preparation on the training rows and apply them to training and held-out rows (数据预处理)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unseen.core.cost import Cost, Network
from unseen.core.errors import UsageError
from unseen.jobs.artefacts import Artefact
from unseen.jobs.step import Roles, Sizes, StepParams
from unseen.jobs.tables import from_preparation, from_table, prepared_by, prepared_of, to_table
from unseen.learn.prepare.preparation import Preparation
from unseen.learn.prepare.rules import AnyRule
from unseen.party import Disclosure, Party

VERSION = 1
SUMMARY = (
    "Fill, clip, scale, encode or cut columns by rules learnt on the training rows; each holder its own."
)
ROLES = {"holders": "have the columns"}
INPUTS = {"train": "training rows", "test": "rows held out"}
OUTPUTS = {
    "train": "prepared training rows",
    "test": "held-out rows, prepared alike",
    "rules": "what was learnt, for the step `transform`",
}
LEVELS = ("shared",)
TRUST = "Each holder works alone: there is nobody to trust."


class Params(StepParams):
    """`rules`, one applied after the other: `impute`, `clip`, `scale`, `one-hot`, `ordinal`, `cut`.

    Each has `do`, the parameters of that rule, and may name a holder (`of`) and some of its columns.
    """

    rules: tuple[AnyRule, ...] = ()


def disclosures(_params: Params, _roles: Roles) -> tuple[Disclosure, ...]:
    """Nothing leaves."""
    return ()


def estimate(params: Params, roles: Roles, sizes: Sizes, _network: Network) -> Cost:
    """Local arithmetic."""
    cells = max(
        (sizes.rows.get(name, 0) * sizes.columns.get(name, 0) for name in roles.all("holders")), default=0
    )
    return Cost(0.02 + len(params.rules) * cells * 1e-7, 0, 0, 64 * cells)


def run(party: Party, inputs: Mapping[str, Artefact], params: Params, roles: Roles) -> dict[str, Any]:
    """At every holder, alone."""
    strangers = sorted({rule.of for rule in params.rules if rule.of} - set(roles.all("holders")))
    if strangers:
        raise UsageError(
            f"The rules speak of {', '.join(strangers)}, who is no holder here.",
            mend=f"holders: {', '.join(roles.all('holders'))}",
        )
    train, test = to_table(inputs["train"]), to_table(inputs["test"])
    mine = Preparation([rule for rule in params.rules if rule.of in (None, party.name)]).fit(train)
    how = [prepared_by(mine, prepared_of(inputs[name])) for name in ("train", "test")]
    return {
        "train": from_table(mine.transform(train), prepared=how[0]),
        "test": from_table(mine.transform(test), prepared=how[1]),
        "rules": from_preparation(mine),
    }
