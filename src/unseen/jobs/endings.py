"""How a job can end other than well: the errors that name party, step and what to do.

Own failures keep their whole text for this party's user. Of a peer's failure there is only class, party and step.
"""

from __future__ import annotations

from unseen.core.errors import (
    DeniedError,
    RemoteProtocolError,
    UnavailableError,
    UnseenError,
    from_dict,
)
from unseen.govern.contract import Contract
from unseen.jobs.messages import Failed


def owned(error: UnseenError, contract: Contract, me: str, step: str | None) -> UnseenError:
    """The error with a party of the contract and a step of it: peers refuse to hear of others."""
    fields = error.to_dict()
    party = fields["party"] if fields["party"] in contract.party_names else me
    return from_dict({**fields, "party": party, "step": step})


def reported(sender: str, message: Failed) -> UnseenError:
    """What a peer's word of a failure becomes here."""
    place = f" at step '{message.step}'" if message.step else ""
    return from_dict(
        {
            "code": message.code,
            "what": f"{message.party} failed{place} ({message.code}).",
            "why": "" if sender == message.party else f"so says {sender}",
            "mend": f"ask {message.party} for the cause, then start a new run",
            "party": message.party,
            "step": message.step,
        }
    )


def cancelled(party: str, reason: str) -> UnseenError:
    """A person stopped it."""
    return DeniedError(
        f"{party} cancelled the job.", why=reason, mend="agree with them, then start a new run", party=party
    )


def broken_rules(party: str, step: str, objection: str) -> UnseenError:
    """A peer said what it cannot say if it, and this node, remember what they said before."""
    return RemoteProtocolError(
        f"{party} broke the rules of attempts at step '{step}'.",
        why=objection,
        mend=f"see whether {party} or this node was restored from a backup; then start a new run",
        party=party,
        step=step,
    )


def late(me: str, step: str, missing: tuple[str, ...]) -> UnseenError:
    """The job's time is over."""
    return UnavailableError(
        f"The time for this job is over at step '{step}'.",
        why=f"waiting for {', '.join(missing)}" if missing else f"{me} is not done with it",
        mend="see what holds it up, then start a new run",
        party=missing[0] if missing else me,
        step=step,
    )


def given_up(step: str, attempts: int, reason: str, *, party: str, mend: str = "") -> UnseenError:
    """Every attempt failed, the last one for this reason."""
    return UnavailableError(
        f"Step '{step}' was tried {attempts} times without success.",
        why=reason,
        mend=f"{mend or 'mend the cause'}, then start a new run",
        party=party,
        step=step,
    )
