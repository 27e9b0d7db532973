"""Scene medicine (医疗): a hospital and a laboratory train a screening model; a helper deals randomness.

The hospital holds diagnoses and some measurements of its patients, the laboratory the other measurements of partly the
same patients. Neither may show its records to the other. With `--data` the same runs on two files of the user's own.
"""

from __future__ import annotations

from pathlib import Path

from unseen.scenes.partition import Holding, breast_cancer, from_folder
from unseen.scenes.stage import Scene


def _source(data: Path | None, label: str | None, key: str | None) -> tuple[Holding, ...]:
    return from_folder(data, label=label, key=key) if data else breast_cancer()


SCENE = Scene(_source)
study = SCENE.study
main = SCENE.play
