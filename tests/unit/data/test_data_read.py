"""Files become tables; ids stay as they are written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from unseen.core.errors import UsageError
from unseen.data.identifiers import identifiers
from unseen.data.read import read


def test_ids_of_a_csv_file_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("client,income\n007,1\n7,2\n07,3\n")
    table = read(path, id_columns=("client",))
    assert table.data["client"].to_pylist() == ["007", "7", "07"]
    assert [(column.name, column.type) for column in table.schema] == [
        ("client", "text"),
        ("income", "integer"),
    ]


def test_a_number_in_parquet_and_its_digits_in_csv_are_one_id(tmp_path: Path) -> None:
    written, typed = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    written.write_text("client,income\n7,1\n-12,2\n")
    pyarrow.parquet.write_table(pa.table({"client": [7, -12]}), typed)
    one, other = (identifiers(read(path, id_columns=("client",))) for path in (written, typed))
    assert (one == other).all()


def test_a_csv_row_without_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("client,income\n1,1\n,2\n")
    with pytest.raises(UsageError, match="have no 'client'"):
        read(path, id_columns=("client",))


def test_whole_numbers_that_were_saved_as_fractions_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("client,income\n7.0,1\n8.0,2\n")
    assert read(path, id_columns=("client",)).data["client"].to_pylist() == [7.0, 8.0]


def test_an_empty_text_of_a_csv_file_is_a_missing_value(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('client,town,note\na,Graz,NA\nb,,""\nc,Wien,x\n')
    table = read(path, id_columns=("client",), label_columns=("town",))
    assert table.data["town"].to_pylist() == ["Graz", None, "Wien"]
    assert table.data["note"].to_pylist() == ["NA", None, "x"]
    with pytest.raises(UsageError, match="1 missing value"):
        table.label("town")


def test_categories_of_a_data_frame_saved_as_parquet_are_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    town = pa.array(["Graz", None, "Wien"]).dictionary_encode()
    views = pa.array(["a", "b", "c"], pa.string_view())
    pyarrow.parquet.write_table(pa.table({"client": views, "town": town}), path)
    table = read(path, id_columns=("client",))
    assert [column.type for column in table.schema] == ["text", "text"]
    assert table.data["town"].to_pylist() == ["Graz", None, "Wien"]
    assert len(identifiers(table)) == 3
