"""`unseen psi` as two processes: killed in the middle, gone on with, with another file, without space on the disk."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from unseen.cli.main import run

PARTS = 8


@pytest.fixture
def world(tmp_path):
    for name in ("a", "b"):
        assert run(["psi-keys", str(tmp_path / name), "--json"]) == 0
    (tmp_path / "a.csv").write_text("id,x\n" + "".join(f"{i},a{i}\n" for i in range(0, 12_000, 2)))
    (tmp_path / "b.csv").write_text("id,y\n" + "".join(f"{i},b{i}\n" for i in range(0, 12_000, 3)))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    def start(side, *more, wait="60", parts=PARTS):
        me, peer = (side, "b" if side == "a" else "a")
        way = ("--listen" if side == "a" else "--connect", f"127.0.0.1:{port}")
        return subprocess.Popen(
            [
                sys.executable, "-m", "unseen.cli.main", "psi", *way, "--input", tmp_path / f"{me}.csv", "--key", "id",
                "--output", tmp_path / f"{me}o.csv", "--my-key", tmp_path / f"{me}.key",
                "--peer-key", tmp_path / f"{peer}.pub", "--partitions", str(parts), "--wait", wait, "--json", *more,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    return tmp_path, start


def finish(process):
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    return json.loads(out)


def expected(side):
    return sorted(f"{i},{side}{i}" for i in range(0, 12_000, 6))


def lines(path):
    return path.read_text().splitlines()[1:]


def kill_after(folder, process, done):
    """SIGKILL as soon as so many partitions are finished; whether it was still running."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        journals = list(folder.glob(".unseen-psi-*/journal.json"))
        if (
            any(json.loads(path.read_text())["done"] >= done for path in journals)
            or process.poll() is not None
        ):
            break
        time.sleep(0.002)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def test_one_side_is_killed_and_started_again(world):
    folder, start = world
    listener, caller = start("a"), start("b")
    assert kill_after(folder, caller, 2)
    summary = finish(start("b"))
    assert 1 <= summary["resumed_at"] <= PARTS
    assert finish(listener)["matched"] == 2000
    assert sorted(lines(folder / "ao.csv")) == expected("a")
    assert sorted(lines(folder / "bo.csv")) == expected("b")
    assert [row.split(",")[0] for row in lines(folder / "ao.csv")] == [
        row.split(",")[0] for row in lines(folder / "bo.csv")
    ]
    assert not list(folder.glob(".unseen-psi-*"))
    assert not list(folder.glob(".*.tmp"))


def test_both_are_killed_and_one_brings_another_file(world):
    folder, start = world
    listener, caller = start("a"), start("b")
    assert kill_after(folder, caller, 2)
    listener.kill()
    listener.communicate()
    kept = (folder / "b.csv").read_text()
    (folder / "b.csv").write_text(kept.replace("\n3,", "\n5,"))
    changed = start("b")
    assert changed.wait(60) == 2
    assert "has changed since the interrupted run" in changed.communicate()[1]
    # a side that has forgotten the run (or says so) does not get a second one from a side that has not
    listener, caller = start("a"), start("b", "--fresh")
    assert caller.wait(60) == 2
    assert listener.wait(60) == 2
    assert "--fresh at both sides" in caller.communicate()[1]
    assert "--fresh at both sides" in listener.communicate()[1]
    listener, caller = start("a", "--fresh"), start("b", "--fresh")
    assert finish(caller)["resumed_at"] == 0
    finish(listener)
    found = [row.split(",")[0] for row in lines(folder / "ao.csv")]
    assert sorted(found, key=int) == [str(i) for i in range(0, 12_000, 6)]


def test_a_full_disk_is_said_and_leaves_what_was_there(world):
    folder, start = world
    (folder / "ao.csv").write_text("before")
    limited = (  # the library is loaded first: it unpacks itself into a file
        "import resource, sys; from unseen.crypto import sodium; sodium.load();"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from unseen.cli.main import main; main(sys.argv[1:])"
    )
    listener = start("a")
    listener.kill()
    arguments = [sys.executable, "-c", limited, *listener.args[3:]]
    listener = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    caller = start("b", wait="8")
    _, err = listener.communicate(timeout=90)
    assert listener.returncode == 6, err
    assert "cannot be written" in err
    assert (folder / "ao.csv").read_text() == "before"
    assert not list(folder.glob(".ao*.tmp"))
    # with space again, the run goes on where it was: nothing is computed twice
    listener = start("a")
    assert finish(listener)["resumed_at"] == PARTS
    caller.communicate(timeout=60)
    assert sorted(lines(folder / "ao.csv")) == expected("a")


def test_as_people_call_it(world, capsys):
    folder, start = world
    listener, caller = start("a", parts=1), start("b", parts=1)
    told = finish(listener)
    finish(caller)
    assert told["seconds"].keys() == {"read", "meet", "agree", "intersect", "write"}
    assert told["trust"]
    assert told["learned"].keys() == {"listener", "caller"}
    assert told["peak_memory_bytes"] > 1 << 20
    assert run(["psi", "--input", str(folder / "a.csv"), "--key", "nope", "--my-key", str(folder / "a.key"),
                "--peer-key", str(folder / "b.pub"), "--listen", "127.0.0.1:0"]) == 2  # fmt: skip
    assert "no column 'nope'" in capsys.readouterr().err
