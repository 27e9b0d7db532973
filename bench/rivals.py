"""What we are held against: programs that stay up and answer one JSON line with one JSON line.

    with python_rival("scikit-learn", ["scikit-learn"], Path(__file__).with_name("sklearn_pooled.py")) as rival:
        answer = rival.ask(rows=569)

Python rivals get a virtual environment of their own under build/rivals, so that their requirements do not meet ours.
A program that is not Python is a `Rival(name, [its command])`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ROOT / "build" / "rivals"
STOP_S = 10.0


class RivalMissingError(RuntimeError):
    """The rival could not be installed or started here."""


class Rival:
    """A program that is asked over its standard input and answers over its standard output."""

    def __init__(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment
            )
        except OSError as error:
            raise RivalMissingError(f"{self.name}: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def ask(self, *, patience_s: float | None = None, **request: Any) -> dict[str, Any]:
        """One request, one answer.

        Parameters
        ----------
        patience_s
            How long it may take; then the program is killed. None: for ever.

        Raises
        ------
        RivalMissingError
            It ended.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RivalMissingError(f"{self.name} was not started")
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        impatient = threading.Timer(patience_s, process.kill) if patience_s else None
        if impatient:
            impatient.start()
        line = process.stdout.readline()
        if impatient:
            impatient.cancel()
        if not line:
            raise RivalMissingError(f"{self.name} ended with code {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def python_rival(
    name: str, requirements: Sequence[str], program: Path, *, environment: Mapping[str, str] | None = None
) -> Rival:
    """A Python program in an environment of its own, made once; `environment` are variables for making and running it.

    Raises
    ------
    RivalMissingError
        The requirements could not be installed.
    """
    place = ENVIRONMENTS / name
    python = place / "bin" / "python"
    stamp = place / "requirements.txt"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(place, with_pip=True, clear=True)
        done = subprocess.run(
            [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *requirements],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        if done.returncode:
            raise RivalMissingError(f"{name} cannot be installed: {done.stderr.strip()[-500:]}")
        stamp.write_text(wanted, encoding="utf-8")
    return Rival(name, [str(python), str(program)], environment=environment)


def present(make: Callable[[], AbstractContextManager[T]], stack: ExitStack) -> T | None:
    """The rival, started until the stack ends; None, said on standard error, where it cannot be had."""
    try:
        return stack.enter_context(make())
    except RivalMissingError as error:
        sys.stderr.write(f"without rival: {error}\n")
        return None
