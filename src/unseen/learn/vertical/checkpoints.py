"""Checkpoints of a training in shares: what it holds after an epoch, a Newton step, a tree, stored and taken up again.

Each party stores its own shares (:mod:`unseen.party.checkpoint`), so that a disk tells no more than a party knew anyway. A helper
stores shares of nothing, and so knows the shapes. Under a protocol in which parties deviate nothing is stored: what was computed
is checked only before something is revealed, and a crash must not be a way round the check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from unseen.learn.vertical.models import BOOLEAN, Shares
from unseen.mpc import Engine, SecretArray
from unseen.party import Checkpoints
from unseen.party.messages import Array

_OWN = "own"
_FORM = "{bits}/{name}"


class Keeper(Protocol):
    """Where a training in clear stores what it holds: :class:`unseen.party.Checkpoints`. All parties call it alike."""

    def resume(self) -> tuple[int, Mapping[str, Array]]:
        """How many passages are done, and what was held after them; (0, nothing) at the beginning."""

    def save(self, done: int, state: Mapping[str, Array]) -> None:
        """After passage `done`: what is needed to go on."""


class SecretKeeper(Protocol):
    """The same of a training in shares; `own` is what this party alone holds besides, after :meth:`resume`."""

    own: Mapping[str, Array]

    def resume(self) -> tuple[int, Mapping[str, SecretArray]]:
        """See :class:`Keeper`."""

    def save(self, done: int, state: Mapping[str, SecretArray], own: Mapping[str, Array] = {}) -> None:
        """See :class:`Keeper`."""


class _Forgetful:
    """Stores nothing: a training begins at its beginning."""

    def __init__(self) -> None:
        self.own: Mapping[str, Array] = {}

    def resume(self) -> tuple[int, Mapping[str, Any]]:
        return 0, {}

    def save(self, done: int, state: Mapping[str, Any], own: Mapping[str, Array] = {}) -> None:
        pass


FORGETFUL = _Forgetful()


class SecretCheckpoints:
    """A :class:`SecretKeeper` for one engine, in a task's checkpoints."""

    def __init__(self, engine: Engine, checkpoints: Checkpoints) -> None:
        self._engine = engine
        self._checkpoints = checkpoints
        self.own: Mapping[str, Array] = {}

    def resume(self) -> tuple[int, Mapping[str, SecretArray]]:
        """See :meth:`unseen.party.checkpoint.Checkpoints.resume`."""
        if not self._engine.semi_honest:
            return 0, {}
        done, arrays = self._checkpoints.resume()
        parts = {tuple(form.split("/", 1)): array for form, array in arrays.items()}
        self.own = {name: array for (bits, name), array in parts.items() if bits == _OWN}
        secrets = {name: (int(bits), array) for (bits, name), array in parts.items() if bits != _OWN}
        return done, {name: self._secret(*held) for name, held in secrets.items()}

    def save(self, done: int, state: Mapping[str, SecretArray], own: Mapping[str, Array] = {}) -> None:
        """See :meth:`unseen.party.checkpoint.Checkpoints.save`."""
        if self._engine.semi_honest and self._checkpoints.due(done):
            held = {name: Shares.of(array) for name, array in state.items()}
            stored = {_FORM.format(bits=item.bits, name=name): item.values for name, item in held.items()}
            stored |= {_FORM.format(bits=_OWN, name=name): array for name, array in own.items()}
            self._checkpoints.save(done, stored)

    def _secret(self, bits: int, array: Array) -> SecretArray:
        if bits == BOOLEAN:
            return self._engine.boolean(array.astype(np.uint8, copy=False))
        return self._engine.number(array.astype(np.uint64, copy=False), bits)
