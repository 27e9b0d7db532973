"""What a running protocol holds in its hands: links, gate, randomness, progress, checkpoints.

Import :class:`Party`, :class:`Message` and the field kinds from here.
"""

from unseen.party.checkpoint import Checkpoints, Resumed
from unseen.party.gate import Disclosure, DisclosurePolicy, Door, Gate, MemoryJournal, Reveal
from unseen.party.messages import (
    Ciphertext,
    CiphertextBytes,
    Masked,
    MaskedBytes,
    Message,
    Public,
    Released,
    Share,
    require,
)
from unseen.party.party import Party, Session
from unseen.party.pool import Pool

__all__ = [
    "Checkpoints",
    "Ciphertext",
    "CiphertextBytes",
    "Disclosure",
    "DisclosurePolicy",
    "Door",
    "Gate",
    "Masked",
    "MaskedBytes",
    "MemoryJournal",
    "Message",
    "Party",
    "Pool",
    "Public",
    "Released",
    "Resumed",
    "Reveal",
    "Session",
    "Share",
    "require",
]
