"""What both sides must agree on before ids are touched: each says its terms, both settle them by the same rules.

Whatever one side asks for that the other does not is an error at both, with the same words. What is settled is hashed and
signed by both keys, so that afterwards neither can say that it agreed to something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.canonical import Json, digest
from unseen.core.cost import Network
from unseen.core.errors import RemoteProtocolError, UsageError
from unseen.data.idstore import MOST_PARTS
from unseen.kernels.capacity import capacity
from unseen.party import Message, Public
from unseen.psi import Choice, Mode, choose
from unseen.psi.plan import AUTO, options
from unseen.psi.protocol import revealing

FORMAT = 1
MOST_IDS = 1 << 40
DIGEST_BYTES, RUN_BYTES = 32, 16
LISTENER, CALLER = "listener", "caller"


class Terms(Message, frozen=True, tag="psi.terms/1"):
    """What the sender asks for; nothing about its data.

    `receivers`: who shall learn the result, empty if the sender leaves it to whoever has an output (`wants`).
    """

    format: Public[int]
    kinds: Public[tuple[str, ...]]
    method: Public[str]
    security: Public[str]
    symmetric: Public[bool]
    receivers: Public[tuple[str, ...]]
    wants: Public[bool]
    memory_bytes: Public[int]
    parts: Public[int]
    latency_s: Public[float]
    bytes_per_s: Public[float]


class Start(Message, frozen=True, tag="psi.start/1"):
    """The sender's size and where it stands.

    `commitment`: salted hash that tells whether its data changed since an interrupted run. `run` names that run (empty:
    none), `done` counts the partitions it has finished, `begun` says whether any of it was sent.
    """

    size: Public[int]
    commitment: Public[bytes]
    run: Public[bytes]
    done: Public[int]
    begun: Public[bool]
    nonce: Public[bytes]


class Agreed(Message, frozen=True, tag="psi.agreed/1"):
    """Digest of what was settled, and the sender's signature over it (empty on a link without keys)."""

    digest: Public[bytes]
    signature: Public[bytes]


class Mark(Message, frozen=True, tag="psi.mark/1"):
    """The sender has come to a point: `ready` (its journal is on disk) or `finished` (its output is)."""

    point: Public[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """What holds for both."""

    kinds: tuple[str, ...]
    method: str
    mode: Mode
    receivers: tuple[str, ...]
    memory_bytes: int
    least_parts: int
    network: Network


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: a protocol on partitions of bounded sizes."""

    choice: Choice
    parts: int
    sizes: dict[str, int]
    bounds: dict[str, int]


def settle(me: str, peer: str, mine: Terms, theirs: Terms) -> Settled:
    """Make one of two sides' terms.

    Raises
    ------
    UsageError
        They do not fit: every difference.
    """
    said = {me: mine, peer: theirs}
    problems = [
        _difference(name, {who: str(getattr(terms, field)) for who, terms in said.items()})
        for name, field in (("format", "format"), ("security", "security"), ("symmetric", "symmetric"))
        if getattr(mine, field) != getattr(theirs, field)
    ]
    if mine.kinds != theirs.kinds:
        problems.append(_difference("key", {who: ", ".join(terms.kinds) for who, terms in said.items()}))
    named = {terms.method for terms in said.values()} - {AUTO}
    if len(named) > 1:
        problems.append(_difference("protocol", {who: terms.method for who, terms in said.items()}))
    explicit = {tuple(sorted(terms.receivers)) for terms in said.values() if terms.receivers}
    if len(explicit) > 1:
        told = {who: ", ".join(terms.receivers) for who, terms in said.items()}
        problems.append(_difference("output-to", told))
    receivers = min(explicit, default=tuple(sorted(who for who, terms in said.items() if terms.wants)))
    if not receivers:
        problems.append("output: neither side has one, so nobody would learn anything")
    idle = [who for who, terms in said.items() if terms.wants and who not in receivers]
    problems += [f"output: {who} has one but does not get the result" for who in idle]
    if problems:
        raise UsageError(
            "The two sides do not ask for the same.",
            mend="agree with the other side on these options, and start both again",
            problems=tuple(problems),
        )
    return Settled(
        mine.kinds,
        next(iter(named), AUTO),
        Mode(
            "malicious" if mine.security == "malicious" else "semi-honest",
            assumption="symmetric" if mine.symmetric else "lpn",
        ),
        receivers,
        min(mine.memory_bytes, theirs.memory_bytes),
        max(mine.parts, theirs.parts),
        Network(max(mine.latency_s, theirs.latency_s), min(mine.bytes_per_s, theirs.bytes_per_s)),
    )


def _difference(name: str, said: dict[str, str]) -> str:
    return f"{name}: {'; '.join(f'the {who} says {value}' for who, value in sorted(said.items()))}"


def check_numbers(peer: str, terms: Terms) -> None:
    """Refuse numbers that cannot be.

    Raises
    ------
    RemoteProtocolError
        The peer sent such.
    """
    good = (
        terms.memory_bytes > 0
        and 0 < terms.parts <= MOST_PARTS
        and terms.parts & (terms.parts - 1) == 0
        and 0 <= terms.latency_s < 1e6  # noqa: PLR2004 - so written, it refuses NaN
        and 0 < terms.bytes_per_s < 1e15  # noqa: PLR2004
    )
    if not good:
        raise RemoteProtocolError(f"The {peer} states impossible terms.", party=peer)


def check_start(peer: str, start: Start) -> None:
    """Refuse what no side would say.

    Raises
    ------
    RemoteProtocolError
        The peer said such.
    """
    good = (
        0 <= start.size <= MOST_IDS
        and 0 <= start.done <= MOST_PARTS
        and (len(start.commitment), len(start.nonce)) == (DIGEST_BYTES, DIGEST_BYTES)
        and len(start.run) in {0, RUN_BYTES}
    )
    if not good:
        raise RemoteProtocolError(f"The {peer} begins with impossible numbers.", party=peer)


def plan(settled: Settled, sizes: dict[str, int]) -> Plan:
    """The protocol and the partitions; the same at both sides.

    Raises
    ------
    UsageError
        No protocol gives the security, or the sets do not fit the memory however they are cut.
    """
    pair = (sizes[LISTENER], sizes[CALLER])
    choice = _chosen(pair, settled)
    parts = settled.least_parts
    while parts <= MOST_PARTS:
        bounds = {who: capacity(size, parts) for who, size in sizes.items()}
        cost = revealing(choice.method).estimate(
            (bounds[LISTENER], bounds[CALLER]), choice.mode, settled.network
        )
        if cost.memory_bytes <= settled.memory_bytes // 2:
            return Plan(choice, parts, sizes, bounds)
        parts *= 2
    raise UsageError(
        "Sets of these sizes do not fit the memory, however they are cut.", mend="give more --memory"
    )


def _chosen(sizes: tuple[int, int], settled: Settled) -> Choice:
    if settled.method == AUTO:
        return choose(sizes, settled.mode, settled.network)
    for choice in options(sizes, settled.mode, settled.network):
        if choice.method == settled.method:
            return choice
    revealing(settled.method)  # says so if there is none of that name
    raise UsageError(
        f"The protocol '{settled.method}' is not secure against {settled.mode.security} parties.",
        mend="choose another one, or leave it to auto",
    )


def agreement(settled: Settled, planned: Plan, run: bytes, commitments: dict[str, bytes]) -> Json:
    """All that was settled, as it is hashed and signed."""
    return {
        "run": run.hex(),
        "kinds": list(settled.kinds),
        "method": planned.choice.method,
        "security": planned.choice.mode.security,
        "assumption": planned.choice.mode.assumption,
        "compact": planned.choice.mode.compact,
        "receivers": list(settled.receivers),
        "partitions": planned.parts,
        "sizes": {who: str(size) for who, size in sorted(planned.sizes.items())},
        "bounds": {who: str(size) for who, size in sorted(planned.bounds.items())},
        "commitments": {who: value.hex() for who, value in sorted(commitments.items())},
    }


def agreement_digest(agreed: Json) -> bytes:
    """SHA-256 over :func:`agreement`."""
    return digest("psi-agreement", FORMAT, agreed)
