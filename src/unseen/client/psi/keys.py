"""Key files of the two sides: a private key of one's own, the other's public key, compared by fingerprint."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from unseen.core.durable import write_whole
from unseen.core.errors import UsageError
from unseen.crypto.sign import PREFIX, fingerprint, public_key, raw_public_key, written


def make_keys(place: str | Path) -> tuple[Path, Path, str]:
    """Draw a key pair; writes `place`.key (keep it) and `place`.pub (give it to the other side).

    Returns both paths and the fingerprint that the two sides compare, by telephone say.

    Raises
    ------
    UsageError
        There is such a key already.
    """
    stem = Path(place).expanduser()
    private, public = stem.with_name(stem.name + ".key"), stem.with_name(stem.name + ".pub")
    for path in (private, public):
        if path.exists():
            raise UsageError(f"There is a file {path} already.", mend="choose another name")
    key = Ed25519PrivateKey.generate()
    text = written(raw_public_key(key))
    write_whole(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_whole(public, text.encode() + b"\n", mode=0o644)
    return private, public, fingerprint(text)


def load_private(path: str | Path) -> Ed25519PrivateKey:
    """One's own key.

    Raises
    ------
    UsageError
        There is none, it is no Ed25519 key, or others can read it.
    """
    place = Path(path).expanduser()
    try:
        if place.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(
                f"{place} can be read by others.", why="who has it can pose as you", mend=f"chmod 600 {place}"
            )
        key = load_pem_private_key(place.read_bytes(), None)
    except OSError as error:
        raise UsageError(
            f"The key {place} cannot be read.",
            why=str(error.strerror),
            mend="make one: unseen psi-keys NAME",
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{place} holds no private key.", why=str(error)[:200]) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{place} holds no Ed25519 key.", mend="make one: unseen psi-keys NAME")
    return key


def load_public(source: str | Path) -> bytes:
    """The other side's key: a file, or the key itself as `ed25519:…`.

    Raises
    ------
    UsageError
        It is none.
    """
    text = str(source)
    if not text.startswith(PREFIX):
        try:
            text = Path(source).expanduser().read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The public key {source} cannot be read.",
                why=str(error),
                mend="ask the other side for its .pub file",
            ) from error
    return public_key(text)
