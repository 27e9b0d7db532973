"""The demonstration's data: cut as promised, and clear about bad folders."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from unseen.core.errors import UsageError
from unseen.scenes.partition import breast_cancer, from_folder


def test_breast_cancer_is_cut_by_column_shuffled_and_partly_overlapping():
    hospital, laboratory = breast_cancer()
    assert (len(hospital.features), len(laboratory.features)) == (10, 20)
    assert hospital.label == "diagnosis"
    assert laboratory.label is None
    assert "diagnosis" not in laboratory.table.column_names
    ids_h = hospital.table["patient"].to_pylist()
    ids_l = laboratory.table["patient"].to_pylist()
    assert len(set(ids_h)) == len(ids_h) == 512
    common = set(ids_h) & set(ids_l)
    assert 400 < len(common) < 512
    assert ids_h != sorted(ids_h)
    assert [value for value in ids_h if value in common] != [value for value in ids_l if value in common]


def test_breast_cancer_is_the_same_every_time():
    first, second = breast_cancer()[0], breast_cancer()[0]
    assert first.table.equals(second.table)


def write(folder, name, columns):
    table = pa.table(columns)
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(table, folder / name)
    else:
        pyarrow.csv.write_csv(table, folder / name)


def test_own_files_are_found_by_label_and_key(tmp_path):
    write(tmp_path, "Telecom Co.parquet", {"ID": [1, 2], "x0": [0.1, 0.2]})
    write(tmp_path, "bank.csv", {"id": [2, 3], "y": [0, 1], "x0": [1.0, 2.0]})
    with pytest.raises(UsageError, match="no key column in common"):
        from_folder(tmp_path)
    write(tmp_path, "Telecom Co.parquet", {"id": [1, 2], "x0": [0.1, 0.2]})
    first, second = from_folder(tmp_path)
    assert (first.party, first.label, first.key) == ("bank", "y", "id")
    assert (second.party, second.label) == ("telecom-co", None)
    assert second.features == ("x0",)
    assert np.allclose(second.table["x0"].to_numpy(), [0.1, 0.2])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "0 tables"),
        ({"a.csv": {"id": [1], "y": [1]}}, "1 tables"),
        ({"a.csv": {"id": [1], "y": [1]}, "b.csv": {"id": [1], "y": [1]}}, "label column is in 2"),
        ({"a.csv": {"id": [1], "u": [1]}, "b.csv": {"id": [1], "v": [1]}}, "label column is in 0"),
        ({"a.csv": {"id": [1], "y": [1]}, "b.csv": {"other": [1]}}, "no key column"),
    ],
)
def test_bad_folders_are_refused_in_words(tmp_path, files, message):
    for name, columns in files.items():
        write(tmp_path, name, columns)
    with pytest.raises(UsageError, match=message) as caught:
        from_folder(tmp_path)
    assert caught.value.mend


def test_a_damaged_parquet_file_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"not parquet")
    write(tmp_path, "b.csv", {"id": [1], "y": [1]})
    with pytest.raises(UsageError, match=r"a\.parquet cannot be read"):
        from_folder(tmp_path)
