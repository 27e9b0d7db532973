"""The stage on which every scene is played: nodes, data, contract, job, comparison, reports, audit, on the public API only.

A scene is a :class:`Scene`: who brings what, what is computed, what the business curve is called. Everything else is the same
for all of them.
"""

from __future__ import annotations

import json
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from unseen.cli import watch as watching
from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.client.workflow import Workflow
from unseen.govern.audit import AuditReport
from unseen.govern.contract import Contract
from unseen.govern.report import Page, audit_page, render
from unseen.govern.summary import summarise
from unseen.jobs.evidence import audit_bundle, facts_of
from unseen.jobs.planner import costs_of
from unseen.learn.evaluate.binary import Quality
from unseen.node.confine import available
from unseen.node.models import JobEvent, TaskProgress
from unseen.node.operations import Node
from unseen.scenes import performance, story
from unseen.scenes.comparison import Comparison, hold_against
from unseen.scenes.joint_model import Settings, parties, workflow
from unseen.scenes.partition import Holding

OUTPUT = Path("demo-output")
_BROKEN = 1

Source = Callable[[Path | None, str | None, str | None], tuple[Holding, ...]]
"""Folder, label column and key column of the user's own data, or None -> what the holders bring, the label at the first."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A story: who brings what, and what the first holder decides with it."""

    source: Source
    settings: Settings = field(default_factory=Settings)
    curve: story.Curve | None = None

    def study(self, data: Path | None = None) -> Workflow:
        """The workflow with its data, to be run in any environment: `scene.study().run(Local())`."""
        return workflow(self.source(data, None, None), self.settings)

    def play(
        self,
        *,
        data: Path | None = None,
        label: str | None = None,
        key: str | None = None,
        keep: Path | None = None,
        as_json: bool = False,
        lang: str = "en",
    ) -> int:
        """Play the scene; returns the exit code: 0 if the joint model is the pooled one and the audit holds.

        Parameters
        ----------
        data
            A folder with files of the user's own instead of the scene's data.
        keep
            Where the parties' folders and the reports stay; without it only the reports do, in `demo-output`.
        """
        show = _Screen(quiet=as_json)
        holdings = self.source(data, label, key)
        with tempfile.TemporaryDirectory(prefix="unseen-demo-") as scratch:
            folder = keep.expanduser().absolute() if keep else Path(scratch)
            reports = folder / "reports" if keep else OUTPUT.absolute()
            shutil.rmtree(reports, ignore_errors=True)
            reports.mkdir(parents=True)
            told = _play(self, holdings, folder, reports, show, lang)
        if as_json:
            sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return 0 if told["agrees_with_pooled"] and told["audit"] == "holds" else _BROKEN


def _play(
    scene: Scene, holdings: tuple[Holding, ...], folder: Path, reports: Path, show: _Screen, lang: str
) -> dict[str, Any]:
    flow = workflow(holdings, scene.settings)
    names = parties(holdings)
    begun = time.monotonic()
    confined = available()
    apart = (
        "that the others cannot open" if confined else "(this system cannot keep one account's nodes apart)"
    )
    show.step(f"Starting {len(names)} nodes, each with a folder {apart}: {', '.join(names)}")
    with Loopback(names, folder=folder, settings={"*": {"confine": {"on": confined}}}) as network:
        nodes: Mapping[str, Node] = network.nodes
        show.step("Putting the data into the catalogues: nothing leaves its holder")
        together.bring(nodes, flow, folder)
        show.step(f"{names[0]} proposes a contract; the others read it and sign")
        contract_id = together.agree(nodes, flow, names[0])
        agreed = Contract.model_validate(nodes[names[1]].contract_show(contract_id).contract)
        words = summarise(
            agreed, facts=facts_of, costs=costs_of(agreed), language="zh" if lang == "zh" else "en"
        )
        show.words(words)
        show.step("Running the job")
        job = _run(nodes, names[0], contract_id, show)
        result = performance.collect(nodes, holdings, job, folder)
        bundle = together.evidence(nodes, names[0], contract_id)
        measured = together.measured(nodes, contract_id)
    (reports / "evidence.bundle").write_bytes(bundle)
    show.step("Auditing the evidence bundle, offline")
    audit = audit_bundle(bundle)
    comparison = hold_against(result, holdings, penalty=scene.settings.penalty, trees=scene.settings.trees)
    _write_pages(scene, agreed, result, comparison, flow, measured, audit, reports)
    told = {
        **_told(scene, result, comparison, measured, audit),
        "plain_words": words,
        "reports": str(reports),
        "seconds": time.monotonic() - begun,
    }
    show.outcome(told, comparison)
    return told


def _run(nodes: Mapping[str, Node], receiver: str, contract: str, show: _Screen) -> str:
    """Run the job with every party's own progress drawn at once."""
    heard: queue.Queue[JobEvent | None] = queue.Queue()
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(together.run(nodes, receiver, contract, _own_words(heard)))
        except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
            outcome.append(error)
        heard.put(None)

    thread = threading.Thread(target=work, name="demo-job")
    thread.start()
    events = iter(heard.get, None)
    if show.quiet:
        for _ in events:
            pass
    else:
        first = next(events, None)
        if first is not None:
            view = nodes[receiver].job_show(first.job)
            tasks = _all_tasks(nodes[receiver], contract)
            watching.bars(view.model_copy(update={"tasks": tasks}), _chained(first, events))
    thread.join()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return str(outcome[0])


def _all_tasks(node: Node, contract: str) -> tuple[TaskProgress, ...]:
    """Every task at every party, in the order of the contract: all bars stand there from the beginning."""
    terms = Contract.model_validate(node.contract_show(contract).contract)
    return tuple(
        TaskProgress(party=party, task=task.name, state="waiting")
        for task in terms.tasks
        for party in task.parties
    )


def _own_words(heard: queue.Queue[JobEvent | None]) -> together.Watch:
    """Each party's node tells of itself only: what it says of others they say themselves."""

    def watch(party: str, event: JobEvent) -> None:
        if event.progress is not None and event.progress.party == party:
            heard.put(event)

    return watch


def _chained(first: JobEvent, rest: Iterator[JobEvent]) -> Iterator[JobEvent]:
    yield first
    yield from rest


def _write_pages(
    scene: Scene,
    contract: Contract,
    result: performance.Result,
    comparison: Comparison,
    plan: Workflow,
    measured: story.Measured,
    audit: AuditReport,
    reports: Path,
) -> None:
    costs = plan.plan().costs
    receiver = contract.tasks[-1].roles["receiver"][0]
    drawn = story.pictures(result, comparison, measured, costs, scene.curve)
    pages: dict[str, Page] = {"audit": audit_page(audit)}
    for party in contract.party_names:
        common = story.common_sections(contract, costs, measured, audit, drawn, party)
        if party == receiver:
            page = story.receiver_page(contract, result, comparison, drawn, common, party, scene.curve)
        else:
            page = story.other_page(contract, result, common, party)
        pages[party] = page
    for name, page in pages.items():
        (reports / f"{name}.html").write_text(render(page), encoding="utf-8")
    figures = reports / "figures"
    figures.mkdir()
    for name, (_, picture) in drawn.items():
        (figures / f"{name}.svg").write_text(picture.svg(), encoding="utf-8")
        (figures / f"{name}.png").write_bytes(picture.png())


def _told(
    scene: Scene,
    result: performance.Result,
    comparison: Comparison,
    measured: story.Measured,
    audit: AuditReport,
) -> dict[str, Any]:
    """Everything for a machine."""
    agreement = comparison.agreement
    business = {name: model.business() for name, model in comparison.rankings.items()}
    return {
        "job": result.job.id,
        "contract": result.contract.id,
        "joint": _quality(comparison.joint),
        "alone": _quality(comparison.alone_quality),
        "pooled": _quality(comparison.pooled_quality),
        "measured_under_shares": dict(result.measured.figures),
        **({} if scene.curve is None else {"business": business}),
        **({"boosted": _grown(comparison)} if comparison.boosted else {}),
        "largest_score_difference": agreement.largest_score_difference,
        "largest_coefficient_error": agreement.largest_coefficient_error,
        "auc_difference": agreement.auc_difference,
        "agrees_with_pooled": agreement.holds,
        "alone_is_no_worse_by": list(comparison.alone_is_no_worse_by),
        "coefficients": [
            {"owner": owner, "column": column, "value": value}
            for owner, column, value in zip(
                result.owners, result.columns, result.coefficients.tolist(), strict=True
            )
        ],
        "intercept": result.intercept,
        "steps": {name: dict(values) for name, values in measured.items()},
        "audit": audit.verdict,
        "audit_lines": audit.to_json()["lines"],
    }


def _grown(comparison: Comparison) -> dict[str, dict[str, float]]:
    return {
        name: {"auc": model.levels.auc, "ks": model.levels.ks, **model.business()}
        for name, model in comparison.boosted.items()
    }


def _quality(quality: Quality) -> dict[str, Any]:
    """Measures and ROC curve."""
    return {
        name: value.tolist() if hasattr(value, "tolist") else value for name, value in asdict(quality).items()
    }


class _Screen:
    """What a person sees; nothing with --json."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._console = Console(stderr=False, quiet=quiet, highlight=False)

    def step(self, text: str) -> None:
        self._console.print(f"[bold]» {text}[/bold]", soft_wrap=True)

    def words(self, markdown: str) -> None:
        if self._console.is_terminal:
            self._console.print(Markdown(markdown))
        else:  # whole lines, for files and for programs that read along
            self._console.print(markdown, markup=False, soft_wrap=True)

    def outcome(self, told: dict[str, Any], comparison: Comparison) -> None:
        joint, alone, pooled = comparison.joint, comparison.alone_quality, comparison.pooled_quality
        self._console.print(f"\n{'':<28}{'AUC':>8}{'KS':>8}{'accuracy':>10}")
        for name, quality in (
            ("joint, on secret shares", joint),
            (comparison.alone.name, alone),
            ("pooled in plaintext", pooled),
        ):
            self._console.print(f"{name:<28}{quality.auc:>8.4f}{quality.ks:>8.4f}{quality.accuracy:>10.4f}")
        self._console.print(
            f"\nlargest score difference {told['largest_score_difference']:.6f}, coefficients within "
            f"{told['largest_coefficient_error']:.4%}, AUC difference {told['auc_difference']:.6f}",
            soft_wrap=True,
        )
        for name, model in comparison.boosted.items():
            self._console.print(
                f"{'trees: ' + name:<28}{model.levels.auc:>8.4f}{model.levels.ks:>8.4f}", soft_wrap=True
            )
        grown = {f"trees: {name}": model.business() for name, model in comparison.boosted.items()}
        for name, read in {**told["business"], **grown}.items() if "business" in told else ():
            self._console.print(
                f"{name}: {read['approved_at_half_the_bad_rate']:.1%} approved at half the bad rate; "
                f"{read['bad_rate_at_80_percent_approved']:.2%} bad where 80 % are approved",
                soft_wrap=True,
            )
        if comparison.verdict_on_alone:
            self._console.print(comparison.verdict_on_alone, soft_wrap=True)
        self._console.print(
            f"audit: {told['audit']}; {told['seconds']:.1f} s from start to report; reports in {told['reports']}",
            soft_wrap=True,
        )
