"""Glue's CSV classifier and what comes before it: delimiter, header, quotes, compression.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-builtin-rules-csv
"""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import pytest

from localcloud.glue import classify, delimited


@pytest.mark.parametrize(
    ("line", "values", "quoted"),
    [
        ("a,b", ["a", "b"], False),
        ('"a, b",c', ["a, b", "c"], True),
        ('"say ""hi""",c', ['say "hi"', "c"], True),
        ('a,"b"', ["a", "b"], True),
        ('"a",', ["a", ""], True),
        ('12" of snow,c', ['12" of snow', "c"], False),
        ('"broken,c', ['"broken', "c"], False),
        ('"a" b,c', ['"a" b', "c"], False),
        ("a,,c", ["a", "", "c"], False),
    ],
)
def test_a_line_in_values(line: str, values: list[str], quoted: bool) -> None:
    assert delimited.split(line, ",") == (values, quoted)


@pytest.mark.parametrize(
    ("lines", "delimiter", "columns"),
    [
        (["id,n", "1,2"], ",", {"id": "bigint", "n": "bigint"}),
        (["id|n", "1|2"], "|", {"id": "bigint", "n": "bigint"}),
        (["id;n", "1;2"], ";", {"id": "bigint", "n": "bigint"}),
        (["id\x01n", "1\x012"], "\x01", {"id": "bigint", "n": "bigint"}),
        (["id\tsaid", "1\ta, b, c", "2\td, e, f"], "\t", {"id": "bigint", "said": "string"}),
        # Text only: the first row is not different enough from the rows below.
        (["a,b", "c,d"], ",", {"col0": "string", "col1": "string"}),
        # A number in the first row: no header.
        (["a,1", "b,2"], ",", {"col0": "string", "col1": "bigint"}),
        # Two columns cannot have one name, so this is no header.
        (["a,a", "1,2"], ",", {"col0": "string", "col1": "string"}),
        # The last column may be empty throughout: a trailing delimiter.
        (["a,b,", "1,2,", "3,4,"], ",", {"a": "bigint", "b": "bigint", "col2": "string"}),
        # A name has fewer than 150 characters.
        (["x" * 150 + ",b", "1,2"], ",", {"col0": "string", "col1": "string"}),
        # A row that is too short does not stand in the way.
        (["a,b,c", "1,2,3", "4,5", "6,7,8"], ",", {"a": "bigint", "b": "bigint", "c": "bigint"}),
        ([" Id ,N", "1,2"], ",", {"id": "bigint", "n": "bigint"}),
    ],
)
def test_delimiter_header_and_types(
    lines: list[str], delimiter: str, columns: dict[str, str]
) -> None:
    found = delimited.classify(lines)
    assert found is not None
    assert found.delimiter == delimiter
    assert {column.name: column.type for column in found.columns} == columns
    assert found.header == (not next(iter(columns)).startswith("col0"))


@pytest.mark.parametrize(
    "lines",
    [[], ["a,b"], ["a", "b"], ["prose, with a comma", "and", "lines", "without", "one"]],
    ids=["nothing", "one row", "one column", "prose"],
)
def test_what_is_not_delimited(lines: list[str]) -> None:
    assert delimited.classify(lines) is None


@pytest.mark.parametrize(
    ("custom", "lines", "columns"),
    [
        ({"AllowSingleColumn": True, "Delimiter": ","}, ["1", "2"], {"col0": "bigint"}),
        ({"ContainsHeader": "PRESENT"}, ["a,b", "c,d"], {"a": "string", "b": "string"}),
        ({"ContainsHeader": "ABSENT"}, ["a,b", "1,2"], {"col0": "string", "col1": "string"}),
        ({"ContainsHeader": "ABSENT", "Header": ["p"]}, ["1,2"], {"p": "bigint", "col1": "bigint"}),
        (
            {"ContainsHeader": "ABSENT", "Header": ["p", "p"]},
            ["1,2"],
            {"p": "bigint", "p_2": "bigint"},
        ),
        ({"Delimiter": "~"}, ["a~b", "1~2"], {"a": "bigint", "b": "bigint"}),
        (
            {"CustomDatatypeConfigured": True, "CustomDatatypes": ["INT"]},
            ["a,b", "1,2.5"],
            {"a": "int", "b": "string"},
        ),
    ],
)  # fmt: skip
def test_a_custom_classifier(
    custom: dict[str, Any], lines: list[str], columns: dict[str, str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html"""
    found = delimited.classify(lines, custom)
    assert found is not None
    assert {column.name: column.type for column in found.columns} == columns


CSV = b"id,n\n1,2\n3,4\n"


@pytest.mark.parametrize(
    ("body", "kind", "compression"),
    [
        (CSV, "csv", "none"),
        (b"\xef\xbb\xbf" + CSV, "csv", "none"),
        (CSV.replace(b"\n", b"\r\n"), "csv", "none"),
        (gzip.compress(CSV), "csv", "gzip"),
        (bz2.compress(CSV), "csv", "bzip2"),
        (b'{"id": 1}\n{"id": 2}\n', "json", "none"),
        (gzip.compress(b'{"id": 1}\n'), "json", "gzip"),
        (b'{"id": 1}\nnot json\n', "unknown", "none"),
        (b"", "unknown", "none"),
        (b"\x1f\x8b" + b"not gzip", "unknown", "none"),
        (b"BZh" + b"not bzip2", "unknown", "none"),
        (b"\x28\xb5\x2f\xfd" + CSV, "unknown", "none"),  # zstd
        (b"PK\x03\x04" + CSV, "unknown", "none"),
        (bytes(range(256)), "unknown", "none"),
    ],
)  # fmt: skip
def test_what_a_head_is(body: bytes, kind: str, compression: str) -> None:
    found = classify.classify(body, whole=True, custom=[])
    assert (found.kind, found.compression) == (kind, compression)
    if kind == "csv":
        assert [(c.name, c.type) for c in found.columns] == [("id", "bigint"), ("n", "bigint")]


def test_a_line_that_the_head_cuts_is_left_out() -> None:
    head = b"id,n\n1,2\n3,not a numb"
    assert classify.classify(head, whole=False, custom=[]).columns[1].type == "bigint"
    assert classify.classify(head, whole=True, custom=[]).columns[1].type == "string"


def test_records_are_counted_from_the_size() -> None:
    rows = b"id,n\n" + b"1234567,7654321\n" * 2000
    plain = classify.classify(rows, whole=True, custom=[])
    assert plain.records(len(rows)) == pytest.approx(2000, rel=0.05)
    packed = gzip.compress(rows)
    told = classify.classify(packed, whole=True, custom=[])
    assert told.records(len(packed)) == pytest.approx(2000, rel=0.05)
    assert classify.UNKNOWN.records(100) == 0


def test_a_file_that_only_begins_like_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and then nothing of it")
    assert classify.parquet(path) == classify.UNKNOWN
