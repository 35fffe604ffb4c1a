"""SHOW and DESCRIBE: lines about what the catalog holds.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

from localcloud.athena.errors import QueryError, semantic
from localcloud.glue.catalog import Catalog, Column, Table, partition_path

_NAME = r'[`"]?[\w-]+[`"]?'
COLUMNS = {
    "show_databases": ["database_name"],
    "show_tables": ["tab_name"],
    "show_views": ["views"],
    "show_columns": ["field"],
    "show_partitions": ["partition"],
    "show_properties": ["prpt_name", "prpt_value"],
    "show_create_table": ["createtab_stmt"],
    "show_create_view": ["create view"],
    "describe": ["col_name", "data_type", "comment"],
}


@dataclass
class Show:
    catalog: Catalog
    database: str

    def run(self, kind: str, sql: str) -> list[str]:
        lines: list[str] = getattr(self, f"_{kind}")(sql)
        return lines

    def _show_databases(self, sql: str) -> list[str]:
        return _like(self.catalog.databases(), sql)

    def _show_tables(self, sql: str) -> list[str]:
        return _like([table.name for table in self.catalog.tables(self._in(sql))], sql)

    def _show_views(self, sql: str) -> list[str]:
        tables = self.catalog.tables(self._in(sql))
        return _like([table.name for table in tables if table.view_sql is not None], sql)

    def _show_columns(self, sql: str) -> list[str]:
        table = self._table(sql, rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+((?:{_NAME}\.)?{_NAME})")
        return [column.name for column in table.columns + table.partition_keys]

    def _show_partitions(self, sql: str) -> list[str]:
        table = self._table(sql, rf"SHOW\s+PARTITIONS\s+((?:{_NAME}\.)?{_NAME})")
        if not table.partition_keys:
            raise semantic(10241, f"Table {table.name} is not a partitioned table")
        found = self.catalog.partitions(table)
        return sorted(partition_path(table.partition_keys, p.values) for p in found)

    def _show_properties(self, sql: str) -> list[str]:
        table = self._table(sql, rf"SHOW\s+TBLPROPERTIES\s+((?:{_NAME}\.)?{_NAME})")
        return [f"{k}\t{v}" for k, v in sorted((table.raw.get("Parameters") or {}).items())]

    def _show_create_view(self, sql: str) -> list[str]:
        table = self._table(sql, rf"SHOW\s+CREATE\s+VIEW\s+((?:{_NAME}\.)?{_NAME})")
        if table.view_sql is None:
            raise QueryError(f"NOT_SUPPORTED: {table.name} is a table, not a view")
        return [f"CREATE VIEW {table.name} AS", *table.view_sql.splitlines()]

    def _show_create_table(self, sql: str) -> list[str]:
        table = self._table(sql, rf"SHOW\s+CREATE\s+TABLE\s+((?:{_NAME}\.)?{_NAME})")
        lines = [f"CREATE EXTERNAL TABLE `{table.name}`(", *_definitions(table.columns)]
        if table.partition_keys:
            lines += ["PARTITIONED BY ( ", *_definitions(table.partition_keys)]
        lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
        if table.serde_parameters:
            lines += ["WITH SERDEPROPERTIES ( ", *_properties(table.serde_parameters)]
        lines += ["STORED AS INPUTFORMAT ", f"  '{table.storage.get('InputFormat', '')}' "]
        lines += ["OUTPUTFORMAT ", f"  '{table.storage.get('OutputFormat', '')}'"]
        lines += ["LOCATION", f"  '{table.location}'"]
        if parameters := table.raw.get("Parameters"):
            lines += ["TBLPROPERTIES (", *_properties(parameters)]
        return lines

    def _describe(self, sql: str) -> list[str]:
        pattern = rf"DESC(?:RIBE)?\s+(?:(?:EXTENDED|FORMATTED)\s+)?((?:{_NAME}\.)?{_NAME})"
        table = self._table(sql, pattern)
        lines = [_described(column) for column in table.columns + table.partition_keys]
        if table.partition_keys:
            heading = "\t".join(f"{text:<20}" for text in ("# col_name", "data_type", "comment"))
            lines += ["\t \t ", "# Partition Information\t \t ", heading, "\t \t "]
            lines += [_described(column) for column in table.partition_keys]
        return lines

    def _in(self, sql: str) -> str:
        match = re.search(rf"\b(?:IN|FROM)\s+({_NAME})", sql, re.IGNORECASE)
        name = match[1].strip('`"').lower() if match else self.database
        if self.catalog.database(name) is None:
            raise semantic(10072, f"Database does not exist: {name}")
        return name

    def _table(self, sql: str, pattern: str) -> Table:
        match = re.match(pattern + r"\s*\Z", sql, re.IGNORECASE)
        if not match:
            raise QueryError(
                f"FAILED: ParseException line 1:0 cannot recognize input near '{sql[:40]}'"
            )
        parts = [part.strip('`"').lower() for part in match[1].split(".")]
        database, name = parts if len(parts) == 2 else (self.database, parts[0])
        table = self.catalog.table(database, name)
        if table is None:
            raise semantic(10001, f"Table not found {database}.{name}")
        return table


def _like(names: list[str], sql: str) -> list[str]:
    """Hive's pattern: `*` for any text, `|` for either."""
    match = re.search(r"(?:LIKE\s+)?'([^']*)'\s*\Z", sql, re.IGNORECASE)
    if not match:
        return names
    patterns = match[1].lower().split("|")
    return [name for name in names if any(fnmatch.fnmatch(name, p) for p in patterns)]


def _described(column: Column) -> str:
    return f"{column.name:<20}\t{column.type:<20}\t{column.comment:<20}"


def _definitions(columns: tuple[Column, ...]) -> list[str]:
    texts = [
        f"  `{c.name}` {c.type}" + (f" COMMENT '{c.comment}'" if c.comment else "") for c in columns
    ]
    return [f"{text}, " for text in texts[:-1]] + [f"{text})" for text in texts[-1:]]


def _properties(pairs: dict[str, str]) -> list[str]:
    texts = [f"  '{name}'='{value}'" for name, value in sorted(pairs.items())]
    return [f"{text}, " for text in texts[:-1]] + [f"{text})" for text in texts[-1:]]
