"""`unseen completion`: let the shell finish command names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from unseen.cli.session import COMMON, Common, emit, say
from unseen.core.errors import UsageError


def completion(
    shell: Literal["bash", "zsh", "fish"], *, install: bool = False, common: Common = COMMON
) -> None:
    """Print the completion script of a shell, or install it for this user.

    Parameters
    ----------
    shell
        Which shell.
    install
        Write it where that shell looks, instead of printing it.
    """
    from unseen.cli.main import build  # noqa: PLC0415 - main names this module

    app = build()
    if not install:
        sys.stdout.write(app.generate_completion(shell=shell))
        return
    try:
        written = app.install_completion(shell=shell, add_to_startup=False)
    except OSError as error:
        raise UsageError("The script cannot be installed.", why=str(error)) from error
    emit(
        common,
        {"file": str(Path(written))},
        lambda value: say(f"Installed {value['file']}; start a new shell."),
    )
