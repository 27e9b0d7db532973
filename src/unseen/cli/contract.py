"""`unseen contract`: agree with the others on what is computed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from unseen.cli import show
from unseen.cli.session import COMMON, Common, Source, connect, emit, say, text_of
from unseen.core.errors import UsageError

if TYPE_CHECKING:
    from unseen.node.models import ContractView


def draft(workflow: Path, *, out: Path | None = None, common: Common = COMMON) -> None:
    """Make a contract of a workflow file; nothing is signed or sent.

    Keys come from this node's peers, terms of assets from its catalogue and from what peers offered. docs/cli.md
    shows a workflow file. What a run is expected to take (time, bytes, memory, temporary files) is said beside it.

    Parameters
    ----------
    workflow
        A TOML file.
    out
        Write the contract to this file instead of standard output.
    """
    from unseen.cli.draft import contract_of  # noqa: PLC0415 - loads the planner
    from unseen.govern.contract import MODEL  # noqa: PLC0415
    from unseen.govern.summary import expected, repeated  # noqa: PLC0415
    from unseen.jobs.evidence import facts_of  # noqa: PLC0415
    from unseen.jobs.planner import costs_of, offers_of  # noqa: PLC0415
    from unseen.node.models import CostView  # noqa: PLC0415

    def earlier(reference: str) -> tuple[str, dict[str, Any]]:
        view = node.model_show(reference.removeprefix(MODEL))
        return view.kind, view.public

    with connect(common) as node:
        made = contract_of(workflow, node)
        costs = costs_of(made, earlier=earlier)
    for task, offer in offers_of(made).items():
        say(f"Task '{task}' tells who is common; {offer}.")
    for line in repeated(made, facts=facts_of, language=common.lang):
        say(line)
    for line in expected(costs, language=common.lang) if costs else ():
        say(line.removeprefix("- "))
    text = json.dumps(made.to_json(), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written.", why=str(error.strerror)) from error
    emit(
        common,
        {"file": str(out), "costs": [cost.model_dump(mode="json") for cost in CostView.of(costs)]},
        lambda _: say(f"Wrote {out}; read it, then `unseen contract propose {out}`."),
    )


def propose(contract: Source, *, common: Common = COMMON) -> None:
    """Check a contract, sign it for this party, and send it to the others.

    Parameters
    ----------
    contract
        A JSON file, or '-' for standard input.
    """
    if contract != "-" and not Path(contract).is_file():
        raise UsageError(f"There is no file {contract}.", mend="make one with `unseen contract draft`")
    try:
        value = json.loads(text_of(contract))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{contract} is not JSON.", why=str(error)) from error
    if not isinstance(value, dict):
        raise UsageError(f"{contract} is no contract.", why="one is a JSON object")
    with connect(common) as node:
        emit(common, node.contract_propose(value), show.contract)


def list_(*, common: Common = COMMON) -> None:
    """Show all contracts, newest first."""
    with connect(common) as node:
        emit(common, node.contract_list(), show.contracts)


def show_(contract: str, *, common: Common = COMMON) -> None:
    """Show a contract in plain words: who brings what, what is computed, what each will learn, who is trusted.

    Parameters
    ----------
    contract
        Its id, or an unambiguous beginning of it.
    """
    with connect(common) as node:
        emit(common, _in_words(node.contract_show(contract), common), show.contract)


def sign(
    contract: str, *, yes: Annotated[bool, Parameter(negative="")] = False, common: Common = COMMON
) -> None:
    """Show a contract in plain words, ask, and sign it for this party.

    Parameters
    ----------
    contract
        Its id, or an unambiguous beginning of it.
    yes
        Sign without asking.
    """
    with connect(common) as node:
        value = _in_words(node.contract_show(contract), common)
        if not yes:
            _ask(value)
        # by its whole id: what was shown, and nothing that begins alike
        emit(common, node.contract_sign(value.id), lambda signed: say(f"Signed. {_standing(signed)}"))


def refuse(contract: str, *, reason: str = "", common: Common = COMMON) -> None:
    """Say no to a contract that this party has not signed. Final.

    Parameters
    ----------
    contract
        Its id, or an unambiguous beginning of it.
    reason
        What the others shall read.
    """
    with connect(common) as node:
        emit(common, node.contract_refuse(contract, reason), lambda _: say("Refused."))


def withdraw(contract: str, *, reason: str = "", common: Common = COMMON) -> None:
    """Take this party's signature back: no further run starts, running jobs are cancelled. Final.

    Parameters
    ----------
    contract
        Its id, or an unambiguous beginning of it.
    reason
        What the others shall read.
    """
    with connect(common) as node:
        emit(common, node.contract_withdraw(contract, reason), lambda _: say("Withdrawn."))


def _standing(value: ContractView) -> str:
    waiting = [signature.party for signature in value.signatures if signature.state == "pending"]
    if waiting:
        return f"Waiting for {', '.join(waiting)}."
    return f"All have signed: `unseen job start {value.id[: show.SHORT_ID]}`."


def _ask(value: ContractView) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "Signing needs a person's yes.", why="nobody can be asked here", mend="read it, then pass --yes"
        )
    show.contract(value)
    sys.stderr.write("\nSign this? Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in {"yes", "y", "是"}:
        raise UsageError("Not signed.", why="you did not say yes")


def _in_words(value: ContractView, common: Common) -> ContractView:
    """The contract with its summary in the person's language; the node's own words are English."""
    if common.lang == "en" or not value.contract:
        return value
    from unseen.govern.contract import Contract  # noqa: PLC0415 - only for other languages
    from unseen.govern.summary import summarise  # noqa: PLC0415
    from unseen.jobs.evidence import facts_of  # noqa: PLC0415

    contract = Contract.model_validate(value.contract)
    costs = {item.task: item.cost for item in value.costs}
    summary = summarise(contract, facts=facts_of, costs=costs, language=common.lang)
    return value.model_copy(update={"summary": summary})
