"""Correlations of columns that several holders have, and what follows from them, in shares.

What
    The matrix R of Pearson correlations of all columns; VIF_j, entry j of the diagonal of its inverse; and two ways to leave
    columns out, in the order in which they stand: :func:`not_redundant`, whose correlation with a column kept before it is too
    large, and :func:`tolerated`, of whose variance the columns kept before explain too much.
How
    A holder's own block of R is its own affair: it computes it and shares it. Blocks between holders are one product of
    matrices each. Which columns are kept is decided under shares, one after the other, so that a decision tells only what is
    told of it. The tolerance 1 - R² of a column given those kept before is its pivot in a sweep of R.
Against whom
    That of the engine's protocol; only the number of rows and columns is known.
Sources
    Goodnight, "A tutorial on the sweep operator" (The American Statistician 33, 1979); Belsley, Kuh, Welsch, "Regression
    Diagnostics" (1980), for VIF.
Errors
    Those of fixed-point arithmetic: some 10^-5 a correlation, 1 % a VIF up to 30. VIF are those of R + 2^-12, so a column that
    others determine has 4096 at most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.crypto.rlwe import matrices
from unseen.learn.vertical.layout import Layout
from unseen.mpc import Engine, SecretArray

Floats = NDArray[np.float64]
RIDGE = 2.0**-12
MOST_ROWS = 1 << 21
"""Sums of more products do not fit the fixed-point format."""


def standardised(values: Floats) -> Floats:
    """Columns with mean 0 and standard deviation 1; constant ones are 0."""
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    spread[constant(values)] = np.inf
    scaled: Floats = centred / spread
    return scaled


def constant(values: Floats) -> NDArray[np.bool_]:
    """Which columns, of (rows, columns), do not vary by more than rounding does."""
    largest = np.maximum(1.0, np.abs(values).max(axis=0, initial=0.0))
    return np.asarray(np.ptp(values, axis=0) < 1e-12 * largest)


def correlations(engine: Engine, sizes: Layout, own: Floats | None) -> SecretArray:
    """R of all columns, in the order of the holders, shape (width, width).

    Parameters
    ----------
    own
        At a holder: its columns, shape (rows, columns), any scale. None at a helper.

    Raises
    ------
    UsageError
        Too many rows.
    """
    if sizes.rows > MOST_ROWS:
        raise UsageError(
            f"{sizes.rows} rows are too many for correlations.",
            why=f"sums of more than {MOST_ROWS} products do not fit the format",
            mend="take a sample first (split)",
        )
    me = engine.protocol.party.name
    scaled = None if own is None else standardised(own)
    holders = [holder for holder, columns in sizes.columns.items() if columns]
    blocks = {
        holder: engine.share(
            scaled if holder == me else None, owner=holder, shape=(sizes.rows, sizes.columns[holder])
        )
        for holder in holders
    }
    whole: dict[tuple[str, str], SecretArray] = {}
    for place, holder in enumerate(holders):
        mine = None
        if holder == me and scaled is not None:
            mine = scaled.T @ scaled / sizes.rows
            np.fill_diagonal(mine, 1.0)
        width = sizes.columns[holder]
        whole[holder, holder] = engine.share(mine, owner=holder, shape=(width, width))
        for other in holders[place + 1 :]:
            shift = max(0, int(np.ceil(np.log2(sizes.rows))))
            product = engine.matmul_exact(blocks[holder].T, blocks[other])
            mean = engine.truncate(product, engine.bits, divide_by=shift) * (2.0**shift / sizes.rows)
            whole[holder, other], whole[other, holder] = mean, mean.T
    rows = [engine.concatenate([whole[one, other] for other in holders], axis=1) for one in holders]
    return engine.concatenate(rows)


def cost(
    protocol: str, rows: int, widths: Sequence[int], *, redundant: bool, tolerance: bool, factors: bool
) -> tuple[float, int]:
    """Bytes and rounds of :func:`correlations` for holders with these numbers of columns, and of what is asked of them.

    Measured for two holders, with a helper and without; with a helper by pairs of holders.
    """
    width, holders = sum(widths), max(2, len(widths))
    if protocol == "pair2":
        sent = 9e5 + 2 * matrices.plan(max(1, widths[0]), max(1, rows), max(1, widths[-1])).size_bytes
        each = ((redundant, 30e3, 8), (tolerance, 240e3, 60), (factors, 200e3 + 2000 * width**2, 60))
    else:
        sent = 16.0 * rows * width
        each = ((redundant, 7e3, 10), (tolerance, 26e3, 46), (factors, 23e3 + 80 * width**2, 44))
    pairs = 1 if protocol == "pair2" else holders * (holders - 1) // 2
    asked = [(bytes_, rounds) for wanted, bytes_, rounds in each if wanted]
    sent += width * sum(bytes_ for bytes_, _ in asked)
    return sent * pairs, 8 + width * sum(rounds for _, rounds in asked)


def not_redundant(matrix: SecretArray, most: float) -> SecretArray:
    """Which columns are kept, whole numbers 0 and 1: those whose |r| with every column kept before is at most `most`."""
    engine, width = matrix.engine, len(matrix)
    high = engine.as_number((matrix > most) | (matrix < -most))
    kept = [engine.lift(np.ones(1), 0)]
    for place in range(1, width):
        before = engine.concatenate(kept)
        clashes = (high[place, :place] * before).sum().reshape(1)
        kept.append(engine.as_number(clashes < 1))
    return engine.concatenate(kept)


def tolerated(matrix: SecretArray, most: float, *, among: SecretArray | None = None) -> SecretArray:
    """Which columns are kept, whole numbers 0 and 1: those whose VIF beside the columns kept before is at most `most`.

    `among`: which may be kept at all, whole numbers 0 and 1.
    """
    engine, width = matrix.engine, len(matrix)
    rest, kept = matrix, []
    for place in range(width):
        pivot = rest[:1, 0]
        keep = engine.as_number(pivot >= 1 / most)
        keep = keep if among is None else keep * among[place : place + 1]
        kept.append(keep)
        if len(rest) == 1:
            break
        factor = keep * np.reciprocal(pivot)
        column = rest[1:, 0]
        taken = (column * factor).reshape(-1, 1) * column.reshape(1, -1)
        rest = rest[1:, 1:] - taken
    return engine.concatenate(kept)


def inflation(matrix: SecretArray) -> SecretArray:
    """The VIF of each column, shape (width,), by sweeping R + 2^-12."""
    engine, width = matrix.engine, len(matrix)
    work = engine.concatenate([matrix + np.eye(width) * RIDGE, engine.lift(np.eye(width))], axis=1)
    for place in range(width):
        row = work[place] * np.reciprocal(work[place : place + 1, place])
        others = work[:, place].reshape(-1, 1) * row.reshape(1, -1)
        mark = np.zeros((width, 1))
        mark[place] = 1
        work = work - others * (1 - mark).astype(np.int64)
        work = engine.concatenate([work[:place], row.reshape(1, -1), work[place + 1 :]])
    diagonal = [work[place : place + 1, width + place] for place in range(width)]
    return engine.concatenate(diagonal)
