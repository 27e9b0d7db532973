"""Files as they stand there: nothing is inferred, nothing lost, and what is broken is said with its place."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet
import pytest

from unseen.core.errors import UsageError
from unseen.data.stream import open_source


def content(path, **options):
    source = open_source(path, **options)
    return pa.Table.from_batches(source.batches()).to_pydict()


def put(folder, data, name="f.csv"):
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"id,x\n007,1.50\n,2\n", {"id": ["007", ""], "x": ["1.50", "2"]}),
        (b'id,x\n"a\nb",1\nc,"2\n3"\n', {"id": ["a\nb", "c"], "x": ["1", "2\n3"]}),
        (b'id,x\n"a,b","say ""x"""\n', {"id": ["a,b"], "x": ['say "x"']}),
        (b"\xef\xbb\xbfid,x\na,1\n", {"id": ["a"], "x": ["1"]}),
        (b"id,x\r\na,1\r\n", {"id": ["a"], "x": ["1"]}),
        (b"id,x\n", {"id": [], "x": []}),
        (b"id,x", {"id": [], "x": []}),
        ("id,x\n张三,é\n".encode(), {"id": ["张三"], "x": ["é"]}),
        (b"id\na\nb", {"id": ["a", "b"]}),
    ],
)
def test_csv_comes_out_as_it_is(tmp_path, data, expected):
    assert content(put(tmp_path, data), columns=["id"]) == expected
    assert content(put(tmp_path, gzip.compress(data), "f.dat"), columns=["id"]) == expected


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\nid,x\na,1\n", "names of its columns"),
        ("id,x\na,1\n".encode("utf-16"), "UTF-16"),
        ("id,x\ncafé,1\n".encode("latin-1"), r"line 2 is not UTF-8 \(byte 0xe9\); it reads as CP1252"),
        ("id,x\n张三,1\n".encode() + "李,2\n".encode("gbk"), r"line 3 .*GB18030"),
        (b"id,x\na\x00b,1\n", "NUL character in column 'id'"),
        (b"id,x\nb,\x00\n", "NUL character in column 'x'"),
        (b'id\na\n"b\nc\nd\n', "within quotation marks"),
        (b'id,x\na,1\nb,"2\nc,3\n', "within quotation marks"),
        (gzip.compress(b'id\na\n"b\nc\nd\n', mtime=0), "within quotation marks"),
        (gzip.compress(b"id,x\n" + b"abc,1\n" * 9999, mtime=0)[:40], "Truncated"),
        (b"id,x\na,1\nb\n", "Expected 2 columns, got 1"),
        (b"id;x\na;1\n", "--delimiter semicolon"),
        (b"a,b\n1,2\n", "no column 'id'"),
        (b"id,id\n1,2\n", "two columns 'id'"),
        (b"PAR1 is no Parquet", "cannot be read"),
        (b"ARROW1 is no Arrow", "cannot be read"),
    ],
)
def test_broken_files_say_what_and_where(tmp_path, data, says):
    with pytest.raises(UsageError) as caught:
        content(put(tmp_path, data), columns=["id"])
    assert caught.match(says)
    assert len(str(caught.value)) < 1000


def test_a_value_longer_than_a_block_is_refused(tmp_path):
    with pytest.raises(UsageError, match="more than 8 MiB") as caught:
        content(put(tmp_path, b"id,x\n" + b"a" * (20 << 20) + b",1\n"), columns=["id"])
    assert len(str(caught.value)) < 1000


def test_other_delimiters_are_asked_for(tmp_path):
    path = put(tmp_path, b"id;x\na;1\n")
    assert content(path, columns=["id"], delimiter=";") == {"id": ["a"], "x": ["1"]}
    with pytest.raises(UsageError, match="no delimiter"):
        open_source(path, delimiter="x")


def test_parquet_and_arrow_are_known_by_their_content(tmp_path):
    table = pa.table({"id": ["007", "b"], "x": [1, 2]})
    pa.parquet.write_table(table, tmp_path / "one.dat")
    with pa.ipc.new_file(tmp_path / "two.dat", table.schema) as writer:
        writer.write_table(table)
    with (
        pa.OSFile(str(tmp_path / "three.dat"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    for name in ("one", "two", "three"):
        assert content(tmp_path / f"{name}.dat", columns=["id"]) == table.to_pydict()


def test_a_file_is_read_as_often_as_wanted(tmp_path):
    source = open_source(put(tmp_path, b"id\na\n"))
    assert [list(source.batches()) for _ in range(2)][1][0].num_rows == 1
    with pytest.raises(UsageError, match="no file"):
        open_source(tmp_path / "nowhere.csv")
