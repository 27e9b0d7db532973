"""The reports of a demonstration: one page per party, each with what that party may know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unseen.core.cost import Cost
from unseen.govern.audit import AuditReport
from unseen.govern.contract import Contract
from unseen.govern.report import Fact, Figure, Page, Section, Table
from unseen.govern.summary import learns
from unseen.scenes import plots
from unseen.scenes.comparison import Comparison
from unseen.scenes.performance import Result

Measured = Mapping[str, Mapping[str, float]]
"""Task -> seconds, bytes_sent, rounds, memory_bytes."""


def receiver_page(
    contract: Contract,
    result: Result,
    comparison: Comparison,
    costs: Mapping[str, Cost],
    measured: Measured,
    audit: AuditReport,
    party: str,
) -> Page:
    """The page of the party that gets the results. The comparison is possible in a demonstration only."""
    agreement = comparison.agreement
    good = agreement.holds
    banner = (
        "The joint model is the model that pooled data would have given."
        if good
        else "The joint model differs from the one that pooled data would have given."
    )
    return Page(
        f"{contract.title}: report for {party}",
        f"{contract.id} · {result.job.id}",
        [
            _quality(result, comparison),
            _comparison(comparison, result),
            *_common(contract, costs, measured, audit, party),
        ],
        banner,
        "good" if good else "bad",
        _FOOTER,
    )


def other_page(
    contract: Contract,
    result: Result,
    costs: Mapping[str, Cost],
    measured: Measured,
    audit: AuditReport,
    party: str,
) -> Page:
    """The page of a party that gets no results."""
    own = [index for index, owner in enumerate(result.owners) if owner == party]
    sections = []
    if own:
        rows = [(result.columns[index], f"{result.coefficients[index]:+.4f}") for index in own]
        sections.append(
            Section(
                "What this party received",
                ["The coefficients of its own (standardised) columns, and nothing else."],
                table=Table(("column", "coefficient"), rows, (1,)),
            )
        )
    else:
        sections.append(Section("What this party received", ["Nothing."]))
    return Page(
        f"{contract.title}: report for {party}",
        f"{contract.id} · {result.job.id}",
        [*sections, *_common(contract, costs, measured, audit, party)],
        footer=_FOOTER,
    )


_FOOTER = ("Made by unseen. This page stands alone: it loads nothing and runs no script.",)


def _quality(result: Result, comparison: Comparison) -> Section:
    joint = comparison.joint
    return Section(
        "The joint model on the rows held out",
        [f"{joint.rows} rows that training did not see, {joint.positives} of them positive."],
        [
            Fact("AUC", f"{joint.auc:.4f}"),
            Fact("KS", f"{joint.ks:.4f}"),
            Fact("accuracy", f"{joint.accuracy:.4f}"),
            Fact("log loss", f"{joint.log_loss:.4f}"),
        ],
        figures=[
            Figure("ROC curve: joint, alone, pooled.", plots.roc(_curves(comparison))),
            Figure("How the scores separate the classes.", plots.separation(result.scores, result.labels)),
        ],
    )


def _curves(comparison: Comparison) -> dict[str, Any]:
    return {
        name: (quality.false_positive_rate, quality.true_positive_rate, quality.auc)
        for name, quality in (
            ("joint", comparison.joint),
            (comparison.alone.name, comparison.alone_quality),
            ("pooled", comparison.pooled_quality),
        )
    }


def _comparison(comparison: Comparison, result: Result) -> Section:
    agreement = comparison.agreement
    rows = [
        (name, f"{quality.auc:.4f}", f"{quality.ks:.4f}", f"{quality.accuracy:.4f}")
        for name, quality in (
            ("joint, on secret shares", comparison.joint),
            (comparison.alone.name, comparison.alone_quality),
            ("pooled in plaintext (scikit-learn)", comparison.pooled_quality),
        )
    ]
    text = [
        (
            "Same rows, same split, same scaling, same penalty. Only a demonstration can make this comparison: it made the "
            "data and holds both sides."
        ),
        (
            f"Largest score difference {agreement.largest_score_difference:.6f} (allowed 0.01); coefficients within "
            f"{agreement.largest_coefficient_error:.4%} (allowed 1 %); AUC difference {agreement.auc_difference:.6f} "
            "(allowed 0.002)."
        ),
    ]
    if comparison.verdict_on_alone:
        text.append(comparison.verdict_on_alone)
    names = [f"{name} ({owner})" for name, owner in zip(result.columns, result.owners, strict=True)]
    return Section(
        "Beside the alternatives",
        text,
        table=Table(("model", "AUC", "KS", "accuracy"), rows, (1, 2, 3)),
        figures=[
            Figure("Scores, row by row.", plots.agreement(result.scores, comparison.pooled.scores)),
            Figure(
                "Coefficients: bars joint, ticks pooled.",
                plots.coefficients(names, result.owners, result.coefficients, comparison.pooled.coefficients),
            ),
        ],
    )


def _common(
    contract: Contract, costs: Mapping[str, Cost], measured: Measured, audit: AuditReport, party: str
) -> Sequence[Section]:
    told = [(item.task, item.what) for item in learns(contract, party)]
    trust = [
        line.what.removeprefix("assumed, not shown: ")
        for line in audit.lines
        if line.section == "Trust model"
    ]
    return (
        Section(
            "What this party learns by the contract",
            [] if told else ["Nothing."],
            table=Table(("step", "what"), told) if told else None,
        ),
        _steps(costs, measured),
        Section("Whom this rests on", trust),
        Section(
            "Audit",
            [
                (
                    f"Verdict: {audit.verdict}. "
                    f"{sum(1 for line in audit.lines if line.mark == 'proved')} lines proved, "
                    f"{sum(1 for line in audit.lines if line.mark == 'stated')} stated by a party, "
                    f"{sum(1 for line in audit.lines if line.mark == 'broken')} broken. The audit's own page lists them."
                )
            ],
        ),
    )


def _steps(costs: Mapping[str, Cost], measured: Measured) -> Section:
    names = [name for name in costs if name in measured]
    rows = [
        (
            name,
            f"{costs[name].seconds:.2f}",
            f"{measured[name]['seconds']:.2f}",
            f"{costs[name].bytes / 1e6:.2f}",
            f"{measured[name]['bytes_sent'] / 1e6:.2f}",
            f"{measured[name]['rounds']:.0f}",
            f"{measured[name]['memory_bytes'] / 1e6:.0f}",
        )
        for name in names
    ]
    head = ("step", "s estimated", "s measured", "MB estimated", "MB measured", "rounds", "memory MB")
    drawing = plots.steps(
        names, [costs[name].seconds for name in names], [measured[name]["seconds"] for name in names]
    )
    return Section(
        "Steps: estimated and measured",
        [
            "Bytes are payload of all parties together; time, rounds and memory those of the slowest or largest party."
        ],
        table=Table(head, rows, (1, 2, 3, 4, 5, 6)),
        figures=[Figure("Seconds per step.", drawing)],
    )
