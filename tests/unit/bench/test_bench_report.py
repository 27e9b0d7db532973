"""Lines, tables and rivals of the benchmarks."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench import report as reporting
from bench.parties import play
from bench.report import Report, Sample
from bench.rivals import Rival, RivalMissingError, present

from unseen.party import Message, Party, Public

FIELDS = {
    *("bench", "case", "ours_s", "rival", "rival_s", "ratio", "bytes", "rival_bytes", "rounds"),
    *("peak_mib", "error", "trust", "backend"),
}


def measured(*seconds: float) -> reporting.Measure:
    times = iter(seconds)
    return lambda: Sample(next(times), bytes=2048, rounds=3, more={"MB_per_s": 5.0})


def test_a_case_is_a_line_with_medians_of_pairs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "TABLES", tmp_path / "benchmarks")
    with Report("area", "Title.\n\nText.", ["--repeats", "3"]) as report:
        report.case(
            "area/x/2^10", measured(1.0, 9.0, 2.0), rival=("other 1.0", measured(3.0, 9.0, 8.0)), trust="none"
        )
    told = json.loads(capsys.readouterr().out)
    assert set(told) >= FIELDS
    assert (told["ours_s"], told["rival_s"], told["ratio"]) == (2.0, 8.0, 3.0)
    assert (told["bytes"], told["rounds"], told["MB_per_s"], told["repeats"]) == (2048, 3, 5.0, 3)
    page = (tmp_path / "benchmarks" / "area.md").read_text(encoding="utf-8")
    assert page.startswith("# Title\n\nText.\n")
    assert "| `area/x/2^10` | 2 s | other 1.0 | 8 s | 3 | 2.05 kB |" in page


@pytest.mark.parametrize("arguments", [["--quick"], ["--only", "y"]])
def test_a_part_of_the_cases_writes_no_table(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "TABLES", tmp_path / "benchmarks")
    with Report("area", "Title", arguments) as report:
        assert report.wants("area/y", quick=True)
        assert not report.wants("area/x")
    assert not list(tmp_path.iterdir())


def test_without_rivals_none_is_run() -> None:
    report = Report("area", "Title", ["--no-rivals", "--quick"])
    found = report.case("area/x", measured(1.0), rival=("other", measured()), trust="none")
    assert (found.rival, found.ratio) == (None, None)


def test_a_rival_answers_line_by_line() -> None:
    echo = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    with Rival("echo", [sys.executable, "-c", echo]) as rival:
        assert rival.ask(a=1) == {"a": 1}
        assert rival.ask(b="2") == {"b": "2"}


def test_a_rival_that_cannot_be_had_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        assert present(lambda: Rival("nobody", ["/nowhere/nothing"]), stack) is None
    assert "without rival: nobody" in capsys.readouterr().err
    with Rival("mute", [sys.executable, "-c", ""]) as rival, pytest.raises(RivalMissingError):
        rival.ask(a=1)


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "BEGUN", tmp_path / "begun")
    monkeypatch.setattr(reporting, "TABLES", tmp_path)
    stopped = Report("area", "Title.", ["--resume", "--repeats", "1"])
    stopped.case("area/one", measured(1.0), trust="none")
    with Report("area", "Title.", ["--resume", "--repeats", "1"]) as report:
        assert report.case("area/one", measured(), trust="none").ours_s == 1.0
        report.case("area/two", measured(2.0), trust="none")
    table = (tmp_path / "area.md").read_text(encoding="utf-8")
    assert "area/one" in table
    assert "area/two" in table
    assert not (tmp_path / "begun" / "area.jsonl").exists()


class Ping(Message, frozen=True, tag="bench.ping/1"):
    """A number."""

    number: Public[int]


@pytest.mark.parametrize("wire", ["lan", "link"])
def test_parties_play_as_processes_over_either_wire(wire: str) -> None:
    def program(party: Party, own: int) -> int:
        told = party.exchange(Ping(own), Ping, peers=party.peers)
        return own + sum(message.number for message in told.values())

    played = play(program, ("a", "b", "c"), wire=wire, ready=ord)  # type: ignore[arg-type]
    assert {told.result for told in played.parties.values()} == {97 + 98 + 99}
    sample = played.sample()
    assert sample.seconds > 0
    assert sample.bytes
    assert sample.peak_mib
    assert sample.rounds == 1


def test_a_party_that_fails_fails_the_play() -> None:
    def program(party: Party) -> None:
        raise ValueError(f"{party.name} is out of sorts")

    with pytest.raises(RuntimeError, match="a is out of sorts"):
        play(program, ("a", "b"))
