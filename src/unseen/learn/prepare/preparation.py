"""A list of rules as one thing: learnt on the training rows, applied one after the other, kept with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import TypeAdapter

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.data.table import Table
from unseen.learn.prepare.bins import Woe
from unseen.learn.prepare.columns import empty, family, type_of
from unseen.learn.prepare.rules import AnyRule, Rule

_RULES: TypeAdapter[AnyRule | Woe] = TypeAdapter(AnyRule | Woe)


class Preparation:
    """The rules of one holder.

    Attributes
    ----------
    rules_
        The rules, each with what it has learnt from the training rows as the rules before it left them.
    schema_
        Features of the training table and what they hold, in order: name -> "number", "text" or "timestamp".
    """

    rules_: tuple[Rule, ...]
    schema_: dict[str, str]

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)

    def get_params(self) -> dict[str, Any]:
        """What was asked for."""
        return {"rules": [rule.get_params() for rule in self.rules]}

    def fit(self, train: Table) -> Self:
        """Learn all rules.

        Raises
        ------
        UsageError
            No rows, or columns from which a rule cannot be learnt.
        """
        if not train.rows:
            raise UsageError("There are no training rows.", mend="bring more common rows")
        self.schema_ = {name: family(type_of(train, name)) for name in train.features}
        learnt = []
        for rule in self.rules:
            learnt.append(rule.model_copy().fit(train))
            train = learnt[-1].transform(train)
        self.rules_ = tuple(learnt)
        return self

    def learnt(self, train: Table, states: Sequence[Mapping[str, Any]]) -> Self:
        """The rules with states that were learnt elsewhere, jointly with other holders: one for each rule."""
        self.schema_ = {name: family(type_of(train, name)) for name in train.features}
        self.rules_ = tuple(
            rule.restored(dict(state)) for rule, state in zip(self.rules, states, strict=True)
        )
        return self

    def transform(self, table: Table) -> Table:
        """Apply all rules; features come in the order of training.

        Raises
        ------
        UsageError
            Other features than in training, or values that a rule does not foresee.
        """
        table = self._as_in_training(table)
        for rule in self.rules_:
            table = rule.transform(table)
        return table

    def _as_in_training(self, table: Table) -> Table:
        if not hasattr(self, "schema_"):
            raise LocalProtocolError("This preparation has learnt nothing yet.", mend="call fit(train) first")
        here = {name: family(type_of(table, name)) for name in table.features}
        problems = [f"column '{name}' is missing" for name in self.schema_ if name not in here]
        problems += [
            f"column '{name}' was not there in training" for name in here if name not in self.schema_
        ]
        problems += [
            f"column '{name}' holds {here[name]} where training had {kind}"
            for name, kind in self.schema_.items()
            if here.get(name, kind) != kind and not empty(table, name)
        ]
        if problems:
            raise UsageError(
                "These columns are not those of training.",
                why=f"training had: {', '.join(self.schema_) or 'none'}",
                mend="bring the same columns under the same names (--ignore leaves one out)",
                problems=tuple(problems),
            )
        others = [name for name in table.names if name not in here]
        return table.select([*others, *self.schema_])

    # ------------------------------------------------------------------ as plain data

    def to_plain(self) -> dict[str, Any]:
        """All that scoring needs, as plain data."""
        rules = [{"params": rule.get_params(), "state": rule.state_} for rule in self.rules_]
        return {"schema": [[name, kind] for name, kind in self.schema_.items()], "rules": rules}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Preparation:
        """What :meth:`to_plain` gave."""
        rules = [_RULES.validate_python(item["params"]) for item in plain["rules"]]
        made = cls(rules)
        made.schema_ = dict(plain["schema"])
        made.rules_ = tuple(
            rule.restored(item["state"]) for rule, item in zip(rules, plain["rules"], strict=True)
        )
        return made
