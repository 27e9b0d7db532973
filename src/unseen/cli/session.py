"""What every command has: where the node is, and how to show an answer.

Answers go to standard output, as tables for people or, with `--json`, as the JSON of the node's values and nothing
else. Everything said besides goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from unseen.client.remote import RemoteNode

_EVERYWHERE = Group("Everywhere", sort_key=9)
ADDRESS_VARIABLE = "UNSEEN_API"
Lang = Literal["en", "zh"]
Source = Annotated[str, Parameter(allow_leading_hyphen=True)]  # '-' is standard input


@Parameter(name="*", group=_EVERYWHERE)
@dataclass(frozen=True, slots=True)
class Common:
    """Options of every command."""

    home: Annotated[Path, Parameter(env_var="UNSEEN_HOME")] = Path("~/.unseen")
    """The node's folder."""

    json: Annotated[bool, Parameter(negative="")] = False
    """Print the answer as JSON, and errors as JSON on standard error."""

    lang: Annotated[Lang, Parameter(env_var="UNSEEN_LANG")] = "en"
    """Language of plain words (contracts, audits)."""

    @property
    def folder(self) -> Path:
        """:attr:`home`, absolute."""
        return self.home.expanduser().absolute()


COMMON = Common()


@contextmanager
def connect(common: Common) -> Iterator[RemoteNode]:
    """The running node of the home, or the one at the address in the variable UNSEEN_API.

    Raises
    ------
    UsageError
        There is no node at that home, or no token.
    UnavailableError
        It is not running.
    """
    from unseen.client.remote import TOKEN_VARIABLE, RemoteNode  # noqa: PLC0415 - `--help` must not wait
    from unseen.core.errors import UsageError  # noqa: PLC0415 - as above

    address = os.environ.get(ADDRESS_VARIABLE)
    if not address:
        with RemoteNode.of_home(common.folder) as node:
            yield node
        return
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise UsageError(
            f"{ADDRESS_VARIABLE} names a node, and there is no token for it.",
            mend=f"set {TOKEN_VARIABLE} too",
        )
    with RemoteNode(address, token) as node:
        yield node


def jsonable(value: Any) -> Any:
    """JSON form of the node's values, alone or in tuples and dicts."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - as above

    return to_jsonable_python(value)


def emit(common: Common, value: Any, show: Callable[[Any], None]) -> None:
    """Print an answer: as JSON, or by `show`."""
    if common.json:
        sys.stdout.write(json.dumps(jsonable(value), indent=2, ensure_ascii=False) + "\n")
    else:
        show(value)


def done(common: Common, text: str) -> None:
    """Tell that something without an answer was done (as JSON: null)."""
    emit(common, None, lambda _: say(text))


def emit_line(value: Any) -> None:
    """Print one value of a growing answer as one line of JSON."""
    sys.stdout.write(json.dumps(jsonable(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Tell the person something that is no part of the answer."""
    sys.stderr.write(text + "\n")


def text_of(source: str) -> str:
    """What a person gave as text: the text itself, the content of a file of that name, or '-' for standard input.

    Raises
    ------
    UsageError
        The file cannot be read as text.
    """
    from unseen.core.errors import UsageError  # noqa: PLC0415 - as above

    if source == "-":
        return sys.stdin.read().strip()
    if source.startswith("-"):
        raise UsageError(f"Unknown option: {source}.", mend="see `unseen --help`")
    path = Path(source)
    try:
        if not path.is_file():
            return source.strip()
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not text.", why=str(error)) from error
    except OSError:  # a name too long for a file: it is the text
        return source.strip()
