"""Column types from values: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from localcloud.glue import inference


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "string"),
        (["", " "], "string"),
        (["1", "", "-2"], "bigint"),
        (["9223372036854775807"], "bigint"),
        (["9223372036854775808"], "double"),
        (["1", "2.5", "1e3"], "double"),
        (["true", "FALSE"], "boolean"),
        (["true", "1"], "string"),
        (["nan"], "string"),
        (["1_000"], "string"),
        (["2026-01-31"], "string"),  # dates stay text to the CSV classifier
        (["1", "x"], "string"),
    ],
)
def test_text_columns(values: list[str], kind: str) -> None:
    assert inference.of_column(values) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, None),
        (True, "boolean"),
        (1, "int"),
        (2**31, "bigint"),
        (2**63, "double"),
        (1.5, "double"),
        ("x", "string"),
        ([], "array<string>"),
        ([1, None, 2.5], "array<double>"),
        ({}, "string"),
        ({"a": 1, "b": {"c": [True]}}, "struct<a:int,b:struct<c:array<boolean>>>"),
    ],
)
def test_json_values(value: Any, kind: str | None) -> None:
    assert inference.of_json(value) == kind


@pytest.mark.parametrize(
    ("arrow", "kind"),
    [
        (pa.bool_(), "boolean"),
        (pa.int8(), "tinyint"),
        (pa.uint8(), "smallint"),
        (pa.int32(), "int"),
        (pa.uint32(), "bigint"),
        (pa.float32(), "float"),
        (pa.float64(), "double"),
        (pa.decimal128(10, 2), "decimal(10,2)"),
        (pa.date32(), "date"),
        (pa.timestamp("us"), "timestamp"),
        (pa.binary(), "binary"),
        (pa.string(), "string"),
        (pa.list_(pa.int64()), "array<bigint>"),
        (pa.map_(pa.string(), pa.int32()), "map<string,int>"),
        (pa.struct([("X", pa.int32())]), "struct<x:int>"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
    ],
)
def test_parquet_types(arrow: pa.DataType, kind: str) -> None:
    assert inference.of_arrow(arrow) == kind


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("int", "int", "int"),
        ("int", "bigint", "bigint"),
        ("double", "bigint", "double"),
        ("boolean", "int", "string"),
        ("string", "double", "string"),
        ("array<int>", "array<double>", "array<double>"),
        ("array<int>", "int", "string"),
        ("struct<a:int>", "struct<a:double,b:string>", "struct<a:double,b:string>"),
        (
            "struct<a:struct<b:int>>",
            "struct<a:struct<c:array<int>>>",
            "struct<a:struct<b:int,c:array<int>>>",
        ),
    ],
)
def test_the_type_that_holds_both(one: str, other: str, both: str) -> None:
    assert inference.merge(one, other) == both
    assert inference.merge(other, one).count("<") == both.count("<")


@pytest.mark.parametrize(
    ("values", "allowed", "kind"),
    [
        (["1", "2"], ["INT"], "int"),
        (["1", "2"], ["SHORT", "INT"], "smallint"),
        (["40000"], ["SHORT", "INT"], "int"),
        (["3000000000"], ["INT", "LONG"], "bigint"),
        (["1", "2.5"], ["INT", "DOUBLE"], "double"),
        (["2026-01-31"], ["DATE"], "date"),
        (["2026-02-31"], ["DATE"], "string"),
        (["true"], ["BOOLEAN"], "boolean"),
        (["1"], ["DATE"], "string"),
        ([""], ["INT"], "string"),
    ],
)
def test_the_types_a_custom_classifier_allows(
    values: list[str], allowed: list[str], kind: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html"""
    assert inference.custom(values, allowed) == kind
