"""Halves of a correlation: shapes are checked, values never show."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import LocalProtocolError
from unseen.ot import ReceiverCorrelation, SenderCorrelation
from unseen.ot.correlation import require_bits

ROWS = np.full((3, 16), 171, np.uint8)
BITS = np.array([0, 1, 1], np.uint8)


def test_halves_hold_what_they_were_given() -> None:
    sender, receiver = SenderCorrelation(ROWS[0], ROWS), ReceiverCorrelation(BITS, ROWS)
    assert len(sender) == len(receiver) == 3
    assert sender.rows is ROWS
    assert receiver.choices is BITS


def test_values_do_not_show() -> None:
    for half in (SenderCorrelation(ROWS[0], ROWS), ReceiverCorrelation(BITS, ROWS)):
        assert "171" not in f"{half!r} {half}"
        assert "3 secret rows" in repr(half)


@pytest.mark.parametrize(
    ("delta", "rows"),
    [
        (ROWS, ROWS),
        (ROWS[0], ROWS[:, :15]),
        (ROWS[0].astype(np.int64), ROWS),
        (ROWS[0], ROWS.astype(np.uint16)),
        (ROWS[0], ROWS.reshape(-1)),
    ],
)
def test_other_shapes_are_refused(delta: np.ndarray, rows: np.ndarray) -> None:
    with pytest.raises(LocalProtocolError, match="where uint8"):
        SenderCorrelation(delta, rows)


@pytest.mark.parametrize("choices", [BITS[:2], BITS.astype(bool), BITS.reshape(1, 3)])
def test_other_choices_are_refused(choices: np.ndarray) -> None:
    with pytest.raises(LocalProtocolError, match="choices"):
        ReceiverCorrelation(choices, ROWS)


def test_choices_are_bits() -> None:
    assert require_bits(BITS, 3).flags.c_contiguous
    assert require_bits(np.zeros(0, np.uint8), 0).shape == (0,)
    with pytest.raises(LocalProtocolError, match="neither 0 nor 1"):
        require_bits(np.array([0, 2], np.uint8), 2)
    with pytest.raises(LocalProtocolError, match="where uint8"):
        require_bits(BITS, 4)
