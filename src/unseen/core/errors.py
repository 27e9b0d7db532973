"""The one error shape of the project: what happened, why, and how to mend it.

Every error that a person may meet is one of these classes. A remote peer is told the class's `code` and no
more (:meth:`UnseenError.to_peer`): the rest could serve as an oracle.
"""

from __future__ import annotations

from typing import ClassVar, Self


class UnseenError(Exception):
    """Base of all errors we raise on purpose.

    Parameters
    ----------
    what
        The fact, with numbers and names: "Party b sent 3 shares where 4 are due."
    why
        The cause as far as known.
    mend
        What the reader can do about it.
    party, step
        Who failed and at which step of the job, where that is known.
    """

    code: ClassVar[str] = "internal"
    http: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, why: str = "", mend: str = "", party: str | None = None, step: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.mend = mend
        self.party = party
        self.step = step

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"Why: {self.why}")
        if self.mend:
            lines.append(f"To mend: {self.mend}")
        return "\n".join(lines)

    def at(self, *, party: str | None = None, step: str | None = None) -> Self:
        """Say where it happened, as far as that is not known yet; a traceback shows it as its last line."""
        self.party, self.step = self.party or party, self.step or step
        where = ", ".join(
            f"{kind} {name}" for kind, name in (("party", self.party), ("step", self.step)) if name
        )
        note = f"At: {where}"
        if where and note not in getattr(self, "__notes__", ()):
            self.add_note(note)
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (from_dict, (self.to_dict(),))

    def to_dict(self) -> dict[str, str | None]:
        """Everything, for this party's own user, log and API."""
        return {
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "mend": self.mend,
            "party": self.party,
            "step": self.step,
        }

    def to_peer(self) -> dict[str, str | None]:
        """What another party may see: the code and the step, nothing about the data."""
        return {"code": self.code, "step": self.step}


class UsageError(UnseenError):
    """Input or configuration is wrong; `problems` lists all field errors at once."""

    code = "usage"
    http = 422
    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        mend: str = "",
        party: str | None = None,
        step: str | None = None,
        problems: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, why=why, mend=mend, party=party, step=step)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {problem}" for problem in self.problems)])

    def to_dict(self) -> dict[str, str | None]:
        """Everything; the problems stand in `why`, or they would be lost on the way from a worker to its user."""
        return {**super().to_dict(), "why": "; ".join(filter(None, [self.why, *self.problems]))}


class DeniedError(UnseenError):
    """Contract, consent, policy or budget says no; `clause` names the rule. Goes to the ledger."""

    code = "denied"
    http = 403
    exit_code = 3

    def __init__(
        self,
        what: str,
        *,
        clause: str = "",
        why: str = "",
        mend: str = "",
        party: str | None = None,
        step: str | None = None,
    ) -> None:
        super().__init__(
            what, why=why or (f"clause {clause}" if clause else ""), mend=mend, party=party, step=step
        )
        self.clause = clause


class ProtocolError(UnseenError):
    """Somebody broke the protocol. Use one of the two subclasses."""

    code = "protocol"
    http = 502
    exit_code = 4


class LocalProtocolError(ProtocolError):
    """We broke it: a bug on our side."""

    code = "protocol-local"
    http = 500


class RemoteProtocolError(ProtocolError):
    """A peer broke it; `party` names the peer only where the protocol identifies it."""

    code = "protocol-remote"


class VerificationError(UnseenError):
    """A signature, proof, attestation or ledger entry does not verify. Never retried."""

    code = "verification"
    http = 409
    exit_code = 5


class UnavailableError(UnseenError):
    """A peer, disk or time-out: the only error that is retried."""

    code = "unavailable"
    http = 503
    exit_code = 6


_BY_CODE: dict[str, type[UnseenError]] = {
    cls.code: cls
    for cls in (
        UnseenError,
        UsageError,
        DeniedError,
        ProtocolError,
        LocalProtocolError,
        RemoteProtocolError,
        VerificationError,
        UnavailableError,
    )
}


def from_dict(fields: dict[str, str | None]) -> UnseenError:
    """Rebuild an error from :meth:`UnseenError.to_dict` (a worker's report to its node)."""
    cls = _BY_CODE.get(fields.get("code") or "", UnseenError)
    return cls(
        fields.get("what") or "unknown error",
        why=fields.get("why") or "",
        mend=fields.get("mend") or "",
    ).at(party=fields.get("party"), step=fields.get("step"))
