"""What a workflow takes as a table: files, and frames of whatever library speaks Arrow."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from unseen.client.workflow import Workflow


@dataclass(frozen=True)
class Frame:
    """A DataFrame, as pandas and Polars hand it over."""

    rows: pa.Table

    def __arrow_c_stream__(self, requested_schema: object = None, /) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


def test_a_data_frame_is_a_table_without_the_row_numbers_of_pandas() -> None:
    flow = Workflow("Frames", purpose="testing")
    chosen = pa.table({"id": ["a", "b"], "age": [40, 50], "y": [0, 1], "__index_level_0__": [7, 3]})
    flow.table("clients", holder="bank", source=Frame(chosen), id_columns=("id",), label_columns=("y",))
    table = flow.tables["clients"]
    assert table.names == ("id", "age", "y")
    assert table.features == ("age",)
