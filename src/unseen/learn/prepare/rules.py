"""Rules of data preparation, each for some columns of one holder: what a person writes, and what training makes of it.

    rule = Scale(to="min-max").fit(train)
    rule.transform(test)

The conventions are scikit-learn's: `fit` learns from the training rows and returns the rule, `transform` applies what was
learnt, `get_params` tells what was asked for, `state_` what was learnt: plain data, which goes with the model, so that
scoring does the same. Nothing is computed jointly and nothing leaves the holder.

Missing values pass through every rule but `Impute`, `OneHot` and `Cut`; infinities are refused by every rule but `Clip` and
`Impute`, which say what becomes of them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.data.table import Table
from unseen.learn.prepare import cuts
from unseen.learn.prepare.columns import NUMBERS, Floats, Made, categories, numbers, replaced, type_of
from unseen.learn.prepare.ranks import normal_quantile, quantiles_of, ranked

State = dict[str, Any]
_TEXT = ("text",)
Fraction = Annotated[float, Field(ge=0, le=1)]


class Rule(BaseModel):
    """Base of all rules.

    Attributes
    ----------
    of
        The holder whose columns are meant; where nothing is said, every holder's.
    columns
        Names; where nothing is said, all features that the rule can take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    takes: ClassVar[tuple[str, ...]] = NUMBERS

    of: str | None = None
    columns: tuple[str, ...] = ()
    _state: dict[str, State] | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.columns and self.of is None:
            raise ValueError("columns belong to a holder: name it in `of`")
        return self

    @property
    def _kinds(self) -> tuple[str, ...]:
        """Types of the columns that the rule is for, where none are named."""
        return self.takes

    @property
    def state_(self) -> dict[str, State]:
        """What was learnt: column -> plain data.

        Raises
        ------
        LocalProtocolError
            `fit` has not been called.
        """
        if self._state is None:
            raise LocalProtocolError("This rule has learnt nothing yet.", mend="call fit(train) first")
        return self._state

    def get_params(self) -> dict[str, Any]:
        """What was asked for."""
        return self.model_dump(mode="json")

    def restored(self, state: dict[str, State]) -> Self:
        """A copy of this rule that has learnt `state`."""
        rule = self.model_copy()
        rule._state = state  # noqa: SLF001 - of its own class
        return rule

    def fit(self, train: Table) -> Self:
        """Learn from the training rows.

        Raises
        ------
        UsageError
            Columns from which this cannot be learnt: all of them at once.
        """
        names = self.columns or tuple(n for n in train.features if type_of(train, n) in self._kinds)
        state: dict[str, State] = {}
        problems = []
        for name in names:
            try:
                state[name] = self._learn(train, name)
            except UsageError as error:
                problems.append(f"column '{name}': {error.what}" + (f" {error.why}" if error.why else ""))
        if problems:
            raise UsageError(
                f"The rule '{self.get_params()['do']}' cannot be learnt from these rows.",
                mend="mend these columns, or leave them out of the rule",
                problems=tuple(problems),
            )
        self._state = state
        return self

    def transform(self, table: Table) -> Table:
        """Apply what was learnt.

        Raises
        ------
        UsageError
            Values that the rule does not foresee.
        """
        return replaced(table, {name: self._apply(table, name, known) for name, known in self.state_.items()})

    def _learn(self, train: Table, name: str) -> State:
        raise NotImplementedError

    def _apply(self, table: Table, name: str, known: State) -> Made:
        raise NotImplementedError


class Impute(Rule):
    """Fill missing values (缺失值填充).

    `by`: mean or median of the training rows, their most frequent value (of text too), or `value`: a number, or a text for columns
    of text. `flag` adds a column that tells where something was missing. `infinite`: whether infinities are an error, or missing too.
    """

    do: Literal["impute"] = "impute"
    by: Literal["mean", "median", "most-frequent", "constant"] = "mean"
    value: float | str = 0.0
    flag: bool = False
    infinite: Literal["error", "missing"] = "error"

    @property
    def _kinds(self) -> tuple[str, ...]:
        if self.by == "constant" and isinstance(self.value, str):
            return _TEXT
        return NUMBERS + _TEXT if self.by == "most-frequent" else NUMBERS

    def _fills_text(self, table: Table, name: str) -> bool:
        return not set(_TEXT).isdisjoint(self._kinds) and type_of(table, name) in _TEXT

    def _read(self, table: Table, name: str) -> Floats:
        values = numbers(table, name)
        if self.infinite == "error":
            return _no_infinity(values)
        return np.where(np.isinf(values), np.nan, values)

    def _learn(self, train: Table, name: str) -> State:
        if self._fills_text(train, name):
            codes, known = categories(train, name)
            if self.by == "constant":
                return {"value": self.value}
            if not known:
                raise UsageError("all its values are missing; only a constant could fill it.")
            return {"value": known[int(np.bincount(codes[codes >= 0]).argmax())]}
        if self.by == "constant" and isinstance(self.value, str):
            raise UsageError(f"it holds numbers, which '{self.value}' cannot fill.")
        values = self._read(train, name)
        present = values[~np.isnan(values)]
        if self.by == "constant":
            return {"value": self.value}
        if not len(present):
            raise UsageError("all its values are missing; only a constant could fill it.")
        if self.by == "most-frequent":
            found, counts = np.unique(present, return_counts=True)
            return {"value": float(found[counts.argmax()])}
        return {"value": float(present.mean() if self.by == "mean" else np.median(present))}

    def _apply(self, table: Table, name: str, known: State) -> Made:
        filled: Floats | pa.Array
        if isinstance(known["value"], str):
            written = pc.cast(table.data.column(name).combine_chunks(), pa.string())
            missing = written.is_null().to_numpy(zero_copy_only=False)
            filled = pc.fill_null(written, known["value"])
        else:
            values = self._read(table, name)
            missing = np.isnan(values)
            filled = np.where(missing, known["value"], values)
        made = [(name, filled)]
        return [*made, (f"{name}=missing", missing.astype(np.float64))] if self.flag else made


class Clip(Rule):
    """Pull outliers to a limit (盖帽): to quantiles, or to quartiles and `reach` times their distance. Infinities too."""

    do: Literal["clip"] = "clip"
    by: Literal["quantile", "iqr"] = "quantile"
    low: Fraction = 0.01
    high: Fraction = 0.99
    reach: Annotated[float, Field(gt=0)] = 1.5

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("`low` must be below `high`")
        return self

    def _learn(self, train: Table, name: str) -> State:
        values = numbers(train, name)
        finite = _some(values[np.isfinite(values)])
        if self.by == "quantile":
            low, high = np.quantile(finite, [self.low, self.high])
        else:
            first, third = np.quantile(finite, [0.25, 0.75])
            low, high = first - self.reach * (third - first), third + self.reach * (third - first)
        return {"low": float(low), "high": float(high)}

    def _apply(self, table: Table, name: str, known: State) -> Made:
        return [(name, np.clip(numbers(table, name), known["low"], known["high"]))]


class Scale(Rule):
    """Bring columns to one scale.

    `standard`: mean 0, standard deviation 1; `min-max`: from 0 to 1; `uniform`, `normal`: by rank among the training rows, to
    a uniform or standard normal distribution. A constant column becomes 0 (by rank: 0.5, or 0 under `normal`). Held-out values
    beyond those of training may leave [0, 1] under `min-max`, and keep to the limits by rank.
    """

    do: Literal["scale"] = "scale"
    to: Literal["standard", "min-max", "uniform", "normal"] = "standard"

    def _learn(self, train: Table, name: str) -> State:
        values = _no_infinity(numbers(train, name))
        present = _some(values[~np.isnan(values)])
        if self.to in {"uniform", "normal"}:
            return {"quantiles": quantiles_of(present).tolist()}
        low, high = float(present.min()), float(present.max())
        if self.to == "min-max":
            return {"shift": low, "divide": _width(high - low, present)}
        return {"shift": float(present.mean()), "divide": _width(float(present.std()), present)}

    def _apply(self, table: Table, name: str, known: State) -> Made:
        values = _no_infinity(numbers(table, name))
        if "quantiles" not in known:
            return [(name, (values - known["shift"]) / known["divide"])]
        uniform = ranked(values, np.array(known["quantiles"]))
        return [(name, uniform if self.to == "uniform" else normal_quantile(uniform))]


class OneHot(Rule):
    """One column of 0 and 1 for each category (独热编码), named `column=category`; a missing value is no category.

    `unseen`: a category that training did not have is an error, or a row of zeros, or has the column `column=other`; a missing
    value that training did not have is treated alike, else it has `column=missing`. A category that is itself called `other` or
    `missing` shares that column. `most`: of more categories the column is refused. `drop_first` leaves out the first category's
    column, which the others determine.
    """

    do: Literal["one-hot"] = "one-hot"
    takes: ClassVar[tuple[str, ...]] = ("text",)
    unseen: Literal["error", "zero", "other"] = "error"
    most: Annotated[int, Field(ge=1)] = 100
    drop_first: bool = False

    def _learn(self, train: Table, name: str) -> State:
        codes, known = categories(train, name)
        if len(known) > self.most:
            raise UsageError(f"it has {len(known)} categories where at most {self.most} are allowed.")
        if not known:
            raise UsageError("all its values are missing.")
        return {"categories": list(known), "missing": bool((codes < 0).any())}

    def _apply(self, table: Table, name: str, known: State) -> Made:
        codes, words = categories(table, name)
        places = _renumbered(name, codes, words, known["categories"], strict=self.unseen == "error")
        missing = codes < 0
        if not known["missing"] and missing.any() and self.unseen == "error":
            raise _unseen(name, "a missing value", int(missing.sum()))
        marks = {word: places == i for i, word in enumerate(known["categories"])}
        other = (places < 0) & ~missing if known["missing"] else places < 0
        for word, rows, made in (
            ("missing", missing, known["missing"]),
            ("other", other, self.unseen == "other"),
        ):
            if made:
                marks[word] = marks[word] | rows if word in marks else rows
        if self.drop_first:
            del marks[known["categories"][0]]
        return [(f"{name}={word}", rows.astype(np.float64)) for word, rows in marks.items()]


class Ordinal(Rule):
    """A number for each category (序数编码): its place in `order`, else in alphabetical order. Missing stays missing.

    `unseen`: a category that training did not have is an error, or has the number after the last.
    """

    do: Literal["ordinal"] = "ordinal"
    takes: ClassVar[tuple[str, ...]] = ("text",)
    order: tuple[str, ...] = ()
    unseen: Literal["error", "own"] = "error"

    def _learn(self, train: Table, name: str) -> State:
        codes, known = categories(train, name)
        if not known:
            raise UsageError("all its values are missing.")
        if self.order:
            _renumbered(name, codes, known, list(self.order), strict=True)
        return {"categories": list(self.order or known)}

    def _apply(self, table: Table, name: str, known: State) -> Made:
        codes, words = categories(table, name)
        places = _renumbered(name, codes, words, known["categories"], strict=self.unseen == "error")
        numbered = np.where(places < 0, len(known["categories"]), places).astype(np.float64)
        return [(name, np.where(codes < 0, np.nan, numbered))]


class Cut(Rule):
    """The number of the bin that a value falls into (分箱), by quantiles or equal widths; missing values have the last number."""

    do: Literal["cut"] = "cut"
    by: Literal["quantile", "width"] = "quantile"
    bins: Annotated[int, Field(ge=2, le=cuts.MOST_BINS)] = 10

    def _learn(self, train: Table, name: str) -> State:
        cut = cuts.quantile_cuts if self.by == "quantile" else cuts.width_cuts
        return {"cuts": cut(_no_infinity(numbers(train, name)), self.bins).tolist()}

    def _apply(self, table: Table, name: str, known: State) -> Made:
        codes = cuts.place(numbers(table, name), np.array(known["cuts"]))
        return [(name, codes.astype(np.float64))]


AnyRule = Annotated[Impute | Clip | Scale | OneHot | Ordinal | Cut, Field(discriminator="do")]


def _no_infinity(values: Floats) -> Floats:
    count = int(np.isinf(values).sum())
    if count:
        first = int(np.flatnonzero(np.isinf(values))[0]) + 1
        raise UsageError(
            f"{count} value(s) are infinite, the first in row {first}.",
            mend="put a rule before it: clip, or impute with infinite = missing",
        )
    return values


def _some(present: Floats) -> Floats:
    if not len(present):
        raise UsageError("all its values are missing.")
    return present


def _width(width: float, values: Floats) -> float:
    """What to divide by: 1 where only rounding makes a constant column vary."""
    return width if width >= 1e-12 * max(1.0, float(np.abs(values).max())) else 1.0


def _renumbered(name: str, codes: Any, words: tuple[str, ...], known: list[str], *, strict: bool) -> Any:
    """Codes in the order of `known`, -1 for missing and unseen."""
    place = {word: i for i, word in enumerate(known)}
    table = np.array([place.get(word, -1) for word in words] + [-1], np.int64)
    places = table[codes]
    if strict:
        unseen = [word for word in words if word not in place]
        if unseen:
            raise _unseen(name, f"'{unseen[0]}'", int(((places < 0) & (codes >= 0)).sum()))
    return places


def _unseen(name: str, what: str, count: int) -> UsageError:
    return UsageError(
        f"Column '{name}' has {what}, which training did not have ({count} row(s) in all).",
        mend="say what becomes of such rows (`unseen` of the rule), or leave them out",
    )
