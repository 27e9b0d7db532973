"""Two files of two organisations: whatever is in them, both sides get the rows that brute force finds."""

from __future__ import annotations

import random
import stat
import threading

import pyarrow as pa
import pyarrow.parquet
import pytest
from psi_sides import good, read_rows, sides, write_ids

from unseen.client import psi
from unseen.client.psi import load, output
from unseen.client.psi.session import Meeting
from unseen.core.cost import Cost
from unseen.core.errors import RemoteProtocolError, UnavailableError, UsageError, VerificationError
from unseen.data.identifiers import digests
from unseen.psi.protocols import dh

SIDES = ("listener", "caller")


def paths(folder):
    return {"input": folder / "a.csv", "key": "id", "output": folder / "ao.csv"}, {
        "input": folder / "b.csv",
        "key": "id",
        "output": folder / "bo.csv",
    }


def run(folder, left, right, **common):
    write_ids(folder / "a.csv", left, "x")
    write_ids(folder / "b.csv", right, "y")
    summaries = good(sides(folder, *paths(folder), **common))
    return summaries, read_rows(folder / "ao.csv"), read_rows(folder / "bo.csv")


WORDS = ["张三", "é", "ＡＢＣ", "a,b", 'say ""x""', "two words", "🙂", "x" * 3000, "0", "007"]  # noqa: RUF001


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([], []),
        ([], ["a"]),
        (["a"], ["a"]),
        (["a"], ["b"]),
        (["a", "b"], ["b", "a"]),
        (list(range(300)), list(range(299, 0, -7))),
        (list(range(37)), list(range(100, 1001))),
        (WORDS, WORDS[::-1][:7]),
        (
            [f"common-{i}" for i in range(5)] + [f"a{i}" for i in range(2000)],
            [f"common-{i}" for i in range(9)],
        ),
    ],
    ids=lambda values: str(len(values)),
)
@pytest.mark.parametrize("partitions", [1, 4])
def test_files_in_files_out(tmp_path, left, right, partitions):
    summaries, mine, theirs = run(tmp_path, left, right, partitions=partitions)
    common = {str(value).replace('""', '"') for value in left} & {str(v).replace('""', '"') for v in right}
    assert [row["id"] for row in mine] == [row["id"] for row in theirs]  # aligned
    assert sorted(row["id"] for row in mine) == sorted(common)
    written = [str(value).replace('""', '"') for value in left]
    assert all(written[int(row["x"][1:])] == row["id"] for row in mine)
    for summary in summaries:
        assert summary.matched == summary.written == len(common)
        assert summary.partitions == partitions
        assert summary.bytes_sent
        assert summary.agreement == summaries[0].agreement
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.csv", "b.csv", "ao.csv", "bo.csv", "listener.key", "listener.pub", "caller.key", "caller.pub",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_random_sets_through_the_disk(tmp_path, seed, monkeypatch):
    """Ids on disk, rows read twice, outputs dealt to files: as for sets larger than memory."""
    monkeypatch.setattr(psi.Options, "memory_bytes", property(lambda _self: 1 << 20))
    monkeypatch.setattr(dh, "estimate", lambda sizes, _mode, _network: Cost(1.0, 1, 1, 400 * max(sizes)))
    draw = random.Random(seed)
    left = draw.sample(range(50_000), 3000)
    right = draw.sample(range(50_000), 2500)
    summaries, mine, theirs = run(tmp_path, left, right, protocol="dh")
    assert [row["id"] for row in mine] == [row["id"] for row in theirs]
    assert {int(row["id"]) for row in mine} == set(left) & set(right)
    assert summaries[0].partitions > 1


def test_all_rows_with_a_flag(tmp_path):
    _, mine, theirs = run(tmp_path, ["a", "b", "c"], ["c", "x", "a"], rows="all")
    assert [(row["id"], row[output.FLAG]) for row in mine] == [("a", "true"), ("b", "false"), ("c", "true")]
    assert [(row["id"], row[output.FLAG]) for row in theirs] == [("c", "true"), ("x", "false"), ("a", "true")]


def test_the_order_of_the_file(tmp_path):
    _, mine, theirs = run(tmp_path, list("abcdefgh"), list("hgfedc"), order="input")
    assert [row["id"] for row in mine] == list("cdefgh")
    assert [row["id"] for row in theirs] == list("hgfedc")


@pytest.mark.parametrize("partitions", [1, 8])
def test_ids_that_come_more_than_once(tmp_path, partitions):
    left, right = ["a", "b", "a", "c", "d", "a", "c"], ["c", "a", "c", "e"]
    with pytest.raises(UsageError, match=r"2 ids come more than once in a.csv"):
        run(tmp_path, left, right, wait_s=1)
    _, mine, theirs = run(tmp_path, left, right, duplicates="first", partitions=partitions)
    assert {(row["id"], row["x"]) for row in mine} == {("a", "x0"), ("c", "x3")}
    assert {(row["id"], row["y"]) for row in theirs} == {("a", "y1"), ("c", "y0")}
    assert [row["id"] for row in mine] == [row["id"] for row in theirs]
    summaries, mine, theirs = run(tmp_path, left, right, duplicates="all", partitions=partitions)
    assert summaries[0].matched == 2
    assert summaries[0].written == 5
    assert {(row["id"], row["x"]) for row in mine} == {(left[at], f"x{at}") for at in (0, 2, 3, 5, 6)}
    numbers = {row["id"]: row[output.GROUP] for row in mine}
    assert {row["id"]: row[output.GROUP] for row in theirs} == numbers
    assert sorted(numbers.values()) == ["0", "1"]


def test_kinds_and_several_columns(tmp_path):
    (tmp_path / "a.csv").write_text("tel,name,x\n138 0013 8000,Ann,1\n+8613800138001,Bob,2\n")
    pa.parquet.write_table(
        pa.table({"phone": [8613800138000, 13800138001], "who": ["Ann", "Bea"]}), tmp_path / "b.parquet"
    )
    good(
        sides(
            tmp_path,
            {"input": tmp_path / "a.csv", "key": ["tel=phone:CN", "name"], "output": tmp_path / "ao.parquet"},
            {
                "input": tmp_path / "b.parquet",
                "key": ["phone=phone:CN", "who"],
                "output": tmp_path / "bo.parquet",
            },
        )
    )
    assert pa.parquet.read_table(tmp_path / "ao.parquet").to_pydict() == {
        "tel": ["138 0013 8000"],
        "name": ["Ann"],
        "x": ["1"],
    }
    assert pa.parquet.read_table(tmp_path / "bo.parquet").to_pydict() == {
        "phone": [8613800138000],
        "who": ["Ann"],
    }


def test_both_are_told_where_they_differ(tmp_path):
    write_ids(tmp_path / "a.csv", "ab")
    write_ids(tmp_path / "b.csv", "bc")
    left, right = paths(tmp_path)
    for mine, theirs, says in [
        ({"security": "malicious"}, {}, "security: the caller says semi-honest; the listener says malicious"),
        ({"key": "id=integer"}, {}, "key: the caller says text; the listener says integer"),
        ({"symmetric": True}, {}, "symmetric"),
        ({"output_to": "me"}, {"output_to": "me"}, "output-to"),
        ({"output_to": "me"}, {}, "caller has one but does not get the result"),
        ({"output": None}, {"output": None}, "neither side has one"),
    ]:
        if "key" in mine:
            write_ids(tmp_path / "a.csv", "12")
        outcomes = sides(tmp_path, {**left, **mine}, {**right, **theirs})
        for outcome in outcomes:
            assert isinstance(outcome, UsageError), outcome
            assert says in str(outcome)
        assert str(outcomes[0]) == str(outcomes[1])


def test_a_bound_instead_of_the_size(tmp_path):
    write_ids(tmp_path / "a.csv", "abc")
    write_ids(tmp_path / "b.csv", "bcd")
    left, right = paths(tmp_path)
    summaries = good(sides(tmp_path, {**left, "bound": 1000}, right))
    assert summaries[1].peer_ids == 1000
    assert summaries[1].matched == 2
    with pytest.raises(UsageError, match="--bound"):
        good(sides(tmp_path, {**left, "bound": 2, "wait_s": 1}, {**right, "wait_s": 1}))


def test_only_who_holds_the_key_is_the_other_side(tmp_path):
    write_ids(tmp_path / "a.csv", "abc")
    write_ids(tmp_path / "b.csv", "bcd")
    psi.make_keys(tmp_path / "stranger")
    left, right = paths(tmp_path)
    outcomes = sides(tmp_path, left, {**right, "my_key": tmp_path / "stranger.key"}, wait_s=3)
    assert isinstance(outcomes[1], RemoteProtocolError)
    assert "does not take us" in str(outcomes[1])
    assert isinstance(outcomes[0], RemoteProtocolError | VerificationError | UnavailableError)
    assert not (tmp_path / "ao.csv").exists()


def test_keys(tmp_path):
    private, public, fingerprint = psi.make_keys(tmp_path / "k")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert len(fingerprint.split()) == 8
    with pytest.raises(UsageError, match="already"):
        psi.make_keys(tmp_path / "k")
    private.chmod(0o644)
    options = {"listen": "127.0.0.1:1", "input": "x", "key": "id", "peer_key": public}
    with pytest.raises(UsageError, match="read by others"):
        psi.match(my_key=private, **options)
    public.chmod(0o600)
    with pytest.raises(UsageError, match="no private key"):
        psi.match(my_key=public, **options)
    with pytest.raises(UsageError, match="psi-keys"):
        psi.match(my_key=tmp_path / "none", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"memory_mib": 1}, {"partitions": 0}, {"partitions": 5000}, {"bound": -1}, {"bandwidth_mbit": 0},
        {"key": ()}, {"rows": "all"}, {"output_to": "me"}, {"output_to": "peer", "output": "x"},
    ],
)  # fmt: skip
def test_options_that_cannot_be(options):
    with pytest.raises(UsageError):
        psi.Options(**{"input": "a", "key": "id", **options})


def test_outputs_that_cannot_be(tmp_path):
    write_ids(tmp_path / "a.csv", "abc", output.FLAG)
    left = {"input": tmp_path / "a.csv", "key": "id"}
    for options, says in [
        ({"output": tmp_path / "a.csv"}, "the input itself"),
        ({"output": tmp_path / "no" / "x.csv"}, "no folder"),
        ({"output": tmp_path / "x.csv", "rows": "all"}, "of its own"),
        ({"key": "nope", "output": tmp_path / "x.csv"}, "no column 'nope'"),
        ({"work": tmp_path / "no", "output": tmp_path / "x.csv"}, "no folder"),
    ]:
        outcome = sides(tmp_path, {**left, **options, "wait_s": 1}, {**left, "wait_s": 1})[0]
        assert isinstance(outcome, UsageError)
        assert says in str(outcome), outcome


def test_a_set_that_crowds_one_partition_is_refused_before_it_is_sent(tmp_path, monkeypatch):
    def crowded(batch, *names, **options):
        ids = digests(batch, *names, **options).copy()
        ids[:, :2] = 0
        return ids

    monkeypatch.setattr(load, "digests", crowded)
    write_ids(tmp_path / "a.csv", range(400))
    write_ids(tmp_path / "b.csv", range(400))
    outcomes = sides(tmp_path, *paths(tmp_path), partitions=4)
    assert any("are the bound" in str(outcome) for outcome in outcomes)
    assert all(isinstance(outcome, UsageError) for outcome in outcomes)


def test_a_partition_that_is_run_again_is_run_again_by_both(tmp_path, monkeypatch):
    """Each side in turn goes away before it has on disk what the other has: their rows must be of one and the same try."""
    keep, stored = Meeting._keep, {(side, turn): threading.Event() for side in SIDES for turn in (1, 2)}
    turns = dict.fromkeys(SIDES, 0)

    def failing(self, standing, part, result):
        if part == 1:
            turns[self._me] += 1
            turn = turns[self._me]
            if (self._me, turn) in {("caller", 1), ("listener", 2)}:
                assert stored[self._peer, turn].wait(20)
                raise UnavailableError("cut", party=self._peer)
        keep(self, standing, part, result)
        if part == 1 and turn <= len(SIDES):
            stored[self._me, turn].set()

    monkeypatch.setattr(Meeting, "_keep", failing)
    left, right = range(600), range(300, 900)
    _, mine, theirs = run(tmp_path, left, right, partitions=4, protocol="vole")
    assert turns == {"listener": 3, "caller": 3}
    assert {int(row["id"]) for row in mine} == set(range(300, 600))
    assert [row["id"] for row in mine] == [row["id"] for row in theirs]


def test_csv_cannot_hold_everything(tmp_path):
    pa.parquet.write_table(pa.table({"id": ["a"], "x": [[1, 2]]}), tmp_path / "a.parquet")
    left = {"input": tmp_path / "a.parquet", "key": "id", "output": tmp_path / "o.csv"}
    outcome = sides(tmp_path, left, {"input": tmp_path / "a.parquet", "key": "id"}, wait_s=1)[0]
    assert isinstance(outcome, UsageError)
    assert ".parquet" in str(outcome)
    good(
        sides(
            tmp_path, {**left, "output": tmp_path / "o.arrow"}, {"input": tmp_path / "a.parquet", "key": "id"}
        )
    )
    assert pa.ipc.open_file(tmp_path / "o.arrow").read_all().to_pydict() == {"id": ["a"], "x": [[1, 2]]}


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "vole"},
        {"protocol": "vole", "security": "malicious"},
        {"protocol": "vole", "symmetric": True},
        {"protocol": "dh"},
        {"protocol": "oprf"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_protocol_and_mode(tmp_path, options):
    summaries, mine, theirs = run(tmp_path, range(0, 500, 2), range(0, 500, 3), partitions=2, **options)
    assert [row["id"] for row in mine] == [row["id"] for row in theirs]
    assert {int(row["id"]) for row in mine} == set(range(0, 500, 6))
    assert summaries[0].protocol == options["protocol"]
    assert summaries[0].security == options.get("security", "semi-honest")


def test_only_one_side_learns(tmp_path):
    write_ids(tmp_path / "a.csv", "abc")
    write_ids(tmp_path / "b.csv", "bcd")
    left, right = paths(tmp_path)
    listener, caller = good(sides(tmp_path, left, {**right, "output": None}, protocol="vole"))
    assert (listener.matched, listener.written) == (2, 2)
    assert (caller.matched, caller.written, caller.output) == (None, None, None)
    assert caller.learned["caller"].startswith("that the other has 3 ids")
    assert not (tmp_path / "bo.csv").exists()
