"""Pictures of a model: well-formed SVG with its words as text, the same every time; PNG too; global settings untouched."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from unseen.learn.evaluate import plots
from unseen.learn.evaluate.binary import Confusion, confusion
from unseen.learn.evaluate.ranking import between, by_level, by_rank

RNG = np.random.default_rng(1)
SCORES = RNG.random(80)
LABELS = (SCORES + 0.3 * RNG.random(80) > 0.6).astype(float)
LEVELS = {"joint": by_level(LABELS, SCORES), "bank alone": by_level(LABELS, RNG.random(80))}
GROUPS = {"joint": by_rank(LABELS, SCORES, 5), "bank alone": by_rank(LABELS, RNG.random(80), 5)}

PICTURES = {
    "roc": (lambda: plots.roc(LEVELS), f"AUC {LEVELS['joint'].auc:.4f}"),
    "ks": (lambda: plots.ks(LEVELS["joint"]), f"KS {LEVELS['joint'].ks:.3f}"),
    "roc of groups": (lambda: plots.roc(GROUPS, {"joint": 0.98765}), "AUC 0.9877; line by groups"),
    "ks of groups": (lambda: plots.ks(GROUPS["joint"], 0.8642), "KS 0.864"),
    "precision of groups": (lambda: plots.precision_recall(GROUPS, {"joint": 0.5}), "precision 0.5000; line"),
    "gain": (lambda: plots.gain(LEVELS), "bank alone"),
    "lift": (lambda: plots.lift(GROUPS), "bank alone"),
    "calibration": (lambda: plots.calibration(GROUPS), "mean distance"),
    "precision-recall": (lambda: plots.precision_recall(LEVELS), "average precision"),
    "confusion": (lambda: plots.confusion(confusion(LABELS, SCORES)), "score"),
    "confusion of shares": (lambda: plots.confusion(Confusion(0.5, 0.125, 0.25, 0.2, 0.425)), "12.5% of all"),
    "classes": (lambda: plots.classes(np.array([[30.0, 3, 0], [1, 9, 0], [0, 0, 7]])), "class by the model"),
    "predicted": (lambda: plots.predicted(LABELS, SCORES), "prediction"),
    "distribution": (lambda: plots.distribution(between(LABELS, SCORES, np.array([0.3, 0.7]))), "negatives"),
    "approval": (lambda: plots.approval(LEVELS, share="firms reached"), "firms reached"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_stable_and_readable(name: str) -> None:
    draw, word = PICTURES[name]
    svg = draw().svg()
    ET.fromstring(svg)
    assert svg == draw().svg()
    assert word in svg
    assert "<script" not in svg


def test_a_picture_is_a_png_too_and_leaves_the_settings_as_they_were() -> None:
    before = dict(mpl.rcParams)
    data = plots.roc(LEVELS).png(dpi=40)
    assert data.startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before


def test_of_a_handful_approved_no_rate_is_drawn() -> None:
    rng = np.random.default_rng(2)
    levels = by_level((rng.random(1000) < 0.3).astype(float), rng.random(1000))
    drawn = plots.approval({"joint": levels}).axes.lines[0].get_xdata()
    assert np.asarray(drawn)[[0, -1]].tolist() == [0.01, 1.0]
