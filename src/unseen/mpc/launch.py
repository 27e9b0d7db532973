"""Try a function on secrets with all parties as processes on this machine.

    def spread(salaries, bonuses):
        total = salaries + bonuses
        return total.max() - total.min()

    outcome = launch(spread, protocol="replicated3", inputs={"salaries": a, "bonuses": b})
    outcome.result, outcome.seconds, outcome.bytes_sent, outcome.rounds

Each party is a process of its own and speaks the real link (TLS 1.3 on loopback); the inputs are shared by the parties in
turn, and what the function returns is revealed to the first one, through a gate that lists nothing else. For work among
organisations write a step: there a function is installed at each node, pinned by the contract, and never received from a
peer.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import extract_tb
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import ArrayLike, NDArray

import unseen
from unseen.core import registry
from unseen.core.errors import LocalProtocolError, UnavailableError, UnseenError, UsageError, from_dict
from unseen.crypto.certificates import Credentials, issue
from unseen.crypto.sign import raw_public_key
from unseen.kernels.memory import arrays_in_pages
from unseen.link.channel import Link, abort_all
from unseen.link.stream import open_link
from unseen.mpc.array import SecretArray
from unseen.mpc.engine import PROTOCOLS, Engine
from unseen.mpc.fixed import FRACTION_BITS, unmasked
from unseen.mpc.protocol import Statement
from unseen.ot.correlation import Assumption
from unseen.party import Disclosure, DisclosurePolicy, Door, Gate, MemoryJournal, Party, Session

USE = "launch/launch/1"
RESULT = "result"
MOST_BITS = 30  # of fractions: what is left of 62 must hold a whole place


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a launch gave.

    Attributes
    ----------
    result
        What the function returned, revealed: an array, a tuple of arrays, or a dictionary of arrays as the function named them.
    seconds
        From when all links stood until the last party was done.
    bytes_sent
        Payload that all parties sent.
    rounds
        How often latency was paid, on the link that paid most.
    """

    result: NDArray[Any] | tuple[NDArray[Any], ...] | dict[str, NDArray[Any]]
    seconds: float
    bytes_sent: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Seat:
    """One party's place: what its process is given."""

    name: str
    sockets: Mapping[str, socket.socket]
    credentials: Credentials
    identities: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all parties agree on before they begin."""

    function: Callable[..., Any]
    protocol: str
    bits: int
    fss: bool
    assumption: Assumption | None
    holders: tuple[str, ...]
    helper: str | None
    owners: Mapping[str, str]
    inputs: Mapping[str, NDArray[Any]]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Returned(DisclosurePolicy):
    """What the function returns goes to the first party, under the names that it gives; nothing goes to others."""

    to: tuple[str, ...] = ()

    def find(self, name: str) -> Disclosure:
        return Disclosure(name, "what the function returns", self.to, Door.REVEAL)


class _OneSocket:
    """A source that has a single connection to give."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def next(self, timeout_s: float) -> socket.socket:  # noqa: ARG002 - it is here already
        return self._sock


def launch(
    function: Callable[..., Any],
    *,
    inputs: Mapping[str, ArrayLike],
    protocol: str = "replicated3",
    holders: int | None = None,
    bits: int = FRACTION_BITS,
    fss: bool = False,
    assumption: Assumption | None = None,
    timeout_s: float = 600.0,
) -> Outcome:
    """Run `function(**secrets)` among as many processes as the protocol needs.

    Parameters
    ----------
    function
        Takes secret arrays by the names of `inputs`, returns a secret array, or a tuple or a dictionary of them.
    inputs
        Name -> array. Booleans and integers keep their kind, other numbers are fixed-point.
    protocol
        A protocol of `mpc/protocols`.
    holders
        How many parties hold shares, where the protocol leaves a choice; as few as it takes, unless said otherwise.
    bits
        Fraction bits of fixed-point numbers, 1 to 30.
    fss, assumption
        Comparisons by function secret sharing; `pair2` without learning parity with noise. See :class:`unseen.mpc.Engine`.

    Raises
    ------
    UsageError
        No inputs, no such protocol or not with so many holders, or a number (or a number of fraction bits) that does not fit.
    UnseenError
        What failed at a party.
    """
    if not inputs:
        raise UsageError("There is nothing to compute on.", mend="give inputs={'x': array, ...}")
    if not 1 <= bits <= MOST_BITS:
        raise UsageError(
            f"There are no numbers of {bits} fraction bits.",
            why=f"with f of them products stay below 2^(62 - 2 f), so f is from 1 to {MOST_BITS}",
            mend="leave out bits=; arrays of integers have no fractions anyway",
        )
    seats, helper = _holders(protocol, holders)
    names = (*seats, helper) if helper else seats
    owners = {name: seats[place % len(seats)] for place, name in enumerate(inputs)}
    arrays = {name: unmasked(values) for name, values in inputs.items()}
    plan = _Plan(function, protocol, bits, fss, assumption, seats, helper, owners, arrays, timeout_s)
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(len(names))
    ears, processes = [], []
    for seat in _seats(names):
        ear, mouth = context.Pipe(duplex=False)
        process = context.Process(target=_body, args=(seat, plan, ready, mouth), daemon=True)
        process.start()
        mouth.close()
        for sock in seat.sockets.values():
            sock.close()
        ears.append(ear)
        processes.append(process)
    told = [_hear(name, ear, timeout_s) for name, ear in zip(names, ears, strict=True)]
    for process in processes:
        process.join()
    failed = [item for item in told if isinstance(item, dict)]
    if failed:
        raise _cause(failed, names)
    return Outcome(
        result=told[0][0],
        seconds=max(item[1] for item in told),
        bytes_sent=sum(item[2] for item in told),
        rounds=max(item[3] for item in told),
    )


def _holders(protocol: str, count: int | None) -> tuple[tuple[str, ...], str | None]:
    statement: Statement = registry.load(PROTOCOLS, protocol).STATEMENT
    count = statement.holders.start if count is None else count
    if count not in statement.holders:
        few, many = statement.holders.start, statement.holders.stop - 1
        raise UsageError(
            f"{protocol} does not work among {count} holders.",
            why=f"it takes {few}" if few == many else f"it takes {few} to {many}",
            mend="name another number, or another protocol",
        )
    return tuple(f"party{place + 1}" for place in range(count)), "helper" if statement.helper else None


def _hear(name: str, ear: Connection, timeout_s: float) -> Any:
    try:
        if not ear.poll(timeout_s):
            return UnavailableError(f"{name} said nothing for {timeout_s:g} s.", party=name).to_dict()
        return ear.recv()
    except EOFError:
        return UnavailableError(f"The process of {name} ended without a word.", party=name).to_dict()


def _cause(failed: list[dict[str, str | None]], names: tuple[str, ...]) -> UnseenError:
    """The error of the party that failed first: one that blames no other party."""
    first = next((item for item in failed if item.get("party") not in names), failed[0])
    return from_dict(first)


def _place(error: BaseException) -> str:
    """The last line outside of unseen that ran: where a mistake in the caller's function most likely is."""
    libraries = tuple(str(Path(module.__file__).parent) for module in (unseen, np) if module.__file__)
    frames = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith(libraries)]
    return (
        f"{frames[-1].filename}:{frames[-1].lineno}, in {frames[-1].name}: {frames[-1].line}"
        if frames
        else ""
    )


def _seats(names: tuple[str, ...]) -> list[_Seat]:
    sockets: dict[str, dict[str, socket.socket]] = {name: {} for name in names}
    for left, right in combinations(names, 2):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sockets[left][right] = socket.create_connection(listener.getsockname())
            sockets[right][left], _ = listener.accept()
    keys = {name: Ed25519PrivateKey.generate() for name in names}
    identities = {name: raw_public_key(key) for name, key in keys.items()}
    now = dt.datetime.now(dt.UTC)
    return [
        _Seat(name, sockets[name], issue(keys[name], name, use=USE, now=now), identities) for name in names
    ]


@arrays_in_pages()
def _body(seat: _Seat, plan: _Plan, ready: Any, mouth: Connection) -> None:
    links: dict[str, Link] = {}
    try:
        links = _links(seat)
        party = _party(seat.name, links, plan)
        ready.wait(plan.timeout_s)
        start = time.perf_counter()
        result = _compute(party, plan)
        seconds = time.perf_counter() - start
        stats = [link.stats() for link in links.values()]
        sent, rounds = sum(item.bytes_sent for item in stats), max((item.rounds for item in stats), default=0)
        mouth.send((result, seconds, sent, rounds))
        for link in links.values():
            link.close()
    except BaseException as error:  # noqa: BLE001 - told to the caller, which raises it
        abort_all(links, error, None)
        known = (
            error
            if isinstance(error, UnseenError)
            else LocalProtocolError(f"{seat.name} failed: {error!r}", why=_place(error))
        )
        mouth.send(known.to_dict())


def _links(seat: _Seat) -> dict[str, Link]:
    """All links of this party, opened at once: each waits for the other end."""
    made: dict[str, Link] = {}

    def open_one(peer: str) -> None:
        made[peer] = open_link(
            me=seat.name,
            peer=peer,
            role="dial" if seat.name < peer else "accept",
            sockets=_OneSocket(seat.sockets[peer]),
            credentials=seat.credentials,
            peer_identity=seat.identities[peer],
            reconnect_s=0,
            others=tuple(seat.sockets),
        )

    threads = [threading.Thread(target=open_one, args=(peer,)) for peer in seat.sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {peer: made[peer] for peer in seat.sockets}


def _party(name: str, links: Mapping[str, Link], plan: _Plan) -> Party:
    gate = Gate(name, _Returned("launch", "launch", to=plan.holders[:1]), MemoryJournal(), attempt=1)
    session = Session("launch", "launch", 1)
    return Party(name, links, session=session, gate=gate, timeout_s=plan.timeout_s)


def _compute(party: Party, plan: _Plan) -> Any:
    engine = Engine(
        party,
        holders=plan.holders,
        helper=plan.helper,
        protocol=plan.protocol,
        bits=plan.bits,
        fss=plan.fss,
        assumption=plan.assumption,
    )
    secrets = {}
    for name, values in plan.inputs.items():
        whole = np.issubdtype(values.dtype, np.integer)
        kind = bool if values.dtype == np.bool_ else int if whole else float
        mine = values if party.name == plan.owners[name] else None
        secrets[name] = engine.share(mine, owner=plan.owners[name], shape=values.shape, dtype=kind)
    made = plan.function(**secrets)
    several = isinstance(made, tuple | list)
    named = made if isinstance(made, dict) else dict(_numbered(made if several else [made]))
    for name, item in named.items():
        if not isinstance(name, str):
            raise UsageError(f"What is revealed needs a name that is text, not {name!r}.")
        if not isinstance(item, SecretArray):
            raise UsageError(
                f"The function returned a {type(item).__name__} where a secret array is due, as {name!r}.",
                mend="return what it computed from its inputs: an array, a tuple of arrays, or a dictionary of them",
            )
    told = engine.reveal_all(named, to=plan.holders[:1])
    if several:
        return tuple(told.values())
    return told if isinstance(made, dict) else told[RESULT]


def _numbered(items: Sequence[Any]) -> list[tuple[str, Any]]:
    """`result`, or `result 1`, `result 2`, …: the names under which they pass the gates."""
    return [(f"{RESULT} {place + 1}" if len(items) > 1 else RESULT, item) for place, item in enumerate(items)]
