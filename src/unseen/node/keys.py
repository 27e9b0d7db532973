"""The node's keys: the sealing key of its home, and the identity key, sealed under it."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from unseen.core.durable import write_whole
from unseen.core.errors import UsageError
from unseen.crypto.seal import KEY_BYTES, seal, unseal
from unseen.node.config import NodeConfig
from unseen.node.home import Home
from unseen.node.identity import Identity

_SCRYPT_COST = 1 << 15
_CONTEXT = ["identity"]


def sealing_key(config: NodeConfig) -> bytes:
    """The key that seals everything in the home: from the key file, or from the passphrase (scrypt, RFC 7914).

    Raises
    ------
    UsageError
        The file is not there or not a key.
    """
    home = Home(config.home)
    if config.keys.passphrase_file is not None:
        passphrase = _read(config.keys.passphrase_file).strip()
        salt = hashlib.sha256(f"unseen/passphrase/v1\n{config.name}".encode()).digest()
        return hashlib.scrypt(
            passphrase, salt=salt, n=_SCRYPT_COST, r=8, p=1, maxmem=64 << 20, dklen=KEY_BYTES
        )
    place = config.keys.keyfile or home.keyfile
    key = bytes.fromhex(_read(place).decode("ascii", "replace").strip() or "00")
    if len(key) != KEY_BYTES:
        raise UsageError(f"{place} is not a key file.", why=f"one holds {2 * KEY_BYTES} hex digits")
    return key


def make_sealing_key(config: NodeConfig) -> None:
    """Make the key file if the configuration wants one and it is not there."""
    place = config.keys.keyfile or Home(config.home).keyfile
    if config.keys.passphrase_file is None and not place.exists():
        write_whole(place, secrets.token_hex(KEY_BYTES).encode() + b"\n")


def make_identity(config: NodeConfig) -> Identity:
    """Draw this party's identity key and seal it into the home.

    Raises
    ------
    UsageError
        There is one already.
    """
    home = Home(config.home)
    if home.identity.exists():
        raise UsageError(f"{home.path} has an identity already.", mend="choose another folder")
    key = Ed25519PrivateKey.generate()
    seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    write_whole(home.identity, seal(sealing_key(config), seed, [*_CONTEXT, config.name]))
    return Identity(config.name, key)


def load_identity(config: NodeConfig, key: bytes) -> Identity:
    """This party's identity.

    Raises
    ------
    UsageError
        There is none.
    VerificationError
        The sealing key is another one.
    """
    sealed = _read(Home(config.home).identity)
    seed = unseal(key, sealed, [*_CONTEXT, config.name])
    return Identity(config.name, Ed25519PrivateKey.from_private_bytes(seed))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read.",
            why=str(error.strerror),
            mend="restore it, or make a node with `unseen node init`",
        ) from error
