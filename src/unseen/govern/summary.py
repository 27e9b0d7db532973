"""A contract in plain words, in English or Chinese: what people read before they sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from unseen.govern.contract import AssetTerms, Contract, DisclosureTerms

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What an installed step says of itself: what it does, and who must not collude with whom."""

    summary: str
    trust: str


_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "purpose": "Purpose: {purpose}. Allowed runs: {runs}. In force from {start} to {end}.",
        "who": "Who takes part",
        "party": "- {title} ({name}): {roles}",
        "brings": "Who brings what",
        "asset": "- {holder} brings '{name}': {rows} rows; {columns}",
        "nothing": "- {name} brings no data.",
        "does": "What is computed",
        "step": "{place}. {name} ({step}): {summary}",
        "learn": "What each will learn",
        "told": "- {name}, from {task}: {what}",
        "told_nothing": "- {name} learns nothing.",
        "not": "What nobody gets",
        "not_text": "No party gets another party's table. What is not listed above does not leave: each party's gate holds it back.",
        "trust": "Whom you must trust",
        "trust_line": "- {trust}",
        "ids": "ids in {names}",
        "label": "label {names}",
        "features": "{count} columns to model with",
        "holder": "brings data",
        "computer": "lends compute",
        "receiver": "gets results",
        "auditor": "audits",
    },
    "zh": {
        "purpose": "用途：{purpose}。允许运行次数：{runs}。有效期：{start} 至 {end}。",
        "who": "参与方",
        "party": "- {title}（{name}）：{roles}",
        "brings": "各方提供的数据",
        "asset": "- {holder} 提供“{name}”：{rows} 行；{columns}",
        "nothing": "- {name} 不提供数据。",
        "does": "计算内容",
        "step": "{place}. {name}（{step}）：{summary}",
        "learn": "各方将获知的内容",
        "told": "- {name}，来自 {task}：{what}",
        "told_nothing": "- {name} 不获知任何内容。",
        "not": "任何一方都得不到的内容",
        "not_text": "任何一方都得不到其他方的数据表。未列于上文的内容不会离开本方：各方的闸门会将其拦下。",
        "trust": "需要信任谁",
        "trust_line": "- {trust}",
        "ids": "标识列 {names}",
        "label": "标签列 {names}",
        "features": "{count} 个建模列",
        "holder": "提供数据",
        "computer": "提供算力",
        "receiver": "接收结果",
        "auditor": "审计",
    },
}


def summarise(contract: Contract, *, facts: Callable[[str], StepFacts], language: Language = "en") -> str:
    """The contract in plain words, as Markdown.

    Parameters
    ----------
    facts
        Step name -> what the installed step says of itself.
    """
    words = _WORDS[language]
    known = {task.step: facts(task.step) for task in contract.tasks}
    start, end = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (contract.valid_from, contract.valid_until))
    lines = [
        f"# {contract.title}",
        "",
        words["purpose"].format(purpose=contract.purpose, runs=contract.runs, start=start, end=end),
    ]
    lines += _section(words["who"], [_party(contract, name, words) for name in contract.party_names])
    lines += _section(words["brings"], _brings(contract, words))
    lines += _section(
        words["does"],
        [
            words["step"].format(
                place=place, name=task.name, step=task.step, summary=known[task.step].summary
            )
            for place, task in enumerate(contract.tasks, 1)
        ],
    )
    lines += _section(
        words["learn"], [line for name in contract.party_names for line in _learns(contract, name, words)]
    )
    lines += _section(words["not"], [words["not_text"]])
    trust = dict.fromkeys(item.trust for item in known.values())
    lines += _section(words["trust"], [words["trust_line"].format(trust=text) for text in trust])
    return "\n".join(lines) + "\n"


def learns(contract: Contract, party: str) -> tuple[DisclosureTerms, ...]:
    """Everything that the contract lets one party know."""
    return tuple(item for item in contract.disclosures if party in item.to)


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _party(contract: Contract, name: str, words: Mapping[str, str]) -> str:
    party = contract.party(name)
    roles = ", ".join(words[role] for role in party.roles)
    return words["party"].format(title=party.title or name, name=name, roles=roles)


def _brings(contract: Contract, words: Mapping[str, str]) -> list[str]:
    lines = [
        words["asset"].format(
            holder=asset.holder, name=asset.name, rows=asset.rows, columns=_columns(asset, words)
        )
        for asset in contract.assets
    ]
    holders = {asset.holder for asset in contract.assets}
    return lines + [
        words["nothing"].format(name=name) for name in contract.party_names if name not in holders
    ]


def _columns(asset: AssetTerms, words: Mapping[str, str]) -> str:
    by_role = {
        role: [column.name for column in asset.columns if column.role == role]
        for role in ("id", "label", "feature")
    }
    parts = [words["ids"].format(names=", ".join(by_role["id"]))] if by_role["id"] else []
    parts += [words["label"].format(names=", ".join(by_role["label"]))] if by_role["label"] else []
    return ", ".join([*parts, words["features"].format(count=len(by_role["feature"]))])


def _learns(contract: Contract, name: str, words: Mapping[str, str]) -> list[str]:
    told = [
        words["told"].format(name=name, task=item.task, what=item.what) for item in learns(contract, name)
    ]
    return told or [words["told_nothing"].format(name=name)]
