"""A Glue table as a DuckDB query over its files, read as its SerDe reads them.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from localcloud.athena.errors import QueryError
from localcloud.glue import catalog, hive_types
from localcloud.glue.catalog import HIVE_NULL, Column, Table, unescape_value
from localcloud.glue.objects import S3Object

_MAX_LINE = 17 * 1024 * 1024  # rows of 16 MB, the most that intake takes, and their numbers
# DuckDB would set 16 lines aside for each file that it reads.
_LINES = f"max_line_size={_MAX_LINE}, buffer_size={2 * _MAX_LINE}"
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\001": "\x01", "\\u0001": "\x01"}


@dataclass(frozen=True)
class Group:
    """Files that share their partition values."""

    values: tuple[str, ...]
    files: list[tuple[S3Object, Path]]


def literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def relation(connection: duckdb.DuckDBPyConnection, table: Table, groups: list[Group]) -> str:
    """The SELECT that gives a table's columns, partition keys and `$path`."""
    groups = [group for group in groups if group.files]
    if not groups:
        return _empty(table)
    in_path = _told_by_paths(table, groups)
    alike = [key for key in table.partition_keys if key not in in_path]
    values = [dict(zip(table.partition_keys, group.values, strict=True)) for group in groups]
    if all(each[key] == values[0][key] for each in values for key in alike):
        paths = [str(path) for group in groups for _, path in group.files]
        source = _read(connection, table, paths, in_path)
        return _with_keys(table, source, {key: values[0][key] for key in alike})
    parts = []
    for group in groups:
        source = _read(connection, table, [str(path) for _, path in group.files], [])
        keys = dict(zip(table.partition_keys, group.values, strict=True))
        parts.append(_with_keys(table, source, keys))
    return " UNION ALL ".join(parts)


def _with_keys(table: Table, source: str, constant: dict[Column, str]) -> str:
    """A source with the partition keys that are the same in all of its rows, in their order."""
    if not constant:
        return source
    keys = ", ".join(
        _key(key, constant[key]) if key in constant else hive_types.quote(key.name)
        for key in table.partition_keys
    )
    excluded = ", ".join(
        hive_types.quote(each)
        for each in ["$path", *(key.name for key in table.partition_keys if key not in constant)]
    )
    return f'SELECT * EXCLUDE ({excluded}), {keys}, "$path" FROM ({source})'


def _key(key: Column, value: str) -> str:
    kind = hive_types.to_duckdb(key.type)
    text = "NULL" if value == HIVE_NULL else literal(value)
    return f"CAST({text} AS {kind}) AS {hive_types.quote(key.name)}"


def _empty(table: Table) -> str:
    columns = [*table.columns, *table.partition_keys]
    nulls = [
        f"CAST(NULL AS {hive_types.to_duckdb(column.type)}) AS {hive_types.quote(column.name)}"
        for column in columns
    ]
    return f'SELECT {", ".join(nulls)}, CAST(NULL AS VARCHAR) AS "$path" LIMIT 0'


def _told_by_paths(table: Table, groups: list[Group]) -> list[Column]:
    """The partition keys whose value each file's path says, so that DuckDB can prune by them."""
    told = list(table.partition_keys)
    for group in groups:
        values = dict(zip(table.partition_keys, group.values, strict=True))
        for item, _ in group.files:
            folders = dict(
                part.split("=", 1) for part in item.key.split("/")[:-1] if part.count("=") >= 1
            )
            told = [
                key for key in told if unescape_value(folders.get(key.name, "\0")) == values[key]
            ]
    return told


def _read(
    connection: duckdb.DuckDBPyConnection, table: Table, paths: list[str], in_path: list[Column]
) -> str:
    """`in_path`: the partition keys to take from the paths."""
    files = "[" + ", ".join(literal(path) for path in paths) + "]"
    readers = {
        catalog.PARQUET: _parquet,
        catalog.LAZY_SIMPLE: _lazy_simple,
        catalog.OPEN_CSV: _open_csv,
        catalog.JSON_HIVE: _json,
        catalog.JSON_OPENX: _json,
    }
    if table.serde not in readers:
        raise QueryError(f"NOT_SUPPORTED: SerDe {table.serde} is not in the local Athena")
    options = ", filename=true"
    if in_path:
        kinds = ", ".join(
            f"{literal(key.name)}: {hive_types.to_duckdb(key.type)}" for key in in_path
        )
        options += f", hive_partitioning=true, hive_types={{{kinds}}}"
    else:
        options += ", hive_partitioning=false"
    columns, source = readers[table.serde](connection, table, files, options)
    keys = [hive_types.quote(key.name) for key in in_path]
    return f'SELECT {", ".join([*columns, *keys])}, filename AS "$path" FROM {source}'


def _parquet(
    connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str
) -> tuple[list[str], str]:
    """Columns by name; one that no file has is NULL."""
    source = f"read_parquet({files}, union_by_name=true{options})"
    present = {
        row[0].lower() for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    }
    columns = []
    for column in table.columns:
        name, kind = hive_types.quote(column.name), hive_types.to_duckdb(column.type)
        columns.append(f"CAST({name if column.name in present else 'NULL'} AS {kind}) AS {name}")
    return columns, source


def _text_columns(table: Table) -> str:
    return "{" + ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in table.columns) + "}"


def _skip(table: Table) -> int:
    count = {**table.serde_parameters, **table.parameters}.get("skip.header.line.count", "0")
    return int(count) if count.isdigit() else 0


def _lazy_simple(
    connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str
) -> tuple[list[str], str]:
    """No quoting: a `"` is data. A value that does not fit its type is NULL.

    https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html
    """
    given = table.serde_parameters
    delimiter = given.get("field.delim") or given.get("serialization.format") or "\x01"
    delimiter = _ESCAPES.get(delimiter, "\x01" if delimiter == "1" else delimiter)
    null = given.get("serialization.null.format", "\\N")
    escape = given.get("escape.delim", "")
    source = (
        f"read_csv({files}, delim={literal(delimiter)}, quote='', escape='', header=false, "
        f"skip={_skip(table)}, auto_detect=false, columns={_text_columns(table)}, "
        f"nullstr={literal(null)}, null_padding=true, strict_mode=false, "
        f"{_LINES}{options})"
    )
    return [_lazy_column(column, given, escape) for column in table.columns], source


def _lazy_column(column: Column, given: dict[str, str], escape: str) -> str:
    name, kind = hive_types.quote(column.name), hive_types.to_duckdb(column.type)
    if column.type.lower().startswith("array<") and "<" not in column.type[6:]:
        mark = given.get("collection.delim") or given.get("colelction.delim") or "\x02"
        return f"TRY_CAST(string_split({name}, {literal(mark)}) AS {kind}) AS {name}"
    if kind.endswith(("]", ")")) and not kind.startswith("DECIMAL"):
        raise QueryError(f"NOT_SUPPORTED: {column.type} in a LazySimpleSerDe table")
    if escape:
        cleaned = (
            f"regexp_replace({name}, {literal(chr(92) * 2 + '(.)')}, {literal(chr(92) + '1')}, 'g')"
        )
        return f"TRY_CAST({cleaned} AS {kind}) AS {name}"
    return name if kind == "VARCHAR" else f"TRY_CAST(trim({name}) AS {kind}) AS {name}"


def _open_csv(
    connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str
) -> tuple[list[str], str]:
    """Quoted CSV; every value is text first, and one that does not fit its type is an error.

    https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    """
    given = table.serde_parameters
    delimiter = _ESCAPES.get(given.get("separatorChar", ","), given.get("separatorChar", ","))
    mark = given.get("quoteChar", '"')
    source = (
        f"read_csv({files}, delim={literal(delimiter)}, quote={literal(mark)}, "
        f"escape={literal(mark)}, header=false, skip={_skip(table)}, auto_detect=false, "
        f"columns={_text_columns(table)}, nullstr='', null_padding=true, strict_mode=false, "
        f"parallel=false, {_LINES}{options})"
    )
    columns = []
    for column in table.columns:
        name, kind = hive_types.quote(column.name), hive_types.to_duckdb(column.type)
        if kind == "VARCHAR":
            columns.append(f"coalesce({name}, '') AS {name}")
        elif kind == "DATE":
            columns.append(f"DATE '1970-01-01' + CAST({name} AS INTEGER) AS {name}")
        else:
            columns.append(f"CAST({name} AS {kind}) AS {name}")
    return columns, source


def _json(
    connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str
) -> tuple[list[str], str]:
    """One object a line; keys match columns without regard to case.

    https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    """
    broken = table.serde_parameters.get("ignore.malformed.json", "").lower() == "true"
    ignore = ", ignore_errors=true" if broken else ""
    source = f"read_ndjson_objects({files}{ignore}, maximum_object_size={_MAX_LINE}{options})"
    keys: dict[str, list[str]] = {}
    for (key,) in connection.execute(
        f"SELECT DISTINCT unnest(json_keys(json)) AS k FROM {source} ORDER BY k"
    ).fetchall():
        keys.setdefault(key.lower(), []).append(key)
    columns = []
    for column in table.columns:
        mapped = table.serde_parameters.get(f"mapping.{column.name}", column.name)
        names = keys.get(mapped.lower(), [])
        columns.append(_json_column(column, names))
    return columns, source


def _json_column(column: Column, names: list[str]) -> str:
    kind, name = hive_types.to_duckdb(column.type), hive_types.quote(column.name)
    if not names:
        return f"CAST(NULL AS {kind}) AS {name}"
    values = []
    for key in names:
        pointer = literal("/" + key.replace("~", "~0").replace("/", "~1"))
        text = kind == "VARCHAR"
        read = f"json_extract_string(json, {pointer})" if text else f"json_extract(json, {pointer})"
        values.append(read if text else f"CAST({read} AS {kind})")
    return f"coalesce({', '.join(values)}) AS {name}"
