"""Many runs of one protocol, held against noise and against each other: what a party sees must tell it nothing.

:func:`leaks` runs a program some hundred times on each of two chosen inputs that have the same declared outputs, and looks at
every field of every message that anybody received (STYLE: adversary tests):

- the same messages of the same lengths come in every run, on either input;
- fields typed `share` or `masked`, and what two parties open to each other, are uniform bit by bit over the runs, and so
  are the differences of any two of them within a run (one mask used twice would cancel out);
- nothing of them comes twice;
- every other field is distributed alike on both inputs (two-sample test, bit by bit), and so are the places at which two
  lists of rows are equal.

A call makes some ten thousand tests; each fails an honest protocol with probability 10^-12, all of them with less than 10^-6.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from unseen.party import Disclosure, Party
from unseen.party.exchanged import Opening
from unseen.party.messages import MASKED, PUBLIC, SHARE, Released, kinds
from unseen.testing.simulate import Seen, run

RUNS = 200
SIGMAS = 7.0
"""One-sided normal quantile of 10^-12."""
LONG_BYTES = 16
_MAX_ROWS = 64
_SECRET = (SHARE.name, MASKED.name)

Program = Callable[[Party], Any]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One field of one message: who got it from whom, as which of their messages on that stream."""

    receiver: str
    sender: str
    stream: str
    number: int
    field: str
    kind: str

    def __str__(self) -> str:
        return f"{self.sender} -> {self.receiver} {self.field} (message {self.number} on {self.stream})"


Sample = Mapping[Place, Sequence[bytes]]
"""Place -> its bytes in every run in which it came."""


def leaks(
    one: Program,
    other: Program,
    parties: Sequence[str],
    *,
    disclosures: Sequence[Disclosure] = (),
    runs: int = RUNS,
) -> list[str]:
    """What the protocol shows that it should not; empty if nothing was found.

    Parameters
    ----------
    one, other
        The same protocol on two chosen inputs of equal sizes and equal declared outputs.
    """
    first = collect(one, parties, disclosures=disclosures, runs=runs)
    second = collect(other, parties, disclosures=disclosures, runs=runs)
    found = [*shapes_differ(first, second, runs=runs)]
    if not found:
        found += [*not_uniform(first), *not_uniform(second), *repeated(first), *distinguished(first, second)]
    return found


def collect(
    program: Program, parties: Sequence[str], *, disclosures: Sequence[Disclosure] = (), runs: int = RUNS
) -> dict[Place, list[bytes]]:
    """Run it again and again; every field that anybody saw, and everything that two opened to each other."""
    sample: dict[Place, list[bytes]] = defaultdict(list)
    for _ in range(runs):
        views = run(program, parties, disclosures=disclosures).views
        for place, value in _fields(views):
            sample[place].append(value)
        for place, value in (*_opened(views), *_patterns(views)):
            sample[place].append(value)
    return dict(sample)


# ---------------------------------------------------------------------- the tests


def shapes_differ(first: Sample, second: Sample, *, runs: int) -> list[str]:
    """Messages or lengths that depend on the run or on the input."""
    found = [f"{place}: not on both inputs" for place in sorted(set(first) ^ set(second))]
    for place in sorted(set(first) & set(second)):
        counts = {len(first[place]), len(second[place])}
        lengths = {len(value) for sample in (first, second) for value in sample[place]}
        if counts != {runs}:
            found.append(f"{place}: came in {counts} of {runs} runs")
        elif len(lengths) != 1:
            found.append(f"{place}: {len(lengths)} different lengths")
    return found


def not_uniform(sample: Sample) -> list[str]:
    """Shares and masked values whose bits, or whose differences within a run, are not fair coins."""
    secret = {place: _matrix(values) for place, values in sample.items() if place.kind in _SECRET}
    secret = {place: matrix for place, matrix in secret.items() if matrix.shape[1]}
    found = [
        f"{place}: not uniform ({sigmas:.1f} sigma)"
        for place, matrix in secret.items()
        if (sigmas := _unfair(matrix)) > SIGMAS
    ]
    word = 8
    heads = {place: matrix[:, :word].copy() for place, matrix in secret.items() if matrix.shape[1] >= word}
    for (one, left), (other, right) in combinations(heads.items(), 2):
        if not _halves_of_one(one, other):
            added = (left.view(np.uint64) - right.view(np.uint64)).view(np.uint8)
            if max(_unfair(added), _unfair(left ^ right)) > SIGMAS:
                found.append(f"{one} and {other}: under one mask")
    return found


def repeated(sample: Sample) -> list[str]:
    """Secret values of some length that come twice, in one run or in two."""
    seen = Counter(
        value
        for place, values in sample.items()
        if place.kind in _SECRET and place.field != _OPENED
        for value in values
        if len(value) >= LONG_BYTES
    )
    again = sum(1 for count in seen.values() if count > 1)
    return [f"{again} secret values came more than once"] if again else []


def distinguished(first: Sample, second: Sample) -> list[str]:
    """Fields in which the two inputs can be told apart."""
    found = []
    for place in first:
        left, right = _bits(_matrix(first[place])), _bits(_matrix(second[place]))
        if not left.size:
            continue
        chance = (left.sum(axis=0) + right.sum(axis=0)) / (len(left) + len(right))
        moves = (chance > 0) & (chance < 1)
        if not moves.any():
            continue
        runs = len(left) + len(right)
        spread = chance * (1 - chance) * (1 / len(left) + 1 / len(right)) * runs / (runs - 1)
        squares = (left.mean(axis=0) - right.mean(axis=0))[moves] ** 2 / spread[moves]
        if (sigmas := _too_large(float(squares.sum()), int(moves.sum()))) > SIGMAS:
            found.append(f"{place}: tells the inputs apart ({sigmas:.1f} sigma)")
    return found


def _unfair(matrix: Bytes) -> float:
    """How far the bits over the runs are from fair coins, in standard deviations."""
    bits = _bits(matrix)
    squares = (bits.mean(axis=0) - 0.5) ** 2 * 4 * len(bits)
    return _too_large(float(squares.sum()), bits.shape[1])


def _too_large(chi_square: float, degrees: int) -> float:
    """A chi-square as a normal deviate (Wilson and Hilferty, 1931); bits that hang together count as one."""
    part = 2 / (9 * degrees)
    return float(((chi_square / degrees) ** (1 / 3) - (1 - part)) / part**0.5)


# ---------------------------------------------------------------------- what was seen

_OPENED = "opened"


def _fields(views: Mapping[str, Sequence[Seen]]) -> Iterable[tuple[Place, bytes]]:
    for receiver, view in views.items():
        numbers: Counter[tuple[str, str]] = Counter()
        for seen in view:
            number = numbers[seen.sender, seen.stream]
            numbers[seen.sender, seen.stream] += 1
            name = type(seen.message).__name__
            for field, kind in kinds(type(seen.message)).items():
                place = Place(receiver, seen.sender, seen.stream, number, f"{name}.{field}", kind)
                yield place, _encoded(getattr(seen.message, field))


def _opened(views: Mapping[str, Sequence[Seen]]) -> Iterable[tuple[Place, bytes]]:
    """Sums (ring elements) or XORs (other words) of what two parties opened to each other, in order."""
    halves: dict[tuple[str, str, str], list[NDArray[Any]]] = defaultdict(list)
    for receiver, view in views.items():
        for seen in view:
            if isinstance(seen.message, Opening):
                halves[receiver, seen.sender, seen.stream].append(seen.message.values)
    for (receiver, sender, stream), mine in halves.items():
        if receiver < sender:
            for number, (left, right) in enumerate(zip(mine, halves[sender, receiver, stream], strict=True)):
                value = left + right if left.dtype == np.uint64 else left ^ right
                place = Place(receiver, sender, stream, number, _OPENED, MASKED.name)
                yield place, np.ascontiguousarray(value).tobytes()


def _patterns(views: Mapping[str, Sequence[Seen]]) -> Iterable[tuple[Place, bytes]]:
    """Which rows of two lists of encrypted or released values are equal: places in a list tell something, too."""
    lists: list[tuple[str, NDArray[Any]]] = []
    numbers: Counter[str] = Counter()
    for receiver, view in views.items():
        for seen in view:
            for field, kind in kinds(type(seen.message)).items():
                value = _plain(getattr(seen.message, field))
                if kind in _SECRET or not isinstance(value, np.ndarray) or value.ndim != 2:  # noqa: PLR2004 - rows
                    continue
                if len(value) <= _MAX_ROWS:
                    name = f"{seen.sender}->{receiver} {seen.stream} {type(seen.message).__name__}.{field}"
                    lists.append((f"{name} {numbers[name]}", value))
                    numbers[name] += 1
    for (one, left), (other, right) in combinations(sorted(lists, key=lambda item: item[0]), 2):
        if left.shape[1] == right.shape[1]:
            equal = (left[:, None] == right[None]).all(axis=2)
            place = Place("all", "all", "-", 0, f"places of equal rows in {one} and {other}", PUBLIC.name)
            yield place, np.packbits(equal).tobytes()


def _halves_of_one(one: Place, other: Place) -> bool:
    """An opened value, and a half that went into it, or two halves of one: tested by themselves."""
    return _OPENED in (one.field, other.field) or {one.receiver, one.sender} == {
        other.receiver,
        other.sender,
    } == {
        one.receiver,
        other.receiver,
    }


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Released) else value


def _encoded(value: Any) -> bytes:
    value = _plain(value)
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value).tobytes()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return msgspec.msgpack.encode(value)


def _matrix(values: Sequence[bytes]) -> Bytes:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)


def _bits(matrix: Bytes) -> Bytes:
    return np.unpackbits(matrix, axis=1)
