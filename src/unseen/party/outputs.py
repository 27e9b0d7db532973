"""Output randomness of one task at one party: split, row order, sampling, noise.

The opposite of mask randomness: the same in every attempt, so that a crash never gives anybody a second sample. An attempt that
goes on from a checkpoint draws from where the first one stood there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from unseen.crypto.derive import derive
from unseen.crypto.prg import Prg


class Outputs:
    """One generator a stream, all from the task's output seed. Thread-safe.

    Parameters
    ----------
    seed
        32 bytes, the same in every attempt.
    task
        Coordinates of the task, without the attempt.
    """

    def __init__(self, seed: bytes, task: Sequence[str | int]) -> None:
        self._seed = seed
        self._task = tuple(task)
        self._made: dict[str, Prg] = {}
        self._ahead: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, stream: str) -> Prg:
        """The generator of a stream."""
        with self._lock:
            if stream not in self._made:
                made = self._made[stream] = Prg(derive(self._seed, "output", [*self._task, stream]))
                made.skip_to(self._ahead.pop(stream, 0))
            return self._made[stream]

    def positions(self) -> dict[str, int]:
        """How far each stream has been drawn."""
        with self._lock:
            return {**self._ahead, **{stream: made.position for stream, made in self._made.items()}}

    def go_on(self, positions: Mapping[str, int]) -> None:
        """Draw from there from now on, also in streams that are made later.

        Raises
        ------
        LocalProtocolError
            A stream has been drawn further.
        """
        with self._lock:
            for stream, position in positions.items():
                if stream in self._made:
                    self._made[stream].skip_to(position)
                else:
                    self._ahead[stream] = position
