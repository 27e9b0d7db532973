"""What a process holds while something runs: memory that no file backs, and files without a name that it has mapped.

`with Held() as held: train()`, then `held.private_mib` and `held.scratch_mib`.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Self

_SECONDS = 0.05
_MIB = 1 << 20


class Held:
    """The largest of both meanwhile, looked at twenty times a second; 0 where the system does not tell (Linux does).

    `private_mib` is `RssAnon`; `scratch_mib` what is mapped of temporary files that are removed when the process ends.
    """

    def __init__(self) -> None:
        self.private_mib = 0.0
        self.scratch_mib = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS):
            self._look()

    def _look(self) -> None:
        status, maps = Path("/proc/self/status"), Path("/proc/self/maps")
        if not status.exists():
            return
        held = [int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if "RssAnon" in line]
        self.private_mib = max(self.private_mib, *held)
        folder = tempfile.gettempdir()
        spans = [
            line.split()[0].split("-")
            for line in maps.read_text().splitlines()
            if line.endswith("(deleted)") and f" {folder}/" in line
        ]
        self.scratch_mib = max(
            self.scratch_mib, sum(int(end, 16) - int(begin, 16) for begin, end in spans) / _MIB
        )
