"""Kill -9 at a named place of the program: a node is started with one function that ends its process, once.

The program itself knows nothing of it. Python imports `sitecustomize` at its start, from a folder that only the chosen
node's processes have on their path; there a hook waits for the module of the chosen function and wraps it. So the very
process that gets there dies there, node or worker, without a last word.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HOOK = """
import importlib.abc, os, signal, sys
MODULE, FUNCTION, WHEN, NTH, MARK = {point!r}

def die():
    handle = os.open(MARK, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(handle, str(os.getpid()).encode())
    os.close(handle)
    os.kill(os.getpid(), signal.SIGKILL)

def wrap(module):
    *path, name = FUNCTION.split(".")
    owner = module
    for part in path:
        owner = getattr(owner, part)
    plain, calls = getattr(owner, name), [0]

    def wrapped(*arguments, **options):
        calls[0] += 1
        now = calls[0] == NTH and not os.path.exists(MARK)
        if now and WHEN == "before":
            die()
        result = plain(*arguments, **options)
        if now:
            die()
        return result

    setattr(owner, name, wrapped)

class Hook(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            wrap(module)
        spec.loader.exec_module = exec_module
        return spec

import importlib.util
sys.meta_path.insert(0, Hook())
"""


@dataclass(frozen=True, slots=True)
class Point:
    """Before or after the `nth` call of a function, as `module:Class.function`."""

    where: str
    when: str = "after"
    nth: int = 1


class Trap:
    """One point, and whether somebody died there."""

    def __init__(self, point: Point, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._mark = folder / "died"
        module, _, function = point.where.partition(":")
        told = (module, function, point.when, point.nth, str(self._mark))
        (folder / "sitecustomize.py").write_text(_HOOK.format(point=told))

    @contextmanager
    def set(self) -> Iterator[None]:
        """Processes started meanwhile have the trap in them."""
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(self.folder), before]))
        try:
            yield
        finally:
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before

    @property
    def died(self) -> bool:
        """Whether somebody did, and is gone: between the mark and the end the process still answers."""
        if not self._mark.exists() or not (told := self._mark.read_text()):
            return False
        try:
            state = Path(f"/proc/{told}/stat").read_text().rpartition(") ")[2][:1]
        except OSError:
            return True
        return state in {"Z", "X"}

    def victim(self, timeout_s: float = 30.0) -> int:
        """Wait until a process died there; its id."""
        deadline = time.monotonic() + timeout_s
        while not self._mark.exists() or not self._mark.read_text():
            assert time.monotonic() < deadline, "nobody came by the point"
            time.sleep(0.01)
        return int(self._mark.read_text())
