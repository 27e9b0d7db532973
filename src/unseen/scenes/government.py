"""Scene government (政务): bank, tax office and registry profile small firms for guaranteed loans, three holders without a helper.

Each holds two of three shares of everything that is computed, which say nothing. The bank gets the whole model in the end: it must be
able to give reasons for a decision. Without data of the user's own the firms are
made up (:func:`unseen.scenes.worlds.firms`); with `--data` they are those of two or three files, or of a public data set that is
recognised (:mod:`unseen.scenes.public_data`).
"""

from __future__ import annotations

from pathlib import Path

from unseen.scenes.joint_model import Settings
from unseen.scenes.partition import Holding, from_folder
from unseen.scenes.public_data import known
from unseen.scenes.stage import Scene
from unseen.scenes.story import Curve
from unseen.scenes.worlds import firms


def _source(data: Path | None, label: str | None, key: str | None) -> tuple[Holding, ...]:
    if data is None:
        return firms()
    return known(data) or from_folder(data, label=label, key=key, holders=(2, 3))


SCENE = Scene(
    _source,
    Settings(purpose="small-firm credit", show="measures", trees=20, handover=True),
    Curve(
        title="Reach against the rate of bad loans",
        text=(
            "The safest firms get a guarantee first. At the same rate of bad loans the better model reaches more firms; for the same "
            "number of firms fewer loans go bad."
        ),
        share="share of firms reached",
        bad="rate of bad loans among them",
        approved="reached at half the rate of bad loans",
        bad_at="bad loans where 80 % are reached",
    ),
)
study = SCENE.study
main = SCENE.play
