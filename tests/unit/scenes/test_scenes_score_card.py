"""The joint scorecard: points by hand from both holders' tables are the points that the bank gets, and rank as the model does."""

from __future__ import annotations

import numpy as np

from unseen.jobs.local import run_local
from unseen.jobs.tables import Matrix, to_table
from unseen.learn.evaluate.binary import measure
from unseen.scenes import score_card


def test_points_add_up_by_hand() -> None:
    study = score_card.study()
    names = {name: f"ed25519:{place:064x}" for place, name in enumerate(("bank", "telecom", "helper"))}
    run = run_local(study.contract(names), study.tables)
    bank, telecom = run.artefacts["bank"], run.artefacts["telecom"]
    by_hand = np.zeros(len(bank["card.scores"].arrays["scores"]))
    for held in (bank, telecom):
        rows = Matrix.of(held["weigh-test.table"])
        for place, column in enumerate(held["card.points"].meta["columns"]):
            points = dict(zip(column["values"], column["points"], strict=True))
            by_hand += [points[value] for value in rows.values[:, place].tolist()]
    scores = bank["card.scores"].arrays
    assert scores["scores"].tolist() == (by_hand + bank["card.points"].meta["base"]).tolist()
    label = to_table(bank["split.test"]).label("default")
    assert (
        measure(label, scores["bad"]).auc > 0.55
    )  # of 150 rows drawn anew each time, so within some 0.05 of 0.75
    assert abs(scores["bad"].mean() - label.mean()) < 0.1
    assert "base" not in telecom["card.points"].meta
    assert "card.scores" not in telecom
