"""Checkpoints of a training in shares: what it holds after an epoch, a Newton step, a tree, stored and taken up again.

Each party stores its own shares (:mod:`unseen.party.checkpoint`), so that a disk tells no more than a party knew anyway. A helper
stores shares of nothing, and so knows the shapes. Under a protocol in which parties deviate nothing is stored: what was computed
is checked only before something is revealed, and a crash must not be a way round the check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.learn.vertical.models import BOOLEAN, Shares
from unseen.mpc import Engine, SecretArray
from unseen.party import Checkpoints

V = TypeVar("V")
_FORM = "{bits}/{name}"


class Keeper(Protocol[V]):
    """Where a training stores what it holds: :class:`unseen.party.Checkpoints` for arrays in clear. All parties call it alike."""

    def resume(self) -> tuple[int, Mapping[str, V]]:
        """How many passages are done, and what was held after them; (0, nothing) at the beginning."""

    def save(self, done: int, state: Mapping[str, V]) -> None:
        """After passage `done`: what is needed to go on."""


class _Forgetful:
    """Stores nothing: a training begins at its beginning."""

    def resume(self) -> tuple[int, Mapping[str, Any]]:
        return 0, {}

    def save(self, done: int, state: Mapping[str, Any]) -> None:
        pass


FORGETFUL = _Forgetful()


class SecretCheckpoints:
    """A :class:`Keeper` of secret arrays of one engine, in a task's checkpoints."""

    def __init__(self, engine: Engine, checkpoints: Checkpoints) -> None:
        self._engine = engine
        self._checkpoints = checkpoints

    def resume(self) -> tuple[int, Mapping[str, SecretArray]]:
        """See :meth:`unseen.party.checkpoint.Checkpoints.resume`."""
        if not self._engine.semi_honest:
            return 0, {}
        done, arrays = self._checkpoints.resume()
        return done, dict(self._secret(name, array) for name, array in arrays.items())

    def save(self, done: int, state: Mapping[str, SecretArray]) -> None:
        """See :meth:`unseen.party.checkpoint.Checkpoints.save`."""
        if self._engine.semi_honest and self._checkpoints.due(done):
            held = {name: Shares.of(array) for name, array in state.items()}
            self._checkpoints.save(
                done, {_FORM.format(bits=item.bits, name=name): item.values for name, item in held.items()}
            )

    def _secret(self, form: str, array: NDArray[np.generic]) -> tuple[str, SecretArray]:
        bits, _, name = form.partition("/")
        if int(bits) == BOOLEAN:
            return name, self._engine.boolean(array.astype(np.uint8, copy=False))
        return name, self._engine.number(array.astype(np.uint64, copy=False), int(bits))
