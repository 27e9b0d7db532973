"""Plug-ins by file name: a new protocol, step, connector or back end is one file in its folder.

A family's package calls :func:`plugins` on itself; the file name is the plug-in's name ('_' reads '-' where a
person writes it). Nothing is registered by hand, so there is no list to forget.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from unseen.core.errors import UsageError


def names(package: str) -> tuple[str, ...]:
    """Names of all plug-ins in `package`, sorted. Files beginning with '_' are not plug-ins."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return tuple(sorted(module.name.replace("_", "-") for module in found if not module.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """Import plug-in `name` of `package`.

    Raises
    ------
    UsageError
        There is no such plug-in; the message lists those there are.
    """
    known = names(package)
    if name not in known:
        family = package.rsplit(".", 1)[-1]
        raise UsageError(
            f"There is no '{name}' in {family}.",
            why=f"{family} has: {', '.join(known)}",
            mend="choose one of these",
        )
    return importlib.import_module(f"{package}.{name.replace('-', '_')}")
