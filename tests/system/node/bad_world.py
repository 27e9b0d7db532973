"""Three nodes, small files, and a main job of two quick iterations: what the tests of bad input spoil."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unseen.client import together
from unseen.client.loopback import Loopback
from unseen.client.workflow import Workflow
from unseen.core import registry
from unseen.core.errors import UnseenError
from unseen.jobs.step import STEPS
from unseen.node.models import JOB_OVER, AddAsset, AssetView, JobView

PARTIES = ("hospital", "laboratory", "helper")
HOSPITAL, LABORATORY, HELPER = PARTIES
SECRET = "viral-load"
"""A column's name: what the others must not hear of."""

Columns = dict[str, list[Any]]
Files = dict[str, Columns]


def good_files(*, rows: int = 120, seed: int = 1) -> Files:
    """The two tables, by party; 100 rows in common."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4)).round(4)
    label = (values.sum(axis=1) + rng.normal(size=rows) > 0).astype(int)
    ids = [f"p{number}" for number in range(rows)]
    return {
        HOSPITAL: {
            "patient": ids[: rows - 10],
            "diagnosis": label[: rows - 10].tolist(),
            "age": values[: rows - 10, 0].tolist(),
            "weight": values[: rows - 10, 1].tolist(),
        },
        LABORATORY: {
            "patient": ids[10:],
            SECRET: values[10:, 2].tolist(),
            "pulse": values[10:, 3].tolist(),
        },
    }


def write_csv(path: Path, columns: Mapping[str, list[Any]], *, delimiter: str = ",") -> Path:
    """The columns as a file."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    path.write_text("\n".join(delimiter.join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


@dataclass
class World:
    """The nodes, and one folder for files."""

    nodes: Loopback
    folder: Path
    count: int = 0

    def add(self, party: str, path: Path, **changes: Any) -> AssetView:
        """Put a file into a catalogue under a fresh name."""
        self.count += 1
        given = {
            "name": f"{party}-{self.count}",
            "path": str(path),
            "id_columns": ("patient",),
            "label_columns": ("diagnosis",) if party == HOSPITAL else (),
            "steps": tuple(registry.names(STEPS)),
            "purposes": ("screening",),
        }
        return self.nodes[party].asset_add(AddAsset(**{**given, **changes}))

    def assets(self, files: Files) -> dict[str, AssetView]:
        """Both files written and added."""
        found = {}
        for party, columns in files.items():
            path = write_csv(self.folder / f"{party}-{self.count}.csv", columns)
            found[party] = self.add(party, path)
        return found

    def flow(self, assets: Mapping[str, AssetView], *, days: float = 1.0, prepared: bool = True) -> Workflow:
        """The main job on these assets; if nothing is prepared, trained on what is common as it is."""
        flow = Workflow("Bad input", purpose="screening", days=days)
        flow.party(HOSPITAL, roles=("holder", "receiver"))
        flow.party(LABORATORY, roles=("holder",))
        flow.party(HELPER, roles=("computer",))
        references = {party: flow.asset(view.terms) for party, view in assets.items()}
        holders = (HOSPITAL, LABORATORY)
        rows = flow.task("align", "psi", roles={"holders": holders}, inputs={"table": references})
        crew = {"holders": holders, "helper": HELPER}
        if not prepared:
            roles = {**crew, "label_holder": HOSPITAL}
            params = {"iterations": 2}
            flow.task("train", "train-linear", roles=roles, inputs={"table": rows["table"]}, params=params)
            return flow
        cut = flow.task("split", "split", roles={"holders": holders}, inputs={"table": rows["table"]})
        scaled = flow.task(
            "standardise",
            "standardise",
            roles={"holders": holders},
            inputs={"train": cut["train"], "test": cut["test"]},
        )
        model = flow.task(
            "train",
            "train-linear",
            roles={**crew, "label_holder": HOSPITAL},
            inputs={"table": scaled["train"]},
            params={"iterations": 2},
        )
        flow.task(
            "evaluate",
            "evaluate",
            roles={**crew, "label_holder": HOSPITAL, "receiver": HOSPITAL},
            inputs={"model": model["model"], "table": scaled["test"]},
            params={"show": "scores"},
        )
        return flow

    def contract(self, flow: Workflow) -> dict[str, Any]:
        """The contract, not proposed yet."""
        return flow.contract(self.nodes.identities).to_json()

    def propose(self, contract: Mapping[str, Any], *, sign: tuple[str, ...] = (LABORATORY, HELPER)) -> str:
        """Propose it at the hospital, and let these sign; waits until that is known."""
        identifier = self.nodes[HOSPITAL].contract_propose(dict(contract)).id
        for name in (LABORATORY, HELPER):
            self.until(lambda name=name: any(c.id == identifier for c in self.nodes[name].contract_list()))
        for name in sign:
            self.nodes[name].contract_sign(identifier)
        signed = {HOSPITAL, *sign}
        for name in PARTIES:
            self.until(lambda name=name: signed <= self.signed(name, identifier))
        return identifier

    def signed(self, party: str, contract: str) -> set[str]:
        """Who has signed, as far as a party knows."""
        view = self.nodes[party].contract_show(contract)
        return {item.party for item in view.signatures if item.state == "signed"}

    def agreed(self, files: Files) -> str:
        """A contract on these files, signed by all."""
        return self.propose(self.contract(self.flow(self.assets(files))))

    def start(self, contract: str) -> str:
        """Start a run, once the signatures are witnessed."""
        started: Any = together.wait_for(
            lambda: together._started(self.nodes[HOSPITAL], contract), "witnesses"
        )
        return str(started.id)

    def ends(self, job: str, *, timeout_s: float = 60.0) -> dict[str, JobView]:
        """How the job ended at every party."""
        for party in PARTIES:
            self.until(lambda party=party: self.job(party, job).state in JOB_OVER, timeout_s)
        return {party: self.job(party, job) for party in PARTIES}

    def job(self, party: str, job: str) -> JobView:
        """The job as a party sees it."""
        return self.nodes[party].job_show(job)

    def run(self, contract: str) -> dict[str, JobView]:
        """Start it and wait for its end."""
        return self.ends(self.start(contract))

    @staticmethod
    def until(look: Callable[[], Any], timeout_s: float = 30.0) -> None:
        """Wait; what is not known at a node yet is no fault."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if look():
                    return
            except UnseenError:
                pass
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.03)


def left_over(home: Path) -> list[str]:
    """Files under a node's home that are half of something."""
    return [
        str(path) for path in home.rglob("*") if path.suffix in {".tmp", ".part"} or ".attempts" in path.parts
    ]
