"""Where a file stops being UTF-8, and what it may be instead: for messages."""

from __future__ import annotations

import codecs
from typing import Protocol

_PIECE = 1 << 20
_CONTEXT = 200
_GUESSES = ("gb18030", "cp1252")


class Readable(Protocol):
    """Bytes one after another."""

    def read(self, size: int) -> bytes:
        """At most that many bytes; none at the end."""


def objection(stream: Readable) -> str | None:
    """What is wrong with the text, in words; None if it is UTF-8 to the end, or cannot be read that far."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, before = 1, b""
    try:
        while piece := stream.read(_PIECE):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return _words(error, lines, before)
            lines += piece.count(b"\n")
            before = piece[-_CONTEXT:]
    except OSError:
        return None
    return None


def _words(error: UnicodeDecodeError, lines: int, before: bytes) -> str:
    broken = error.object
    line = lines + broken[: error.start].count(b"\n")
    around = (before + broken[: error.start + _CONTEXT])[-2 * _CONTEXT :].split(b"\n")
    text = next((part for part in around if not _is_utf8(part)), broken[error.start : error.start + 1])
    guess = next((name for name in _GUESSES if _reads(text, name)), None)
    hint = f"; it reads as {guess.upper()}" if guess else ""
    return f"line {line} is not UTF-8 (byte 0x{broken[error.start]:02x}){hint}"


def _is_utf8(text: bytes) -> bool:
    return _reads(text, "utf-8")


def _reads(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
