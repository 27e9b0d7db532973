"""Which parameters the learning-parity-with-noise assumption is made for: those in lpn_params.json and no others.

Every set names its source and date. Sets older than the attacks of 2025 (AGB 2.0, IACR ePrint 2025/1476) are not there, and a name
that is not there is refused. The file's digest stands here, so that a set cannot be changed in passing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from unseen.core.errors import UsageError
from unseen.kernels import lpn

_DIGEST = "3abd4f27a1d0c9e0c7d68a9dc01ec6ee98cf7031f2c286434d8d7bfbf009629a"
_FORMAT = 1

DUAL = "bac-3x32-weighted"


@dataclass(frozen=True, slots=True)
class PrimalSet:
    """Ferret's assumption: 2^table_bits secret values, ten of them in each output, one noisy place in each of `noise` blocks."""

    name: str
    noise: int
    table_bits: int
    depth: int
    outputs: int
    source: str
    date: str

    def __post_init__(self) -> None:
        if self.noise << self.depth != self.outputs:
            raise UsageError(
                f"LPN set {self.name}: {self.noise} blocks of 2^{self.depth} are not {self.outputs}."
            )


@dataclass(frozen=True, slots=True)
class DualSet:
    """Syndrome decoding for the code of that name: at least `noise` blocks with one noisy place each."""

    name: str
    version: int
    noise: int
    pseudo_distance: float
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class DualSize:
    """The sizes of one instance: `trees` blocks of 2^depth places, compressed to half as many outputs."""

    trees: int
    depth: int

    @property
    def rows(self) -> int:
        """All places."""
        return self.trees << self.depth


def _load() -> dict[str, PrimalSet | DualSet]:
    data = files("unseen.ot").joinpath("lpn_params.json").read_bytes()
    if sha256(data).hexdigest() != _DIGEST:
        raise UsageError(
            "lpn_params.json is not the file that this version was released with.",
            why="security rests on its numbers",
            mend="install unseen again",
        )
    content = json.loads(data)
    if content["format"] != _FORMAT:
        raise UsageError(f"lpn_params.json has format {content['format']}, this version reads {_FORMAT}.")
    return {entry["name"]: _parse(dict(entry)) for entry in content["sets"]}


def _parse(entry: dict[str, Any]) -> PrimalSet | DualSet:
    kinds: dict[str, type[PrimalSet | DualSet]] = {"primal": PrimalSet, "dual": DualSet}
    return kinds[entry.pop("kind")](**entry)


_SETS = _load()


def _named(name: str, kind: type[PrimalSet | DualSet]) -> PrimalSet | DualSet:
    found = _SETS.get(name)
    if not isinstance(found, kind):
        known = ", ".join(other for other, entry in _SETS.items() if isinstance(entry, kind))
        raise UsageError(
            f"There is no set of LPN parameters '{name[:40]}' of this kind.",
            why="only sets whose source is known and recent are used",
            mend=f"choose one of {known}",
        )
    return found


def primal(name: str) -> PrimalSet:
    """The set of that name for correlated transfers.

    Raises
    ------
    UsageError
        There is none.
    """
    found = _named(name, PrimalSet)
    assert isinstance(found, PrimalSet)
    return found


def dual(name: str = DUAL) -> DualSet:
    """The set of that name for VOLE; raises like :func:`primal`."""
    found = _named(name, DualSet)
    assert isinstance(found, DualSet)
    return found


def dual_size(parameters: DualSet, outputs: int) -> DualSize:
    """The instance for that many outputs: the largest blocks that leave at least `noise` of them."""
    depth = max((2 * outputs // parameters.noise).bit_length() - 1, MIN_DEPTH)
    rows = lpn.dual_rows(max(2 * outputs, parameters.noise << depth), 1 << depth)
    return DualSize(rows >> depth, depth)


MIN_DEPTH = 4  # blocks of fewer than 16 places would make the noise dense
