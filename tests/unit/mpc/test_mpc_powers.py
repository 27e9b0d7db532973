"""Powers of fractions in integers."""

from __future__ import annotations

import numpy as np

from unseen.mpc.powers import power_of_fraction


def test_powers_of_fractions() -> None:
    fractions = np.r_[np.arange(0, 1 << 25, 997), (1 << 25) - 1].astype(np.uint64)
    for kept in (20, 28, 30):
        made = power_of_fraction(fractions, 25, kept) / 2.0**kept
        assert np.abs(made - np.exp2(fractions / 2.0**25)).max() < 2.0**-kept + 2e-7
