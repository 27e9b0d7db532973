"""Counts, safe groups and WOE under shares are those of both parties' data in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.learn.prepare import joint_bins, woe
from unseen.learn.prepare.bins import plain_ends
from unseen.learn.prepare.joint_bins import Pair
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import run

ROWS, BINS = 300, 6
RNG = np.random.default_rng(11)
CODES = np.stack(
    [RNG.integers(0, BINS, ROWS), np.minimum(RNG.geometric(0.5, ROWS) - 1, BINS - 1), np.zeros(ROWS, int)], 1
)
LABELS = (RNG.random(ROWS) < 0.2 + 0.1 * CODES[:, 0]).astype(float)
POSITIVES = np.stack([np.bincount(column, weights=LABELS, minlength=BINS) for column in CODES.T])
TOTALS = np.stack([np.bincount(column, minlength=BINS) for column in CODES.T])
TOLD = tuple(
    Disclosure(name, "of a test", ("owner",), Door.REVEAL)
    for name in ("positives", "safe", "woe", "iv", "scaled")
)


def pair(party: Party, labels: Any = LABELS) -> Pair:
    owns = party.name == "owner"
    return Pair(
        party,
        owner="owner",
        label_holder="labels",
        codes=CODES if owns else None,
        labels=None if owns else labels,
        rows=ROWS,
        columns=CODES.shape[1],
        bins=BINS,
    )


def test_all_of_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint_bins, "_MOST_BYTES", 2 * 8 * BINS * ROWS)  # two columns, then one

    def program(party: Party) -> dict[str, Any]:
        both = pair(party)
        positives = both.positives()
        safe = joint_bins.safe_counts(positives, both.totals() - positives, at_least=12)
        hidden, iv = joint_bins.hidden_woe(both, positives, smoothing=0.5)
        scaled = joint_bins.standardised(hidden, both.engine.as_real(both.totals()) * (1 / ROWS))
        made = {
            "positives": positives,
            "safe": safe,
            "woe": hidden,
            "iv": iv,
            "scaled": scaled,
        }
        return {name: both.engine.reveal(name, array, to=("owner",)) for name, array in made.items()}

    told = run(program, ("owner", "labels", "idle")[:2], disclosures=TOLD, timeout_s=100).results["owner"]
    assert np.array_equal(told["positives"], POSITIVES)
    for column in range(3):
        p, n = POSITIVES[column], TOTALS[column] - POSITIVES[column]
        assert np.array_equal(told["safe"][column].T, np.stack(plain_ends(p, n, 12)))
        known = woe.evidence(p, n)
        assert np.allclose(told["woe"][column], known.woe, atol=2e-4)
        assert np.isclose(told["iv"][column], known.iv, atol=2e-3)
    scaled = np.column_stack([told["scaled"][column][CODES[:, column]] for column in (0, 1)])
    assert np.allclose(scaled.mean(axis=0), 0, atol=1e-3)
    assert np.allclose(scaled.std(axis=0), 1, atol=5e-3)


def test_a_column_without_enough_rows_of_a_class_shows_nothing() -> None:
    def program(party: Party) -> Any:
        both = pair(party)
        positives = both.positives()
        safe = joint_bins.safe_counts(positives, both.totals() - positives, at_least=ROWS)
        return both.engine.reveal("safe", safe, to=("owner",))

    told = run(program, ("owner", "labels"), disclosures=TOLD, timeout_s=100).results["owner"]
    assert not told.any()


def test_labels_of_one_class_are_refused_at_their_holder() -> None:
    def program(party: Party) -> Any:
        both = pair(party, np.ones(ROWS))
        return joint_bins.hidden_woe(both, both.positives(), smoothing=0.5)

    with pytest.raises(UsageError, match="300 times 1"):
        run(program, ("owner", "labels"), timeout_s=100)


def test_nobody_brings_both_or_nothing() -> None:
    def program(party: Party) -> Any:
        return Pair(
            party, owner="owner", label_holder="labels", codes=CODES, labels=LABELS, rows=1, columns=1, bins=1
        )

    with pytest.raises(LocalProtocolError, match="nobody both"):
        run(program, ("owner", "labels"))
