"""The first words on a connection: who, for what, at which time, and where did we stop."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import msgspec

from unseen.core.canonical import Json
from unseen.core.errors import RemoteProtocolError, VerificationError
from unseen.crypto.derive import derive
from unseen.link.frames import WIRE_VERSIONS, Frame, FrameError, Hello, Kind, Parser, pack, unpack_hello
from unseen.link.tls import TlsConnection

SKEW_S = 60.0


@dataclass(frozen=True, slots=True)
class Greeted:
    """What came of it: the peer's hello, and frames that arrived right behind it."""

    hello: Hello
    parser: Parser
    early: tuple[Frame, ...]


def greet(connection: TlsConnection, ours: Hello, *, deadline: float) -> Greeted:
    """Say ours, hear theirs, compare.

    Raises
    ------
    ConnectionLost
        The connection ended, or nothing came in time.
    RemoteProtocolError
        The peer speaks another version, for another task, or does not remember this link.
    VerificationError
        The clocks differ by more than a minute.
    """
    connection.write(pack(Kind.HELLO, msgspec.msgpack.encode(ours)))
    connection.flush()
    parser = Parser()
    frames: list[Frame] = []
    try:
        while not frames:
            frames = list(parser.frames(connection.first_words(parser.room(), deadline)))
        theirs = unpack_hello(frames[0])
    except FrameError as error:
        raise RemoteProtocolError(
            f"{ours.peer} greets in a way that cannot be read.", why=str(error), party=ours.peer
        ) from error
    _compare(ours, theirs)
    return Greeted(theirs, parser, tuple(frames[1:]))


def _compare(ours: Hello, theirs: Hello) -> None:
    peer = ours.peer
    if not set(WIRE_VERSIONS) & set(theirs.versions):
        raise RemoteProtocolError(
            f"{peer} speaks no version of the link that we speak.",
            why=f"we speak {WIRE_VERSIONS}, {peer} speaks {theirs.versions}",
            mend="bring both to the same release of unseen",
            party=peer,
        )
    if (theirs.party, theirs.peer, theirs.scope) != (peer, ours.party, ours.scope):
        raise RemoteProtocolError(
            f"{peer} came for something else than '{ours.scope}'.",
            why=f"it says to be {theirs.party}, to look for {theirs.peer}, for '{theirs.scope}'",
            party=peer,
        )
    if not abs(theirs.clock - time.time()) <= SKEW_S:  # so written, it refuses NaN
        raise VerificationError(
            f"The clocks of {ours.party} and {peer} differ by {abs(theirs.clock - time.time()):.0f} s.",
            why=f"more than {SKEW_S:.0f} s are refused: contracts and certificates end at a time",
            mend="set both clocks by NTP",
            party=peer,
        )
    if theirs.knows not in (b"", ours.session) or len(theirs.session) != len(ours.session):
        raise RemoteProtocolError(
            f"{peer} remembers another beginning of this link.",
            why="one end was started anew in the middle of an attempt",
            mend="the task will be tried again",
            party=peer,
        )
    if ours.knows and theirs.session != ours.knows:
        raise RemoteProtocolError(
            f"{peer} has forgotten this link.",
            why="its end was started anew in the middle of an attempt",
            mend="the task will be tried again",
            party=peer,
        )


def link_secret(one: Hello, other: Hello) -> bytes:
    """32 bytes that only the two ends know: both sessions were random and travelled inside TLS."""
    first, second = sorted([one, other], key=lambda hello: hello.party)
    context: Json = [first.scope, first.party, second.party]
    return derive(hashlib.sha256(first.session + second.session).digest(), "link-secret", context)
