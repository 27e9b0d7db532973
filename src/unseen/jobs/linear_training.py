"""What the step `train-linear` does once the parties know each other's sizes: from columns to a model in shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.step import Roles
from unseen.jobs.tables import Matrix
from unseen.learn.vertical import layout, linear, models
from unseen.learn.vertical.binned import Evidence
from unseen.learn.vertical.checkpoints import SecretCheckpoints
from unseen.learn.vertical.linear import inference, multinomial, newton, sgd
from unseen.learn.vertical.linear.families import MULTINOMIAL, check_labels, check_weights
from unseen.learn.vertical.linear.newton import Newton
from unseen.learn.vertical.linear.scaling import Scaling
from unseen.learn.vertical.models import Model, Shares
from unseen.mpc import Engine, SecretArray
from unseen.party import Party

COEFFICIENTS, VARIANCES, INTERCEPT = "coefficients", "variances", "intercept"
STILL, RANGE, RANK, UNIT = "still", "range", "rank", "label-unit"
_SMALLEST_UNIT, _LARGEST_UNIT = 2.0**-10, 2.0**18


def of_owner(what: str, owner: str) -> str:
    """Name of the disclosure to one owner of columns."""
    return f"{what}-{owner}"


class Settings(Protocol):
    """The parameters of the step that are used here; see there."""

    family: sgd.Family
    classes: int
    l2: float
    l1: float
    method: str
    iterations: int
    epochs: int
    batch: int
    rate: float
    last_rate: float | None
    momentum: float
    exact_sigmoid: bool
    stop_every: int
    stop_below: float
    class_weights: Any
    coefficients_to_owners: bool
    certainty: bool
    warm_start: bool
    woe_bins: int
    woe_least_rows: int
    bound: bool
    joined: bool
    longest: float | None
    within: float | None
    labels: int
    checks_rank: bool
    checks_range: bool


@dataclass(frozen=True, slots=True)
class Trained:
    """This party's part of the model, what it was told of it, and the commitments that inputs are bound to, by holder."""

    model: Model
    known: Mapping[str, list[float]]
    bound: Mapping[str, str] = field(default_factory=dict)


class Training:
    """One training at one party. All parties of the task make one and call :meth:`run`."""

    def __init__(
        self, party: Party, engine: Engine, settings: Any, roles: Roles, sizes: layout.Layout
    ) -> None:
        self._party = party
        self._set: Settings = settings
        self._roles = roles
        self._sizes = sizes
        self._engine = engine
        self._label_holder = roles.one("label_holder")
        self._several = settings.family == MULTINOMIAL
        self._as_they_came = settings.bound or settings.joined

    def run(
        self, own: Matrix | None, row_weights: NDArray[np.float64] | None, start: Model | None
    ) -> Trained:
        """Train.

        Parameters
        ----------
        own
            This holder's training rows; None at a helper.
        row_weights
            At their holder.
        start
            This holder's part of a model to begin with.

        Raises
        ------
        UsageError
            Labels, weights or columns that cannot be used; linearly dependent columns; scores beyond the quick sigmoid.
        """
        engine, sizes = self._engine, self._sizes
        scaling = None
        beginning = self._begin(start)
        binned = self._set.woe_bins > 0
        bound: dict[str, str] = {}
        if own is not None and not binned and not self._set.bound:
            scaling = (
                Scaling.fit(own.values, own.columns)
                if beginning is None
                else Scaling.of(beginning.private) or Scaling.none(own.values.shape[1])
            )
        scaled = None if own is None or scaling is None else scaling.apply(own.values)
        label = self._own_label(own)
        unit, evidence = self._share_unit(label), None
        if self._set.bound:
            columns, labels, bound = self._bound(own)
        elif binned:
            labels = self._share_label(label)
            evidence = self._evidence(own, label, labels)
            columns = evidence.columns()
        else:
            columns = layout.share_blocks(engine, sizes, scaled)
            labels = self._share_label(label)
        weights = self._share_weights(label, row_weights)
        first = None if beginning is None else beginning.secret(engine, "weights")
        if first is not None and unit is not None:
            first = self.in_units(first, unit, back=True)
        found = self._fit(columns, labels, weights, first)
        if self._set.checks_range:
            self._check_range(columns, labels, weights, found)
        certain = self._certainty(columns, labels, weights, found)
        final = found if unit is None else self.in_units(found, unit)
        if evidence is not None:
            choice = self._choice
            return Trained(evidence.to_model(final, protocol=choice.protocol, holders=choice.holders), {})
        known = self._tell(final, certain, unit, scaling)
        return Trained(self._model(final, scaling), known, bound)

    def trained(self, weights: SecretArray) -> Trained:
        """What comes out of weights of columns as they came."""
        return Trained(self._model(weights, None), self._tell(weights, None, None, None))

    # ------------------------------------------------------------------ what goes in

    def _begin(self, start: Model | None) -> Model | None:
        """The model to begin with, if there is to be one; all agree on it."""
        if not self._set.warm_start:
            return None
        holders = self._choice.holders
        if start is None and self._party.name in holders:
            raise UsageError(
                f"{self._party.name} is to begin with a model, but has no input `start`.",
                mend="name the output of an earlier training as input `start`, or leave out `warm_start`",
            )
        if start is not None and dict(start.public) != self._public:
            raise UsageError("The model to begin with is of another family.")
        return models.agree(
            self._engine, start, protocol=self._choice.protocol, holders=holders, sizes=self._sizes
        )

    @property
    def _choice(self) -> engines.Choice:
        return engines.choose(self._roles)

    @property
    def _public(self) -> dict[str, Any]:
        return {"family": self._set.family, **({"classes": self._set.classes} if self._several else {})}

    def _own_label(self, own: Matrix | None) -> NDArray[np.float64] | None:
        if own is None or self._party.name != self._label_holder:
            return None
        me = self._party.name
        label = own.binary_label(me) if self._set.family == "logistic" else own.known_label(me)
        check_labels(self._set.family, label, classes=self._set.classes)
        if self._set.family == "poisson" and self._set.method == "sgd":
            sgd.check_counts(label)
        return label

    def _share_unit(self, label: NDArray[np.float64] | None) -> SecretArray | None:
        """Standard deviation and mean of the label in the linear family, secret, shape (2,)."""
        if self._set.family != "linear":
            return None
        mine = None if label is None else np.array([label.std(), label.mean()])
        if mine is not None and not (
            _SMALLEST_UNIT <= mine[0] <= _LARGEST_UNIT and abs(mine[1]) <= _LARGEST_UNIT
        ):
            raise UsageError(
                "The label is too small or too large for the format.",
                why=f"its mean is {mine[1]:g}, its standard deviation {mine[0]:g}",
                mend="take another unit, such as thousands",
            )
        return self._engine.share(mine, owner=self._label_holder, shape=(2,))

    def _share_label(self, label: NDArray[np.float64] | None) -> SecretArray:
        shape: tuple[int, ...] = (self._sizes.rows,)
        if self._several:
            shape = (*shape, self._set.classes)
            label = None if label is None else multinomial.one_hot(label, self._set.classes)
        elif self._set.family == "linear" and label is not None:
            label = (label - label.mean()) / label.std()
        return self._engine.share(label, owner=self._label_holder, shape=shape)

    def _share_weights(
        self, label: NDArray[np.float64] | None, row_weights: NDArray[np.float64] | None
    ) -> SecretArray | None:
        """Weights of classes, at the label holder, times those of rows, at theirs."""
        shape = (self._sizes.rows,)
        secret: SecretArray | None = None
        if row_weights is not None:
            check_weights(row_weights)
        holder = self._roles.maybe("weight_holder")
        if holder is not None:
            secret = self._engine.share(row_weights, owner=holder, shape=shape)
        if not self._set.class_weights:
            return secret
        mine = None if label is None else self._of_classes(label)
        by_class = self._engine.share(mine, owner=self._label_holder, shape=shape)
        return by_class if secret is None else secret * by_class

    def _of_classes(self, label: NDArray[np.float64]) -> NDArray[np.float64]:
        places = label.astype(np.int64)
        if self._set.class_weights == "balanced":
            counts = np.bincount(places, minlength=self._set.labels)
            amounts = len(label) / (self._set.labels * counts)
        else:
            amounts = np.array(self._set.class_weights)
        made: NDArray[np.float64] = amounts[places]
        check_weights(made)
        return made

    def _evidence(
        self, own: Matrix | None, label: NDArray[np.float64] | None, labels: SecretArray
    ) -> Evidence:
        """Columns as bins with weights of evidence that nobody learns."""
        return Evidence(
            self._engine,
            None if own is None else own.values,
            () if own is None else own.columns,
            self._sizes,
            bins=self._set.woe_bins,
            least_rows=self._set.woe_least_rows,
            labels=labels,
            label_holder=self._label_holder,
            label_counts=None if label is None else (float(label.sum()), float((1 - label).sum())),
        )

    def _bound(self, own: Matrix | None) -> tuple[SecretArray, SecretArray, dict[str, str]]:
        """Columns and labels that are those committed to, and the commitments by holder."""
        if own is not None:
            newton.check_standardised(own.values)
        if own is not None and own.commitment is None:
            raise UsageError(
                f"{self._party.name} has not committed to its training columns.",
                mend="set `commit` at the step 'standardise' before, or leave out `bound`",
            )
        return layout.share_bound(
            self._engine,
            self._sizes,
            None if own is None else own.numbers,
            None if own is None else own.commitment,
            label_holder=self._label_holder,
            longest=self._set.longest,
            within=self._set.within,
        )

    # ------------------------------------------------------------------ training

    def _fit(
        self,
        columns: SecretArray,
        labels: SecretArray,
        weights: SecretArray | None,
        start: SecretArray | None,
    ) -> SecretArray:
        settings, engine = self._set, self._engine
        if settings.method == "sgd":
            descent = sgd.Descent(
                settings.epochs,
                settings.batch,
                settings.rate,
                settings.momentum,
                settings.l2,
                settings.l1,
                exact=settings.exact_sigmoid,
                stop_every=settings.stop_every,
                last_rate=settings.last_rate,
            )
            return sgd.fit(
                engine,
                columns,
                labels,
                descent,
                family=self._set.family,
                weights=weights,
                start=start,
                still=self._still,
                report=lambda done, total: self._party.progress(done, total, "epochs"),
                keep=SecretCheckpoints(engine, self._party.checkpoints("epoch", settings.epochs)),
            )
        return self.newton(columns, labels, weights=weights, start=start)

    def _check_range(
        self, columns: SecretArray, labels: SecretArray, weights: SecretArray | None, found: SecretArray
    ) -> None:
        """Whether mini-batches went beyond what they are right for: told to all, and then there is no model."""
        if self._set.family == "poisson":
            if self._told(RANGE, sgd.lost_counts(self._engine, columns, labels, found, of_rows=weights)):
                raise UsageError(
                    "Training did not come to rest where means of counts are right.",
                    why=f"a score is over {sgd.LARGEST_LOG:g}, or means add up to a fifth more or less than the counts",
                    mend="take a lower rate (about 0.5 over the mean count), clip outliers in the step 'prepare', or take the method 'newton'",
                )
        elif self._told(RANGE, sgd.left_range(self._engine, columns, found)):
            raise UsageError(
                "Scores went beyond the range in which the quick sigmoid is right.",
                mend="set `exact_sigmoid`, clip outliers in the step 'prepare', or take the method 'newton'",
            )

    def newton(self, columns: SecretArray, labels: SecretArray, **more: Any) -> SecretArray:
        """The weights by Newton's method; `more` as :func:`unseen.learn.vertical.linear.newton.fit` takes it."""
        if self._several:
            how, classes = self._newton, self._set.classes
            return multinomial.fit(
                self._engine, columns, labels, how, classes=classes, **more, **self._watched
            )
        return newton.fit(self._engine, columns, labels, self._newton, **more, **self._watched)

    @property
    def _watched(self) -> dict[str, Any]:
        """What Newton's methods report to, and where they keep what they go on from."""
        kept = self._party.checkpoints("Newton iteration", self._set.iterations)
        return {
            "report": lambda done, total: self._party.progress(done, total, "Newton iterations"),
            "keep": SecretCheckpoints(self._engine, kept),
        }

    @property
    def _newton(self) -> Newton:
        return Newton(self._set.family, self._set.l2, self._set.l1, self._set.iterations)

    def _still(self, before: SecretArray, now: SecretArray) -> bool:
        """Whether no weight has moved much: told to all."""
        moved = (abs(now - before) > self._set.stop_below).any()
        return not self._told(STILL, moved)

    def _told(self, name: str, secret: SecretArray) -> bool:
        """A yes or no that everybody is told, the helper too: all must go on in the same way."""
        found = self._engine.reveal(name, secret.reshape(1), to=self._roles.everyone)
        return bool(np.asarray(found)[0])

    # ------------------------------------------------------------------ what comes out

    def _certainty(
        self, columns: SecretArray, labels: SecretArray, weights: SecretArray | None, found: SecretArray
    ) -> inference.Certainty | None:
        if not self._set.checks_rank:
            return None
        problem = newton.Problem.of(self._engine, columns, labels, weights=weights)
        made = inference.certainty(self._engine, problem, found, self._newton)
        if self._told(RANK, made.deficient):
            raise UsageError(
                "The columns are linearly dependent, or so nearly that coefficients mean nothing.",
                why="a column is constant, others together make it up, or they tell the classes apart without an error",
                mend="leave out columns, or set l2 without `certainty`",
            )
        return made

    def in_units(self, weights: SecretArray, unit: SecretArray, *, back: bool = False) -> SecretArray:
        """From the standardised label to its units, or back."""
        shift = self._engine.concatenate([self._engine.lift(np.zeros(len(weights) - 1)), unit[1:]])
        if back:
            return (weights - shift) / unit[0]
        return weights * unit[0] + shift

    def _tell(
        self,
        weights: SecretArray,
        certain: inference.Certainty | None,
        unit: SecretArray | None,
        scaling: Scaling | None,
    ) -> dict[str, list[float]]:
        """Each owner its own, in the units of its columns; the label holder the intercept in those of all."""
        if not self._set.coefficients_to_owners:
            return {}
        engine, known = self._engine, {}
        scale = 1.0
        if unit is not None:
            scale = float(np.asarray(engine.reveal(UNIT, unit[:1], to=self._roles.everyone))[0])
        by_owner = self._sizes.columns
        moved = weights[self._sizes.width :].ravel() if self._as_they_came else self._moved(weights, scaling)
        own = {of_owner(COEFFICIENTS, owner): weights[self._sizes.block(owner)] for owner in by_owner}
        if certain is not None and self._set.certainty:
            own |= {
                of_owner(VARIANCES, owner): certain.scaled_variances[self._sizes.block(owner)]
                for owner in by_owner
            }
        told = engine.reveal_all(
            {**{name: item for name, item in own.items() if item.size}, INTERCEPT: moved},
            to={
                **{
                    of_owner(what, owner): (owner,)
                    for what in (COEFFICIENTS, VARIANCES)
                    for owner in by_owner
                },
                INTERCEPT: (self._label_holder,),
            },
        )
        mine = told.get(of_owner(COEFFICIENTS, self._party.name))
        if mine is not None and scaling is None:
            known[COEFFICIENTS] = mine.ravel().tolist()
        if mine is not None and scaling is not None:
            units = scaling.scale.reshape(-1, *[1] * (mine.ndim - 1))
            known[COEFFICIENTS] = (mine / units).ravel().tolist()
            variances = told.get(of_owner(VARIANCES, self._party.name))
            if variances is not None and certain is not None:
                freedom = self._sizes.rows - self._sizes.width - 1 if unit is not None else None
                true = variances * (scale**2 / 2.0**certain.shift) / scaling.scale**2
                known |= inference.infer(mine / scaling.scale, true, freedom=freedom).as_lists()
        intercept = told.get(INTERCEPT)
        if intercept is not None:
            known[INTERCEPT] = intercept.ravel().tolist()
        return known

    def _moved(self, weights: SecretArray, scaling: Scaling | None) -> SecretArray:
        """The intercept of the columns in their own units: less the weights times center / scale."""
        ratios = None if scaling is None else scaling.center / scaling.scale
        parts = [
            self._engine.share(ratios if owner == self._party.name else None, owner=owner, shape=(count,))
            for owner, count in self._sizes.columns.items()
            if count
        ]
        ratio = self._engine.concatenate(parts)
        coefficients = weights[: self._sizes.width]
        product = (
            coefficients.T @ ratio.reshape(-1, 1) if self._several else ratio.reshape(1, -1) @ coefficients
        )
        return weights[self._sizes.width :].ravel() - product.ravel()

    def _model(self, weights: SecretArray, scaling: Scaling | None) -> Model:
        return Model(
            "linear",
            linear.MODEL_FORMAT,
            self._choice.protocol,
            self._choice.holders,
            self._public,
            {"weights": Shares.of(weights)},
            {} if scaling is None else scaling.private,
        )
