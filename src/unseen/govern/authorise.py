"""The check right before a run, at every party for itself: whether this contract may run here and now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from unseen.core.errors import DeniedError, VerificationError
from unseen.govern.contract import AssetTerms, Contract
from unseen.govern.signatures import verify


def check_terms(
    contract: Contract, *, me: str, assets: Mapping[str, AssetTerms], pinned: Mapping[str, str]
) -> None:
    """Check what must hold for this party to sign: keys and assets are as this party knows them.

    Parameters
    ----------
    assets
        Own assets, by name, on their owner's terms of today.
    pinned
        Party -> identity key (`ed25519:…`) as accepted by this party, itself included.

    Raises
    ------
    DeniedError
        The clause that stands in the way.
    """
    for party in contract.parties:
        known = pinned.get(party.name)
        if known is None:
            raise _denied(
                f"{party.name} is no peer of this node.", "parties", mend="exchange invitations first"
            )
        if known != party.identity:
            raise _denied(
                f"The contract names another key for {party.name} than the one that was accepted.",
                "parties",
                mend=f"compare fingerprints with {party.name}",
            )
    for asset in contract.assets:
        if asset.holder == me:
            _check_asset(contract, asset, assets.get(asset.name))


def check_run(
    contract: Contract,
    *,
    now: datetime,
    signatures: Mapping[str, bytes],
    runs_used: int,
    starting: bool = True,
) -> None:
    """Check what must hold for a run: signed by all, in force, and runs left.

    Parameters
    ----------
    signatures
        Party -> signature.
    runs_used
        Runs counted before this one.
    starting
        Whether a run is to be counted; a resumed run or a further task needs no new one.

    Raises
    ------
    DeniedError
        The clause that stands in the way.
    """
    for party in contract.party_names:
        signature = signatures.get(party)
        if signature is None:
            raise _denied(
                f"{party} has not signed the contract.", "signatures", mend=f"ask {party} to sign it"
            )
        try:
            verify(contract, party, signature)
        except VerificationError as error:
            raise _denied(error.what, "signatures") from error
    if not contract.is_valid_at(now):
        raise _denied(
            "The contract is not in force.",
            "validity",
            why=f"it holds from {contract.valid_from} to {contract.valid_until}; it is {now}",
            mend="propose a new contract",
        )
    if starting and runs_used >= contract.runs:
        raise _denied(
            "No runs are left.",
            "runs",
            why=f"the contract allows {contract.runs}, {runs_used} were used",
            mend="propose a new contract",
        )


def _check_asset(contract: Contract, agreed: AssetTerms, own: AssetTerms | None) -> None:
    clause = f"asset {agreed.name}"
    if own is None:
        raise _denied(f"There is no asset '{agreed.name}' in this node's catalogue.", clause, mend="add it")
    if agreed.commitment and agreed.commitment != own.commitment:
        raise _denied(
            f"The data of '{agreed.name}' are not those that the contract was made for.",
            clause,
            why="the file was changed or replaced",
            mend="put the old file back, or offer the asset again and propose a new contract",
        )
    if contract.purpose not in own.purposes:
        raise _denied(f"'{agreed.name}' may not be used for '{contract.purpose}'.", clause)
    for task in contract.tasks_on(agreed.name):
        if task.step not in own.steps:
            raise _denied(
                f"'{agreed.name}' may not be used by the step '{task.step}'.",
                clause,
                why=f"task '{task.name}' works on it or on what came of it; its owner allows: {', '.join(own.steps)}",
                mend="leave the task out, or add the asset again and allow the step",
            )
    if agreed.columns != own.columns:
        raise _denied(f"The columns of '{agreed.name}' are not those in the contract.", clause)


def _denied(what: str, clause: str, *, why: str = "", mend: str = "") -> DeniedError:
    return DeniedError(what, why=why, mend=mend, clause=clause)
