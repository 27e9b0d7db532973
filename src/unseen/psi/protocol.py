"""What an intersection protocol is: one file in `psi/protocols/`, a module with the names of :class:`Protocol`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol as _Protocol
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core import registry
from unseen.core.cost import Cost, Network
from unseen.ot import correlation
from unseen.party import Party

PROTOCOLS = "unseen.psi.protocols"
DISCLOSURE = "intersection"

Security: TypeAlias = correlation.Security
Assumption: TypeAlias = correlation.Assumption


@dataclass(frozen=True, slots=True)
class Mode:
    """How a protocol is to be run; what a protocol has no use for is ignored by it.

    Attributes
    ----------
    security
        Against whom: parties that follow the protocol and look, or parties that deviate.
    compact
        Fewer bytes for more computation: for slow networks.
    assumption
        `lpn`: learning parity with noise, where it saves bytes; `symmetric`: only hash functions and ciphers beyond
        the base oblivious transfers.
    """

    security: Security = "semi-honest"
    compact: bool = False
    assumption: Assumption = "lpn"


@dataclass(frozen=True, slots=True)
class Aligned:
    """The common rows: indices into the own table, int64, in an order that is the same at every holder.

    The order is that of values that are uniform to everybody, so it tells nothing about ids or tables.
    """

    rows: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of common rows."""
        return len(self.rows)


class Protocol(_Protocol):
    """The names that a protocol module has."""

    SUMMARY: str
    """One line for a person who chooses."""
    SECURITIES: tuple[Security, ...]
    HOLDERS: range
    """How many holders it can be run among."""
    LEAKS: str
    """What who learns besides the declared result, in plain words."""

    def assumption(self, mode: Mode) -> str:
        """What its security rests on in that mode."""

    def estimate(self, sizes: tuple[int, ...], mode: Mode, network: Network) -> Cost:
        """What a run on sets of these sizes is expected to cost (all holders get the result)."""

    def intersect(
        self,
        party: Party,
        ids: NDArray[np.uint8],
        *,
        sizes: Mapping[str, int],
        to: tuple[str, ...],
        mode: Mode,
    ) -> Aligned | None:
        """Run at one of the holders.

        Parameters
        ----------
        ids
            Distinct identifiers, uint8 of shape (rows, 32), C-contiguous; rows may be fewer than this party's size.
        sizes
            Holder -> public size of its set, or a bound on it: the same at all.
        to
            The holders that learn the result; the others return None.
        """


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    return cast("Protocol", registry.load(PROTOCOLS, name))
