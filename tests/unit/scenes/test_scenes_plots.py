"""Plots are well-formed SVG, the same every time, and carry their words as text."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from unseen.scenes import plots

RNG = np.random.default_rng(1)
SCORES = RNG.random(50)
LABELS = (SCORES + 0.3 * RNG.random(50) > 0.6).astype(int)

FIGURES = {
    "roc": lambda: plots.roc({"joint": (np.array([0, 0, 1.0]), np.array([0, 1, 1.0]), 0.99)}),
    "agreement": lambda: plots.agreement(SCORES, SCORES + 1e-3),
    "separation": lambda: plots.separation(SCORES, LABELS),
    "coefficients": lambda: plots.coefficients(
        ["a", "b"], ["hospital", "lab"], np.array([1.0, -2]), np.array([1.0, -2])
    ),
    "steps": lambda: plots.steps(["align", "train"], [1.0, 2.0], [0.9, 2.2]),
}
WORDS = {
    "roc": "AUC 0.9900",
    "agreement": "1.0e-03",
    "separation": "KS",
    "coefficients": "hospital",
    "steps": "train",
}


@pytest.mark.parametrize("name", FIGURES)
def test_plot_is_well_formed_stable_and_readable(name):
    svg = FIGURES[name]()
    ET.fromstring(svg)
    assert svg == FIGURES[name]()
    assert WORDS[name] in svg
    assert "<script" not in svg
