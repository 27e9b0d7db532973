"""Garbled circuits: half gates for many instances at once.

A circuit comes as gates over *slots* (see :class:`unseen.mpc.circuits.circuit.Program`): `gates` is (kinds uint8, left, right,
out int32), one entry a gate, kinds 0 XOR, 1 AND, 2 INV. Labels are a uint8 array of shape (groups, slots, lanes, 16): every
lane of every group is an instance of its own. The garbler's labels are those of zero, label ^ delta is that of one; the
lowest bit of delta is 1, so that the lowest bit of a label tells which row of a table it opens and nothing of the value.

The hash of an AND is AES under a key of its own (:func:`unseen.kernels.blocks.hash_rekeyed`): AND number a of group g uses the
keys start ^ (number + g * stride + 2 a) and the one after. The lanes of a group, at most 16, share them; lane l hashes its
labels with l added (by XOR) to both their halves, so that no two lanes hash the same, not even on a wire that is constant and
has the same label in all of them. Under one `start` no key number may be used by two calls.

:mod:`unseen.kernels.reference.garble` defines every function here.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.kernels.native import native
from unseen.kernels.reference import garble as reference

Blocks = NDArray[np.uint8]
Gates: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]

MOST_LANES = 16

_native = native()


def garble(gates: Gates, labels: Blocks, delta: Blocks, *, start: Blocks, number: int, stride: int) -> Blocks:
    """Tables of shape (groups, ANDs, lanes, 2, 16); `labels` of zero are written in place.

    Parameters
    ----------
    delta, start
        Shape (16,).
    """
    if _native is None:
        return reference.garble(gates, labels, delta, start=start, number=number, stride=stride)
    out: Blocks = _native.garble(*gates, labels, delta, start, number, stride)
    return out


def evaluate(
    gates: Gates, labels: Blocks, tables: Blocks, *, start: Blocks, number: int, stride: int
) -> None:
    """Turn `labels` of the values of inputs into those of all gates, in place."""
    if _native is None:
        reference.evaluate(gates, labels, tables, start=start, number=number, stride=stride)
    else:
        _native.garble_evaluate(*gates, labels, tables, start, number, stride)
