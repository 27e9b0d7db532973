"""A secret for many products under protocols where nothing is gained by masking it once."""

from __future__ import annotations

from unseen.mpc.protocol import Protocol
from unseen.mpc.shares import Share, broadcast


class Unmasked:
    """See :class:`unseen.mpc.protocol.Fixed`: every product is one of the protocol's own."""

    def __init__(self, protocol: Protocol, share: Share) -> None:
        self._protocol = protocol
        self._share = share

    @property
    def shape(self) -> tuple[int, ...]:
        """The secret's shape."""
        return self._share.shape[1:]

    @property
    def transposed(self) -> Unmasked:
        """The same secret, transposed."""
        return Unmasked(self._protocol, self._share.transpose(0, *range(self._share.ndim - 1, 0, -1)))

    def matmul(self, other: Share) -> Share:
        """Shares of self @ other."""
        return self._protocol.matmul(self._share, other)

    def multiply(self, other: Share) -> Share:
        """Shares of self * other; `other` broadcasts to this shape."""
        return self._protocol.multiply(*broadcast(self._share, other))
