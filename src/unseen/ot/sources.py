"""Which protocol supplies correlated transfers, by what one is ready to assume.

=============  ========================================  ==============================  ======================
assumption     protocol                                  rests on                        sends per transfer
=============  ========================================  ==============================  ======================
"symmetric"    :mod:`unseen.ot.softspoken`, k = 4        AES and hashes                  31 bits
"lpn"          :mod:`unseen.ot.silent`                   learning parity with noise too  less than one bit
=============  ========================================  ==============================  ======================

The first is faster wherever the network carries a gigabit a second and stands on older ground. Both ends choose alike:
messages of one are none of the other.
"""

from __future__ import annotations

import numpy as np

from unseen.core.errors import UsageError
from unseen.ot import silent, softspoken
from unseen.ot.correlation import BLOCK_BYTES, Assumption, ReceiverSource, Security, SenderSource
from unseen.party import Party

DEFAULT: Assumption = "symmetric"


def sender(
    party: Party,
    peer: str,
    *,
    assumption: Assumption = DEFAULT,
    security: Security = "malicious",
    marked: bool = False,
) -> SenderSource:
    """The sender's end; making it is the set-up with the peer, who makes a :func:`receiver` meanwhile.

    Parameters
    ----------
    marked
        The lowest bit of Delta is 1, so that the lowest bits of both ends' rows are XOR shares of the choices.

    Raises
    ------
    UsageError
        No such assumption or security.
    RemoteProtocolError
        The set-up failed, because of the peer.
    """
    if _is_lpn(assumption):
        return silent.Sender(party, peer, security=security)  # marked in any case
    delta = None
    if marked:
        delta = np.frombuffer(party.rng.bytes(BLOCK_BYTES), np.uint8).copy()
        delta[0] |= 1
    return softspoken.Sender(party, peer, security=security, delta=delta)


def receiver(
    party: Party, peer: str, *, assumption: Assumption = DEFAULT, security: Security = "malicious"
) -> ReceiverSource:
    """The receiver's end; see :func:`sender`."""
    if _is_lpn(assumption):
        return silent.Receiver(party, peer, security=security)
    return softspoken.Receiver(party, peer, security=security)


def _is_lpn(assumption: str) -> bool:
    if assumption not in ("symmetric", "lpn"):
        raise UsageError(f"Transfers assume 'symmetric' or 'lpn', not '{assumption}'.")
    return assumption == "lpn"
