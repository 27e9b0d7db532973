"""The models that this party has, by version: its parts of joint models, and whole ones that a contract entitled it to.

So have rules of preparation, of which each holder learnt its own: rows that are scored later must be made ready as training was.

Nothing is kept beside the store and the logs. A model's version is the hash of contract, job, task, output and of the commitments
that its holders wrote into their logs, so all of them name a model alike, and another model cannot take its name. A later contract
uses a model by its version (`model:model-3f9c…` as an input); each holder then brings its own part, which is opened against its
commitment first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseen.core.canonical import digest
from unseen.core.durable import write_whole
from unseen.core.errors import DeniedError, UnseenError, UsageError
from unseen.crypto.commit import check
from unseen.govern.contract import MODEL, AssetTerms, Contract
from unseen.jobs import artefacts
from unseen.jobs.artefacts import SHARES, Artefact
from unseen.jobs.shared_models import made_model
from unseen.jobs.step import MadeModel
from unseen.jobs.whole_models import WHOLE, WholeModel, formats, written
from unseen.ledger.entries import Entry
from unseen.node import models as m

if TYPE_CHECKING:
    from unseen.node.catalogue import Catalogue
    from unseen.node.contracts import ContractDesk
    from unseen.node.evidence import Ledger
    from unseen.node.store import ArtefactStore

_PREPARATION = "preparation"
PARTS = SHARES | {_PREPARATION}
_FORMAT = 1
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class JointModels:
    """See the module."""

    def __init__(
        self, me: str, *, store: ArtefactStore, ledger: Ledger, desk: ContractDesk, catalogue: Catalogue
    ) -> None:
        self._me = me
        self._store = store
        self._ledger = ledger
        self._desk = desk
        self._catalogue = catalogue

    # ------------------------------------------------------------------ what people ask

    def list(self) -> tuple[m.ModelView, ...]:
        """See :meth:`unseen.node.operations.Node.model_list`."""
        return tuple(sorted(self._all(), key=lambda view: view.made_at, reverse=True))

    def show(self, version: str) -> m.ModelView:
        """See :meth:`unseen.node.operations.Node.model_show`."""
        wanted = version if version.startswith("model-") else f"model-{version}"
        found = [view for view in self._all() if view.version and view.version.startswith(wanted)]
        if len(found) != 1:
            raise UsageError(
                f"{len(found) or 'No'} models of this party begin with '{version}'.",
                mend="`unseen model list` shows them",
            )
        return found[0]

    def verify(self, version: str) -> m.ModelView:
        """See :meth:`unseen.node.operations.Node.model_verify`."""
        view = self.show(version)
        self._opened(view)
        return view

    def export(self, version: str, path: str, form: str) -> m.Exported:
        """See :meth:`unseen.node.operations.Node.model_export`."""
        view = self.show(version)
        if view.kind == _PREPARATION:
            raise UsageError(
                "These are rules of preparation, not a model.",
                mend="export the model that was trained on what they made; `unseen model list` shows them",
            )
        if not view.whole:
            raise DeniedError(
                "This party has a part of the model, not the whole.",
                why="a part alone is noise, and no contract entitles this party to the others'",
                mend="agree on a contract with the step 'reveal-model', or score rows with the step 'predict'",
            )
        place = Path(path)
        if place.exists() or not place.parent.is_dir():
            raise UsageError(
                f"{place} is there already, or its folder is not.",
                mend=f"choose another; formats: {', '.join(formats())}",
            )
        content = written(WholeModel.of(self._opened(view)), form)
        write_whole(place, content)
        return m.Exported(folder=str(place.parent), files=(place.name,), size_bytes=len(content))

    # ------------------------------------------------------------------ models as inputs of later jobs

    def part(self, reference: str) -> Artefact:
        """This party's part of the model that a contract names, opened against its commitment."""
        return self._opened(self.show(reference.removeprefix(MODEL)))

    def made(self, reference: str) -> MadeModel | None:
        """Kind and public part of the model that a contract names; None if this party has no part of it."""
        try:
            view = self.show(reference.removeprefix(MODEL))
        except UsageError:
            return None
        return None if view.kind == _PREPARATION or view.whole else (view.kind, view.public)

    def commitment(self, reference: str) -> str:
        """The commitment to that part."""
        view = self.show(reference.removeprefix(MODEL))
        task, _, output = view.reference.partition(".")
        return self._store.done(view.job, task).outputs[output].commitment

    def check_use(self, contract: Contract) -> None:
        """Check that this party may bring the models that a contract names.

        Raises
        ------
        DeniedError
            It has no such model, the holders are others, or the owner of what the model was trained on (this party) does not
            allow this purpose or step.
        """
        for task in contract.tasks:
            if self._me not in task.roles.get("holders", ()):
                continue
            for reference in task.input_of(self._me).values():
                if reference.startswith(MODEL):
                    self._check_use(contract, task.step, task.roles["holders"], reference)

    def _check_use(self, contract: Contract, step: str, holders: tuple[str, ...], reference: str) -> None:
        clause = f"model {reference.removeprefix(MODEL)[:18]}"
        try:
            view = self.show(reference.removeprefix(MODEL))
        except UsageError as error:
            raise DeniedError(error.what, mend=error.mend, clause=clause) from error
        if view.version != reference.removeprefix(MODEL) or tuple(holders) != view.holders:
            raise DeniedError(
                "The contract does not name the model and its holders as they are.",
                why=f"the model is {view.version}, held by {', '.join(view.holders)}, in this order",
                mend="name the whole version, and the same holders",
                clause=clause,
            )
        own = self._catalogue.own_terms()
        for asset in self._desk.contract(view.contract).assets:
            if asset.holder == self._me:
                _check_asset(own.get(asset.name, asset), contract, step, clause)

    # ------------------------------------------------------------------ inside

    def _opened(self, view: m.ModelView) -> Artefact:
        task, _, output = view.reference.partition(".")
        kept = self._store.done(view.job, task).outputs[output]
        artefact = self._store.read(view.job, view.reference)
        check(
            kept.commitment, artefacts.encode(artefact), kept.salt, what=f"The stored part of {view.version}"
        )
        return artefact

    def _all(self) -> Iterator[m.ModelView]:
        for _, end in self._ledger.finished():
            job, task = str(end.job), str(end.task)
            try:
                outputs = self._store.done(job, task).outputs
            except UnseenError:  # the artefacts of an old job were deleted
                continue
            for output, kept in outputs.items():
                if kept.kind in PARTS or kept.kind == WHOLE:
                    yield self._view(end, job, f"{task}.{output}", whole=kept.kind == WHOLE)

    def _view(self, end: Entry, job: str, reference: str, *, whole: bool) -> m.ModelView:
        task, _, output = reference.partition(".")
        artefact = self._store.read(job, reference)
        contract = self._desk.contract(end.contract)
        terms = contract.task(task)
        holders = (self._me,) if whole else tuple(terms.roles.get("holders", ()))
        parts: dict[str, str] = {}
        receipts = []
        for party in holders:
            found = self._ledger.receipt(party, end)
            if found is not None and output in found[0].body["outputs"]:
                parts[party] = str(found[0].body["outputs"][output])
                receipts.append(found[1])
        waiting = tuple(party for party in holders if party not in parts)
        return m.ModelView(
            version="" if waiting else version_of(end.contract, job, reference, parts),
            kind=_kind(artefact),
            public=_public(artefact),
            whole=whole,
            contract=end.contract,
            purpose=contract.purpose,
            job=job,
            reference=reference,
            made_at=datetime.strptime(end.at, _TIME).replace(tzinfo=UTC),
            holders=holders,
            columns=_columns(artefact),
            known={} if whole else artefact.meta.get("known", {}),
            receipts=tuple(receipts),
            waiting_for=waiting,
        )


def version_of(contract: str, job: str, reference: str, parts: Mapping[str, str]) -> str:
    """The version of a model: `model-` and 64 hex digits.

    Parameters
    ----------
    parts
        Holder -> the commitment to its part, hex, as its log has it.
    """
    said = {"contract": contract, "job": job, "output": reference, "parts": dict(parts)}
    return f"model-{digest('model', _FORMAT, said).hex()}"


def _kind(artefact: Artefact) -> str:
    if artefact.kind == _PREPARATION:
        return _PREPARATION
    if artefact.kind == WHOLE:
        return str(artefact.meta["kind"])
    return str(artefact.meta["model"][0]) if "model" in artefact.meta else "linear"


def _public(artefact: Artefact) -> dict[str, Any]:
    """What everybody who uses it knows of a model: its family, how many trees, how deep."""
    if artefact.kind == WHOLE:
        return {"family": artefact.meta["family"]}
    return {} if artefact.kind == _PREPARATION else dict(made_model(artefact)[1])


def _columns(artefact: Artefact) -> tuple[str, ...]:
    if artefact.kind == WHOLE:
        return tuple(f"{holder}.{name}" for holder, name in artefact.meta["columns"])
    if artefact.kind == _PREPARATION:
        return ()
    return tuple(artefact.meta.get("columns", ()))


def _check_asset(own: AssetTerms, contract: Contract, step: str, clause: str) -> None:
    if contract.purpose not in own.purposes or step not in own.steps:
        raise DeniedError(
            f"The model was trained on '{own.name}', which may not be used so.",
            why=f"step '{step}', purpose '{contract.purpose}'; its owner allows: {', '.join(own.steps)} for "
            f"{', '.join(own.purposes)}",
            mend="leave the task out, or add the asset again and allow it",
            clause=clause,
        )
