"""Randomness dealt ahead: a helper runs a program's side of it beforehand, and then need not be there.

    def program(engine):                                     # what is run later, any number of times
        x = engine.share(mine, owner="hospital", shape=(n, d))
        ...

    ahead.deal(party, program, folder, key, holders=holders, helper="helper", runs=100)    # today, all three
    with Stock(folder, key) as stock:                                                      # later, the two holders
        program(Engine(party, holders=holders, helper="helper", stock=stock))

The helper's part depends on the program and its shapes alone: it receives nothing, so it can run without the holders. Each
holder keeps a seed, and what the helper would have sent it, in a :mod:`.stock`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import numpy as np

from unseen.core.durable import whole_folder
from unseen.core.errors import LocalProtocolError, RemoteProtocolError, UsageError
from unseen.crypto.derive import derive
from unseen.crypto.prg import Prg
from unseen.crypto.seal import seal
from unseen.mpc import stock as stored
from unseen.mpc.engine import Engine
from unseen.mpc.supply import Supply
from unseen.party import Masked, Message, Party, Public, Reveal
from unseen.party.messages import encode

M = TypeVar("M", bound=Message)
LARGEST_BYTES = 1 << 30
_STOCK_BYTES = 16


class Offer(Message, frozen=True, tag="mpc.ahead.offer/1"):
    """The helper begins to deal a stock."""

    stock: Public[bytes]
    runs: Public[int]


class Item(Message, frozen=True, tag="mpc.ahead.item/1"):
    """A message for later, in its wire form: what it is, and its masked values. One of nothing ends a block."""

    head: Public[bytes]
    values: Masked


class Program(Message, frozen=True, tag="mpc.ahead.program/1"):
    """What all blocks are for, in order: it follows from the program, which all parties know."""

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

    def begin(self, party: Party, holders: Sequence[str]) -> tuple[Party, Supply]:  # noqa: ARG002 - all of the roots
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
        raise UsageError(
            f"There is something at {folder} already.", mend="use up that stock, or name another folder"
        )
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
    key, count = derive(root, "stock-seal"), 0
    path = stored.path_of(folder, block)
    with path.open("wb") as file:
        while (item := party.recv(helper, Item)).head:
            sealed = seal(key, item.head + item.values.tobytes(), [stock.hex(), block, count])
            file.write(len(sealed).to_bytes(stored.LENGTH_BYTES, "big") + sealed)
            count += 1
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    if not count:
        path.unlink()  # all of this holder's comes from its seed
    return size
