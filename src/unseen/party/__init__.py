"""What a running protocol holds in its hands: links, gate, randomness, progress.

Import :class:`Party`, :class:`Message` and the field kinds from here.
"""

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
    "Reveal",
    "Session",
    "Share",
    "require",
]
