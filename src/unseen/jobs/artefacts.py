"""What tasks hand to later tasks at the same party: named arrays with a little plain data beside them.

Encoded as: magic and format number, msgpack head (kind, meta, array types and shapes), raw array bytes. The
node seals the encoding at rest; nothing here is ever sent to a peer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import VerificationError

MAGIC = b"unseen-artefact\x00"
FORMAT = 1
COMMITTED = "committed"
"""Entry of `meta` that goes into the log: the commitment to the artefact's numbers, hex."""
BOUND = "bound"
"""Entry of `meta` that goes into the log: holder -> the commitment that its input was checked against, hex."""
SHARES = frozenset({"shares", "shared-model", "joined"})
"""Kinds of artefacts that hold shares: they never leave the store."""
_DTYPES = ("|u1", "<u4", "<u8", "<i8", "<f8", "|b1")


@dataclass(frozen=True, slots=True)
class Artefact:
    """One output of one task at one party.

    `kind` says what it is ("rows", "table", "shared-model", "metrics"); `meta` is JSON data; a table's
    Arrow bytes travel as a uint8 array.
    """

    kind: str
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be kept: a step finds out where it makes it, in every environment."""
        for name, array in self.arrays.items():
            if array.dtype.str not in _DTYPES:
                raise TypeError(f"an artefact cannot hold {array.dtype} ('{name}')")

    def __repr__(self) -> str:
        shapes = {name: array.shape for name, array in self.arrays.items()}
        return f"Artefact(kind={self.kind!r}, arrays={shapes}, meta={sorted(self.meta)})"


def encode(artefact: Artefact) -> bytes:
    """Bytes of an artefact."""
    heads, parts = [], []
    for name, array in artefact.arrays.items():
        plain = np.ascontiguousarray(array)
        heads.append([name, plain.dtype.str, list(plain.shape)])
        parts.append(plain.tobytes())
    head = msgspec.msgpack.encode([FORMAT, artefact.kind, dict(artefact.meta), heads])
    return b"".join([MAGIC, len(head).to_bytes(4, "little"), head, *parts])


def decode(data: bytes) -> Artefact:
    """Rebuild an artefact.

    Raises
    ------
    VerificationError
        Not an artefact of a known format, or damaged.
    """
    try:
        return _decode(data)
    except (ValueError, TypeError, KeyError, msgspec.DecodeError) as error:
        raise VerificationError(
            "A stored artefact cannot be read.", why=str(error), mend="run the task that made it again"
        ) from error


def _decode(data: bytes) -> Artefact:
    if not data.startswith(MAGIC):
        raise ValueError("it does not begin like an artefact")
    start = len(MAGIC) + 4
    end = start + int.from_bytes(data[len(MAGIC) : start], "little")
    version, kind, meta, heads = msgspec.msgpack.decode(data[start:end])
    if version != FORMAT:
        raise ValueError(f"format {version} is unknown to this version")
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype, shape in heads:
        if dtype not in _DTYPES:
            raise ValueError(f"dtype {dtype}")
        size = math.prod(shape) * np.dtype(dtype).itemsize
        arrays[name] = np.frombuffer(data[end : end + size], dtype).reshape(shape)
        end += size
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes are left over")
    return Artefact(kind, arrays, meta)
