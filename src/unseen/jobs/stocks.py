"""Stocks in tasks: two holders who compute alone take what they made ahead, if both have it (:mod:`unseen.mpc.ahead`).

A party keeps its stocks by peer, each in a folder named by its number. Where a task's engine is opened, both holders say
which they have with one another; they take one run of the first that both have, or none, and then make all as they go. So
a stock that one lost, or that another task is taking from at this moment, stops nobody; and what the other has lost is removed.

Old copies
    What a task takes is in a party's log before that party uses it (`stock-taken`; whatever becomes of the task), and the logs lie outside
    of the stocks and are witnessed by others. A stock that has more left than either log says is a copy of another day: nobody takes
    from it again. So it is noticed too if both holders go back to old copies at once, unless their logs went back with them to before
    that run; then the nodes find that others remember more of these logs than they do, and refuse to work, if there is any other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from unseen.core.durable import DRAFT
from unseen.core.errors import (
    LocalProtocolError,
    UnavailableError,
    UnseenError,
    UsageError,
    VerificationError,
)
from unseen.mpc import Engine, Meter, Stock, ahead
from unseen.mpc.fixed import FRACTION_BITS
from unseen.mpc.protocols.pair2.sharing import Pair2
from unseen.mpc.stock import look
from unseen.ot.correlation import Assumption
from unseen.party import Message, Party, Public
from unseen.party.kept import Drawn, Kept

PROTOCOL = "pair2"


class Have(Message, frozen=True, tag="jobs.stocks.have/2"):
    """The stocks with the receiver of which the sender can take something, and those that another task has at this moment; sorted."""

    stocks: Public[list[str]]
    busy: Public[list[str]]


class Lost(Message, frozen=True, tag="jobs.stocks.lost/1"):
    """Which stocks of the receiver's the sender has not, or not any more."""

    stocks: Public[list[str]]


def make(party: Party, holders: tuple[str, ...], *, runs: int, transfers: int, products: int) -> str:
    """Make a stock between these two; its number.

    Raises
    ------
    UsageError
        Nothing is kept here.
    UnavailableError
        The disk cannot be written; nothing is left.
    """
    kept = _kept(party)
    peer = _peer(party, holders)
    shelf = kept.folder / peer
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _scratch(shelf) as scratch:
        draft = scratch / "stock"
        ahead.make(party, draft, kept.key, holders=holders, runs=runs, transfers=transfers, products=products)
        with Stock(draft, kept.key) as stock:
            number = stock.number
        draft.rename(shelf / number)
    return number


def open_pair(
    party: Party,
    holders: tuple[str, ...],
    *,
    bits: int = FRACTION_BITS,
    assumption: Assumption = "lpn",
) -> Engine:
    """An engine of two holders alone, with one run of a stock if both have one; without LPN with none, as stocks rest on it."""
    if assumption == "symmetric":
        return Engine(party, holders=holders, protocol=PROTOCOL, bits=bits, assumption=assumption)
    with _common(party, _peer(party, holders)) as stock:
        engine = Engine(party, holders=holders, protocol=PROTOCOL, bits=bits, stock=stock)
        if stock is not None and party.kept is not None and isinstance(engine.protocol, Pair2):
            meter, dealt = stock.meter, engine.protocol.wires.dealt
            run = meter.runs - meter.runs_left
            made = Drawn(stock.number, run, meter.runs_left, lambda: dealt.unmet if dealt else 0)
            party.kept.drawn.append(made)
            party.kept.note(made)
            if not meter.runs_left:
                shutil.rmtree(party.kept.folder / _peer(party, holders) / stock.number, ignore_errors=True)
    return engine


@contextmanager
def _scratch(shelf: Path) -> Iterator[Path]:
    """A folder to write in, gone afterwards; what parties that were killed left behind of theirs goes too: it may be large."""
    for left in shelf.glob(f".*{DRAFT}"):
        with ExitStack() as held:
            if _held(left, held):
                shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=".", suffix=DRAFT, dir=shelf) as made, ExitStack() as held:
        _held(Path(made), held)
        yield Path(made)


def _held(folder: Path, until: ExitStack) -> bool:
    """Whether nobody else writes in it; then it is ours until that ends."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    until.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class OnShelf:
    """A stock as its owner sees it; without a meter and contents it does not open; `restored`: it is an old copy."""

    peer: str
    number: str
    meter: Meter | None
    contents: tuple[str, ...]
    restored: bool = False


def shelf(kept: Kept) -> list[OnShelf]:
    """All stocks of this party, by peer and number."""
    found = []
    for place in sorted(place for peer in _places(kept.folder) for place in _places(peer)):
        try:
            meter, contents = look(place, kept.key)
            old = _restored(kept, place.parent.name, place.name, meter)
            found.append(OnShelf(place.parent.name, place.name, meter, tuple(contents), old))
        except VerificationError:
            found.append(OnShelf(place.parent.name, place.name, None, ()))
        except UnavailableError:
            continue  # used up and removed meanwhile
    return found


@contextmanager
def _common(party: Party, peer: str) -> Iterator[Stock | None]:
    """The first stock that both have, open; so nobody else takes from it in between. What the peer has lost is removed here."""
    mine: dict[str, Stock] = {}
    busy: list[str] = []
    with ExitStack() as opened:
        for place in _places(party.kept.folder / peer) if party.kept else ():
            try:
                stock = opened.enter_context(Stock(place, _kept(party).key))
            except LocalProtocolError:
                busy.append(place.name)
                continue
            except UnseenError:
                continue  # it does not open, or is half removed
            if not stock.meter.runs_left:
                shutil.rmtree(place, ignore_errors=True)  # by a task that was killed before it did
            elif not _restored(_kept(party), peer, stock.number, stock.meter):
                mine[stock.number] = stock
        theirs = party.exchange(Have(sorted(mine), sorted(busy)), Have, peers=[peer])[peer]
        ours, others = {*mine, *busy}, {*theirs.stocks, *theirs.busy}
        if ours != others:
            told = party.exchange(Lost(_lost(party, peer, others - ours)), Lost, peers=[peer])[peer]
            for number in set(told.stocks) & set(mine):
                shutil.rmtree(_kept(party).folder / peer / number, ignore_errors=True)
        common = sorted(set(mine) & set(theirs.stocks))
        for number, stock in mine.items():
            if not common or number != common[0]:
                stock.close()
        yield mine[common[0]] if common else None


def _lost(party: Party, peer: str, numbers: set[str]) -> list[str]:
    """Those of these stocks of the peer's that are of no use here; it has them, so here too their making is over, or about to be."""
    if party.kept is None:
        return []
    place = party.kept.folder / peer
    for draft in place.glob(f".*{DRAFT}"):
        with ExitStack() as held:
            if not _held(draft, held):
                return []  # another task is about to put one there
    useless = {item.number for item in shelf(party.kept) if item.meter is None or item.restored}
    return sorted(numbers - ({there.name for there in _places(place)} - useless))


def _restored(kept: Kept, peer: str, number: str, meter: Meter) -> bool:
    """Whether the logs know of a run that was taken and that this still has."""
    return meter.runs - meter.runs_left < kept.taken.get(peer, {}).get(number, 0)


def _places(shelf: Path) -> list[Path]:
    return sorted(place for place in shelf.glob("*") if place.is_dir() and not place.name.startswith("."))


def _peer(party: Party, holders: tuple[str, ...]) -> str:
    (peer,) = (name for name in holders if name != party.name)
    return peer


def _kept(party: Party) -> Kept:
    if party.kept is None:
        raise UsageError("Nothing is kept here from one task to another.", mend="run the contract on nodes")
    return party.kept
