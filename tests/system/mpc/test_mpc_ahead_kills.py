"""Killed while a block of a stock is taken: whatever the point, no block is ever used twice."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen import mpc
from unseen.crypto.derive import derive
from unseen.mpc import ahead
from unseen.mpc import stock as stored
from unseen.party import Disclosure, Door, Party
from unseen.testing.simulate import Run, run, simulate

TOLD = Disclosure("result", "the result of a test", ("a",), Door.REVEAL, times=20)
X = np.arange(12.0)
PAIR = ("a", "b")
POINTS = ["before it is burnt", "burnt", "before the others have told", "agreed", "in the middle of the run"]


def program(engine: mpc.Engine, me: str) -> Any:
    x = engine.share(X if me == "a" else None, owner="a", shape=X.shape)
    return engine.reveal("result", x * x, to=("a",))


def key(name: str) -> bytes:
    return name.encode() * 32


def deal(folder: Path, *, helper: bool = True) -> None:
    def body(party: Party) -> None:
        if not helper:
            place = folder / party.name
            ahead.make(party, place, key(party.name), holders=PAIR, runs=6, transfers=2000, products=20)
            return
        mine = (folder / party.name, key(party.name)) if party.name in PAIR else (None, None)
        ahead.deal(party, lambda engine: program(engine, ""), *mine, holders=PAIR, helper="helper", runs=6)

    run(body, (*PAIR, "helper") if helper else PAIR)


def online(folder: Path, timeout_s: float = 10.0, *, helper: bool = True) -> Run[Any]:
    def body(party: Party) -> Any:
        with stored.Stock(folder / party.name, key(party.name)) as stock:
            options = {"helper": "helper"} if helper else {"protocol": "pair2"}
            engine = mpc.Engine(party, holders=PAIR, stock=stock, **options)  # type: ignore[arg-type]
            return program(engine, party.name)

    return simulate(body, PAIR, disclosures=[TOLD], timeout_s=timeout_s)


def logging(monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
    """Write down the seed of every block that is opened, at once."""
    honest = stored.Block.__init__

    def noted(block: stored.Block, folder: Path, state: Any, number: int, root: bytes, lines: Any) -> None:
        with log.open("a") as file:
            file.write(f"{state.party} {derive(root, 'stock-seed').hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        honest(block, folder, state, number, root, lines)

    monkeypatch.setattr(stored.Block, "__init__", noted)


def die_at(here: str, point: str, party: str) -> None:
    """Party a kills the process that both run in, threads and all."""
    if here == point and party == "a":
        os.kill(os.getpid(), signal.SIGKILL)


def killing(point: str) -> None:
    """In the process that is to die."""
    burn, told, note = stored.Stock._burn, stored.Stock._told, stored.Block.note
    record = stored.Block.record

    def burning(stock: stored.Stock, block: int) -> stored.Block:
        die_at("before it is burnt", point, stock._state.party)
        opened = burn(stock, block)
        die_at("burnt", point, stock._state.party)
        return opened

    def telling(stock: stored.Stock, party: Party, peers: list[str], block: int) -> Any:
        if block == stock._state.next:
            return told(stock, party, peers, block)
        if point == "before the others have told":
            party.send(peers[0], stored.Taken(stock._state.stock, block))
        die_at("before the others have told", point, party.name)
        answers = told(stock, party, peers, block)
        die_at("agreed", point, party.name)
        return answers

    def noting(block: stored.Block, kind: str, *rest: Any) -> None:
        if kind.startswith("bits of b"):
            die_at("in the middle of the run", point, block._state.party)
        note(block, kind, *rest)

    def recording(block: stored.Block, place: int) -> bytes:
        die_at("in the middle of the run", point, block._state.party)
        return record(block, place)

    stored.Block.record = recording  # type: ignore[method-assign]
    stored.Stock._burn, stored.Stock._told, stored.Block.note = burning, telling, noting  # type: ignore[method-assign]


def killed(folder: Path, point: str, *, helper: bool = True) -> None:
    def body() -> None:
        killing(point)
        online(folder, helper=helper)

    process = multiprocessing.get_context("fork").Process(target=body)
    process.start()
    process.join(100)
    assert process.exitcode == -signal.SIGKILL


def seeds(log: Path) -> list[str]:
    return log.read_text().splitlines()


@pytest.mark.parametrize(
    ("point", "helper"),
    [
        *((point, True) for point in POINTS),
        *(pytest.param(point, False, marks=pytest.mark.long) for point in POINTS[:-1]),
        (POINTS[-1], False),
    ],
)
def test_the_resumed_run_takes_another_block(
    tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch, *, helper: bool
) -> None:
    deal(tmp_path, helper=helper)
    log = tmp_path / "log"
    logging(monkeypatch, log)
    killed(tmp_path, point, helper=helper)
    killed(tmp_path, point, helper=helper)
    resumed = online(tmp_path, helper=helper)
    assert not resumed.errors
    np.testing.assert_allclose(resumed.results["a"], X * X, atol=1e-5)
    used = seeds(log)
    assert len(used) >= (2 if point == "before it is burnt" else 4)
    assert len(set(used)) == len(used)
    left = {stored.Stock(tmp_path / name, key(name)).meter.runs_left for name in PAIR}
    assert len(left) == 1


def test_a_stock_that_is_not_burnt_on_disk_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal(tmp_path)
    log = tmp_path / "log"
    logging(monkeypatch, log)
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731 - the mutant
    monkeypatch.setattr(stored, "write_state", nothing)
    monkeypatch.setattr(Path, "unlink", nothing)
    killed(tmp_path, "in the middle of the run")
    online(tmp_path)
    assert len(set(seeds(log))) < len(seeds(log))


@pytest.mark.parametrize("agree", [True, False])
def test_a_restored_copy_opens_no_block_again_because_the_holders_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, agree: bool
) -> None:
    """Without the agreement, the mutant, the restored holder takes its first block once more."""
    deal(tmp_path)
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    log = tmp_path / "log"
    logging(monkeypatch, log)
    if not agree:
        monkeypatch.setattr(
            stored.Stock, "_told", lambda _stock, _party, peers, block: dict.fromkeys(peers, block)
        )
    online(tmp_path)
    shutil.rmtree(tmp_path / "a")
    shutil.move(tmp_path / "copy", tmp_path / "a")
    online(tmp_path, timeout_s=10.0 if agree else 0.5)  # the mutants wait for one another in vain
    assert len(seeds(log)) == 4
    assert (len(set(seeds(log))) == 4) is agree
