"""Column types: Hive's (the Glue catalog), DuckDB's (the engine) and Trino's (query results).

https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re

import duckdb
from duckdb.sqltypes import DuckDBPyType

_SIMPLE = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}

# DuckDB type id -> (Hive type, Trino type). Types that Hive lacks widen to one that holds them.
_FROM_DUCKDB = {
    "boolean": ("boolean", "boolean"),
    "tinyint": ("tinyint", "tinyint"),
    "smallint": ("smallint", "smallint"),
    "integer": ("int", "integer"),
    "bigint": ("bigint", "bigint"),
    "utinyint": ("smallint", "smallint"),
    "usmallint": ("int", "integer"),
    "uinteger": ("bigint", "bigint"),
    "ubigint": ("bigint", "bigint"),
    "hugeint": ("bigint", "bigint"),
    "uhugeint": ("bigint", "bigint"),
    "float": ("float", "float"),
    "double": ("double", "double"),
    "varchar": ("string", "varchar"),
    "json": ("string", "json"),
    "uuid": ("string", "varchar"),
    "blob": ("binary", "varbinary"),
    "date": ("date", "date"),
    "time": ("string", "time"),
    "timestamp": ("timestamp", "timestamp"),
    "timestamp_s": ("timestamp", "timestamp"),
    "timestamp_ms": ("timestamp", "timestamp"),
    "timestamp_ns": ("timestamp", "timestamp"),
    "timestamp with time zone": ("timestamp", "timestamp with time zone"),
    "interval": ("string", "interval day to second"),
}


class UnknownTypeError(ValueError):
    """A type name that neither Hive nor this engine knows."""


def split_top(text: str, separator: str = ",") -> list[str]:
    """Split at separators that stand outside any bracket."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "<(":
            depth += 1
        elif char in ">)":
            depth -= 1
        elif char == separator and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def quote(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def to_duckdb(hive: str) -> str:
    """The DuckDB type of a Hive type: `array<struct<x:int>>` -> `STRUCT("x" INTEGER)[]`."""
    text = hive.strip().lower()
    if text in _SIMPLE:
        return _SIMPLE[text]
    if re.fullmatch(r"(var)?char\s*\(\s*\d+\s*\)", text):
        return "VARCHAR"
    if number := re.fullmatch(r"(?:decimal|numeric)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text):
        return f"DECIMAL({number[1] or 10}, {number[2] or 0})"
    if nested := re.fullmatch(r"(array|map|struct|uniontype)\s*<(.*)>", text, re.DOTALL):
        return _nested_to_duckdb(nested[1], nested[2])
    raise UnknownTypeError(f"Unknown type: {hive}")


def _nested_to_duckdb(kind: str, inside: str) -> str:
    parts = split_top(inside)
    if kind == "array" and len(parts) == 1:
        return to_duckdb(parts[0]) + "[]"
    if kind == "map" and len(parts) == 2:
        return f"MAP({to_duckdb(parts[0])}, {to_duckdb(parts[1])})"
    if kind == "struct" and all(":" in part for part in parts):
        fields = (part.split(":", 1) for part in parts)
        return "STRUCT(" + ", ".join(f"{quote(n.strip())} {to_duckdb(t)}" for n, t in fields) + ")"
    raise UnknownTypeError(f"Unknown type: {kind}<{inside}>")


def _parsed(duckdb_type: str) -> DuckDBPyType:
    return duckdb.sqltype(duckdb_type)


def to_hive(duckdb_type: str) -> str:
    """The Hive type that a table made from a DuckDB type gets."""
    if duckdb_type == '"NULL"':
        raise UnknownTypeError("Unsupported Hive type: unknown")
    if duckdb_type.upper() in ("JSON", "TIMESTAMP WITH TIME ZONE"):
        return _FROM_DUCKDB[duckdb_type.lower()][0]
    parsed = _parsed(duckdb_type)
    if parsed.id == "decimal":
        return duckdb_type.lower().replace(" ", "")
    children = dict(parsed.children) if parsed.id in ("list", "array", "map", "struct") else {}
    if parsed.id in ("list", "array"):
        return f"array<{to_hive(str(children['child']))}>"
    if parsed.id == "map":
        return f"map<{to_hive(str(children['key']))},{to_hive(str(children['value']))}>"
    if parsed.id == "struct":
        inside = ",".join(f"{name.lower()}:{to_hive(str(kind))}" for name, kind in children.items())
        return f"struct<{inside}>"
    if parsed.id not in _FROM_DUCKDB:
        raise UnknownTypeError(f"Unsupported type: {duckdb_type}")
    return _FROM_DUCKDB[parsed.id][0]


def to_trino(duckdb_type: str) -> tuple[str, int, int]:
    """What GetQueryResults calls a DuckDB type: (Type, Precision, Scale)."""
    if duckdb_type == '"NULL"':
        return "unknown", 0, 0
    if number := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type):
        return "decimal", int(number[1]), int(number[2])
    name = duckdb_type.lower()
    if name not in _FROM_DUCKDB:
        kind = _parsed(duckdb_type).id
        nested = {"list": "array", "array": "array", "map": "map", "struct": "row"}
        return nested.get(kind) or _FROM_DUCKDB.get(kind, ("", "varchar"))[1], 0, 0
    precision = {
        "tinyint": 3,
        "smallint": 5,
        "integer": 10,
        "bigint": 19,
        "float": 17,
        "double": 17,
        "varchar": 2147483647,
        "timestamp": 3,
        "timestamp with time zone": 3,
        "varbinary": 1073741824,
    }
    trino = _FROM_DUCKDB[name][1]
    return trino, precision.get(trino, 0), 0


def children(duckdb_type: str) -> tuple[str, dict[str, str]]:
    """Kind of a DuckDB type (`list`, `map`, `struct`, else its id) and the types inside."""
    if duckdb_type == '"NULL"' or duckdb_type.upper() == "JSON":
        return duckdb_type.lower(), {}
    parsed = _parsed(duckdb_type)
    if parsed.id not in ("list", "array", "map", "struct"):
        return parsed.id, {}
    return parsed.id, {name: str(kind) for name, kind in parsed.children if name != "size"}
