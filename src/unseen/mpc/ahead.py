"""Randomness made ahead: a helper runs a program's side of it beforehand, or two holders alone make it with one another.

    def program(engine):                                     # what is run later, any number of times
        x = engine.share(mine, owner="hospital", shape=(n, d))
        ...

    ahead.deal(party, program, folder, key, holders=holders, helper="helper", runs=100)    # today, all three
    with Stock(folder, key) as stock:                                                      # later, the two holders
        program(Engine(party, holders=holders, helper="helper", stock=stock))

    ahead.make(party, folder, key, holders=holders, runs=100, transfers=1_000_000, products=50_000)    # two, without a helper

The helper's part depends on the program and its shapes alone: it receives nothing, so it can run without the holders. Each
holder keeps a seed, and what the helper would have sent it, in a :mod:`.stock`. What two holders make serves any program of
theirs (:mod:`unseen.mpc.protocols.pair2.dealt`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import numpy as np

from unseen.core.durable import whole_folder
from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.crypto.derive import derive
from unseen.crypto.prg import Prg
from unseen.crypto.seal import KEY_BYTES
from unseen.mpc import stock as stored
from unseen.mpc.engine import Engine
from unseen.mpc.protocols.pair2 import dealt
from unseen.mpc.protocols.pair2.wires import Wires
from unseen.mpc.supply import Supply
from unseen.party import Masked, Message, Party, Public, Reveal
from unseen.party.messages import encode

M = TypeVar("M", bound=Message)
LARGEST_BYTES = 1 << 30
_STOCK_BYTES = 16
_PAIR = 2


class Offer(Message, frozen=True, tag="mpc.ahead.offer/1"):
    """The helper, or the first of two holders, begins to make a stock."""

    stock: Public[bytes]
    runs: Public[int]


class Item(Message, frozen=True, tag="mpc.ahead.item/1"):
    """A message for later, in its wire form: what it is, and its masked values. One of nothing ends a block."""

    head: Public[bytes]
    values: Masked


class Program(Message, frozen=True, tag="mpc.ahead.program/1"):
    """What all blocks are for, in order: it follows from the program, which all parties know; or how much is in them."""

    lines: Public[list[str]]


_END = Item(b"", np.empty(0, np.uint8))


def deal(
    party: Party,
    program: Callable[[Engine], object],
    folder: Path | None,
    key: bytes | None,
    *,
    holders: Sequence[str],
    helper: str,
    runs: int,
    protocol: str = "dealer",
    fss: bool = False,
) -> None:
    """Make a stock for `runs` runs of `program`. The holders and the helper call it at once.

    Parameters
    ----------
    program
        Takes an engine, as later. Here it is run at the helper alone: it may use nothing but the engine, and its course may
        not depend on what it reveals (None at the helper).
    folder
        Where this holder's stock is to be; it must not be there yet. None at the helper, who keeps nothing.
    key
        32 bytes of this holder that seal it.
    protocol, fss
        As the engine is made with later.

    Raises
    ------
    UsageError
        There is something in that place, or a program that cannot be dealt for.
    UnavailableError
        The disk cannot be written; nothing is left.
    """
    if runs < 1 or (party.name == helper) != (folder is None) or (folder is None) != (key is None):
        raise UsageError(
            "A stock is for one run or more, and every holder has a folder and a key for it, the helper none."
        )
    if folder is None or key is None:
        _deal(party, program, tuple(holders), helper, runs, protocol=protocol, fss=fss)
    else:
        _store(party, folder, key, tuple(holders), helper, runs)


def make(
    party: Party,
    folder: Path,
    key: bytes,
    *,
    holders: Sequence[str],
    runs: int,
    transfers: int,
    products: int,
) -> None:
    """Make a stock for `pair2`, for `runs` runs of whatever program. The two holders call it at once.

    Parameters
    ----------
    folder, key
        Where this holder's stock is to be, and 32 bytes of this holder that seal it.
    transfers, products
        What one run finds: transfers in each direction, and products of numbers. What it needs beyond that, it makes as it
        goes. `engine.protocol.wires.dealt` tells what was left, and what was asked for in vain.

    Raises
    ------
    UsageError
        There is something in that place, or nothing to be made.
    RemoteProtocolError
        The other makes another amount.
    UnavailableError
        The disk cannot be written; nothing is left.
    """
    amount = dealt.Amount(transfers, products)
    if runs < 1 or len(holders) != _PAIR or min(transfers, products) < 0 or not transfers + products:
        raise UsageError(
            f"There is no stock of {runs} runs of {transfers} transfers and {products} products among {len(holders)}.",
            why="one without a helper is between two holders, for one run or more, and has something in it",
            mend="name two holders, and how many transfers (in each direction) and products a run takes",
        )
    if folder.exists():
        raise _taken(folder)
    number = _agreed(party, tuple(holders), runs, amount)
    wires = Wires(party, tuple(holders))
    with whole_folder(folder) as draft:
        first = root = secrets.token_bytes(KEY_BYTES)
        size = 0
        for block in range(runs):
            with stored.Writer(draft, root, number, block) as writer:
                seed = Prg(derive(root, "stock-seed"))
                dealt.write(writer, seed, amount, wires)
            size = writer.size_bytes
            root = derive(root, "stock-root")
            party.progress(block + 1, runs)
        stored.write_program(draft, key, number, amount.lines())
        stored.write_state(
            draft, key, stored.State(number, party.name, tuple(holders), "", runs, size, 0, 0, first)
        )


def _agreed(party: Party, holders: tuple[str, ...], runs: int, amount: dealt.Amount) -> bytes:
    """The stock's number, from the first holder; both compare what they are about to make."""
    leads = party.name == holders[0]
    peer = holders[1] if leads else holders[0]
    offer = Offer(secrets.token_bytes(_STOCK_BYTES) if leads else b"", runs)
    theirs = party.exchange(offer, Offer, peers=[peer])[peer]
    lines = party.exchange(Program(amount.lines()), Program, peers=[peer])[peer].lines
    number = offer.stock if leads else theirs.stock
    if theirs.runs != runs or lines != amount.lines() or len(number) != _STOCK_BYTES:
        raise RemoteProtocolError(
            f"{peer} makes a stock of {theirs.runs} runs of {', '.join(lines)}.",
            why=f"here it is {runs} of {', '.join(amount.lines())}",
            mend="both name the same numbers",
            party=peer,
        )
    return number


def _taken(folder: Path) -> UsageError:
    return UsageError(
        f"There is something at {folder} already.", mend="use up that stock, or name another folder"
    )


# ---------------------------------------------------------------------- at the helper


def _deal(
    party: Party,
    program: Callable[[Engine], object],
    holders: tuple[str, ...],
    helper: str,
    runs: int,
    **options: Any,
) -> None:
    number = secrets.token_bytes(_STOCK_BYTES)
    for holder in holders:
        party.send(holder, Offer(number, runs))
    roots = {holder: _root(party, holder, number) for holder in holders}
    lines: list[str] | None = None
    for _ in range(runs):
        maker = _Maker(party, roots)
        program(Engine(party, holders=holders, helper=helper, stock=maker, **options))
        if lines is not None and lines != maker.lines:
            raise UsageError(
                "A program that is not the same in every run cannot be dealt ahead.",
                why="it asked for other shapes in a later run",
            )
        lines = maker.lines
        for holder in holders:
            party.send(holder, _END)
        roots = {holder: derive(root, "stock-root") for holder, root in roots.items()}
    for holder in holders:
        party.send(holder, Program(lines or []))


def _root(party: Party, peer: str, stock: bytes) -> bytes:
    return party.shared_seed(peer, f"stock {stock.hex()}")


class _Maker:
    """The helper's side of one run; implements `mpc.supply.Source` and `Supply`."""

    def __init__(self, party: Party, roots: dict[str, bytes]) -> None:
        self._party = party
        self._rngs = {holder: Prg(derive(root, "stock-seed")) for holder, root in roots.items()}
        self.lines: list[str] = []

    def begin(self, party: Party, holders: Sequence[str], helper: str | None) -> tuple[Party, Supply]:  # noqa: ARG002 - all of the roots
        return cast("Party", _Absent(party.name)), self

    def note(self, kind: str, shape: tuple[int, ...], dtype: type[Any]) -> None:
        self.lines.append(stored.line(kind, shape, dtype))

    def rng(self, peer: str) -> Prg:
        return self._rngs[peer]

    def send(self, holder: str, message: Message) -> None:
        length, head, *values = encode(message)
        data = np.frombuffer(b"".join(values), np.uint8)
        if data.size > LARGEST_BYTES:
            raise UsageError(
                f"An operation takes a correction of {data.size:,} bytes, and a stock holds up to {LARGEST_BYTES:,}.",
                mend="compute in pieces",
            )
        self._party.pace(holder)
        self._party.send(holder, Item(bytes(length) + bytes(head), data))

    def recv(self, helper: str, message_type: type[M]) -> M:
        raise LocalProtocolError(f"{helper} is the helper and receives no {message_type.__name__}.")


class _Absent:
    """In the party's place while the helper deals ahead: nobody is there to be spoken to."""

    def __init__(self, name: str) -> None:
        self.name = name

    def reveal_all(self, reveals: Sequence[Reveal], **_: object) -> list[None]:
        """The helper sees no result."""
        return [None] * len(reveals)

    def progress(self, *_: object) -> None:
        """Nobody waits."""

    def __getattr__(self, name: str) -> NoReturn:
        raise UsageError(
            f"A program that is dealt ahead uses the engine alone, not the party's `{name}`.",
            why="the holders are not there while the helper deals",
            mend="do what needs the party outside of the program, or run it with the helper on the line",
        )


# ---------------------------------------------------------------------- at a holder


def _store(party: Party, folder: Path, key: bytes, holders: tuple[str, ...], helper: str, runs: int) -> None:
    offer = party.recv(helper, Offer)
    if offer.runs != runs or len(offer.stock) != _STOCK_BYTES:
        raise RemoteProtocolError(
            f"{helper} deals for {offer.runs} runs where {runs} are due.",
            mend="all parties name the same number of runs",
            party=helper,
        )
    if folder.exists():
        raise _taken(folder)
    with whole_folder(folder) as draft:
        first = root = _root(party, helper, offer.stock)
        sizes = set()
        for block in range(runs):
            sizes.add(_store_block(party, draft, root, offer.stock, block, helper))
            root = derive(root, "stock-root")
        if len(sizes) != 1:
            raise RemoteProtocolError(f"{helper} dealt blocks of different sizes.", party=helper)
        stored.write_program(draft, key, offer.stock, party.recv(helper, Program).lines)
        stored.write_state(
            draft,
            key,
            stored.State(offer.stock, party.name, holders, helper, runs, sizes.pop(), 0, 0, first),
        )


def _store_block(party: Party, folder: Path, root: bytes, stock: bytes, block: int, helper: str) -> int:
    """Seal what the helper sends for a block; its size in bytes."""
    with stored.Writer(folder, root, stock, block) as writer:
        while (item := party.recv(helper, Item)).head:
            writer.write(item.head + item.values.tobytes())
    return writer.size_bytes
