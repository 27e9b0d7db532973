"""Linear models in shares: scores are a function of columns times weights; a kind of :mod:`unseen.learn.vertical.models`.

Public part: `family`, one of :data:`FAMILIES`. Shares: `weights`, shape (width + 1,), the intercept last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.learn.vertical import layout, logistic
from unseen.learn.vertical.layout import Layout
from unseen.learn.vertical.models import Model
from unseen.mpc import Engine, SecretArray
from unseen.mpc.fixed import FRACTION_BITS

MODEL_FORMAT = 1
FAMILIES = ("logistic",)


def shapes(public: Mapping[str, Any], sizes: Layout) -> dict[str, tuple[tuple[int, ...], int]]:
    """The weights, and the intercept last."""
    if public.get("family") not in FAMILIES:
        raise UsageError(f"There is no family '{public.get('family')}' of linear models.")
    return {"weights": ((sizes.width + 1,), FRACTION_BITS)}


def predict(engine: Engine, model: Model, own: NDArray[np.float64] | None, sizes: Layout) -> SecretArray:
    """Probabilities of 1, shape (rows,)."""
    columns = layout.share_blocks(engine, sizes, own)
    return logistic.predict(engine, columns, model.secret(engine, "weights"))
