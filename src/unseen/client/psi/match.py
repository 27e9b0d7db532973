"""Intersect a file with somebody else's: the function behind `unseen psi`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from unseen.client.psi.journal import Journal
from unseen.client.psi.keys import load_private, load_public
from unseen.client.psi.load import Loaded, load
from unseen.client.psi.meet import Door, Line, address, join
from unseen.client.psi.options import Options
from unseen.client.psi.output import check_output
from unseen.client.psi.session import Meeting, Signing
from unseen.client.psi.summary import Clock, Summary
from unseen.client.psi.terms import CALLER, LISTENER
from unseen.core.errors import UnavailableError, UnseenError, UsageError
from unseen.core.events import Progress, ProgressSink, silent
from unseen.crypto.sign import verify, written
from unseen.link.channel import Link

WAIT_S = 600.0
_MOST_FAILURES = 5


def match(
    *,
    listen: str | None = None,
    connect: str | None = None,
    my_key: str | Path,
    peer_key: str | Path,
    wait_s: float = WAIT_S,
    progress: ProgressSink = silent,
    **options: Any,
) -> Summary:
    """Find the rows that both sides have.

    One side listens, the other connects; both pin the other's public key. When the other side goes away in the middle
    of a run in partitions, this one waits for it and goes on at the first partition that one of them has not finished.

    Parameters
    ----------
    listen, connect
        HOST:PORT; one of them.
    my_key, peer_key
        Files made by :func:`unseen.client.psi.make_keys`; the peer's key may also be given as text.
    wait_s
        How long to wait for the other side.
    options
        See :class:`unseen.client.psi.Options`.

    Raises
    ------
    UsageError
        Options, files or keys are not right, or do not fit those of the other side.
    UnavailableError
        The other side did not come, or the disk is full.
    RemoteProtocolError, VerificationError
        The other side is not who it should be, or broke the protocol.
    """
    asked = Options(**options)
    if (listen is None) == (connect is None):
        raise UsageError("One side listens, the other connects.", mend="say either listen or connect")
    key, identity = load_private(my_key), load_public(peer_key)
    sockets = Door.open(address(listen)) if listen else Line(address(connect or ""))
    me, peer = (LISTENER, CALLER) if listen else (CALLER, LISTENER)
    signing = Signing(
        key.sign, lambda message, signature: verify(written(identity), message, signature, who=f"the {peer}")
    )
    clock = Clock()
    try:
        loaded, journal = prepare(asked, clock, progress)
        with loaded.store:
            failures = 0
            while True:
                done = _done(journal, loaded)
                with clock.phase("meet"):
                    progress(Progress("meet", 0, 0, f"waiting for the {peer}"))
                    link = join(me, peer, sockets, key=key, peer_identity=identity, wait_s=wait_s)
                try:
                    return meet(link, asked, loaded, journal, clock=clock, progress=progress, signing=signing)
                except UnavailableError as error:
                    # only a run in partitions may go on: what it has finished, and with which data, is on disk
                    now = _done(journal, loaded)
                    failures = failures + 1 if now == done else 0
                    if error.party != peer or now is None or failures > _MOST_FAILURES:
                        raise
                    progress(Progress("meet", 0, 0, f"the {peer} went away"))
    finally:
        sockets.close()


def match_on(link: Link, *, progress: ProgressSink = silent, **options: Any) -> Summary:
    """:func:`match` over a link that is there already, between "listener" and "caller"; nothing is signed."""
    asked, clock = Options(**options), Clock()
    loaded, journal = prepare(asked, clock, progress)
    with loaded.store:
        return meet(link, asked, loaded, journal, clock=clock, progress=progress, signing=None)


def prepare(asked: Options, clock: Clock, progress: ProgressSink) -> tuple[Loaded, Journal]:
    """Read the input and check the output."""
    work = _work(asked)
    journal = Journal(work)
    if asked.fresh:
        journal.clear()
    with clock.phase("read"):
        loaded = load(asked, work.parent, lambda rows: progress(Progress("read", 0, 0, f"{rows:,} rows")))
        if asked.output is not None:
            path = Path(asked.output).expanduser()
            check_output(path, loaded, group=asked.duplicates == "all", flag=asked.rows == "all")
    return loaded, journal


def meet(
    link: Link,
    asked: Options,
    loaded: Loaded,
    journal: Journal,
    *,
    clock: Clock,
    progress: ProgressSink,
    signing: Signing | None,
) -> Summary:
    """Run over a link, and end it: with its last messages delivered, or with the other side told that we failed."""
    try:
        meeting = Meeting(link, asked, loaded, journal, clock=clock, progress=progress, signing=signing)
        summary = meeting.run()
    except BaseException as error:
        link.abort(error.code if isinstance(error, UnseenError) else "internal", "psi")
        raise
    link.close()
    return summary


def _done(journal: Journal, loaded: Loaded) -> int | None:
    """How many partitions an interrupted run has finished; None if there is none."""
    kept = journal.load(loaded.fingerprint)
    return kept.done if kept is not None and kept.begun else None


def _work(asked: Options) -> Path:
    """The folder of this run: the same when the same command is given again."""
    base = Path(asked.output or asked.input).expanduser().absolute()
    place = Path(asked.work).expanduser().absolute() if asked.work else base.parent
    if not place.is_dir():
        raise UsageError(f"There is no folder {place}.", mend="make it, or name another one")
    name = hashlib.sha256(f"{base}\n{','.join(asked.keys)}".encode()).hexdigest()[:12]
    return place / f".unseen-psi-{name}"
