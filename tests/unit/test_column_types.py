"""What the first rows of a file say of its columns' types."""

from __future__ import annotations

import io

import pytest

from chalicelib.reading import column_types
from chalicelib.reading.rows import SAMPLE_BYTES, SAMPLE_ROWS, RowWriter, joined


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], ""),
        (["5", "-3", " +12 "], "bigint"),
        (["5", "4.5", "1e-3", ".5", "1."], "double"),
        (["True", "false"], "boolean"),
        (["5", "five"], "string"),
        (["1"] * 9 + ["one"], "bigint"),
        (["1"] * 8 + ["one", "two"], "string"),
        (["2026-01-31"], "string"),
        (["9" * 20], "double"),
    ],
)
def test_the_narrowest_type_that_most_values_have(values: list[str], kind: str) -> None:
    assert column_types.of_values([each.encode() for each in values]) == kind


def test_empty_values_and_faulty_rows_tell_nothing() -> None:
    rows = [joined([b"1", b""]), joined([b"2", b" "]), joined([b"x", b"y"], "the row is short")]
    assert column_types.of_rows(["id", "note"], rows) == {"id": "bigint"}
    assert column_types.of_rows(["id"], []) == {}


@pytest.mark.parametrize(
    ("files", "merged"),
    [
        ([{"a": "bigint"}, {"b": "string"}], {"a": "bigint", "b": "string"}),
        ([{"a": "bigint"}, {"a": "double"}], {"a": "double"}),
        ([{"a": "int"}, {"a": "decimal(10,2)"}], {"a": "decimal"}),
        ([{"a": "bigint"}, {"a": "string"}], {"a": "string"}),
        ([{"a": "boolean"}, {"a": "bigint"}], {"a": "string"}),
    ],
)
def test_files_together_have_the_type_that_holds_both(
    files: list[dict[str, str]], merged: dict[str, str]
) -> None:
    assert column_types.merged(files) == merged


def test_the_first_rows_are_looked_at_and_no_more_than_memory_bears() -> None:
    writer = RowWriter(io.BytesIO())
    writer.header(["a"])
    for _ in range(3):
        writer.block([joined([b"1"])] * (SAMPLE_ROWS // 2))
    assert (len(writer.sample), writer.rows) == (SAMPLE_ROWS, SAMPLE_ROWS // 2 * 3)
    large = RowWriter(io.BytesIO())
    large.header(["a"])
    large.block([joined([b"x" * SAMPLE_BYTES])] * 3)
    assert len(large.sample) == 1
