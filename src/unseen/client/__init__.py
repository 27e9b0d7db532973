"""The Python API: workflows, and the environments they run in.

    from unseen.client import Local, Workflow

Loaded when first asked for, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unseen.client.consortium import Consortium
    from unseen.client.cross_validation import cross_validate
    from unseen.client.local import Local
    from unseen.client.loopback import Loopback
    from unseen.client.outcome import Outcome
    from unseen.client.workflow import Workflow

__all__ = ["Consortium", "Local", "Loopback", "Outcome", "Workflow", "cross_validate"]

_PLACES = {name: f"unseen.client.{name.lower()}" for name in __all__} | {
    "cross_validate": "unseen.client.cross_validation"
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
