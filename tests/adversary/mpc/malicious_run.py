"""Three parties under the malicious protocol, one of whom runs changed code or whose messages are changed on their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unseen.core.errors import UnseenError, VerificationError
from unseen.link.memory import Parcel
from unseen.mpc import Engine
from unseen.mpc.functions.sigmoid import sigmoid
from unseen.mpc.protocols.replicated3_malicious.sharing import Replicated3Malicious
from unseen.mpc.protocols.replicated3_malicious.wires import CheckedWires
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, simulate

NAME = "replicated3-malicious"
PARTIES = ("a", "b", "c")
TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL, times=200)


def engine_of(party: Party) -> Engine:
    return Engine(party, holders=PARTIES, protocol=NAME)


def go(program: Callable[[Party], Any], *, liar: str = "", **options: Any) -> Run[Any]:
    """`program` at all parties. The liar says nothing when it finds out that something is wrong: the others must."""

    def quiet(party: Party) -> Any:
        try:
            return program(party)
        except UnseenError:
            if party.name != liar:
                raise
            for link in party._links.values():
                link.close()
            return None

    return simulate(quiet, PARTIES, disclosures=[TOLD], **options)


def found_out(run: Run[Any], liar: str) -> bool:
    """Whether an honest party found the deviation out, and none got a result."""
    honest = [name for name in PARTIES if name != liar]
    assert all(run.results.get(name) is None for name in PARTIES)
    assert all(isinstance(error, UnseenError) for error in run.errors.values()), run.errors
    return any(isinstance(run.errors.get(name), VerificationError) for name in honest)


def everything(
    party: Party, rows: int = 3, *, waves: bool = True, start: Callable[[Engine], Any] | None = None
) -> Any:
    """Every kind of message: shares, products, ANDs, triples, openings, coins, hops, opened comparisons, parts.

    `start` is given the engine before anything is done. Without waves it is faster, and its result another.
    """
    engine = engine_of(party)
    if start:
        start(engine)
    protocol, me = engine.protocol, party.name
    x = engine.share(np.ones((rows, 3)) if me == "a" else None, owner="a", shape=(rows, 3))
    w = engine.share(np.zeros(3) if me == "b" else None, owner="b", shape=(3,))
    y = engine.share(np.full(rows, 2.0) if me == "c" else None, owner="c", shape=(rows,))
    mine = np.ones(rows, bool) if me == "c" else None
    chosen = engine.share(mine, owner="c", shape=(rows,), dtype=bool)
    z = x @ w + x[:, 0] * y
    p = np.where(chosen & (z > 1), sigmoid(z) if waves else z, 0.0)
    q = engine.truncate(p * 2, 12, exact=True)
    numbers, octets = protocol.shuffle(q.share[..., None], chosen.bit_share[..., None])
    s = engine.number(numbers[..., 0], 12)
    protocol.open_shuffled(protocol.mask(s.share).less_than((0,))[:, 0])
    protocol.open_shuffled(
        octets[..., 0].astype(np.uint16) * np.uint16(0) + protocol.public(np.arange(rows, dtype=np.uint16))
    )
    return engine.reveal("result", x.T @ s, to=("a",))


def expected(rows: int = 3) -> Any:
    return np.full(3, rows * 2 / (1 + np.exp(-2.0)))


class Flip:
    """A wire that changes one bit of the nth message of a sender; counts them."""

    def __init__(self, sender: str, nth: int = -1, place: int = -1, bit: int = 0) -> None:
        self.sender, self.nth, self.place, self.bit = sender, nth, place, bit
        self.count = 0
        self.hit: bytes | None = None

    def __call__(self, parcel: Parcel) -> bytes:
        if parcel.sender != self.sender:
            return parcel.payload
        self.count += 1
        if self.count - 1 != self.nth:
            return parcel.payload
        data = bytearray(parcel.payload)
        data[self.place] ^= 1 << self.bit
        self.hit = bytes(parcel.payload)
        return bytes(data)


class Replay:
    """A wire that sends, in the place of the nth message of a sender that could be, the one of that length before it."""

    def __init__(self, sender: str, nth: int) -> None:
        self.sender, self.nth = sender, nth
        self.count = 0
        self._last: dict[tuple[str, int], bytes] = {}

    def __call__(self, parcel: Parcel) -> bytes:
        key, data = (parcel.receiver, len(parcel.payload)), bytes(parcel.payload)
        if parcel.sender != self.sender:
            return parcel.payload
        before = self._last.get(key, data)
        self._last[key] = data
        if before == data:
            return parcel.payload
        self.count += 1
        return before if self.count - 1 == self.nth else parcel.payload


def wires_of(engine: Engine) -> CheckedWires:
    protocol = engine.protocol
    assert isinstance(protocol, Replicated3Malicious)
    return protocol.wires


def off_by(engine: Engine, errors: dict[int, Callable[[Any], Any]]) -> None:
    """From now on this party's parts of the nth product (from 0) are changed: it is consistent about them afterwards."""
    wires = wires_of(engine)
    honest, count = wires.around, [0]

    def around(part: Any) -> Any:
        change = errors.get(count[0])
        count[0] += 1
        return honest(part if change is None else change(part))

    wires.around = around  # type: ignore[method-assign]
