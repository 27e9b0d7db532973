"""The two ends of a garbled circuit; see the package for what they do and against whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.kernels import garble as kernel
from unseen.mpc.circuits.circuit import Circuit, Program
from unseen.mpc.garbled.plan import LABEL_BYTES, Plan
from unseen.ot import sources
from unseen.ot.correlation import Assumption, ReceiverSource, SenderSource
from unseen.party import Masked, Message, Party, require

Bits = NDArray[np.uint8]
Blocks = NDArray[np.uint8]
Owner: TypeAlias = Literal["garbler", "evaluator", "both"]
"""Who brings an input: one end alone, or both an XOR share of it."""

_WORD = 64
_AHEAD = 4


class Tables(Message, frozen=True, tag="mpc.garbled.tables/1"):
    """The rows of the ANDs of some groups of instances: shape (groups, ANDs, lanes, 2, 16)."""

    rows: Masked


class Garbler:
    """The end that makes the tables. Made at both ends at once: making one is the set-up with the peer.

    Parameters
    ----------
    source
        Where transfers come from; None: a new one by `assumption`. The lowest bit of its Delta is 1.

    Raises
    ------
    LocalProtocolError
        The lowest bit of the source's Delta is 0.
    """

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        assumption: Assumption = sources.DEFAULT,
        source: SenderSource | None = None,
    ) -> None:
        self._party, self._peer = party, peer
        self._source = source or sources.sender(
            party, peer, assumption=assumption, security="semi-honest", marked=True
        )

    def run(
        self, circuit: Circuit, bits: Sequence[Bits | None], *, owners: Sequence[Owner], count: int
    ) -> Bits:
        """This end's XOR shares of the outputs, (count, output_bits).

        Parameters
        ----------
        bits
            For each input of the circuit this end's bits or share, uint8 (count, width) of 0 and 1; None where it has none.
        owners
            Who brings each input, the same at both ends.
        count
            How many instances.
        """
        mine, private = _inputs(circuit, bits, owners, count, absent="evaluator")
        plan, start = Plan.of(circuit, count), _drawn(self._party, self._peer, (LABEL_BYTES,))
        program, number = circuit.program, 0
        out = np.empty((plan.groups * plan.lanes, circuit.output_bits), np.uint8)
        space = plan.space(program.slots)
        for piece in plan.pieces():
            shape = (len(piece), plan.lanes)
            half = self._source.correlated(int((~private).sum()) * len(piece) * plan.lanes)
            if not half.delta[0] & 1:
                raise LocalProtocolError("The lowest bit of Delta is 0: labels would not tell their rows.")
            base = _base(self._party, self._peer, half.rows, private, shape)
            labels = space[: len(piece)]
            labels[:, : circuit.input_bits] = _moved(base, plan.spread(mine, piece), half.delta)
            for gates, ands in plan.stretches:
                rows = kernel.garble(
                    _gates(program, gates), labels, half.delta, start=start, number=number, stride=2 * ands
                )
                number += 2 * ands * len(piece)
                self._party.send(self._peer, Tables(rows))
            _keep(out, plan, piece, labels[:, program.results])
        return out[:count]


class Evaluator:
    """The end that walks the circuit with one label a wire; see :class:`Garbler`."""

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        assumption: Assumption = sources.DEFAULT,
        source: ReceiverSource | None = None,
    ) -> None:
        self._party, self._peer = party, peer
        self._source = source or sources.receiver(party, peer, assumption=assumption, security="semi-honest")

    def run(
        self, circuit: Circuit, bits: Sequence[Bits | None], *, owners: Sequence[Owner], count: int
    ) -> Bits:
        """See :meth:`Garbler.run`.

        Raises
        ------
        RemoteProtocolError
            The garbler sent tables of another shape.
        """
        mine, private = _inputs(circuit, bits, owners, count, absent="garbler")
        plan, start = Plan.of(circuit, count), _drawn(self._party, self._peer, (LABEL_BYTES,))
        program, number = circuit.program, 0
        out = np.empty((plan.groups * plan.lanes, circuit.output_bits), np.uint8)
        space = plan.space(program.slots)
        coming, ahead = plan.pieces(), deque[Blocks]()
        for piece in plan.pieces():
            # Asks for the labels of some pieces before it waits for this one's tables: so the garbler need not wait.
            for later in islice(coming, _AHEAD - len(ahead)):
                ahead.append(self._labels(plan, later, mine, private))
            labels = space[: len(piece)]
            labels[:, : circuit.input_bits] = ahead.popleft()
            for gates, ands in plan.stretches:
                rows = self._party.recv(self._peer, Tables).rows
                shape = (len(piece), ands, plan.lanes, 2, LABEL_BYTES)
                require(rows, shape=shape, dtype=np.uint8, sender=self._peer)
                kernel.evaluate(
                    _gates(program, gates), labels, rows, start=start, number=number, stride=2 * ands
                )
                number += 2 * ands * len(piece)
            _keep(out, plan, piece, labels[:, program.results])
        return out[:count]

    def _labels(self, plan: Plan, piece: range, mine: Bits, private: NDArray[np.bool_]) -> Blocks:
        choices = np.ascontiguousarray(plan.spread(mine, piece)[:, ~private]).reshape(-1)
        half = self._source.correlated(len(choices), choices)
        return _base(self._party, self._peer, half.rows, private, (len(piece), plan.lanes))


def open_side(
    party: Party, garbler: str, evaluator: str, *, assumption: Assumption = sources.DEFAULT
) -> Garbler | Evaluator:
    """This party's end.

    Raises
    ------
    LocalProtocolError
        It is neither of the two.
    """
    if party.name == garbler:
        return Garbler(party, evaluator, assumption=assumption)
    if party.name == evaluator:
        return Evaluator(party, garbler, assumption=assumption)
    raise LocalProtocolError(
        f"{party.name} is neither {garbler}, who garbles, nor {evaluator}, who evaluates."
    )


def reveal(party: Party, name: str, bits: Bits, *, givers: tuple[str, str], to: Sequence[str]) -> Bits | None:
    """Turn outputs, XOR shares (count, width), into plaintext for `to`, through the gate; None elsewhere.

    What is sent is all that a receiver needs to decode these outputs, and nothing for others.

    Raises
    ------
    DeniedError
        The contract does not list it.
    """
    packed = np.zeros(-(-bits.size // _WORD) * _WORD // 8, np.uint8)
    packed[: -(-bits.size // 8)] = np.packbits(bits.reshape(-1), bitorder="little")
    words = packed.view(np.uint64)
    parts = party.reveal(name, words, givers=givers, to=to, shape=words.shape)
    if parts is None:
        return None
    whole = parts[givers[0]] ^ parts[givers[1]]
    plain = np.unpackbits(whole.view(np.uint8), count=bits.size, bitorder="little")
    return plain.reshape(bits.shape)


def _inputs(
    circuit: Circuit, bits: Sequence[Bits | None], owners: Sequence[Owner], count: int, *, absent: Owner
) -> tuple[Bits, NDArray[np.bool_]]:
    """This end's bits (count, input_bits), zeros where it has none, and which inputs only the garbler has."""
    if not len(bits) == len(owners) == len(circuit.inputs):
        raise LocalProtocolError(
            f"The circuit has {len(circuit.inputs)} inputs: each takes bits and an owner."
        )
    columns = []
    for place, (width, mine, owner) in enumerate(zip(circuit.inputs, bits, owners, strict=True)):
        if (mine is None) != (owner == absent):
            raise LocalProtocolError(f"Input {place} belongs to {owner}, who alone brings its bits.")
        given = np.zeros((count, width), np.uint8) if mine is None else np.asarray(mine, np.uint8)
        if given.shape != (count, width) or (given.size and int(given.max()) > 1):
            raise LocalProtocolError(
                f"Input {place} takes {count} rows of {width} bits, not {given.shape}.",
                mend="pass one uint8 of 0 or 1 a bit",
            )
        columns.append(given)
    private = np.repeat([owner == "garbler" for owner in owners], circuit.inputs)
    return np.concatenate(columns, axis=1), private


def _drawn(party: Party, peer: str, shape: tuple[int, ...]) -> Blocks:
    """What both ends draw alike."""
    data = party.shared_rng(peer).bytes(int(np.prod(shape)))
    return np.frombuffer(data, np.uint8).reshape(shape)


def _base(
    party: Party, peer: str, rows: Blocks, private: NDArray[np.bool_], shape: tuple[int, int]
) -> Blocks:
    """Labels of all inputs before the garbler's bits move them: (groups, input_bits, lanes, 16)."""
    groups, lanes = shape
    base = np.empty((groups, len(private), lanes, LABEL_BYTES), np.uint8)
    base[:, ~private] = rows.reshape(groups, -1, lanes, LABEL_BYTES)
    base[:, private] = _drawn(party, peer, (groups, int(private.sum()), lanes, LABEL_BYTES))
    return base


def _moved(base: Blocks, bits: Bits, delta: Blocks) -> Blocks:
    """Labels XOR delta where the bit is 1: (groups, width, lanes, 16)."""
    words, mask = base.view(np.uint64), np.uint64(0) - bits.astype(np.uint64)
    for half, secret in enumerate(delta.view(np.uint64)):
        words[..., half] ^= mask & secret
    return base


def _gates(program: Program, gates: slice) -> kernel.Gates:
    return program.kinds[gates], program.left[gates], program.right[gates], program.out[gates]


def _keep(out: Bits, plan: Plan, piece: range, labels: Blocks) -> None:
    """The lowest bits of labels of results: this end's shares."""
    bits: Bits = labels[..., 0] & np.uint8(1)
    out[piece.start * plan.lanes : piece.stop * plan.lanes] = plan.gathered(bits)
