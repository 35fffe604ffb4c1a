"""Query results: the CSV that Athena writes, its values as text, and pages of it.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import duckdb

from localcloud.glue import hive_types
from localcloud.glue.hive_types import quote


def column_info(name: str, duckdb_type: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_ColumnInfo.html"""
    kind, precision, scale = hive_types.to_trino(duckdb_type)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }


def text_column(name: str) -> dict[str, Any]:
    return {**column_info(name, "VARCHAR"), "Type": "string", "Precision": 0}


def rendered(value: str, duckdb_type: str) -> str:
    """SQL that writes a value as Athena's results do; NULL stays NULL."""
    kind, inside = hive_types.children(duckdb_type)
    if kind in ("list", "array"):
        item = f"lambda v: coalesce({rendered('v', inside['child'])}, 'null')"
        return f"'[' || array_to_string(list_transform({value}, {item}), ', ') || ']'"
    if kind == "map":
        value_text = f"coalesce({rendered('v.value', inside['value'])}, 'null')"
        pair = f"lambda v: {rendered('v.key', inside['key'])} || '=' || {value_text}"
        entries = f"list_transform(map_entries({value}), {pair})"
        return f"'{{' || array_to_string({entries}, ', ') || '}}'"
    if kind == "struct":
        parts = []
        for name, child in inside.items():
            shown = re.sub(r"^_(\d+)$", r"field\1", name).replace("'", "''")
            parts.append(
                f"'{shown}=' || coalesce({rendered(f'{value}.{quote(name)}', child)}, 'null')"
            )
        joined = " || ', ' || ".join(parts)
        return f"CASE WHEN {value} IS NOT NULL THEN '{{' || {joined} || '}}' END"
    if kind.startswith("timestamp"):
        zone = " || ' UTC'" if "time zone" in kind else ""
        return f"strftime(CAST({value} AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g'){zone}"
    if kind == "blob":
        return f"rtrim(regexp_replace(lower(hex({value})), '(..)', '\\1 ', 'g'))"
    return f"athena_text({value})" if kind in ("double", "float") else f"CAST({value} AS VARCHAR)"


def write_csv(
    connection: duckdb.DuckDBPyConnection, sql: str, described: list[tuple[str, str]], path: Path
) -> int:
    """Run a query and write its rows: each value quoted, NULL as nothing. How many rows."""
    names = [f"c{at}" for at in range(len(described))]
    columns = ", ".join(
        rendered(f"q.{n}", kind) for n, (_, kind) in zip(names, described, strict=True)
    )
    cursor = connection.execute(f"SELECT {columns} FROM ({sql}) AS q({', '.join(names)})")
    count = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(_line([name for name, _ in described]))
        while rows := cursor.fetchmany(5000):
            count += len(rows)
            for row in rows:
                out.write(_line(row))
    return count


def _line(values: Any) -> str:
    return ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in values) + "\n"


def read_csv(body: bytes) -> list[list[str | None]]:
    """The rows of a result file. An empty unquoted value is NULL, a quoted one an empty text."""
    rows: list[list[str | None]] = []
    text, at = body.decode("utf-8"), 0
    if (
        '""' not in text
        and ",," not in text
        and "\n," not in text
        and ",\n" not in text
        and "\n\n" not in text
    ):
        return [list(row) for row in csv.reader(io.StringIO(text, newline=""))]
    row: list[str | None] = []
    while at < len(text):
        if text[at] == '"':
            match = _QUOTED.match(text, at)
            assert match is not None
            row.append(match[1].replace('""', '"'))
            at = match.end()
        else:
            row.append(None)
        if text[at : at + 1] == "\n":
            rows.append(row)
            row = []
        at += 1
    return rows


_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def page(
    rows: list[list[str | None]], columns: list[dict[str, Any]], token: str | None, limit: int
) -> dict[str, Any]:
    """One page of GetQueryResults."""
    start = int(token) if token else 0
    chosen = rows[start : start + limit]
    answer: dict[str, Any] = {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [
                {"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in chosen
            ],
            "ResultSetMetadata": {"ColumnInfo": columns},
        },
    }
    if start + limit < len(rows):
        answer["NextToken"] = str(start + limit)
    return answer
