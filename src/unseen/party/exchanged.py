"""What every party says to its peers whatever the protocol: openings of masked values, parts of reveals, signatures of transcripts."""

from __future__ import annotations

from unseen.party.messages import Masked, Message, Public, Share


class Opening(Message, frozen=True, tag="party.opening/1"):
    """One party's summand of a value that is uniformly masked: opening it discloses nothing."""

    values: Masked


class Standing(Message, frozen=True, tag="party.standing/1"):
    """Before a reveal: which attempt's part this giver has stored (0: none), and whether it was sent."""

    name: Public[str]
    index: Public[int]
    attempt: Public[int]
    sent: Public[bool]


class Part(Message, frozen=True, tag="party.part/1"):
    """A giver's part of a reveal: with all parts together, and only then, the receiver has the plaintext."""

    name: Public[str]
    index: Public[int]
    values: Share


class SignedHead(Message, frozen=True, tag="party.signed-head/1"):
    """Signature of one end over the transcript of a link; empty if this party has no signing key."""

    signature: Public[bytes]
