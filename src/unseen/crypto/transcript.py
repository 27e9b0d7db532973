"""Challenges by hashing (Fiat-Shamir), with everything in the hash that a proof is about.

A proof whose challenge leaves out part of the statement can be forged: the forger picks that part last ("weak Fiat-Shamir":
Bernhard, Pereira, Warinschi, ASIACRYPT 2012; the "Frozen Heart" bugs in Bulletproofs and PLONK libraries, 2022). So a
transcript starts from a session, a protocol begins with its name and every part of its statement by name, bases included, and
nothing is drawn before that. Whatever is absorbed has its name and its length before it: no two sequences give the same bytes.

Prover and verifier run the same calls on transcripts of the same session. A transcript goes on after a proof, so that one proof
made of several is one chain.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError
from unseen.crypto.scalars import ORDER

_DOMAIN = b"unseen/transcript/v1"
_WIDE = 64
_ABSORB, _BEGIN, _DRAW = b"\x00", b"\x01", b"\x02"


class Transcript:
    """See the module.

    Parameters
    ----------
    session
        What the proof is for: job, task, prover, verifier. A proof says nothing in another session.

    Raises
    ------
    LocalProtocolError
        An empty session.
    """

    def __init__(self, session: bytes) -> None:
        if not session:
            raise LocalProtocolError("A proof needs a session: in none it could be shown again anywhere.")
        self._state = hashlib.sha512(_DOMAIN).digest()
        self._begun = False
        self._take(_ABSORB, "session", session)

    def begin(self, protocol: str, **statement: bytes) -> None:
        """Begin a protocol: its name, and all that its proof is about, bases and bounds included."""
        self._take(_BEGIN, protocol, len(statement).to_bytes(8, "little"))
        for name, part in statement.items():
            self._take(_ABSORB, name, part)
        self._begun = True

    def absorb(self, name: str, *parts: bytes) -> None:
        """What the prover says next."""
        self._take(_ABSORB, name, len(parts).to_bytes(8, "little"))
        for part in parts:
            self._take(_ABSORB, name, part)

    def challenge(self, name: str) -> int:
        """A scalar other than 0."""
        number = int.from_bytes(self.draw(name, _WIDE), "little") % ORDER
        return number or 1

    def draw(self, name: str, count: int) -> bytes:
        """`count` bytes that depend on everything so far.

        Raises
        ------
        LocalProtocolError
            No protocol has begun: the challenge would not depend on a statement.
        """
        if not self._begun:
            raise LocalProtocolError("A challenge is drawn before the statement.")
        self._take(_DRAW, name, count.to_bytes(8, "little"))
        return hashlib.shake_256(_DOMAIN + self._state).digest(count)

    def draw_bits(self, name: str, rows: int, columns: int) -> NDArray[np.uint8]:
        """Uniform bits, shape (rows, columns), one a byte."""
        count = rows * columns
        data = np.frombuffer(self.draw(name, -(-count // 8)), np.uint8)
        return np.unpackbits(data, count=count).reshape(rows, columns)

    def _take(self, kind: bytes, name: str, data: bytes) -> None:
        label = name.encode()
        head = kind + len(label).to_bytes(8, "little") + label + len(data).to_bytes(8, "little")
        self._state = hashlib.sha512(_DOMAIN + self._state + head + data).digest()
