"""Pictures of the demonstrations are well-formed SVG, the same every time, and carry their words as text."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from unseen.scenes import plots

SCORES = np.random.default_rng(1).random(50)

PICTURES = {
    "agreement": (lambda: plots.agreement(SCORES, SCORES + 1e-3), "1.0e-03"),
    "coefficients": (
        lambda: plots.coefficients(
            ["a", "b", "c"], ["hospital", "lab", "clinic"], np.array([1.0, -2, 0]), np.array([1.0, -2, 0])
        ),
        "clinic",
    ),
    "steps": (lambda: plots.steps(["align", "train"], [1.0, 2.0], [0.9, 2.2]), "train"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_stable_and_readable(name):
    draw, word = PICTURES[name]
    svg = draw().svg()
    ET.fromstring(svg)
    assert svg == draw().svg()
    assert word in svg
    assert "<script" not in svg
