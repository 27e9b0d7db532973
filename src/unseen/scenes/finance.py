"""Scene finance (金融): a bank and a payment partner find out together who will not pay back; a helper deals randomness.

The bank knows income, loans and late payments of its clients, the partner how partly the same people pay day by day. Without data
of the user's own the people are made up (:func:`unseen.scenes.worlds.credit`); with `--data` they are those of two files, or of a
public data set that is recognised (:mod:`unseen.scenes.public_data`).
"""

from __future__ import annotations

from pathlib import Path

from unseen.scenes.joint_model import Settings
from unseen.scenes.partition import Holding, from_folder
from unseen.scenes.public_data import known
from unseen.scenes.stage import Scene
from unseen.scenes.story import Curve
from unseen.scenes.worlds import credit


def _source(data: Path | None, label: str | None, key: str | None) -> tuple[Holding, ...]:
    if data is None:
        return credit()
    return known(data) or from_folder(data, label=label, key=key)


SCENE = Scene(
    _source,
    Settings(purpose="credit risk", show="measures", trees=20, card=True),
    Curve(
        title="Approval rate against losses",
        text=(
            "Who is approved first is who is least likely to default. At the same rate of losses the better model approves more "
            "people; at the same rate of approval it loses less."
        ),
        share="share of applicants approved",
        bad="rate of defaults among the approved",
        approved="approved at half the rate of defaults",
        bad_at="defaults where 80 % are approved",
    ),
)
study = SCENE.study
main = SCENE.play
