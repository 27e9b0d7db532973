"""Boosted trees by histograms under additive encryption: one holder has the label, the others add up what they cannot read.

Grows the trees of :mod:`.plain` (XGBoost's `hist` on the same codes) up to rounding of the others' sums to some 2^-26.

What is told
    The label holder: the sums of derivatives by node, column and bin of the other holders (columns and bins by number only),
    the number of their bins, which code is the most frequent, which columns are monotone, and which rows their splits send left.
    The others: which row is in which node of every tree, their own splits, and when training ends. They do not learn labels,
    derivatives, sums, gains, weights or scores.
Security
    Semi-honest parties; the scheme's assumption towards the holders without the key (:mod:`unseen.crypto.additive`). Sums
    go back re-randomised: what the label holder gets is within 2^-64 of fresh ciphertexts of what it reads. The key lives for
    one training, and one attempt at it: what goes on from a checkpoint makes a new one, so that no key ever lies on a disk. A party that deviates is not found out by this protocol: it may train a wrong model, and a label
    holder that makes its derivatives up learns more of the others' columns than one that trains
    (docs/protocols/train-gbdt-federated.md names the attacks).
Method
    A level at a time. Of two siblings the one with fewer rows is summed up, the other is the difference, taken after
    decryption; likewise of each column the most frequent code. Several sums share a ciphertext (:mod:`unseen.learn.vertical.trees.packing`).

Sources: Cheng et al., "SecureBoost" (IEEE Intelligent Systems 2021); Chen et al., "SecureBoost+" (PAKDD 2023).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import UsageError
from unseen.crypto.additive import generate
from unseen.learn.vertical.checkpoints import FORGETFUL, Keeper
from unseen.learn.vertical.trees import objectives
from unseen.learn.vertical.trees.federated.adder import Adder
from unseen.learn.vertical.trees.federated.exchange import (
    BINS,
    MEMBERS,
    SPLITS,
    STOP,
    SUMS,
    WAYS,
    EarlyStop,
    Floats,
    Grown,
    Report,
)
from unseen.learn.vertical.trees.federated.leader import Leader
from unseen.learn.vertical.trees.model import Codes, Settings
from unseen.party import Party

__all__ = ["BINS", "MEMBERS", "SPLITS", "STOP", "SUMS", "WAYS", "EarlyStop", "Grown", "fit"]


def fit(
    party: Party,
    codes: Codes,
    bins: Sequence[int],
    labels: Floats | None,
    settings: Settings,
    *,
    holders: Sequence[str],
    label_holder: str,
    scheme: str = "ou",
    key_bits: int = 3072,
    seen: NDArray[np.bool_] | None = None,
    columns: NDArray[np.bool_] | None = None,
    ways: Sequence[int] | None = None,
    stop: EarlyStop | None = None,
    report: Report = lambda _done, _total: None,
    keep: Keeper = FORGETFUL,
) -> Grown:
    """Grow trees. Every holder calls it alike.

    Parameters
    ----------
    codes
        Of this holder's columns, shape (columns, rows), unsigned: 0 to bins - 1, and bins where the value is missing.
    bins
        For each own column the number of bins without the missing one.
    labels
        Shape (rows,), at the label holder; None elsewhere.
    holders
        In the order in which their columns count.
    scheme, key_bits
        "ou" or "paillier"; 3072, or 2048.
    seen, columns
        At the label holder, which rows and columns (of all holders) each tree sees, (trees, rows) and (trees, columns).
    ways
        For each own column 1 if the score may only grow with it, -1 if only fall, 0 either; None: 0 for all. The label holder is
        told (and `settings.monotone` is None).
    stop
        At the label holder.
    keep
        Where each party stores its own splits, and the label holder scores and leaves, after a round.

    Raises
    ------
    UsageError
        Labels that do not fit, or missing at the label holder; ways that are not one a column.
    RemoteProtocolError
        Another party does not keep to the protocol, as far as that can be seen.
    """
    own = (0,) * len(bins) if ways is None else tuple(ways)
    if len(own) != len(bins) or {*own} - {-1, 0, 1} or settings.monotone is not None:
        raise UsageError(f"{len(own)} columns are said to be monotone or not, and there are {len(bins)}.")
    if party.name != label_holder:
        return Adder(party, label_holder, codes, bins, own, settings).train(report, keep)
    if labels is None:
        raise UsageError(f"{label_holder} is to bring the label, and has none.")
    objectives.check_labels(labels, settings)
    leader = Leader(party, holders, codes, bins, own, settings, generate(scheme, key_bits))
    return leader.train(labels, report, keep, seen=seen, columns=columns, stop=stop)
