"""A contract in plain words, in English or Chinese: what people read before they sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from unseen.core.cost import Cost, Network, amount, run_of
from unseen.govern.contract import AssetTerms, Contract, DisclosureTerms, TaskTerms
from unseen.govern.spending import Tells
from unseen.ot.correlation import Assumption

Language = Literal["en", "zh"]

_TIMES = (
    ("hours", 3600.0, 7200.0),
    ("minutes", 60.0, 120.0),
    ("seconds", 1.0, 0.0),
)  # unit, its length, from when on


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What an installed step says of itself: what it does, who must not collude, what a run tells of sets of rows, and what it assumes.

    `assumes`: what the randomness of a task rests on that two make between themselves; None where they make none.
    """

    summary: str
    trust: str
    tells: Tells = field(default=lambda _terms: None)
    assumes: Callable[[TaskTerms], Assumption | None] = field(default=lambda _terms: None)


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
        "again": "What repeated runs tell",
        "and": "', '",
        "exact": "- What '{tasks}' tells is without noise. Two such answers about sets that differ in one row tell of that row: "
        "by rows that come or go between runs, by other contracts on the same data, by two questions of which one holds the other. "
        "Allow few runs, or set an epsilon.",
        "noisy": "- '{task}' answers with noise (differential privacy): a run spends epsilon {epsilon:g} of each table it works on; "
        "all {runs} runs {whole:g}.",
        "budget": "- {holder} allows of '{name}', over all contracts: {limits}.",
        "epsilon": "epsilon {epsilon:g} in all and no answer without noise",
        "answers": "{answers} answers",
        "takes": "What a run is expected to take",
        "run": "- In all: {amounts}. Estimated for two cores at each party and a network of {mbit:.0f} Mbit/s and {ms:g} ms one way.",
        "task": "- {name}: {amounts}",
        "amounts": "{seconds}, {sent} sent by all parties together, {memory} of memory at one party",
        "scratch": ", {scratch} of temporary files at all parties together",
        "seconds": "{count} s",
        "minutes": "{count} min",
        "hours": "{count} h",
        "trust": "Whom you must trust",
        "trust_line": "- {trust}",
        "rests": "On which assumptions it rests",
        "lpn": "- '{tasks}': two make randomness between themselves. If it is much, this rests on an assumption that is younger than the "
        "others: that random linear equations with a few errors are hard to solve (learning parity with noise, LPN). It rests besides on "
        "Diffie-Hellman, AES, SHA-2 and encryption by lattices.",
        "symmetric": "- '{tasks}': two make randomness between themselves. This rests on Diffie-Hellman, AES, SHA-2 and encryption by "
        "lattices, and not on learning parity with noise (LPN); it sends several times the bytes.",
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
        "again": "重复运行会泄露什么",
        "and": "”、“",
        "exact": "- “{tasks}”所告知的内容不含噪声。对只差一行的两个集合各问一次，就会暴露那一行："
        "两次运行之间增减的行、针对同一数据的其他合约、互相包含的两个问题都会造成这种情况。请限制运行次数，或设置 epsilon。",
        "noisy": "- “{task}”的回答带噪声（差分隐私）：每次运行对所用的每张表消耗 epsilon {epsilon:g}；全部 {runs} 次共 {whole:g}。",
        "budget": "- {holder} 对“{name}”在所有合约中总共允许：{limits}。",
        "epsilon": "epsilon 合计 {epsilon:g}，且不接受不含噪声的回答",
        "answers": "{answers} 次回答",
        "takes": "一次运行预计的消耗",
        "run": "- 合计：{amounts}。按每方两个处理器核心、带宽 {mbit:.0f} Mbit/s、单程延迟 {ms:g} 毫秒的网络估算。",
        "task": "- {name}：{amounts}",
        "amounts": "{seconds}，各方共发送 {sent}，单方内存 {memory}",
        "scratch": "，各方临时文件共 {scratch}",
        "seconds": "{count} 秒",
        "minutes": "{count} 分钟",
        "hours": "{count} 小时",
        "trust": "需要信任谁",
        "trust_line": "- {trust}",
        "rests": "安全性依据的假设",
        "lpn": "- “{tasks}”：两方自行生成随机数。数量大时，依据一个比其他假设更新的假设：带少量错误的随机线性方程组难以求解"
        "（含噪学习奇偶，LPN）。此外依据 Diffie-Hellman、AES、SHA-2 和格加密。",
        "symmetric": "- “{tasks}”：两方自行生成随机数。依据 Diffie-Hellman、AES、SHA-2 和格加密，不依据含噪学习奇偶（LPN）；"
        "传输的字节数为数倍。",
        "ids": "标识列 {names}",
        "label": "标签列 {names}",
        "features": "{count} 个建模列",
        "holder": "提供数据",
        "computer": "提供算力",
        "receiver": "接收结果",
        "auditor": "审计",
    },
}


def summarise(
    contract: Contract,
    *,
    facts: Callable[[str], StepFacts],
    costs: Mapping[str, Cost] | None = None,
    language: Language = "en",
) -> str:
    """The contract in plain words, as Markdown.

    Parameters
    ----------
    facts
        Step name -> what the installed step says of itself.
    costs
        Task -> what it is expected to take; a task that is not in it is not told of.
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
    if again := _again(contract, known, words):
        lines += _section(words["again"], again)
    if costs:
        lines += _section(words["takes"], list(expected(costs, language=language)))
    lines += _section(words["not"], [words["not_text"]])
    trust = dict.fromkeys(item.trust for item in known.values())
    lines += _section(words["trust"], [words["trust_line"].format(trust=text) for text in trust])
    if rests := _rests(contract, known, words):
        lines += _section(words["rests"], rests)
    return "\n".join(lines) + "\n"


def expected(costs: Mapping[str, Cost], *, language: Language = "en") -> tuple[str, ...]:
    """What a run is expected to take, one line for all of it and one for each task; estimates are for the usual network."""
    words, usual = _WORDS[language], Network()
    whole = words["run"].format(
        amounts=_amounts(run_of(costs.values()), words),
        mbit=usual.bytes_per_s * 8 / 1e6,
        ms=usual.latency_s * 1e3,
    )
    each = [words["task"].format(name=task, amounts=_amounts(cost, words)) for task, cost in costs.items()]
    return (whole, *each)


def _amounts(cost: Cost, words: Mapping[str, str]) -> str:
    unit, length = next(
        (unit, length) for unit, length, least in _TIMES if cost.seconds >= least or unit == "seconds"
    )
    told = words["amounts"].format(
        seconds=words[unit].format(count=f"{cost.seconds / length:,.2g}"),
        sent=amount(cost.bytes),
        memory=amount(cost.memory_bytes),
    )
    return told + (words["scratch"].format(scratch=amount(cost.scratch_bytes)) if cost.scratch_bytes else "")


def learns(contract: Contract, party: str) -> tuple[DisclosureTerms, ...]:
    """Everything that the contract lets one party know."""
    return tuple(item for item in contract.disclosures if party in item.to)


def repeated(
    contract: Contract, *, facts: Callable[[str], StepFacts], language: Language = "en"
) -> tuple[str, ...]:
    """What repeated runs tell, in plain words, one sentence or two a task; nothing where no task answers questions about sets."""
    known = {task.step: facts(task.step) for task in contract.tasks}
    return tuple(line.removeprefix("- ") for line in _again(contract, known, _WORDS[language]))


def _again(contract: Contract, known: Mapping[str, StepFacts], words: Mapping[str, str]) -> list[str]:
    told = {task.name: known[task.step].tells(task) for task in contract.tasks}
    noisy = {task: spent.epsilon for task, spent in told.items() if spent is not None and not spent.exact}
    lines = [
        words["noisy"].format(task=task, epsilon=epsilon, runs=contract.runs, whole=epsilon * contract.runs)
        for task, epsilon in noisy.items()
    ]
    if exact := [task for task, spent in told.items() if spent is not None and spent.exact]:
        lines.append(words["exact"].format(tasks=words["and"].join(exact)))
    return lines + [_limits(asset, words) for asset in contract.assets if lines and asset.budget is not None]


def _rests(contract: Contract, known: Mapping[str, StepFacts], words: Mapping[str, str]) -> list[str]:
    on = {task.name: known[task.step].assumes(task) for task in contract.tasks}
    return [
        words[assumption].format(tasks=words["and"].join(name for name in on if on[name] == assumption))
        for assumption in dict.fromkeys(item for item in on.values() if item is not None)
    ]


def _limits(asset: AssetTerms, words: Mapping[str, str]) -> str:
    limits = [
        words[kind].format(**{kind: limit})
        for kind in ("answers", "epsilon")
        if (limit := getattr(asset.budget, kind)) is not None
    ]
    return words["budget"].format(holder=asset.holder, name=asset.name, limits=", ".join(limits) or "-")


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
