"""Data definition: databases, tables, partitions and views in the Glue catalog.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from sqlglot import exp

from localcloud.athena.errors import QueryError, refused, semantic
from localcloud.athena.table_definition import checked_location, column, hive_tree, table_input
from localcloud.glue.catalog import Catalog, Table, partition_path, unescape_value
from localcloud.glue.objects import Objects

_NAME = r'(?:[`"]?[\w-]+[`"]?)'
_TABLE = rf"((?:{_NAME}\.)?{_NAME})"


@dataclass
class Definitions:
    """Runs DDL statements against one database context."""

    catalog: Catalog
    objects: Objects
    database: str

    def run(self, kind: str, sql: str) -> list[str]:
        """Lines of output, where the statement has any."""
        action: Callable[[str], list[str] | None] = getattr(self, f"_{kind}")
        return action(sql) or []

    def name(self, text: str) -> tuple[str, str]:
        """`db.table`, quoted or not, in lower case."""
        parts = [part.strip('`"').lower() for part in text.split(".")]
        return (parts[0], parts[1]) if len(parts) == 2 else (self.database, parts[0])

    def _existing(self, text: str) -> Table:
        database, name = self.name(text)
        table = self.catalog.table(database, name)
        if table is None:
            raise semantic(10001, f"Table not found {database}.{name}")
        return table

    # Databases

    def _create_database(self, sql: str) -> None:
        match = _match(
            rf"CREATE\s+(?:DATABASE|SCHEMA)\s+(IF\s+NOT\s+EXISTS\s+)?({_NAME})\s*"
            r"(?:COMMENT\s+'([^']*)')?\s*(?:LOCATION\s+'([^']*)')?\s*"
            r"(?:WITH\s+DBPROPERTIES\s*\((.*)\))?",
            sql,
        )
        name = match[2].strip('`"').lower()
        wanted = {
            "Name": name,
            "Description": match[3] or "",
            "LocationUri": match[4] or "",
            "Parameters": _pairs(match[5] or ""),
        }
        try:
            self.catalog.glue.create_database(DatabaseInput={k: v for k, v in wanted.items() if v})
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            if not match[1]:
                raise refused(
                    "AlreadyExistsException", f"Database {name} already exists"
                ) from error

    def _drop_database(self, sql: str) -> None:
        match = _match(
            rf"DROP\s+(?:DATABASE|SCHEMA)\s+(IF\s+EXISTS\s+)?({_NAME})\s*(CASCADE|RESTRICT)?", sql
        )
        name = match[2].strip('`"').lower()
        if self.catalog.database(name) is None:
            if match[1]:
                return
            raise semantic(10072, f"Database does not exist: {name}")
        if self.catalog.tables(name) and (match[3] or "").upper() != "CASCADE":
            raise refused(
                "InvalidOperationException",
                f"Database {name} is not empty. One or more tables exist.",
            )
        self.catalog.glue.delete_database(Name=name)

    # Tables

    def _create_table(self, sql: str) -> None:
        tree = hive_tree(sql)
        schema = tree.this
        if not isinstance(schema, exp.Schema):
            raise semantic(
                10043, "Either list of columns or a custom serializer should be specified"
            )
        table = schema.this
        database, name = (table.db or self.database).lower(), table.name.lower()
        if self.catalog.database(database) is None:
            raise semantic(10072, f"Database does not exist: {database}")
        wanted = table_input(name, schema, tree.args.get("properties"))
        try:
            self.catalog.glue.create_table(DatabaseName=database, TableInput=wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            if not tree.args.get("exists"):
                raise refused("AlreadyExistsException", f"Table {name} already exists") from error

    def _drop_table(self, sql: str) -> None:
        match = _match(rf"DROP\s+TABLE\s+(IF\s+EXISTS\s+)?{_TABLE}(\s+PURGE)?", sql)
        self._drop(match[2], bool(match[1]), view=False)

    def _drop_view(self, sql: str) -> None:
        match = _match(rf"DROP\s+VIEW\s+(IF\s+EXISTS\s+)?{_TABLE}", sql)
        self._drop(match[2], bool(match[1]), view=True)

    def _drop(self, text: str, quiet: bool, view: bool) -> None:
        database, name = self.name(text)
        table = self.catalog.table(database, name)
        if table is None:
            if quiet:
                return
            word = "View" if view else "Table"
            raise semantic(10001, f"{word} not found {database}.{name}")
        if (table.view_sql is not None) != view:
            asked, other = ("VIEW", "table") if view else ("TABLE", "view")
            raise semantic(10001, f"Cannot DROP {asked} on a {other}: {database}.{name}")
        self.catalog.glue.delete_table(DatabaseName=database, Name=name)

    def _alter_table(self, sql: str) -> None:
        match = _match(rf"ALTER\s+TABLE\s+{_TABLE}\s+(.*)", sql)
        table, action = self._existing(match[1]), match[2]
        for head, run in _ALTERATIONS:
            if found := re.match(head, action, re.IGNORECASE | re.DOTALL):
                run(self, table, found)
                return
        raise QueryError(
            f"FAILED: ParseException line 1:0 cannot recognize input near '{action[:30]}'"
        )

    def _add_partition(self, table: Table, found: re.Match[str]) -> None:
        quiet, wanted = bool(found[1]), {}
        for item in re.finditer(
            r"PARTITION\s*\(([^)]*)\)\s*(?:LOCATION\s+'([^']*)')?", found[2], re.IGNORECASE
        ):
            values = _partition_values(table, item[1])
            place = f"{table.location.rstrip('/')}/{partition_path(table.partition_keys, values)}/"
            wanted[values] = item[2] or place
        if not wanted:
            raise QueryError("FAILED: ParseException line 1:0 missing PARTITION")
        known = {partition.values for partition in self.catalog.partitions(table)}
        if not quiet and (twice := [values for values in wanted if values in known]):
            raise refused("AlreadyExistsException", f"Partition already exists: {list(twice[0])}")
        self.catalog.add_partitions(table, wanted)

    def _drop_partition(self, table: Table, found: re.Match[str]) -> None:
        known = {partition.values for partition in self.catalog.partitions(table)}
        for item in re.finditer(r"PARTITION\s*\(([^)]*)\)", found[2], re.IGNORECASE):
            values = _partition_values(table, item[1])
            if values in known:
                self.catalog.glue.delete_partition(
                    DatabaseName=table.database,
                    TableName=table.name,
                    PartitionValues=list(values),
                )
            elif not found[1]:
                raise semantic(10006, f"Partition not found ({item[1]})")

    def _add_columns(self, table: Table, found: re.Match[str]) -> None:
        shell = hive_tree(f"CREATE TABLE t ({found[2]})")
        added = [column(item) for item in shell.this.expressions]
        replace = found[1].upper() == "REPLACE"
        kept = [] if replace else [column.raw() for column in table.columns]
        columns = [*kept, *(column.raw() for column in added)]
        self._update(table, {"StorageDescriptor": {**table.storage, "Columns": columns}})

    def _set_properties(self, table: Table, found: re.Match[str]) -> None:
        parameters = {**(table.raw.get("Parameters") or {}), **_pairs(found[1])}
        self._update(table, {"Parameters": parameters})

    def _set_location(self, table: Table, found: re.Match[str]) -> None:
        checked_location(found[1])
        self._update(table, {"StorageDescriptor": {**table.storage, "Location": found[1]}})

    def _update(self, table: Table, change: dict[str, Any]) -> None:
        kept = {
            key: table.raw[key]
            for key in ("Name", "Description", "Owner", "StorageDescriptor", "PartitionKeys",
                        "TableType", "Parameters", "ViewOriginalText", "ViewExpandedText")
            if table.raw.get(key) is not None
        }  # fmt: skip
        self.catalog.glue.update_table(DatabaseName=table.database, TableInput={**kept, **change})

    def _msck(self, sql: str) -> list[str]:
        """Adds partitions whose folders are named `key=value`; drops none, as AWS.

        https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html
        """
        table = self._existing(_match(rf"MSCK\s+REPAIR\s+TABLE\s+{_TABLE}", sql)[1])
        root = table.location.rstrip("/") + "/"
        wanted: dict[tuple[str, ...], str] = {}
        for item in self.objects.list(root):
            folders = item.uri[len(root) :].split("/")[: len(table.partition_keys)]
            pairs = [folder.partition("=") for folder in folders]
            if [pair[0] for pair in pairs] == [key.name for key in table.partition_keys]:
                wanted[tuple(unescape_value(pair[2]) for pair in pairs)] = root + "/".join(folders)
        known = {partition.values for partition in self.catalog.partitions(table)}
        new = {values: place for values, place in wanted.items() if values not in known}
        self.catalog.add_partitions(table, new)
        paths = [f"{table.name}:{partition_path(table.partition_keys, v)}" for v in new]
        if not paths:
            return []
        found = f"Partitions not in metastore:\t{chr(9).join(paths)}"
        return [found, *(f"Repair: Added partition to metastore {path}" for path in paths)]


_ALTERATIONS: list[tuple[str, Callable[[Definitions, Table, re.Match[str]], None]]] = [
    (r"ADD\s+(IF\s+NOT\s+EXISTS\s+)?(PARTITION\b.*)", Definitions._add_partition),
    (r"DROP\s+(IF\s+EXISTS\s+)?(PARTITION\b.*)", Definitions._drop_partition),
    (r"(ADD|REPLACE)\s+COLUMNS\s*\((.*)\)\s*\Z", Definitions._add_columns),
    (r"SET\s+TBLPROPERTIES\s*\((.*)\)\s*\Z", Definitions._set_properties),
    (r"SET\s+LOCATION\s+'([^']*)'\s*\Z", Definitions._set_location),
]


def _match(pattern: str, sql: str) -> re.Match[str]:
    found = re.fullmatch(pattern + r"\s*", sql, re.IGNORECASE | re.DOTALL)
    if not found:
        words = " ".join(sql.split()[:3])
        raise QueryError(f"FAILED: ParseException line 1:0 cannot recognize input near '{words}'")
    return found


def _pairs(text: str) -> dict[str, str]:
    """`'a' = 'b', 'c' = 'd'`."""
    found = re.findall(r"""['"]([^'"]+)['"]\s*=\s*(?:'([^']*)'|"([^"]*)")""", text)
    return {name: single or double for name, single, double in found}


def _partition_values(table: Table, text: str) -> tuple[str, ...]:
    found = re.findall(r"""[`"]?([\w-]+)[`"]?\s*=\s*(?:'([^']*)'|"([^"]*)"|([\w.-]+))""", text)
    given = {name.lower(): single or double or bare for name, single, double, bare in found}
    if set(given) != {key.name for key in table.partition_keys}:
        raise semantic(10098, f"Partition spec {{{text}}} does not match the partition columns")
    return tuple(given[key.name] for key in table.partition_keys)
