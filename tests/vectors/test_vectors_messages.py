"""Every message between running protocols has golden bytes: a change of the wire form does not go unnoticed.

A message is built from its field types alone, so a new one needs no code here. After adding one, write its bytes with
`python tests/vectors/test_vectors_messages.py`; bytes that are there already change only with the version in the tag.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import numpy as np
import pytest

import unseen
from unseen.party import Disclosure, DisclosurePolicy, Door, Gate, MemoryJournal, Message
from unseen.party.messages import _fields, decode, encode, tag_of

FILE = Path(__file__).parent / "data" / "messages.json"


def all_messages() -> dict[str, type[Message]]:
    for module in pkgutil.walk_packages(unseen.__path__, "unseen."):
        if not module.name.startswith("unseen.kernels._") and not module.name.endswith("__main__"):
            with contextlib.suppress(ModuleNotFoundError):  # of an extra that is not installed
                importlib.import_module(module.name)

    def below(kind: type[Message]) -> Iterator[type[Message]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return {tag_of(kind): kind for kind in below(Message) if kind.__module__.startswith("unseen.")}


def example(plain: Any, place: int) -> Any:
    """A value of that type that differs from field to field."""
    origin, arguments = get_origin(plain), get_args(plain)
    if np.ndarray in (plain, origin):
        return np.arange(place, place + 6, dtype=np.uint64).reshape(2, 3)
    if origin is tuple:
        kinds = arguments[:1] * 2 if arguments[-1] is Ellipsis else arguments
        return tuple(example(kind, place + step) for step, kind in enumerate(kinds))
    if origin is list:
        return [example(arguments[0], place)]
    if origin is dict:
        return {example(arguments[0], place): example(arguments[1], place)}
    if origin is not None and arguments:  # X | None
        return example(arguments[0], place)
    return {int: place + 300, str: f"é{place}", bytes: bytes([place, 255]), bool: True, float: place + 0.5}[
        plain
    ]


def built(kind: type[Message]) -> Message:
    told = Disclosure("x", "an example", ("b",), Door.RELEASE, times=100)
    gate = Gate("a", DisclosurePolicy("c", "t", (told,)), MemoryJournal())
    values = {}
    for place, (name, (field, plain)) in enumerate(_fields(kind).items()):
        value = example(plain, place + 1)
        values[name] = gate.release("x", value, to=("b",), elements=1) if field == "released" else value
    return kind(**values)


def wire(message: Message) -> bytes:
    return b"".join(bytes(part) for part in encode(message))


KINDS = all_messages()
GOLDEN: dict[str, str] = json.loads(FILE.read_text()) if FILE.exists() else {}


@pytest.mark.parametrize("tag", KINDS)
def test_the_bytes_are_those_written_down(tag: str) -> None:
    assert tag in GOLDEN, f"{tag} has no golden bytes: run python {Path(__file__).name}"
    data = bytes.fromhex(GOLDEN[tag])
    assert wire(built(KINDS[tag])) == data
    assert wire(decode(memoryview(bytearray(data)), KINDS[tag], sender="b")) == data


def test_no_bytes_are_left_of_a_message_that_is_gone() -> None:
    assert set(GOLDEN) <= set(KINDS)


if __name__ == "__main__":
    FILE.write_text(
        json.dumps({tag: wire(built(kind)).hex() for tag, kind in sorted(KINDS.items())}, indent=1) + "\n"
    )
