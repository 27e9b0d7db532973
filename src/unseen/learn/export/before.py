"""What was done to columns before a model was trained on them, as a chain of plain steps from each column as it came to one of the model.

Every rule of preparation works on one column at a time (:mod:`unseen.learn.prepare.rules`), so a model's column is one column of a
file and what was done to it. A chain holds what scoring needs and nothing else: of weights of evidence no counts. Rules by rank are not
told: they hold the column's own values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.prepare import rules
from unseen.learn.prepare.bins import Woe
from unseen.learn.prepare.preparation import Preparation

Floats = NDArray[np.float64]
Given: TypeAlias = NDArray[Any]
"""Values of a column, shape (rows,): float64, NaN where missing; or text as objects, None where missing."""


class _Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of all steps."""


class Fill(_Step, frozen=True, tag="fill"):
    """A number in the place of missing ones."""

    value: float


class Flag(_Step, frozen=True, tag="flag"):
    """1 where the value is missing, else 0."""


class Clip(_Step, frozen=True, tag="clip"):
    """Pulled to the nearest of two limits."""

    low: float
    high: float


class Scale(_Step, frozen=True, tag="scale"):
    """(x - shift) / divide."""

    shift: float
    divide: float


class Bins(_Step, frozen=True, tag="bins"):
    """The number of the bin that a value is in; a value at a cut is in the bin above. `missing`: of missing ones; None: they stay so."""

    cuts: tuple[float, ...]
    values: tuple[float, ...]
    missing: float | None


class Map(_Step, frozen=True, tag="map"):
    """The number of a category, which is text or a number written as such; `rest` of all others, None: there may be none."""

    values: dict[str, float]
    rest: float | None
    missing: float | None


Step: TypeAlias = Fill | Flag | Clip | Scale | Bins | Map


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From a column as it came, `source`, which holds text or numbers, to a column of the model."""

    source: str
    text: bool
    steps: tuple[Step, ...] = ()

    def with_step(self, step: Step) -> Chain:
        """One step longer."""
        return msgspec.structs.replace(self, steps=(*self.steps, step))

    @property
    def size(self) -> int:
        """How many numbers and words it tells."""
        return 1 + sum(_size(step) for step in self.steps)

    def applied(self, values: Given) -> Floats:
        """The model's column, shape (rows,), of values of the source.

        Raises
        ------
        UsageError
            A category that is not foreseen.
        """
        now: Given = values
        for step in self.steps:
            now = _applied(step, now, self.source)
        return np.asarray(now, np.float64)


def _size(step: Step) -> int:
    if isinstance(step, Bins):
        return len(step.cuts) + len(step.values) + 1
    return 2 * len(step.values) + 2 if isinstance(step, Map) else 2


def _applied(step: Step, values: Given, source: str) -> Floats:
    if isinstance(step, Map):
        return _mapped(step, values, source)
    numbers = np.asarray(values, np.float64)
    missing = np.isnan(numbers)
    match step:
        case Fill():
            return np.where(missing, step.value, numbers)
        case Flag():
            return missing.astype(np.float64)
        case Clip():
            return np.clip(numbers, step.low, step.high)
        case Scale():
            return (numbers - step.shift) / step.divide
        case _:
            places = np.searchsorted(np.array(step.cuts), numbers, side="right")
            entries = [*step.values, np.nan if step.missing is None else step.missing]
            return np.array(entries)[np.where(missing, len(step.values), places)]


def _mapped(step: Map, values: Given, source: str) -> Floats:
    made = np.empty(len(values))
    for row, value in enumerate(values):
        word = written_word(value)
        if word is None:
            found = np.nan if step.missing is None else step.missing
        else:
            found = step.values.get(word, step.rest)  # type: ignore[assignment]
        if found is None:
            raise UsageError(f"Column '{source}' has '{word}', which training did not have.")
        made[row] = found
    return made


def written_word(value: Any) -> str | None:
    """A category as text: whole numbers without a point; None where it is missing."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else repr(float(value))


# ---------------------------------------------------------------------- from rules


def chains_of(preparation: Preparation) -> dict[str, Chain]:
    """Column that the rules make -> how it comes about.

    Raises
    ------
    UsageError
        Rules by rank, or columns that hold neither numbers nor text.
    """
    made = {
        name: Chain(name, kind == "text")
        for name, kind in preparation.schema_.items()
        if kind in {"text", "number"}
    }
    words: dict[str, str] = {}
    for rule in preparation.rules_:
        made = _after(rule, made, words)
    return made


def _after(rule: rules.Rule, before: Mapping[str, Chain], words: dict[str, str]) -> dict[str, Chain]:
    """`words`: column of text -> what its missing values were filled with, which is no step but what a later one does with them."""
    made: dict[str, Chain] = {}
    for name, chain in before.items():
        if name not in rule.state_:
            made[name] = chain
            continue
        known, as_text = rule.state_[name], chain.text and not chain.steps
        if as_text and isinstance(rule, rules.Impute):
            made[name] = chain
            if rule.flag:
                made[f"{name}=missing"] = chain.with_step(Map({}, 0.0, float(name not in words)))
            words.setdefault(name, known["value"])
            continue
        for new, step in _steps(rule, name, known, as_text=as_text):
            if as_text and isinstance(step, Map) and name in words:
                step = msgspec.structs.replace(step, missing=step.values.get(words[name], step.rest))  # noqa: PLW2901
            made[new] = chain.with_step(step)
    return made


def _steps(rule: rules.Rule, name: str, known: Mapping[str, Any], *, as_text: bool) -> list[tuple[str, Step]]:
    """The columns that take the place of one, in order."""
    word: Callable[[str], str] = str if as_text else lambda text: {"true": "1", "false": "0"}.get(text, text)
    step: Step
    match rule:
        case rules.OneHot():
            return _one_hot(rule, name, known, word)
        case rules.Impute():
            step = Fill(known["value"])
        case rules.Clip():
            step = Clip(known["low"], known["high"])
        case rules.Scale() if "quantiles" not in known:
            step = Scale(known["shift"], known["divide"])
        case rules.Cut():
            count = len(known["cuts"]) + 1
            step = Bins(tuple(known["cuts"]), tuple(map(float, range(count))), float(count))
        case rules.Ordinal():
            places = {word(text): float(place) for place, text in enumerate(known["categories"])}
            step = Map(places, float(len(places)) if rule.unseen == "own" else None, None)
        case Woe():
            step = _evidence(known, word)
        case _:
            raise _by_rank(rule, name)
    flagged = isinstance(rule, rules.Impute) and rule.flag
    return [(name, step), (f"{name}=missing", Flag())] if flagged else [(name, step)]


def _by_rank(rule: rules.Rule, name: str) -> UsageError:
    return UsageError(
        f"How column '{name}' was prepared is not told with a model.",
        why=f"the rule '{rule.get_params()['do']}' by rank holds up to a thousand of its values",
        mend="scale it to = standard or min-max, or take the model without its rules",
    )


def _one_hot(
    rule: rules.OneHot, name: str, known: Mapping[str, Any], word: Callable[[str], str]
) -> list[tuple[str, Step]]:
    rest, absent = (None if rule.unseen == "error" else 0.0), bool(known["missing"])
    of_missing = None if rule.unseen == "error" and not absent else 0.0
    marks = dict.fromkeys(known["categories"], (rest, of_missing))
    if absent:
        marks["missing"] = (rest, 1.0)
    if rule.unseen == "other":
        marks["other"] = (1.0, 0.0 if absent else 1.0)
    if rule.drop_first:
        del marks[known["categories"][0]]
    return [
        (f"{name}={one}", Map({word(text): float(text == one) for text in known["categories"]}, *ends))
        for one, ends in marks.items()
    ]


def _evidence(known: Mapping[str, Any], word: Callable[[str], str]) -> Step:
    weights = [known["woe"][group] for group in known["groups"]]
    missing = weights[known["fine"]] if known["missing"] else 0.0
    if known["cuts"] is not None:
        return Bins(tuple(known["cuts"]), tuple(weights[: len(known["cuts"]) + 1]), missing)
    named = {word(text): weights[place] for place, text in enumerate(known["categories"])}
    return Map(named, weights[len(named)] if known["other"] else 0.0, missing)


# ---------------------------------------------------------------------- as bytes


def packed(chains: Sequence[Chain]) -> bytes:
    """As JSON."""
    return msgspec.json.encode(list(chains))


def unpacked(data: bytes) -> tuple[Chain, ...]:
    """From JSON.

    Raises
    ------
    ValueError
        It is none, or says what no rule says.
    """
    return checked(msgspec.json.decode(data, type=tuple[Chain, ...]))


def checked(chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """The same, if every number is one and every step can follow the one before.

    Raises
    ------
    ValueError
        Not so.
    """
    for chain in chains:
        text = chain.text
        for step in chain.steps:
            if text and not isinstance(step, Map):
                raise ValueError("numbers are asked of text")
            if isinstance(step, Scale) and not step.divide > 0:
                raise ValueError("a column is divided by nothing")
            if isinstance(step, Bins) and (
                len(step.values) != len(step.cuts) + 1 or not (np.diff(step.cuts) > 0).all()
            ):
                raise ValueError("bins that do not follow one another")
            text = False
        if text:
            raise ValueError("text is no number")
    return chains
