"""`unseen peer`: meet other organisations."""

from __future__ import annotations

from unseen.cli import show
from unseen.cli.session import COMMON, Common, Source, connect, done, emit, say, text_of


def invite(*, common: Common = COMMON) -> None:
    """Print a signed invitation to hand to another organisation, and the fingerprint to read out to them.

    The invitation holds no secret and may be used any number of times. Without --json only the invitation goes to
    standard output, so that `unseen peer invite > FILE` works.
    """
    with connect(common) as node:
        invitation = node.peer_invite()
    emit(common, invitation, lambda value: print(value.text))  # noqa: T201 - the answer
    if not common.json:
        say(f"Fingerprint, to be told by another way (telephone): {invitation.fingerprint}")


def inspect(invitation: Source, *, common: Common = COMMON) -> None:
    """Check an invitation and show whose it claims to be, without accepting it.

    Parameters
    ----------
    invitation
        The text, a file that holds it, or '-' for standard input.
    """
    text = text_of(invitation)
    with connect(common) as node:
        emit(common, node.peer_inspect(text), show.who)


def accept(invitation: Source, *, fingerprint: str, common: Common = COMMON) -> None:
    """Pin another organisation's key and addresses.

    Parameters
    ----------
    invitation
        The text, a file that holds it, or '-' for standard input.
    fingerprint
        What its people told you, by another way than the invitation came.
    """
    from unseen.node.models import AcceptPeer  # noqa: PLC0415 - after the arguments are known to be right

    request = AcceptPeer(text=text_of(invitation), fingerprint=fingerprint)
    with connect(common) as node:
        emit(common, node.peer_accept(request), show.who)


def list_(*, common: Common = COMMON) -> None:
    """Show all peers."""
    with connect(common) as node:
        emit(common, node.peer_list(), show.peers)


def remove(name: str, *, common: Common = COMMON) -> None:
    """Forget a peer: its connections end and its mail is dropped.

    Parameters
    ----------
    name
        The peer's name.
    """
    with connect(common) as node:
        node.peer_remove(name)
    done(common, f"Removed {name}.")
