"""Training of trees in shares that goes on from an earlier model (热启动): which one may be, and that all parties have the same one."""

from __future__ import annotations

from collections.abc import Mapping

from unseen.core.errors import UsageError
from unseen.jobs import engines
from unseen.jobs.artefacts import Artefact
from unseen.jobs.shared_models import SharedModel
from unseen.jobs.step import Roles
from unseen.learn.vertical import models, trees
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.models import Model
from unseen.learn.vertical.trees.bins import Bins
from unseen.learn.vertical.trees.model import Settings
from unseen.mpc import Engine

_SAME = ("objective", "depth", "classes", "base_score")


def of(name: str, inputs: Mapping[str, Artefact]) -> SharedModel:
    """A holder's part of the model.

    Raises
    ------
    UsageError
        There is none, or it is no model of trees.
    """
    if "start" not in inputs:
        raise UsageError(
            f"{name} is to go on from a model, but has no input `start`.",
            mend="name the output of an earlier training as input `start`, or leave out `warm_start`",
        )
    held = SharedModel.of(inputs["start"])
    if held.model.kind != "trees":
        raise UsageError(f"The model to go on from is of the kind '{held.model.kind}', not of trees.")
    return held


def agree(
    engine: Engine, own: Model | None, roles: Roles, bins: Bins, settings: Settings, *, hide: bool
) -> Model:
    """All parties have parts of one model, which fits; a helper gets one with shares of nothing.

    Raises
    ------
    UsageError
        Trees of another kind, at all parties alike.
    RemoteProtocolError
        The parts do not fit together.
    """
    choice, sizes = engines.choose(roles), Layout(bins.rows, bins.columns)
    model = models.agree(engine, own, protocol=choice.protocol, holders=choice.holders, sizes=sizes)
    if model.kind != "trees" or trees.LEAVES_AT in model.public:
        raise UsageError("The model to go on from is not of trees in shares.")
    before = trees.settings_of(model.public)
    other = [name for name in _SAME if getattr(before, name) != getattr(settings, name)]
    if other:
        raise UsageError(
            "The model to go on from was trained in another way.",
            why="; ".join(f"{name} was {getattr(before, name)}" for name in other),
            mend="take the same parameters, or train anew",
        )
    if hide != (trees.HIDDEN in model.public):
        raise UsageError("The model to go on from has splits that are told, or hidden, unlike those to come.")
    if hide and {name: tuple(each) for name, each in model.public[trees.HIDDEN].items()} != bins.widths:
        raise UsageError(
            "The model to go on from has hidden splits on other codes.",
            why="values are missing in a column where none were, or the other way round",
            mend="train anew",
        )
    return model
