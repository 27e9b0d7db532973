"""Messages among three parties of whom one may deviate: openings that all see alike, coins, and sums that must be zero.

What one party lacks, the two others hold. So the honest two always find out together: each compares what it has with what
the other has, by digest, in both directions. Whatever does not match ends the protocol at that party, for good.

Three rules keep a digest from telling anything:

* An opening is compared before anybody computes with it. A party that was sent a wrong component would otherwise multiply
  it with a secret, and the digest of the outcome could be tried out.
* A coin is tossed only once both others have said that they have all that came before: who sees a coin first could choose
  its errors by it.
* Sums that must be zero are off by what the deviating party added itself, so it knows already how the comparison ends.
"""

from __future__ import annotations

import hashlib
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import LocalProtocolError, UnseenError, VerificationError
from unseen.crypto.prg import Prg
from unseen.mpc.fixed import Ring
from unseen.mpc.protocols.replicated3.wires import KEY_BYTES, PARTIES, Piece, Wires
from unseen.mpc.shares import Share
from unseen.party import Message, Party, Public, require

COIN_WORDS = 4
DIGEST_BYTES = 32
_DOMAIN = b"unseen/mpc/replicated3-malicious/v1\n"
M = TypeVar("M", bound=np.generic)


class Digest(Message, frozen=True, tag="mpc.replicated3-malicious.digest/1"):
    """Of something that the receiver must have alike: it tells no more than whether that is so."""

    digest: Public[NDArray[np.uint8]]


class Opened(Message, frozen=True, tag="mpc.replicated3-malicious.opened/1"):
    """A component of what means nothing: places, or comparisons, of rows in an order that nobody knows."""

    values: Public[NDArray[Any]]


class CheckedWires(Wires):
    """See the module. `ended` tells whether this party has given up: then it neither sends nor draws any more."""

    def __init__(self, party: Party, members: tuple[str, ...]) -> None:
        self.ended = False
        self._claims = 0
        self._begin()
        super().__init__(party, members)

    def _agree(self) -> bytes:
        """A key that all three have: by a coin, as nobody's word can be taken for it."""
        return self.coin().bytes(KEY_BYTES)

    # ------------------------------------------------------------------ giving up

    def fail(self, what: str, *, why: str, party: str | None = None) -> NoReturn:
        """End the protocol here.

        Raises
        ------
        VerificationError
            Always.
        """
        self.ended = True
        raise VerificationError(
            what,
            why=why,
            mend="no result was released; find out who deviated before the parties compute together again",
            party=party,
        )

    def _require_alive(self) -> None:
        if self.ended:
            raise LocalProtocolError(
                "This protocol has ended.",
                why="a check failed or a party dropped out: to go on would tell more than was agreed",
                mend="start a new run",
            )

    def use(self) -> int:
        """The number of the next draw."""
        self._require_alive()
        return super().use()

    def send(self, place: int, values: NDArray[Any]) -> None:
        """To the party of that number."""
        self._give(place, Piece(values))

    def _give(self, place: int, message: Message) -> None:
        self._require_alive()
        try:
            self.party.send(self.name(place), message)
        except UnseenError:
            self.ended = True
            raise

    def recv(self, place: int, shape: tuple[int, ...], dtype: type[Any] = np.uint64) -> NDArray[Any]:
        """What the party of that number sent, which must have this shape and dtype."""
        return self._take(place, Piece, "values", shape, dtype)

    def _take(
        self, place: int, kind: type[Message], field: str, shape: tuple[int, ...], dtype: type[Any]
    ) -> NDArray[Any]:
        self._require_alive()
        peer = self.name(place)
        try:
            values: NDArray[Any] = getattr(self.party.recv(peer, kind), field)
            require(values, shape=shape, dtype=dtype, sender=peer)
        except UnseenError:
            self.ended = True
            raise
        return values

    # ------------------------------------------------------------------ comparing

    def _compare(self, label: str, mine: bytes, before: bytes, after: bytes) -> None:
        """Tell both others a digest, and require that theirs are those of what this party has."""
        own = np.frombuffer(self._digest(label, mine), np.uint8)
        for place in (self.place - 1, self.place + 1):
            self._give(place, Digest(own))
        for place, due in ((self.place - 1, before), (self.place + 1, after)):
            told = self._take(place, Digest, "digest", (DIGEST_BYTES,), np.uint8)
            if told.tobytes() != self._digest(label, due):
                self.fail(
                    "One of the others deviated from the protocol.",
                    why=f"this party and {self.name(place)} do not have the same {label}; which of the two others lied cannot be told",
                )

    def _digest(self, label: str, data: bytes) -> bytes:
        return hashlib.sha256(_DOMAIN + label.encode() + b"\n" + data).digest()

    def same(self, label: str, data: bytes) -> None:
        """Require that all three have the same.

        Raises
        ------
        VerificationError
            They do not.
        """
        count = self.use().to_bytes(8, "little")
        self._compare(label, count + data, count + data, count + data)

    def open(self, share: NDArray[Any], *, xor: bool = False, kind: type[Message] = Piece) -> NDArray[Any]:
        """A secret to all three, who compare it before they use it; the secret must be masked, or mean nothing.

        Raises
        ------
        VerificationError
            One of the others sent a wrong component.
        """
        first, second = np.ascontiguousarray(share).reshape(2, -1)
        self._give(self.place + 1, kind(first))
        missing = self._take(self.place - 1, kind, "values", first.shape, first.dtype.type)
        opened: NDArray[Any] = first ^ second ^ missing if xor else first + second + missing
        self.same("opened values", hashlib.sha256(opened.data).digest())
        return opened.reshape(share.shape[1:])

    def coin(self) -> Prg:
        """Randomness that nobody could foresee when it sent what came before; all three get the same."""
        self.same("state", b"")
        return Prg(self.open(self.random((COIN_WORDS,))).tobytes())

    # ------------------------------------------------------------------ shares

    def random(self, shape: tuple[int, ...]) -> Share:
        """A uniform secret, without a message."""
        use = self.use()
        return np.stack([self.pad(self.place, use, shape), self.pad(self.place + 1, use, shape)])

    def nothing(self, shape: tuple[int, ...]) -> Ring:
        """A zero-share: three of these sum to nothing."""
        use = self.use()
        return np.asarray(self.pad(self.place, use, shape) - self.pad(self.place + 1, use, shape))

    def alone(self, share: NDArray[M], component: int) -> NDArray[M]:
        """Shares of one component itself: two parties know it, so the other components are zero."""
        out = np.zeros_like(share)
        for mine in range(2):
            if (self.place + mine) % PARTIES == component:
                out[mine] = share[mine]
        return out

    # ------------------------------------------------------------------ sums that must be zero

    def _begin(self) -> None:
        self._sums = tuple(
            hashlib.sha256() for _ in range(3)
        )  # as the others must have them: of the sum, and of mine

    def zero(self, share: Share, *, xor: bool = False) -> None:
        """Claim that a secret is zero; :meth:`settle` finds out. Nothing is opened."""
        first, second = np.ascontiguousarray(share).reshape(2, -1)
        both = first ^ second if xor else np.uint64(0) - first - second
        for running, part in zip(self._sums, (both, first, second), strict=True):
            running.update(part.data)
        self._claims += 1

    def settle(self) -> None:
        """Compare all that was claimed to be zero since the last time.

        Raises
        ------
        VerificationError
            Something is not zero.
        """
        self._require_alive()
        if not self._claims:
            return
        both, first, second = (running.digest() for running in self._sums)
        count = self.use().to_bytes(8, "little")
        self._claims = 0
        self._begin()
        # The party before lacks the second component here and told minus the sum of the others; the one after, the first.
        self._compare("results of products", count + both, count + second, count + first)
