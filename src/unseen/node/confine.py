"""Keep a process and its children to the folders it needs, by the kernel: Landlock, on Linux since 5.13.

File permissions do not part two nodes that run under one account, as in a demonstration or where one machine serves
two departments. Landlock does: after :func:`confine` this process and all it forks can open, list or change nothing
outside the given folders and the system's own, whatever the permissions say. It needs no privilege, and it cannot be
undone.

Source: Linux kernel, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import site
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from unseen.core.errors import UnavailableError

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ALL_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15

SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc", "/opt", "/proc", "/sys", "/run/systemd/resolve")
DEVICES = ("/dev",)


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def available() -> bool:
    """Whether this system's kernel can confine."""
    return _version() > 0


def confine(folders: Sequence[Path], *, readable: Iterable[Path] = ()) -> None:
    """Nothing but `folders`, what Python runs from, and the system's own folders can be opened from now on.

    Call it before any thread is started: threads that run already are not confined.

    Parameters
    ----------
    folders
        May be read and written.
    readable
        May be read.

    Raises
    ------
    UnavailableError
        This system cannot do it.
    """
    version = _version()
    if not version:
        raise UnavailableError(
            "This system cannot confine the node to its folders.",
            why="it needs Landlock: Linux 5.13 or newer, with Landlock switched on",
            mend="set confine.on = false, and give each node an account of its own",
        )
    everything = _ALL_BY_VERSION[max(known for known in _ALL_BY_VERSION if known <= version)]
    ruleset = _Ruleset(everything)
    handle = _call(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    try:
        for place in {*map(Path, SYSTEM), *python_folders(), *readable}:
            _allow(handle, place, _READ)
        for place in map(Path, DEVICES):
            _allow(handle, place, everything)
        for place in folders:
            _allow(handle, place, everything)
        if _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise _failed()
        _call(_RESTRICT_SELF, handle, 0)
    finally:
        os.close(handle)


def python_folders() -> set[Path]:
    """Where the interpreter, its packages and this package lie."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages(), *sys.path}
    places.add(str(Path(__file__).parents[2]))
    found = {Path(place).resolve() for place in places if place and Path(place).exists()}
    return found - {Path("/"), Path.cwd().resolve()}  # `python -m` puts the working folder among them


def _allow(ruleset: int, place: Path, access: int) -> None:
    try:
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rule = _Rule(access if place.is_dir() else access & _OF_FILES, handle)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(handle)


def _version() -> int:
    """The kernel's version of the interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    found: int = _libc().syscall(_CREATE_RULESET, None, 0, _VERSION)
    return max(found, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    done: int = _libc().syscall(number, *arguments)
    if done < 0:
        raise _failed()
    return done


def _failed() -> UnavailableError:
    return UnavailableError(
        "The node could not be confined to its folders.", why=os.strerror(ctypes.get_errno())
    )
