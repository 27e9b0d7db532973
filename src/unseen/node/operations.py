"""Everything a person or program may ask of a node: the one class that API, CLI and client call.

Each operation is an ordinary blocking call, safe to make from any thread; it takes and gives the values of
:mod:`unseen.node.models` and raises the error classes of :mod:`unseen.core.errors`, whose `http` and
`exit_code` the faces use as they are. Any operation may raise UnavailableError (disk full, node stopping).

Who may call what (owner, operator, auditor) is the API's business; :data:`READ_ONLY` names what changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from unseen.node import models as m

if TYPE_CHECKING:
    from unseen.node.compose import Services

READ_ONLY = frozenset(
    {
        "artefacts",
        "asset_list",
        "asset_show",
        "contract_list",
        "contract_show",
        "evidence_bundle",
        "identity",
        "job_list",
        "job_result",
        "job_show",
        "job_watch",
        "ledger_entries",
        "ledger_heads",
        "model_list",
        "model_show",
        "model_verify",
        "peer_inspect",
        "peer_list",
        "status",
        "step_list",
        "step_show",
        "stock_list",
    }
)


class Node:
    """One party's node, running in this process. Made by :func:`unseen.node.compose.build`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    # ------------------------------------------------------------------ node and peers

    def status(self) -> m.NodeStatus:
        """The node at a glance."""
        return self._services.status()

    def identity(self) -> m.IdentityView:
        """This party's name, public key, fingerprint and addresses."""
        return self._services.peers.me()

    def peer_invite(self) -> m.Invitation:
        """A signed text to hand to another organisation. May be used any number of times; holds no secret."""
        return self._services.peers.invite()

    def peer_inspect(self, text: str) -> m.InvitationView:
        """Check an invitation and say whose it claims to be, without accepting it.

        Raises
        ------
        UsageError
            It is no invitation.
        VerificationError
            Its signature is not by the key it names.
        """
        return self._services.peers.inspect(text)

    def peer_accept(self, request: m.AcceptPeer) -> m.PeerView:
        """Pin a peer's key and addresses. The same key again updates the addresses.

        Raises
        ------
        UsageError
            It is no invitation, or our own.
        VerificationError
            The fingerprint is another than the invitation's, the signature is wrong, or a peer of this name
            is pinned with another key (remove it first).
        """
        return self._services.peers.accept(request)

    def peer_list(self) -> tuple[m.PeerView, ...]:
        """All peers, by name."""
        return self._services.peers.list()

    def peer_remove(self, name: str) -> None:
        """Forget a peer: its connections end and its mail is dropped.

        Raises
        ------
        UsageError
            There is no such peer, or a job with it is running.
        """
        self._services.peers.remove(name)

    def stock_list(self) -> tuple[m.StockView, ...]:
        """Randomness made ahead with peers, and what is left of it."""
        return self._services.stocks()

    # ------------------------------------------------------------------ assets

    def asset_add(self, request: m.AddAsset) -> m.AssetView:
        """Read a CSV or Parquet file's schema, commit to its bytes, and put it into the catalogue.

        Raises
        ------
        UsageError
            Missing or unreadable file, unknown columns or steps, a name already taken: all problems at once.
        """
        return self._services.catalogue.add(request)

    def asset_offer(self, name: str, to: tuple[str, ...]) -> None:
        """Send the terms of an own asset (columns, row count, allowed steps; no data) to peers.

        Raises
        ------
        UsageError
            There is no such asset of ours, or no such peer.
        """
        self._services.catalogue.offer(name, to)

    def asset_list(self) -> tuple[m.AssetView, ...]:
        """Own assets, and those whose terms peers offered."""
        return self._services.catalogue.list()

    def asset_show(self, name: str, *, holder: str | None = None) -> m.AssetView:
        """One asset (of this node, unless `holder` names a peer). Re-reads the file to see whether it changed.

        Raises
        ------
        UsageError
            There is no such asset.
        """
        return self._services.catalogue.show(name, holder=holder)

    def asset_remove(self, name: str) -> None:
        """Take an own asset out of the catalogue; the file stays. Contracts naming it can no longer run.

        Raises
        ------
        UsageError
            There is no such asset of ours.
        """
        self._services.catalogue.remove(name)

    # ------------------------------------------------------------------ contracts

    def contract_propose(self, contract: Mapping[str, Any]) -> m.ContractView:
        """Check a contract, sign it for this party, and send it to the others. `contract` is its JSON form.

        Raises
        ------
        UsageError
            It is malformed or inconsistent; a party is no peer of this node; this node is no party of it.
        DeniedError
            Assets, steps or keys in it are not as this node knows them.
        """
        return self._services.contracts.propose(contract)

    def contract_list(self) -> tuple[m.ContractView, ...]:
        """All contracts, newest first, without summary and full text."""
        return self._services.contracts.list()

    def contract_show(self, contract_id: str) -> m.ContractView:
        """One contract with plain words. `contract_id` may be any unambiguous beginning of the id.

        Raises
        ------
        UsageError
            None or several begin so.
        """
        return self._services.contracts.show(contract_id)

    def contract_sign(self, contract_id: str) -> m.ContractView:
        """Sign for this party and tell the others. Signing again changes nothing.

        Raises
        ------
        UsageError
            There is no such contract.
        DeniedError
            It expired, was refused or withdrawn; or assets, steps or keys in it are not as this node knows them.
        """
        return self._services.contracts.sign(contract_id)

    def contract_refuse(self, contract_id: str, reason: str = "") -> m.ContractView:
        """Say no to a contract that this party has not signed; the others see the reason. Final.

        Raises
        ------
        UsageError
            There is no such contract, or it is already signed by this party (withdraw it instead).
        """
        return self._services.contracts.refuse(contract_id, reason)

    def contract_withdraw(self, contract_id: str, reason: str = "") -> m.ContractView:
        """Take this party's signature back: no further run starts; running jobs are cancelled. Final.

        Raises
        ------
        UsageError
            There is no such contract, or this party has not signed it.
        """
        return self._services.contracts.withdraw(contract_id, reason)

    # ------------------------------------------------------------------ jobs

    def job_start(self, contract_id: str) -> m.JobView:
        """Start one run of a contract that all have signed. Counts the run. Returns at once: see job_watch.

        Raises
        ------
        UsageError
            No contract, or several, begin so.
        DeniedError
            Not signed by all, not valid now, no runs left, or this node refuses work (see status).
        """
        return self._services.scheduler.start(self._services.contracts.find(contract_id))

    def job_list(self) -> tuple[m.JobView, ...]:
        """All jobs, newest first."""
        return self._services.scheduler.list()

    def job_show(self, job_id: str) -> m.JobView:
        """One job. `job_id` may be any unambiguous beginning of the id.

        Raises
        ------
        UsageError
            None or several begin so.
        """
        return self._services.scheduler.show(job_id)

    def job_watch(
        self, job_id: str, *, after: int = 0, timeout_s: float | None = None
    ) -> Iterator[m.JobEvent]:
        """Events of a job with `seq` > `after`, in order, as they happen; ends when the job is over.

        Blocks between events. With `timeout_s` the iterator also ends after that many seconds without an
        event: call again with the last `seq`.

        Raises
        ------
        UsageError
            There is no such job.
        """
        return self._services.scheduler.watch(job_id, after=after, timeout_s=timeout_s)

    def job_result(self, job_id: str) -> m.JobResult:
        """What this party received from a finished job.

        Raises
        ------
        UsageError
            There is no such job, or it is still running.
        UnseenError
            The job failed: the error of the party and step that failed.
        """
        return self._services.exports.job_result(job_id)

    def job_cancel(self, job_id: str, reason: str = "") -> m.JobView:
        """Stop a running job at all parties. The run counts as used.

        Raises
        ------
        UsageError
            There is no such job, or it is over.
        """
        return self._services.scheduler.cancel(job_id, reason)

    def artefacts(self, job_id: str) -> tuple[m.ArtefactView, ...]:
        """All that this party keeps of a job (also of a running or failed one), shares included.

        Raises
        ------
        UsageError
            There is no such job.
        """
        return self._services.exports.artefacts(job_id)

    def artefact_export(self, job_id: str, reference: str, folder: str) -> m.Exported:
        """Write one received artefact (`TASK.OUTPUT`) to a folder: `meta.json`, and one `.npy` or `.arrow` per array.

        Raises
        ------
        UsageError
            There is no such artefact, or the folder exists and is not empty.
        DeniedError
            It holds shares: nothing in clear for this party.
        """
        return self._services.exports.artefact(job_id, reference, folder)

    def result_export(self, job_id: str, folder: str, *, report: bool = False) -> m.Exported:
        """Write everything this party received, with `job.json`, to a folder; with `report`, a page and pictures of measures.

        Raises
        ------
        UsageError
            There is no such job, it is still running, or the folder exists and is not empty; `report` without matplotlib.
        """
        return self._services.exports.result(job_id, folder, report=report)

    # ------------------------------------------------------------------ models

    def model_list(self) -> tuple[m.ModelView, ...]:
        """Models of finished jobs that this party has, newest first: its parts of joint ones, and whole ones."""
        return self._services.models.list()

    def model_show(self, version: str) -> m.ModelView:
        """One model. `version` may be any unambiguous beginning of it.

        Raises
        ------
        UsageError
            None or several begin so.
        """
        return self._services.models.show(version)

    def model_verify(self, version: str) -> m.ModelView:
        """Check that what is stored here is what this party committed to in its log, and each holder's receipt.

        Raises
        ------
        UsageError
            There is no such model.
        VerificationError
            The stored part is another, or a holder's newest head is not signed by it.
        """
        return self._services.models.verify(version)

    def model_export(self, version: str, path: str, form: str = "json") -> m.Exported:
        """Write a whole model to a file that does not exist yet, in a format of other software.

        Raises
        ------
        UsageError
            There is no such model or format, the file exists, or the format cannot hold this kind of model.
        DeniedError
            This party has a part of it only.
        """
        return self._services.models.export(version, path, form)

    # ------------------------------------------------------------------ evidence

    def evidence_bundle(self, contract_id: str) -> bytes:
        """Everything `unseen audit` needs about one contract, as a file's bytes.

        Raises
        ------
        UsageError
            No contract, or several, begin so.
        """
        return self._services.evidence.bundle(self._services.contracts.find(contract_id))

    def evidence_export(self, contract_id: str, path: str) -> m.Exported:
        """Write :meth:`evidence_bundle` to a file that does not exist yet.

        Raises
        ------
        UsageError
            No contract, or several, begin so; or the file exists.
        """
        return self._services.evidence.export(self._services.contracts.find(contract_id), path)

    def ledger_heads(self) -> tuple[m.LedgerHead, ...]:
        """The head of this node's log and of each peer's as far as known here; own first."""
        return self._services.evidence.heads()

    def ledger_entries(self, *, after: int = 0, limit: int = 100) -> tuple[m.LedgerEntry, ...]:
        """Entries of this node's own log from index `after` on."""
        return self._services.evidence.entries(after=after, limit=limit)

    # ------------------------------------------------------------------ care

    def backup(self, path: str) -> m.BackupInfo:
        """Write a consistent snapshot of this node's home (keys stay sealed) to a file that does not exist yet.

        Restoring is done with the node stopped: :func:`unseen.node.backup.restore`.

        Raises
        ------
        UsageError
            The file exists, or its folder does not.
        """
        return self._services.backup(path)

    def step_list(self) -> tuple[m.StepView, ...]:
        """Installed steps, without parameter schemas."""
        return self._services.steps.list()

    def step_show(self, name: str) -> m.StepView:
        """One installed step with its parameters.

        Raises
        ------
        UsageError
            There is no such step.
        """
        return self._services.steps.show(name)
