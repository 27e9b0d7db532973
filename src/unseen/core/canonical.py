"""Canonical bytes of JSON values (RFC 8785), tagged for hashing and signing.

Anything that is hashed or signed goes through :func:`tagged`, so that no bytes can be taken for those of
another kind or version of object. Integers beyond ±(2^53 - 1) are refused: write them as strings.
"""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from unseen.core.errors import UsageError

Json = dict[str, Any] | list[Any] | str | int | float | bool | None


def canonical_bytes(value: Json) -> bytes:
    """RFC 8785 (JCS) encoding of a JSON value, UTF-8.

    Raises
    ------
    UsageError
        NaN, infinities, integers beyond ±(2^53 - 1), keys that are not strings, lone surrogates.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise UsageError(
            "A value cannot be written canonically.",
            why=str(error),
            mend="write integers beyond 2^53 as strings; NaN and infinities have no JSON form",
        ) from error


def tagged(domain: str, version: int, value: Json) -> bytes:
    """`unseen/<domain>/v<version>` + newline + canonical bytes: what gets signed."""
    return f"unseen/{domain}/v{version}\n".encode() + canonical_bytes(value)


def digest(domain: str, version: int, value: Json) -> bytes:
    """SHA-256 over :func:`tagged`, 32 bytes."""
    return hashlib.sha256(tagged(domain, version, value)).digest()
