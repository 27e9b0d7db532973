"""Quotients of whole numbers that nobody knows, rounded to a fixed number of places: what comes out is that, and nothing else.

Long division, a few binary places at a time: what is left is compared with all multiples of the divisor at once. Unlike the inverse of
:mod:`unseen.mpc`, which is right to 2^-15 of its size, the result is a function of the quotient alone, so that its last places tell nothing
of what was divided.
"""

from __future__ import annotations

import numpy as np

from unseen.mpc import SecretArray
from unseen.mpc.functions.compare import below, logical_not

_AT_A_TIME = 4
_MOST_BITS = 62


def quotients(over: SecretArray, under: SecretArray, *, whole: int, places: int) -> SecretArray:
    """Quotients with `places` fraction bits, to the nearest, halves up; some ten rounds for four bits.

    Parameters
    ----------
    over, under
        Integers of the same shape (count,); 0 <= over < under * 2^whole, and under * 2^(whole + 5) < 2^62.
    whole
        Bits before the point.
    """
    engine = over.engine
    divisor, rest = under.share << np.uint64(whole), over
    scaled = engine.number(divisor, 0)
    made = engine.lift(np.zeros(len(over)), 0)
    left = whole + places
    while left:
        step = min(left, _AT_A_TIME)
        left -= step
        multiples = np.arange(1, 1 << step).reshape(-1, 1)
        rest = rest * (1 << step)
        reached = below(rest.reshape(1, -1) - scaled.reshape(1, -1) * multiples, (0.0,))[0]
        digit = engine.as_number(logical_not(reached)).sum(axis=0)
        rest = rest - digit * scaled
        made = made * (1 << step) + digit
    half = logical_not(below(rest * 2 - scaled, (0.0,))[0])
    return engine.number((made + engine.as_number(half)).share, places)
