"""A stock: randomness made ahead, by a helper or by two holders alone, on a holder's disk, one block for every run.

A folder with a file `state` (which block is next, and the root of what is left), a file `program` (what is in a block)
and a file for every block that has records. What holders expand from seeds takes no room: block i's seed, shared with the
helper where there is one, and the key of its file come from a root r_i, and r_(i+1) from r_i, one way. All is sealed under
the party's key.

Never twice
    A block is **burnt** before it is opened: the state on disk goes to r_(i+1), fsynced, and r_i is forgotten. A process
    that is killed after that leaves the block unused for ever. Then the holders tell one another which block they took,
    and none uses it before all others have burnt it; they take the first one that nobody has burnt. So a holder whose
    folder was restored from a copy cannot make anybody use a block again, as long as one other holder's was not: that one
    passes over what it has burnt. If all holders go back to old copies at once nobody here can tell;
    tasks of nodes note beside it what they take (:mod:`unseen.jobs.stocks`).
What erasing is worth
    r_i cannot be had from what the folder holds later. A disk may still keep the old file where the file system no longer
    sees it, sealed under the party's key.
At the helper
    Nothing is stored, so nothing has to be burnt there. It must forget what it dealt, as it must when it deals on the line.

Against whom: as the protocol, semi-honest parties; whoever has the disk, but not the key, learns how many runs are left
and how large they are, and what is altered there is refused.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

import msgspec
import numpy as np

from unseen.core.durable import write_whole
from unseen.core.errors import LocalProtocolError, UnavailableError, UsageError, VerificationError
from unseen.crypto.derive import derive
from unseen.crypto.prg import Prg
from unseen.crypto.seal import seal, unseal
from unseen.party import Message, Party, Public
from unseen.party.messages import decode

M = TypeVar("M", bound=Message)
LENGTH_BYTES = 4


class Taken(Message, frozen=True, tag="mpc.stock.taken/1"):
    """Which block of which stock the sender has left, and after that, has burnt."""

    stock: Public[bytes]
    block: Public[int]


class State(msgspec.Struct, frozen=True, tag="stock/1", forbid_unknown_fields=True):
    """What the file `state` holds: `root` is that of block `next`; `unused` blocks were burnt without being used."""

    stock: bytes
    party: str
    holders: tuple[str, ...]
    helper: str
    runs: int
    run_bytes: int
    next: int
    unused: int
    root: bytes

    def onwards(self, block: int) -> State:
        """With everything up to `block` burnt."""
        root = self.root
        for _ in range(self.next, block + 1):
            root = derive(root, "stock-root")
        unused = self.unused + block - self.next
        return msgspec.structs.replace(self, next=block + 1, unused=unused, root=root)


@dataclass(frozen=True, slots=True)
class Meter:
    """What a stock was made for, and what is left.

    Attributes
    ----------
    runs, runs_left
        Runs of the program. What is neither left nor unused was given to a run, whether that came to its end or not.
    runs_unused
        Passed over, as another holder had burnt them already: one for a crash in between, more after a restored copy.
    size_bytes, bytes_left
        Corrections on this party's disk. What is expanded from seeds takes none.
    """

    runs: int
    runs_left: int
    runs_unused: int
    size_bytes: int
    bytes_left: int


class Stock:
    """See the module. One process at a time; close it, or use it as a context manager.

    Parameters
    ----------
    folder
        What :func:`unseen.mpc.ahead.deal` or :func:`unseen.mpc.ahead.make` made.
    key
        32 bytes: the key of this party that it was sealed under.

    Raises
    ------
    UsageError
        There is no stock.
    LocalProtocolError
        Another process has it open.
    VerificationError
        Another key, or damaged.
    UnavailableError
        A part of it is not there, or not any more.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self._busy = threading.Lock()
        self._lock = _locked(folder)
        try:
            self._state = _opened(key, folder / "state", State, [])
            self._program = _opened(key, folder / "program", list[str], [self._state.stock.hex()])
        except BaseException:
            self.close()
            raise
        for block in folder.glob("block-*"):
            if int(block.name.removeprefix("block-")) < self._state.next:
                block.unlink()  # burnt by a process that did not come to delete it

    def close(self) -> None:
        """Let other processes have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def number(self) -> str:
        """The same at all holders, hex."""
        return self._state.stock.hex()

    @property
    def meter(self) -> Meter:
        """What is left."""
        return _meter(self._state)

    def __repr__(self) -> str:
        meter = self.meter
        used = (
            f"{meter.runs_left} of {meter.runs} runs left, {meter.bytes_left:,} of {meter.size_bytes:,} bytes"
        )
        return f"Stock({self._state.stock.hex()[:8]} among {', '.join(self._state.holders)}: {used})"

    def begin(self, party: Party, holders: Sequence[str], helper: str | None) -> tuple[Party, Block]:
        """Burn the first block that no holder has burnt, and give it to one run. All holders call it at once.

        Raises
        ------
        UsageError
            It was made for others, or is used up.
        VerificationError
            The holders' stocks do not belong together.
        UnavailableError
            The disk cannot be written: nothing was used.
        """
        order = list if self._state.helper else sorted  # without a helper each is like the other
        if party.name != self._state.party or order(holders) != order(self._state.holders):
            raise UsageError(
                f"This stock is {self._state.party}'s, among {', '.join(self._state.holders)}.",
                why=f"{party.name} opens it, among {', '.join(holders)}",
                mend="name the holders in the order in which the stock was dealt; the helper needs none",
            )
        if bool(helper) != bool(self._state.helper):
            raise UsageError(
                "This stock is for another protocol.",
                why=f"{self._state.helper} dealt it"
                if self._state.helper
                else "two holders made it without a helper",
                mend="use protocol='dealer' with what a helper dealt, and 'pair2' with what two holders made",
            )
        with self._alone():
            peers = [name for name in holders if name != party.name]
            block = max(self._state.next, *self._told(party, peers, self._state.next).values())
            if block >= self._state.runs:
                raise UsageError(
                    f"The stock is used up: all of its {self._state.runs} runs were taken.",
                    mend="make another one with mpc.ahead",
                )
            opened = self._burn(block)
            for peer, theirs in self._told(party, peers, block).items():
                if theirs != block:
                    raise VerificationError(f"{peer} burnt block {theirs} of a stock where {block} was due.")
        return party.group(holders, name=f"stock {self._state.stock.hex()} {block}"), opened

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One agreement at a time: two at once could cross, and use one block for two runs."""
        if self._lock is None or not self._busy.acquire(blocking=False):
            raise LocalProtocolError(
                "A stock was closed, or begins another run at this moment.",
                mend="take a stock of its own for what runs side by side",
            )
        try:
            yield
        finally:
            self._busy.release()

    def _told(self, party: Party, peers: list[str], block: int) -> dict[str, int]:
        told = party.exchange(Taken(self._state.stock, block), Taken, peers=peers)
        for peer, theirs in told.items():
            if theirs.stock != self._state.stock:
                raise VerificationError(
                    f"{peer} has another stock than {party.name}.",
                    why=f"theirs is {theirs.stock.hex()[:8]}, ours {self._state.stock.hex()[:8]}",
                    mend="all holders open the stock of one and the same dealing",
                    party=peer,
                )
        return {peer: theirs.block for peer, theirs in told.items()}

    def _burn(self, block: int) -> Block:
        """The state on disk goes past the block before anything of the block is looked at."""
        state = self._state
        root = state.onwards(block - 1).root
        self._state = state.onwards(block)
        write_state(self._folder, self._key, self._state)
        for burnt in range(state.next, block):
            path_of(self._folder, burnt).unlink(missing_ok=True)
        return Block(self._folder, self._state, block, root, self._program)


class Block:
    """What one run takes from the stock: in order, and only what it was dealt for. Implements `mpc.supply.Supply`.

    What two holders made is taken by :meth:`record` instead, in any order, each once.
    """

    def __init__(self, folder: Path, state: State, block: int, root: bytes, program: Sequence[str]) -> None:
        self._state = state
        self._rng = Prg(derive(root, "stock-seed"))
        self._key = derive(root, "stock-seal")
        self._place: list[str | int] = [state.stock.hex(), block]
        self._program = program
        self._noted = 0
        self._read = 0
        self._starts: list[int] = []
        self._file: BinaryIO | None = None
        path = path_of(folder, block)
        if path.exists():
            self._file = path.open("rb")
            path.unlink()  # the open file remains for as long as the run lasts

    @property
    def contents(self) -> list[str]:
        """What is in it, line by line."""
        return list(self._program)

    @property
    def seed(self) -> Prg:
        """This party's randomness that comes with the block: read once, from its beginning."""
        return self._rng

    def note(self, kind: str, shape: tuple[int, ...], dtype: type[Any]) -> None:
        """Compare with what was dealt."""
        asked = line(kind, shape, dtype)
        dealt = self._program[self._noted] if self._noted < len(self._program) else "nothing more"
        if asked != dealt:
            raise LocalProtocolError(
                f"The program asks for {asked} where {dealt} was dealt ahead.",
                why=f"it is another program, or has other shapes, than at its item {self._noted + 1}",
                mend="deal a stock for this program; this run of the present one is lost",
            )
        self._noted += 1

    def rng(self, peer: str) -> Prg:  # noqa: ARG002 - a holder shares it with the helper only
        """What this holder has in common with the helper in this block."""
        return self._rng

    def send(self, holder: str, message: Message) -> None:  # noqa: ARG002 - refused
        """Only a helper deals."""
        raise LocalProtocolError(f"{self._state.party} is no helper and deals nothing to {holder}.")

    def recv(self, helper: str, message_type: type[M]) -> M:
        """The next correction.

        Raises
        ------
        VerificationError
            It was altered, moved or cut off.
        """
        size = int.from_bytes(self._next(LENGTH_BYTES), "big")
        plain = unseal(self._key, self._next(size), [*self._place, self._read])
        self._read += 1
        return decode(memoryview(bytearray(plain)), message_type, sender=helper)

    def record(self, place: int) -> bytes:
        """The record of that number.

        Raises
        ------
        VerificationError
            It was altered, moved or cut off.
        """
        if self._file is not None and not self._starts:
            self._starts = [0]
            end = os.fstat(self._file.fileno()).st_size
            while self._starts[-1] < end:
                self._file.seek(self._starts[-1])
                size = int.from_bytes(self._file.read(LENGTH_BYTES), "big")
                self._starts.append(self._starts[-1] + LENGTH_BYTES + size)
        if self._file is not None and place < len(self._starts):
            self._file.seek(self._starts[place])
        size = int.from_bytes(self._next(LENGTH_BYTES), "big")
        return unseal(self._key, self._next(size), [*self._place, place])

    def _next(self, size: int) -> bytes:
        data = b""
        if self._file is not None and os.fstat(self._file.fileno()).st_size - self._file.tell() >= size:
            data = self._file.read(size)
        if self._file is None or len(data) != size:
            raise VerificationError(
                "A block of a stock ends before its run does.",
                why="its file was cut off or removed",
                mend="begin again: the next run takes the next block; or deal another stock",
            )
        return data


def look(folder: Path, key: bytes) -> tuple[Meter, list[str]]:
    """What is left of a stock, and what is in each of its runs, line by line; of this moment, and in nobody's way.

    Raises
    ------
    VerificationError
        Another key, or damaged.
    UnavailableError
        It is not there any more.
    """
    state = _opened(key, folder / "state", State, [])
    return _meter(state), _opened(key, folder / "program", list[str], [state.stock.hex()])


def _meter(state: State) -> Meter:
    left = state.runs - state.next
    return Meter(state.runs, left, state.unused, state.runs * state.run_bytes, left * state.run_bytes)


# ---------------------------------------------------------------------- what is stored


def line(kind: str, shape: tuple[int, ...], dtype: type[Any]) -> str:
    """How a program's demand is written down."""
    return f"{kind} {'x'.join(str(int(size)) for size in shape) or '1'} {np.dtype(dtype).name}"


def path_of(folder: Path, block: int) -> Path:
    """Where the corrections of a block are."""
    return folder / f"block-{block:08d}"


def write_state(folder: Path, key: bytes, state: State) -> None:
    """Durably, all or nothing."""
    write_whole(folder / "state", seal(key, msgspec.msgpack.encode(state), ["stock", "state"]))


class Writer:
    """Writes a block's file, record by record; a context manager. `size_bytes` is right after its end."""

    def __init__(self, folder: Path, root: bytes, stock: bytes, block: int) -> None:
        self._path = path_of(folder, block)
        self._key = derive(root, "stock-seal")
        self._place: list[str | int] = [stock.hex(), block]
        self._count = 0
        self.size_bytes = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        return self

    def write(self, plain: bytes) -> None:
        """Seal one more."""
        sealed = seal(self._key, plain, [*self._place, self._count])
        self._file.write(len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed)
        self._count += 1

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self.size_bytes = self._file.tell()
        self._file.close()
        if not self._count:
            self._path.unlink()  # all of this holder's comes from its seed


def write_program(folder: Path, key: bytes, stock: bytes, program: list[str]) -> None:
    """Durably."""
    write_whole(
        folder / "program", seal(key, msgspec.msgpack.encode(program), ["stock", "program", stock.hex()])
    )


T = TypeVar("T")


def _opened(key: bytes, path: Path, kind: type[T], context: list[str]) -> T:
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be read.",
            why=f"{error.strerror}; a stock that is used up is removed, by another task too",
            mend="remove what is left of it, and make another one",
        ) from error
    plain = unseal(key, sealed, ["stock", path.name, *context])
    try:
        return msgspec.msgpack.decode(plain, type=kind)
    except msgspec.DecodeError as error:
        raise VerificationError(f"{path} cannot be read.", why=str(error)) from error


def _locked(folder: Path) -> int | None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            f"There is no stock at {folder}.", why=str(error.strerror), mend="make one with mpc.ahead"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise LocalProtocolError(
            f"The stock at {folder} is open already.", mend="one process uses it at a time"
        ) from error
    return handle
