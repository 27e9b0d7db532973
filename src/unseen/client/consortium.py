"""One party of a real consortium: its own node, and other people's signatures to wait for.

    world = Consortium("consortium.toml")
    standing = world.run(flow)
    print(standing)          # "Waiting for laboratory to sign contract-3f9c..."

Run it again when they have signed: the same workflow is recognised, and what was done is not done twice.

`consortium.toml`::

    home = "~/.unseen"               # the node on this machine, or:
    # address = "10.0.0.5:7711"      # its internal address, and
    # token_file = "operator.token"  # a file with a token for it
    parties = ["hospital", "laboratory", "helper"]
"""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseen.client.remote import RemoteNode
from unseen.client.workflow import Workflow
from unseen.core.errors import DeniedError, UnseenError, UsageError, from_dict
from unseen.govern.contract import AssetTerms
from unseen.node.models import JOB_OVER, ContractView, JobEvent, JobResult, JobView
from unseen.node.operations import Node

_MADE_ANEW = ("nonce", "valid_from", "valid_until")  # differ each time a workflow becomes a contract
_LOOK_S = 2.0


class ConsortiumFile(BaseModel):
    """Content of `consortium.toml`; relative paths are relative to its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: str | None = None
    address: str | None = None
    token_file: str | None = None
    parties: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a workflow has come.

    Attributes
    ----------
    contract
        The contract it became.
    job
        Its newest run, if it could start.
    result
        What this party received, if the run has finished.
    waiting_for
        Parties that have not signed.
    """

    contract: ContractView
    job: JobView | None = None
    result: JobResult | None = None
    waiting_for: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return self.result is not None

    def __str__(self) -> str:
        if self.waiting_for:
            return f"Waiting for {', '.join(self.waiting_for)} to sign {self.contract.id}."
        if self.job is None:
            return f"{self.contract.id} is signed by all."
        return f"{self.job.id} is {self.job.state}."


class Consortium:
    """This party's node among the others.

    Parameters
    ----------
    source
        A `consortium.toml`, or a node (:class:`RemoteNode`, or any other `Node`).
    parties
        With a node: everyone who takes part.
    """

    def __init__(self, source: str | os.PathLike[str] | Node, parties: Iterable[str] | None = None) -> None:
        if isinstance(source, Node):
            self.node, names = source, tuple(parties or ())
        else:
            self.node, names = _open(Path(source).expanduser().absolute())
        self.me = self.node.identity()
        self.parties = tuple(sorted({*names, self.me.name}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to our node. Node and jobs go on."""
        if isinstance(self.node, RemoteNode):
            self.node.close()

    @property
    def identities(self) -> dict[str, str]:
        """Party -> identity key, as pinned by our node.

        Raises
        ------
        UsageError
            Some are no peers of our node yet.
        """
        known = {peer.name: peer.identity for peer in self.node.peer_list()} | {
            self.me.name: self.me.identity
        }
        missing = [party for party in self.parties if party not in known]
        if missing:
            raise UsageError(
                f"{', '.join(missing)}: no peer of this node yet.",
                mend="exchange invitations (`unseen peer invite | accept`) with them first",
            )
        return {party: known[party] for party in self.parties}

    def asset(self, holder: str, name: str) -> AssetTerms:
        """The terms of an asset: our own, or one that a peer offered.

        Raises
        ------
        UsageError
            It is not in our node's catalogue.
        """
        for view in self.node.asset_list():
            if (view.terms.holder, view.terms.name) == (holder, name):
                return view.terms
        mend = "`unseen asset add` it" if holder == self.me.name else f"ask {holder} to offer it"
        raise UsageError(f"{holder}'s asset '{name}' is not in the catalogue.", mend=mend)

    def run(
        self,
        workflow: Workflow,
        *,
        wait_s: float = 0.0,
        watch: Callable[[JobEvent], None] = lambda _event: None,
        again: bool = False,
    ) -> Standing:
        """Go as far as other people's signatures allow.

        Parameters
        ----------
        wait_s
            How long to wait for missing signatures.
        watch
            Called with every event of the job.
        again
            Start another run although there is one already.

        Raises
        ------
        DeniedError
            Somebody refused or withdrew.
        UnseenError
            The job failed: what the node says of it.
        """
        contract = self._contract(workflow)
        deadline = time.monotonic() + wait_s
        while waiting := _waiting(contract):
            left = deadline - time.monotonic()
            if left <= 0:
                return Standing(contract, waiting_for=waiting)
            time.sleep(min(_LOOK_S, left))
            contract = self.node.contract_show(contract.id)
        job = None if again else self._newest(contract)
        if job is None:
            job = self.node.job_start(contract.id)
        return self._follow(contract, job, watch)

    def standing(self, workflow: Workflow) -> Standing | None:
        """How far it has come, without doing anything; None if it is no contract yet."""
        contract = self._find(workflow)
        if contract is None:
            return None
        job = self._newest(contract)
        result = self.node.job_result(job.id) if job is not None and job.state == "finished" else None
        return Standing(contract, job, result, _waiting(contract))

    def _follow(self, contract: ContractView, job: JobView, watch: Callable[[JobEvent], None]) -> Standing:
        if job.state not in JOB_OVER:
            for event in self.node.job_watch(job.id):
                watch(event)
            job = self.node.job_show(job.id)
        if job.state == "finished":
            return Standing(contract, job, self.node.job_result(job.id))
        if job.problem is not None:
            raise from_dict(job.problem.model_dump())
        raise UnseenError(f"{job.id} is {job.state}.", mend="run it again with again=True")

    def _contract(self, workflow: Workflow) -> ContractView:
        """The contract of a workflow, signed by us: found, or proposed."""
        found = self._find(workflow)
        if found is None:
            return self.node.contract_propose(workflow.contract(self._identities(workflow)).to_json())
        mine = next((item for item in found.signatures if item.party == self.me.name), None)
        return self.node.contract_sign(found.id) if mine and mine.state == "pending" else found

    def _find(self, workflow: Workflow) -> ContractView | None:
        wanted = _lasting(workflow.contract(self._identities(workflow)).to_json())
        for view in self.node.contract_list():
            if view.title != workflow.title or view.state not in {"proposed", "signed"}:
                continue
            whole = self.node.contract_show(view.id)
            if _lasting(whole.contract) == wanted:
                return whole
        return None

    def _identities(self, workflow: Workflow) -> dict[str, str]:
        strangers = [party for party in workflow.parties if party not in self.parties]
        if strangers:
            raise UsageError(
                f"{', '.join(strangers)} of the workflow: not in this consortium.",
                why=f"it has {', '.join(self.parties)}",
            )
        known = self.identities
        return {party: known[party] for party in workflow.parties}

    def _newest(self, contract: ContractView) -> JobView | None:
        """The newest run that has not failed."""
        jobs = (job for job in self.node.job_list() if job.contract == contract.id)
        return next((job for job in jobs if job.state in {"starting", "running", "finished"}), None)


def _waiting(contract: ContractView) -> tuple[str, ...]:
    """Who has to sign yet.

    Raises
    ------
    DeniedError
        Somebody said no, or it is too late.
    """
    for item in contract.signatures:
        if item.state in {"refused", "withdrawn"}:
            raise DeniedError(
                f"{item.party} has {item.state} {contract.id}.",
                why=item.reason,
                mend="talk to them, and propose another contract",
                party=item.party,
            )
    if contract.state == "expired":
        raise DeniedError(f"{contract.id} is no longer valid.", mend="propose it anew")
    return tuple(item.party for item in contract.signatures if item.state == "pending")


def _lasting(contract: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in contract.items() if key not in _MADE_ANEW}


def _open(path: Path) -> tuple[RemoteNode, tuple[str, ...]]:
    try:
        file = ConsortiumFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        token = None if file.token_file is None else _inside(path, file.token_file).read_text("utf-8").strip()
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read.", why=str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML.", why=str(error)) from error
    except ValidationError as error:
        problems = tuple(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise UsageError(f"{path} has mistakes.", problems=problems) from error
    if (file.home is None) == (file.address is None):
        raise UsageError(f"{path} has mistakes.", problems=("give either home or address",))
    if file.home is not None:
        return RemoteNode.of_home(_inside(path, file.home), token=token), file.parties
    if not token:
        raise UsageError(f"{path} has mistakes.", problems=("token_file: due where address is given",))
    return RemoteNode(str(file.address), token), file.parties


def _inside(file: Path, given: str) -> Path:
    return file.parent / Path(given).expanduser()
