"""The quickstart by its own commands: three real nodes, from invitation to audit, and what a liar's bundle is worth."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from unseen.cli.main import run
from unseen.client.loopback import Loopback

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
FLOW = re.search(r"```toml\n(title.*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]
PARTIES = ("hospital", "laboratory", "helper")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(1)
    values = rng.normal(size=(240, 4))
    labels = (values @ [1.5, -1, 1, 0.5] + rng.normal(size=240) > 0).astype(int)
    ids = [f"p{number}" for number in range(240)]
    _write(folder / "diagnoses.csv", "patient,diagnosis,age,weight", ids[:200], labels, values[:, :2])
    _write(folder / "measurements.csv", "patient,pressure,pulse", ids[40:], values[40:, 2:])
    (folder / "flow.toml").write_text(FLOW)
    with Loopback(PARTIES, folder / "homes") as nodes:
        yield nodes, folder


def _write(path, head, ids, *columns):
    rows = [
        ",".join([name, *(str(item) for column in columns for item in np.atleast_1d(column[index]))])
        for index, name in enumerate(ids)
    ]
    path.write_text("\n".join([head, *rows]) + "\n")


@pytest.fixture
def command(world, capsys):
    nodes, _ = world

    def call(party, line, *, code=0):
        given = [*line.split(), "--json", "--home", str(nodes.home(party))]
        got = run(given)
        printed = capsys.readouterr()
        assert got == code, printed.err
        return printed.out if "watch" in line else json.loads(printed.out or printed.err)

    return call


def test_from_assets_to_audit(world, command, capsys):
    _nodes, folder = world
    about = (
        "--id patient --step psi,split,standardise,train-linear,evaluate --step predict --purpose screening"
    )
    command("hospital", f"asset add diagnoses {folder}/diagnoses.csv --label diagnosis {about}")
    command("laboratory", f"asset add measurements {folder}/measurements.csv {about}")
    command("laboratory", "asset offer measurements --to hospital")
    _until(lambda: len(command("hospital", "asset list")) == 2)

    command("hospital", f"contract draft {folder}/flow.toml --out {folder}/contract.json")
    contract = command("hospital", f"contract propose {folder}/contract.json")["id"]
    for party in ("laboratory", "helper"):
        _until(lambda party=party: command(party, "contract list"))
        assert "brings" in command(party, f"contract show {contract}")["summary"]
        assert "参与方" in command(party, f"contract show {contract[:16]} --lang zh")["summary"]
        command(party, f"contract sign {contract[:16]}", code=2)  # nobody can be asked
        command(party, f"contract sign {contract[:16]} --yes")
    _until(lambda: command("hospital", f"contract show {contract}")["state"] == "signed")

    lines = [json.loads(line) for line in command("hospital", f"job start {contract} --watch").splitlines()]
    job = lines[-1]
    assert job["state"] == "finished"
    told = {(e["progress"]["party"], e["progress"]["task"]) for e in lines[:-1] if e.get("progress")}
    assert {party for party, _ in told} == set(PARTIES)

    metrics = _metrics(command("hospital", f"job result {job['id']}"))
    assert metrics["auc"] > 0.7
    exported = command("hospital", f"export result {job['id']} {folder}/result")
    assert all((folder / "result" / name).is_file() for name in exported["files"])

    bundle = folder / "evidence.bundle"

    def whole():
        bundle.unlink(missing_ok=True)
        command("hospital", f"export evidence {contract} {bundle}")
        return run(["audit", str(bundle)]) == 0

    _until(whole)
    capsys.readouterr()
    assert run(["audit", str(bundle), "--html", str(folder / "audit.html"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["contract"]) == ("holds", contract)
    assert {line["mark"] for line in report["lines"]} == {"proved", "stated", "not covered"}
    assert "<html" in (folder / "audit.html").read_text()
    _attack(bundle)
    capsys.readouterr()

    command("hospital", f"job start {contract[:9]}nonsense", code=2)
    command("hospital", f"node backup {folder}/backup.tgz")
    assert (folder / "backup.tgz").stat().st_mode & 0o077 == 0
    command("hospital", f"node restore {folder}/backup.tgz", code=2)  # over a home that is there
    assert run(["node", "restore", f"{folder}/backup.tgz", "--home", f"{folder}/again"]) == 0
    assert run(["node", "token", "list", "--home", f"{folder}/again"]) == 0
    assert run(["job", "list", "--home", f"{folder}/again"]) == 6


def _metrics(result):
    return next(a["meta"] for a in result["artefacts"] if "auc" in a["meta"])


def _attack(bundle):
    """Whatever bit is flipped, the bundle never passes for another one that holds."""
    content = bundle.read_bytes()
    rng = np.random.default_rng(5)
    for place in rng.integers(0, len(content), 12):
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        bundle.write_bytes(changed)
        assert run(["audit", str(bundle)]) in {5, 7}, f"bit {place} of {len(content)}"
    bundle.write_bytes(content[: len(content) // 2])
    assert run(["audit", str(bundle)]) == 5
    bundle.write_bytes(b"")
    assert run(["audit", str(bundle)]) == 5


def _until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
