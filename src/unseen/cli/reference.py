"""The generated part of docs/cli.md, docs/api.md and docs/steps.md: what commands' help, the routes' table and the steps say.

python -m unseen.cli.reference docs     # brings the pages up to date
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from unseen.api.routes import Route, routes
from unseen.api.tokens import ROLES, may
from unseen.cli import parameters
from unseen.cli.main import build
from unseen.core import registry
from unseen.jobs.step import STEPS, optional_inputs, optional_roles, step

MARK = "<!-- generated: python -m unseen.cli.reference docs -->"
_EVERYWHERE = re.compile(r"\*\*Everywhere\*\*:\n\n(\* .*\n)+\n?")


def commands() -> str:
    """All commands with their options."""
    text = str(build().generate_docs(output_format="markdown"))
    text = text[text.index("## unseen node\n") :]
    return _EVERYWHERE.sub("", text).rstrip() + "\n"


def operations() -> str:
    """All routes, by resource."""
    lines: list[str] = []
    tag = ""
    for route in sorted(routes(), key=lambda route: route.tag):
        if route.tag != tag:
            tag = route.tag
            lines += [f"## {tag}", ""]
        lines += [
            f"### `{route.method} {route.path}`",
            "",
            re.sub(r":\w+:", "", route.summary),  # roles of our docstrings
            "",
            f"Operation `{route.operation}`; for {', '.join(r for r in ROLES if may(r, route.operation))}.",
            *_sent(route),
            "",
        ]
    return "\n".join(lines).strip() + "\n"


def steps() -> str:
    """All installed steps with their roles, inputs, outputs and parameters."""
    lines: list[str] = []
    for name in registry.names(STEPS):
        found = step(name)
        lines += [f"## {name}", "", found.SUMMARY, "", f"Trust: {found.TRUST}", ""]
        lines += ["| | | |", "|---|---|---|"]
        spare = {"role": optional_roles(found), "input": optional_inputs(found), "output": frozenset[str]()}
        for kind, said in (("role", found.ROLES), ("input", found.INPUTS), ("output", found.OUTPUTS)):
            alike: dict[tuple[str, bool], list[str]] = {}
            for one, words in said.items():
                alike.setdefault((words.removesuffix(" (optional)"), one in spare[kind]), []).append(one)
            lines += [
                f"| {kind} | `{'` to `'.join(dict.fromkeys((names[0], names[-1])))}`{' (optional)' if free else ''} | {words} |"
                for (words, free), names in alike.items()
            ]
        schema = found.Params.model_json_schema()
        rows = [f"| `{one}` | {kind} | {default} |" for one, kind, default in parameters.kinds(schema)]
        lines += ["", *(["| parameter | takes | default |", "|---|---|---|", *rows, ""] if rows else [])]
        about, named = parameters.meanings(schema)
        lines += [about, "", *(f"- **{names}**: {words}" for names, words in named), ""]
    return re.sub(r"\n{3,}", "\n\n", re.sub(r":\w+:(?=`)", "", "\n".join(lines))).strip() + "\n"


def _sent(route: Route) -> list[str]:
    parts = [f"query `{field.name}`" for field in route.at("query")]
    parts += [f"body `{_kind(field.type)}`" for field in route.at("body")]
    if route.body is not None:
        parts.append(f"body {{{', '.join(f'`{field.name}`' for field in route.at('field'))}}}")
    return [f"Takes {', '.join(parts)}."] if parts else []


def _kind(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else "object"


def refreshed(page: str, generated: str) -> str:
    """A page with everything after the mark replaced."""
    head, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError("the page has no mark")
    return f"{head}{MARK}\n\n{generated}"


def main(folder: Path) -> None:
    """Bring the pages up to date."""
    for name, generated in (("cli.md", commands()), ("api.md", operations()), ("steps.md", steps())):
        path = folder / name
        path.write_text(refreshed(path.read_text(encoding="utf-8"), generated), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
