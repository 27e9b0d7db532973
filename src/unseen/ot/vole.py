"""Vector oblivious linear evaluation: one party gets vectors a and c, the other a constant Delta and b, c = a Delta + b.

What
    `a` is uniform in GF(2^128), or with field "gf96" in GF(2^96) while Delta, b and c are pairs over it (a subfield of
    sorts: fewer bytes where `a` masks something). The vector side is :class:`VectorSide`, the other :class:`DeltaSide`.
How
    The vector side draws noise: N = 2 m places in t blocks, one uniform value at one uniform place of each. A value
    e is the choices of 128 correlated transfers read as coefficients, so that packing their rows gives e Delta shared
    between the parties without a message. A punctured tree for each block (:mod:`unseen.ot.punctured`) spreads that to
    shares of Delta times the whole noise vector; both then compress by the same public code to m elements.
    With assumption "symmetric" every element is 128 packed transfers, and there is no noise and no code.
Source
    Boyle, Couteau, Gilboa, Ishai, Kohl, Rindal, Scholl, "Efficient Two-Round OT Extension and Silent Non-Interactive
    Secure Computation" (CCS 2019); the check of Weng, Yang, Katz, Wang, "Wolverine" (S&P 2021) and Yang, Weng, Lan, Zhang,
    Wang, "Ferret" (CCS 2020). Code and noise: docs/decisions/lpn-code.md.
Against whom
    "semi-honest": parties that follow the protocol. "malicious" (gf128 only): parties that deviate in any way. All
    rows are checked (:mod:`unseen.ot.check`, where one element is given up), and the tree hash is tweakable. A Delta side that guesses noise places and is right goes undetected; what it learns is worth, on
    average, one bit of the noise, as in Ferret. A vector side can only choose its own choices.
What it leaks
    Nothing beyond the count.
Assumption
    Regular syndrome decoding for the code of `lpn_params`, at least 400 blocks; or none with "symmetric". And those
    of :mod:`unseen.ot.softspoken` and :mod:`unseen.ot.punctured`.
Cost
    Counts above 2^19 are made in pieces. A piece of 472,000 elements (a third of what a set of 2^20 needs) has about 460 trees of
    2^11 and takes about 0.2 MB in one and a half rounds, one round more and 80 bytes if malicious.
    "symmetric": 128 transfers an element, 240 bytes and about 2 microseconds (k = 8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from unseen.core.errors import LocalProtocolError, UsageError
from unseen.kernels import ggm, lpn
from unseen.ot import check, lpn_params, punctured, softspoken
from unseen.ot.correlation import (
    BLOCK_BYTES,
    Assumption,
    Bits,
    Blocks,
    ReceiverCorrelation,
    Security,
    SenderCorrelation,
)
from unseen.party import Party

FieldName: TypeAlias = Literal["gf128", "gf96"]

PIECE = 1 << 19  # elements of one instance: its arrays stay near the caches and are used again for the next
SLAB = 1 << 14  # elements packed at a time
SMALL = 2048  # so few elements are packed directly: the noise of an instance would take as many transfers
TREE_DEPTH = 8  # of the transfers' set-up: half the bytes of 4, and there are few of them


@dataclass(frozen=True, slots=True, repr=False)
class VoleVector:
    """a (n, 16) and c (n, 16), or (n, 2, 16) with gf96."""

    a: Blocks
    c: Blocks

    def __len__(self) -> int:
        return len(self.a)

    def __repr__(self) -> str:
        return f"VoleVector(<{len(self)} secret elements>)"


@dataclass(frozen=True, slots=True, repr=False)
class VoleDelta:
    """delta (16,) and b (n, 16), or (2, 16) and (n, 2, 16) with gf96."""

    delta: Blocks
    b: Blocks

    def __len__(self) -> int:
        return len(self.b)

    def __repr__(self) -> str:
        return f"VoleDelta(<{len(self)} secret elements>)"


class _Side:
    """What both sides have in common: how a count is divided, and the public numbers of each piece."""

    def __init__(
        self, party: Party, peer: str, security: Security, field: FieldName, assumption: Assumption
    ) -> None:
        if security not in {"semi-honest", "malicious"}:
            raise UsageError(f"Security is 'semi-honest' or 'malicious', not '{security}'.")
        if field not in {"gf128", "gf96"} or assumption not in {"lpn", "symmetric"}:
            raise UsageError(f"VOLE knows no field '{field}' with assumption '{assumption}'.")
        if security == "malicious" and field == "gf96":
            raise UsageError(
                "VOLE over GF(2^96) is for semi-honest parties only.",
                why="the two halves of Delta come from two set-ups, and nothing compels a party to use both alike",
                mend="take field='gf128'",
            )
        self._party, self._peer, self._security = party, peer, security
        self._malicious = security == "malicious"
        self._bits: lpn.Field = 96 if field == "gf96" else 128
        self._width = 2 if field == "gf96" else 1  # blocks of Delta
        self._symmetric = assumption == "symmetric"
        self._parameters = lpn_params.dual()
        self._pieces = 0
        self._dead = False

    def _require(self, count: int) -> None:
        if count < 0:
            raise LocalProtocolError(f"{count} elements cannot be made.")
        if self._dead:
            raise LocalProtocolError(
                "This VOLE ended in an error and is of no further use.",
                why="another try under the same Delta would tell the peer more of it",
                mend="start a new attempt",
            )

    def _plan(self, count: int) -> Iterator[tuple[int, int]]:
        """(first, size) of each piece. While they are worked on this object counts as broken."""
        self._dead = True
        pieces = -(-count // (SLAB if self._direct(count) else PIECE))
        for i in range(pieces):
            first = count * i // pieces
            yield first, count * (i + 1) // pieces - first
        self._dead = False

    def _direct(self, count: int) -> bool:
        return self._symmetric or count <= SMALL

    def _shape(self, count: int) -> punctured.Shape:
        size = lpn_params.dual_size(self._parameters, count)
        return punctured.Shape(
            size.trees, size.depth, self._width, tweaked=self._malicious, truncated=self._width > 1
        )

    def _transfers(self, shape: punctured.Shape) -> int:
        return shape.transfers + self._bits * (shape.trees + self._malicious)

    def _keys(self, vector: str) -> Blocks:
        self._pieces += 1
        return punctured.public_keys(self._party, self._peer, f"vole of {vector}, piece {self._pieces}")

    def _encode(self, rows: Blocks, count: int) -> Blocks:
        key = lpn.code_key(self._parameters.name, self._parameters.version, len(rows))
        return lpn.dual_encode(key, rows, count, field=self._bits, scratch=lpn.room(*rows.shape[:2]))

    def _truncated(self, blocks: Blocks) -> Blocks:
        """Blocks as elements of the field."""
        if self._width == 1:
            return blocks
        kept = blocks.copy()
        kept[..., self._bits // 8 :] = 0
        return kept


class VectorSide(_Side):
    """Gets a and c. Made at both ends at once: making one is the set-up with the peer, who makes a :class:`DeltaSide`.

    Parameters
    ----------
    security
        "semi-honest" or "malicious". The transfers below are always set up with the same.
    field
        "gf128", or "gf96" (semi-honest only).
    assumption
        "lpn", or "symmetric": at 128 transfers an element.
    """

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        security: Security,
        field: FieldName = "gf128",
        assumption: Assumption = "lpn",
    ) -> None:
        super().__init__(party, peer, security, field, assumption)
        self._sources = [
            softspoken.Receiver(child, peer, k=TREE_DEPTH, security=security)
            for child in _streams(party, party.name, self._width)
        ]

    def expand(self, count: int) -> VoleVector:
        """The next `count` elements; the peer asks for as many.

        Raises
        ------
        RemoteProtocolError
            The peer deviated. Nothing is returned, and this object is of no further use.
        """
        self._require(count)
        a = np.empty((count, BLOCK_BYTES), np.uint8)
        c = np.empty((self._width, count, BLOCK_BYTES), np.uint8)
        whole = None
        for first, size in self._plan(count):
            columns = self._packed(size) if self._direct(count) else self._piece(size)
            if size == count:
                whole = columns
            else:
                a[first : first + size] = columns[0]
                c[:, first : first + size] = columns[1:]
        if whole is not None:
            a, c = whole[0], whole[1:]
        return VoleVector(a, c[0] if self._width == 1 else np.ascontiguousarray(c.swapaxes(0, 1)))

    def _packed(self, count: int) -> Blocks:
        """From transfers alone, a and c: (1 + width, count, 16)."""
        first = self._sources[0].correlated(count * self._bits)
        return self._elements(first.choices, first.rows)

    def _elements(self, choices: Bits, rows: Blocks) -> Blocks:
        """Field elements from transfers and, with a pair, as many more for the same choices."""
        columns = [rows]
        columns += [source.correlated(len(choices), choices).rows for source in self._sources[1:]]
        coefficients = np.packbits(choices, bitorder="little").reshape(-1, self._bits // 8)
        a = np.zeros((len(coefficients), BLOCK_BYTES), np.uint8)
        a[:, : self._bits // 8] = coefficients
        return np.stack([a, *(ggm.pack(column, self._bits) for column in columns)])

    def _piece(self, count: int) -> Blocks:
        shape = self._shape(count)
        transfers = self._sources[0].correlated(self._transfers(shape))
        noise = self._elements(transfers.choices[shape.transfers :], transfers.rows[shape.transfers :])
        trees = ReceiverCorrelation(transfers.choices[: shape.transfers], transfers.rows[: shape.transfers])
        keys = self._keys(self._party.name)
        shares = np.ascontiguousarray(noise[1:, : shape.trees].swapaxes(0, 1))
        rows = punctured.lack(self._party, self._peer, shape, keys, trees, shares, noise[0, : shape.trees])
        if self._malicious:
            check.verify(
                self._party, self._peer, keys, noise[:, shape.trees], lambda key: ggm.fold(key, rows)
            )
        return self._encode(rows, count)


class DeltaSide(_Side):
    """Gets Delta, the same in all calls, and b; see :class:`VectorSide`."""

    def __init__(
        self,
        party: Party,
        peer: str,
        *,
        security: Security,
        field: FieldName = "gf128",
        assumption: Assumption = "lpn",
    ) -> None:
        super().__init__(party, peer, security, field, assumption)
        self._sources = [
            softspoken.Sender(child, peer, k=TREE_DEPTH, security=security)
            for child in _streams(party, peer, self._width)
        ]
        deltas = self._truncated(np.stack([source.delta for source in self._sources]))
        self.delta = deltas[0] if self._width == 1 else deltas

    def expand(self, count: int) -> VoleDelta:
        """The next `count` elements; raises like :meth:`VectorSide.expand`."""
        self._require(count)
        b = np.empty((self._width, count, BLOCK_BYTES), np.uint8)
        whole = None
        for first, size in self._plan(count):
            columns = self._packed(size) if self._direct(count) else self._piece(size)
            if size == count:
                whole = columns
            else:
                b[:, first : first + size] = columns
        b = b if whole is None else whole
        return VoleDelta(self.delta, b[0] if self._width == 1 else np.ascontiguousarray(b.swapaxes(0, 1)))

    def _packed(self, count: int) -> Blocks:
        return self._elements(self._sources[0].correlated(count * self._bits).rows)

    def _elements(self, rows: Blocks) -> Blocks:
        columns = [rows]
        columns += [source.correlated(len(rows)).rows for source in self._sources[1:]]
        return np.stack([ggm.pack(column, self._bits) for column in columns])

    def _piece(self, count: int) -> Blocks:
        shape = self._shape(count)
        transfers = self._sources[0].correlated(self._transfers(shape))
        noise = self._elements(transfers.rows[shape.transfers :])
        trees = SenderCorrelation(transfers.delta, transfers.rows[: shape.transfers])
        keys = self._keys(self._peer)
        shares = np.ascontiguousarray(noise[:, : shape.trees].swapaxes(0, 1))
        rows = punctured.own(self._party, self._peer, shape, keys, trees, shares)
        if self._malicious:
            check.prove(
                self._party,
                self._peer,
                keys,
                self.delta,
                noise[0, shape.trees],
                lambda key: ggm.fold(key, rows)[0],
            )
        return self._encode(rows, count)


def _streams(party: Party, vector: str, count: int) -> list[Party]:
    """Where the transfers run: on the party's own stream, and a second set on a child of it."""
    return [party, *(party.stream(f"vole of {vector}, half {i}") for i in range(2, count + 1))]
