"""`unseen demo`: a scene, from data to audited result, with all parties on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unseen.cli.session import COMMON, Common
from unseen.core import registry
from unseen.core.errors import UsageError

_SCENES = "unseen.scenes"
_FUNCTION = "main"


def demo(
    scene: str = "medicine",
    *,
    data: Path | None = None,
    label: str | None = None,
    key: str | None = None,
    keep: Path | None = None,
    common: Common = COMMON,
) -> int | None:
    """Start every party as a process of its own, agree, compute, compare with pooled plaintext, report, audit.

    Parameters
    ----------
    scene
        Which story: medicine, finance or government.
    data
        A folder with your own files (CSV or Parquet), one for each holder, or with a public data set that the scene knows.
    label
        With --data: the column to be predicted.
    key
        With --data: the column that identifies a record in all files.
    keep
        Keep the parties' folders and reports here; otherwise only the reports are kept.
    """
    # scenes stand above the command line, so they are found by name
    code: int | None = run_scene(scene)(
        data=data, label=label, key=key, keep=keep, as_json=common.json, lang=common.lang
    )
    return code


def run_scene(name: str) -> Callable[..., Any]:
    """The function that plays a scene.

    Raises
    ------
    UsageError
        There is no such scene.
    """
    play = getattr(registry.load(_SCENES, name), _FUNCTION, None)
    if play is None:
        raise UsageError(
            f"'{name}' is no scene.", mend="there are medicine, finance and government: `unseen demo finance`"
        )
    return play  # type: ignore[no-any-return]
