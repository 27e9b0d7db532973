"""What a process holds while something runs: memory that no file backs, and files without a name that it has mapped.

`with Held() as held: train()`, then `held.private_mib` and `held.scratch_mib`, looked at now and then. Where a peak may be short,
`settle()` before it and `own_peak()` after it: the system keeps count.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import tempfile
import threading
from pathlib import Path
from typing import Self

_SECONDS = 0.05
_MIB = 1 << 20


def settle() -> None:
    """Give back what earlier cases left free, of which this one would be made unseen, and begin to look for a peak anew."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def own_now() -> int:
    """Bytes of memory of this process, without files that are mapped (code, mostly), which all parties have once."""
    return _resident("VmRSS") - _resident("RssFile")


def own_peak() -> int:
    """The same at most since :func:`settle`; what is mapped is taken to be what it is now."""
    return _resident("VmHWM") - _resident("RssFile")


def _resident(which: str) -> int:
    found = re.search(
        rf"^{which}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE
    )
    return int(found.group(1)) * 1024 if found else 0


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
