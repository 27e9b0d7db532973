"""The reports of a demonstration: one page per party, each with what that party may know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unseen.core.cost import Cost
from unseen.govern.audit import AuditReport
from unseen.govern.contract import Contract
from unseen.govern.report import Fact, Figure, Page, Section, Table
from unseen.govern.summary import learns
from unseen.learn.evaluate import plots as curves
from unseen.learn.evaluate.plots import Picture
from unseen.scenes import plots
from unseen.scenes.comparison import Comparison
from unseen.scenes.performance import Result

Measured = Mapping[str, Mapping[str, float]]
"""Task -> seconds, bytes_sent, rounds, memory_bytes."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How a scene calls its business curve: low scores approved first, how many are approved against how many are bad.

    Attributes
    ----------
    title
        Of the section.
    text
        What is decided with it.
    share, bad
        The axes.
    approved, bad_at
        What the two readings of :meth:`unseen.scenes.comparison.Rankings.business` are called.
    """

    title: str
    text: str
    share: str
    bad: str
    approved: str
    bad_at: str


Pictures = Mapping[str, tuple[str, Picture]]
"""Name -> caption and picture."""


def pictures(
    result: Result, comparison: Comparison, measured: Measured, costs: Mapping[str, Cost], curve: Curve | None
) -> Pictures:
    """All pictures of the receiver's page, by name."""
    levels = {name: model.levels for name, model in comparison.rankings.items()}
    groups = {name: model.groups for name, model in comparison.rankings.items()}
    told = result.measured
    names = [f"{name} ({owner})" for name, owner in zip(result.columns, result.owners, strict=True)]
    drawn = {
        "roc": ("ROC curve: joint, alone, pooled.", curves.roc(levels)),
        "ks": ("How the joint scores separate the classes.", curves.ks(levels["joint"])),
        "gain": ("Gain: how many positives the highest scores find.", curves.gain(levels)),
        "lift": ("Lift of each tenth of the rows.", curves.lift(groups)),
        "precision-recall": ("Precision and recall.", curves.precision_recall(levels)),
        "calibration": ("Calibration: on the line is as it should be.", curves.calibration(groups)),
        "agreement": ("Scores, row by row.", plots.agreement(result.scores, comparison.pooled.scores)),
        "coefficients": (
            "Coefficients: bars joint, ticks pooled.",
            plots.coefficients(names, result.owners, result.coefficients, comparison.pooled.coefficients),
        ),
        "steps": ("Seconds per step.", _seconds(costs, measured)),
    }
    if told.distribution is not None:
        caption = "How the scores of either class are spread."
        drawn["distribution"] = (caption, curves.distribution(told.distribution))
    if told.confusion is not None:
        drawn["confusion"] = ("Right and wrong.", curves.confusion(told.confusion))
    if comparison.boosted:
        grown = {name: model.levels for name, model in comparison.boosted.items()}
        drawn["boosted"] = ("ROC curve of the boosted trees.", curves.roc(grown))
    if curve is not None:
        drawn["business"] = (curve.title, curves.approval(levels, share=curve.share, bad=curve.bad))
    return drawn


def receiver_page(
    contract: Contract,
    result: Result,
    comparison: Comparison,
    drawn: Pictures,
    common: Sequence[Section],
    party: str,
    curve: Curve | None,
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
            _quality(comparison, drawn),
            *([] if curve is None else [_business(comparison, drawn, curve)]),
            *([_boosted(comparison, drawn, curve)] if comparison.boosted else []),
            *([] if result.measured.levels is not None else [_shared(result, comparison)]),
            _comparison(comparison, drawn),
            *common,
        ],
        banner,
        "good" if good else "bad",
        _FOOTER,
    )


def other_page(contract: Contract, result: Result, common: Sequence[Section], party: str) -> Page:
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
        [*sections, *common],
        footer=_FOOTER,
    )


_FOOTER = ("Made by unseen. This page stands alone: it loads nothing and runs no script.",)


def _figures(drawn: Pictures, *names: str) -> list[Figure]:
    return [Figure(drawn[name][0], drawn[name][1].svg()) for name in names if name in drawn]


def _quality(comparison: Comparison, drawn: Pictures) -> Section:
    joint = comparison.joint
    return Section(
        "The joint model on the rows held out",
        [f"{joint.rows} rows that training did not see, {joint.positives} of them positive."],
        [
            Fact("AUC", f"{joint.auc:.4f}"),
            Fact("KS", f"{joint.ks:.4f}"),
            Fact("Gini", f"{joint.gini:.4f}"),
            Fact("average precision", f"{joint.average_precision:.4f}"),
            Fact("accuracy", f"{joint.accuracy:.4f}"),
            Fact("log loss", f"{joint.log_loss:.4f}"),
        ],
        figures=_figures(
            drawn, "roc", "ks", "gain", "lift", "precision-recall", "calibration", "distribution", "confusion"
        ),
    )


def _business(comparison: Comparison, drawn: Pictures, curve: Curve) -> Section:
    rows = []
    for name, model in comparison.rankings.items():
        read = model.business()
        rows.append(
            (
                name,
                f"{read['approved_at_half_the_bad_rate']:.1%}",
                f"{read['bad_rate_at_80_percent_approved']:.2%}",
            )
        )
    return Section(
        curve.title,
        [curve.text],
        table=Table(("model", curve.approved, curve.bad_at), rows, (1, 2)),
        figures=_figures(drawn, "business"),
    )


def _boosted(comparison: Comparison, drawn: Pictures, curve: Curve | None) -> Section:
    rows = []
    for name, model in comparison.boosted.items():
        read = model.business()
        approved, bad = read["approved_at_half_the_bad_rate"], read["bad_rate_at_80_percent_approved"]
        rows.append(
            (name, f"{model.levels.auc:.4f}", f"{model.levels.ks:.4f}", f"{approved:.1%}", f"{bad:.2%}")
        )
    head = ("AUC", "KS", curve.approved, curve.bad_at) if curve else ("AUC", "KS", "approved", "bad")
    return Section(
        "Boosted trees on the same rows",
        [
            "Grown in secret shares by all holders, by the first alone, and in clear on pooled data, with the same cuts and settings."
        ],
        table=Table(("model", *head), rows, (1, 2, 3, 4)),
        figures=_figures(drawn, "boosted"),
    )


def _shared(result: Result, comparison: Comparison) -> Section:
    told, joint = result.measured.figures, comparison.joint
    rows = [
        (words, f"{told[name]:.4f}", f"{getattr(joint, name):.4f}")
        for name, words in (
            ("auc", "AUC"),
            ("ks", "KS"),
            ("accuracy", "accuracy"),
            ("log_loss", "log loss"),
            ("brier", "Brier score"),
        )
        if name in told
    ]
    text = (
        "The step 'evaluate' measured the model while scores and labels were secret; groups with few rows of a class were "
        "merged before they were told. Beside it the same from the scores that the step 'predict' gave to this party."
    )
    return Section(
        "Measured without showing scores or labels",
        [text],
        table=Table(("measure", "under shares", "in clear"), rows, (1, 2)),
    )


def _comparison(comparison: Comparison, drawn: Pictures) -> Section:
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
            "data and holds all sides."
        ),
        (
            f"Largest score difference {agreement.largest_score_difference:.6f} (allowed 0.01); coefficients within "
            f"{agreement.largest_coefficient_error:.4%} (allowed 1 %); AUC difference {agreement.auc_difference:.6f} "
            "(allowed 0.002)."
        ),
    ]
    if comparison.verdict_on_alone:
        text.append(comparison.verdict_on_alone)
    return Section(
        "Beside the alternatives",
        text,
        table=Table(("model", "AUC", "KS", "accuracy"), rows, (1, 2, 3)),
        figures=_figures(drawn, "agreement", "coefficients"),
    )


def common_sections(
    contract: Contract,
    costs: Mapping[str, Cost],
    measured: Measured,
    audit: AuditReport,
    drawn: Pictures,
    party: str,
) -> Sequence[Section]:
    """What every party's page ends with."""
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
        _steps(costs, measured, drawn),
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


def _seconds(costs: Mapping[str, Cost], measured: Measured) -> Picture:
    names = [name for name in costs if name in measured]
    return plots.steps(
        names, [costs[name].seconds for name in names], [measured[name]["seconds"] for name in names]
    )


def _steps(costs: Mapping[str, Cost], measured: Measured, drawn: Pictures) -> Section:
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
    return Section(
        "Steps: estimated and measured",
        [
            "Bytes are payload of all parties together; time, rounds and memory those of the slowest or largest party."
        ],
        table=Table(head, rows, (1, 2, 3, 4, 5, 6)),
        figures=_figures(drawn, "steps"),
    )
