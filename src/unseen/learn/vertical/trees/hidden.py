"""Splits that nobody learns: a node's split as a secret table of codes.

Of the one-hot vector of the split that won, every code gets the sum of the candidates by which it goes left: 1 or 0. A row goes left if
the entries of its codes, of all columns of all holders, sum up to 1: a sum of secret entries at places that one holder each knows
(:meth:`unseen.mpc.tally.Tally.spread`). Where secrets are sums of shares, the lowest bit of such a number is the XOR of the
shares' lowest bits, so it is a secret bit as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseen.learn.vertical.trees.bins import Candidates
from unseen.learn.vertical.trees.model import Codes
from unseen.mpc import Engine, SecretArray, planes
from unseen.mpc.shares import Planes


def table(engine: Engine, hot: SecretArray, choices: Candidates, codes: int) -> SecretArray:
    """Of one-hot numbers (nodes, 1 + candidates) which codes go left, (nodes, codes)."""
    places = np.arange(codes)
    goes = (places >= choices.base[:, None]) & (places < choices.last[:, None])
    goes |= places == choices.absent[:, None]
    share = hot.share[..., 1:] @ goes.astype(np.uint64)
    return engine.number(share, 0)


def low_bits(sides: SecretArray) -> Planes:
    """Secret numbers 0 and 1 (nodes, rows) as secret bits, one plane a node."""
    bits = (sides.share & np.uint64(1)).astype(np.uint8)
    flat = planes.pack(bits.reshape(-1, bits.shape[2]))
    return flat.reshape(bits.shape[0], bits.shape[1], -1)


def known_codes(codes: Codes, widths: Sequence[int]) -> Codes:
    """Codes that training has not met, of missing values, as the last bin's, which always goes right."""
    known: Codes = np.minimum(codes, np.array(widths)[:, None] - 1)
    return known
