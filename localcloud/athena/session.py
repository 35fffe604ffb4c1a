"""One query's DuckDB connection: the Glue tables it names, as views over their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.scope import traverse_scope

from localcloud.athena import comparisons, pruning, scan, unnest
from localcloud.athena.dialect import parse_trino
from localcloud.athena.errors import QueryError, place
from localcloud.athena.macros import MACROS
from localcloud.athena.scan import Group
from localcloud.athena.translate import to_duckdb
from localcloud.glue.catalog import PARQUET, Catalog, Column, Partition, Table
from localcloud.glue.hive_types import quote
from localcloud.glue.objects import Objects, S3Object, split_uri

_SETTINGS = """
SET threads = 2; SET memory_limit = '1500MB'; SET TimeZone = 'UTC'; SET integer_division = true;
SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
"""


@dataclass
class Session:
    """Give it a parsed query; it gives back DuckDB's SQL, with every table ready to read."""

    catalog: Catalog
    objects: Objects
    folder: Path
    database: str
    scanned: int = 0
    tree: exp.Expr | None = None  # the query as it was given, for its places in errors
    parquet: list[tuple[S3Object, Path]] = field(default_factory=list)  # the files that it reads
    _views: dict[tuple[str, str], str] = field(default_factory=dict)
    _types: dict[str, dict[str, str]] = field(default_factory=dict)  # of columns, by view

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Opened on first use; it can read the local S3's files and its own folder, no others."""
        made = duckdb.connect(":memory:")
        made.execute(_SETTINGS)
        made.execute(MACROS)
        allowed = [self.folder, *([self.objects.data_dir] if self.objects.data_dir else [])]
        places = ", ".join(scan.literal(f"{path}/") for path in allowed)
        made.execute(f"SET temp_directory = {scan.literal(str(self.folder / 'spill'))}")
        made.execute(f"SET allowed_directories = [{places}]")
        made.execute("SET enable_external_access = false")
        return made

    def close(self) -> None:
        if "connection" in self.__dict__:
            self.connection.close()

    def interrupt(self) -> None:
        """Stop the statement that runs now, from another thread."""
        if "connection" in self.__dict__:
            self.connection.interrupt()

    def prepare(self, tree: exp.Expr) -> str:
        """The query in DuckDB's SQL. Its tables are registered, its hidden columns resolved."""
        self.tree = tree
        return to_duckdb(self.bind(tree.copy(), self.database))

    def bind(self, tree: exp.Expr, database: str) -> exp.Expr:
        hidden = any(column.name == "$path" for column in tree.find_all(exp.Column))
        for scope, node in _physical_tables(tree):
            self._bind_table(scope, node, database, hidden)
        comparisons.check(tree, lambda table: self._types.get(table.name, {}))
        unnest.mark_rows(tree, lambda table: self._types.get(table.name, {}))
        return tree

    def _bind_table(self, scope: exp.Expr, node: exp.Table, database: str, hidden: bool) -> None:
        name, where = node.name.lower(), (node.db or database).lower()
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
        if where == "information_schema":
            view = self._information_schema(node, name)
        elif name.endswith("$partitions"):
            view = self._partition_list(self._table(node, where, name.removesuffix("$partitions")))
        else:
            view = self._data(scope, node, where, name, hidden)
        node.set("this", exp.to_identifier(view, quoted=True))
        node.set("db", None)
        node.set("catalog", None)

    def _table(self, node: exp.Table, database: str, name: str) -> Table:
        table = self.catalog.table(database, name)
        if table is not None:
            return table
        where = place(node)
        if node.args.get("db"):
            where = place(node.args["db"])
        if self.catalog.database(database) is None:
            raise QueryError(f"SCHEMA_NOT_FOUND: {where}: Schema '{database}' does not exist")
        raise QueryError(
            f"TABLE_NOT_FOUND: {where}: Table 'awsdatacatalog.{database}.{name}' does not exist"
        )

    def _data(
        self, scope: exp.Expr, node: exp.Table, database: str, name: str, hidden: bool
    ) -> str:
        table = self._table(node, database, name)
        if table.view_sql is not None:
            return self._stored_view(table)
        wanted = pruning.predicates(scope, node, table)
        key = (f"{database}.{name}", f"{hidden}{wanted}")
        if key not in self._views:
            groups = self.groups(table, wanted)
            files = [file for group in groups for file in group.files]
            self.scanned += sum(item.size for item, _ in files)
            self.parquet += files if table.serde == PARQUET else []
            source = scan.relation(self.connection, table, groups)
            shown = f'{self._uri()} AS "$path"'
            drop = f"* REPLACE ({shown})" if hidden else '* EXCLUDE ("$path")'
            self._views[key] = self._create(f"SELECT {drop} FROM ({source})", key[0])
            self._types[self._views[key]] = _types(table)
        if hidden:
            _hide_path(scope)
        return self._views[key]

    def _stored_view(self, table: Table) -> str:
        key = (f"{table.database}.{table.name}", "view")
        if self._views.get(key) == "":
            raise QueryError(f"INVALID_VIEW: View '{key[0]}' refers to itself")
        if key not in self._views:
            self._views[key] = ""
            inner = self.bind(parse_trino(table.view_sql or ""), table.database)
            self._views[key] = self._create(to_duckdb(inner), key[0])
            self._types[self._views[key]] = _types(table)
        return self._views[key]

    def _create(self, sql: str, name: str) -> str:
        view = f"{name}#{len(self._views)}"
        self.connection.execute(f"CREATE VIEW {quote(view)} AS {sql}")
        return view

    def groups(self, table: Table, wanted: str = "") -> list[Group]:
        """A table's files by partition; only the partitions that can satisfy `wanted`."""
        if not table.partition_keys:
            return [Group((), self._local(self.objects.list(_folder(table.location))))]
        partitions = self.catalog.partitions(table)
        if wanted:
            partitions = pruning.keep(self.connection, table.partition_keys, partitions, wanted)
        listed = self._list(table, partitions)
        return [Group(p.values, self._local(listed[p])) for p in partitions]

    def _list(self, table: Table, partitions: list[Partition]) -> dict[Partition, list[S3Object]]:
        """One listing of the table's location serves the partitions in it."""
        found: dict[Partition, list[S3Object]] = {p: [] for p in partitions}
        root = _folder(table.location)
        inside = {_folder(p.location): p for p in partitions if p.location.startswith(root)}
        few = len(inside) <= 4
        for partition in partitions:
            if few or _folder(partition.location) not in inside:
                found[partition] = self.objects.list(_folder(partition.location))
        if few:
            return found
        for item in self.objects.list(root):
            folder = item.uri.rsplit("/", 1)[0] + "/"
            while len(folder) >= len(root):
                if folder in inside:
                    found[inside[folder]].append(item)
                    break
                folder = folder.rstrip("/").rsplit("/", 1)[0] + "/"
        return found

    def _local(self, items: list[S3Object]) -> list[tuple[S3Object, Path]]:
        into = self.folder / "objects"
        return [(item, self.objects.local(item, into)) for item in items if item.size]

    def _uri(self) -> str:
        """An SQL expression that turns the file name into the object's URI."""
        roots = [self.folder / "objects"]
        roots += [self.objects.data_dir] if self.objects.data_dir else []
        expression = '"$path"'
        for root in roots:
            expression = f"replace({expression}, {scan.literal(f'{root}/')}, 's3://')"
        return expression

    def _partition_list(self, table: Table) -> str:
        key = (f"{table.database}.{table.name}", "partitions")
        if key not in self._views:
            columns = ", ".join(quote(column.name) for column in table.partition_keys)
            rows = pruning.values(table.partition_keys, self.catalog.partitions(table))
            self._views[key] = self._create(f"SELECT {columns} FROM {rows}", key[0])
        return self._views[key]

    def _information_schema(self, node: exp.Table, name: str) -> str:
        makers = {"schemata": _schemata, "tables": _tables, "columns": _columns}
        if name not in makers:
            raise QueryError(
                f"TABLE_NOT_FOUND: {place(node)}: "
                f"Table 'awsdatacatalog.information_schema.{name}' does not exist"
            )
        key = ("information_schema", name)
        if key not in self._views:
            names, rows = makers[name](self.catalog)
            listed = ", ".join(
                "(" + ", ".join(scan.literal(value) for value in row) + ")" for row in rows
            )
            empty = "SELECT " + ", ".join(f"CAST(NULL AS VARCHAR) AS {n}" for n in names)
            sql = (
                f"SELECT * FROM (VALUES {listed}) t({', '.join(names)})"
                if rows
                else empty + " LIMIT 0"
            )
            self._views[key] = self._create(sql, f"information_schema.{name}")
        return self._views[key]


def _types(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns + table.partition_keys}


def _folder(location: str) -> str:
    split_uri(location)
    return location.rstrip("/") + "/"


def _physical_tables(tree: exp.Expr) -> list[tuple[exp.Expr, exp.Table]]:
    """Each table in the tree that is no CTE, with the SELECT it stands in."""
    found: list[tuple[exp.Expr, exp.Table]] = []
    try:
        for scope in traverse_scope(tree):
            for _, source in scope.selected_sources.values():
                if isinstance(source, exp.Table) and not isinstance(source.this, exp.Func):
                    found.append((scope.expression, source))
    except OptimizeError as error:
        raise QueryError(f"SYNTAX_ERROR: {error}") from error
    return found


def _hide_path(select: exp.Expr) -> None:
    """`*` does not give the hidden `$path` column."""
    if not isinstance(select, exp.Select):
        return
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and not star.args.get("except_"):
            star.set("except_", [exp.to_identifier("$path", quoted=True)])


def _schemata(catalog: Catalog) -> tuple[list[str], list[tuple[str, ...]]]:
    names = ["catalog_name", "schema_name"]
    return names, [("awsdatacatalog", name) for name in catalog.databases()]


def _tables(catalog: Catalog) -> tuple[list[str], list[tuple[str, ...]]]:
    names = ["table_catalog", "table_schema", "table_name", "table_type"]
    return names, [
        ("awsdatacatalog", name, table.name, "VIEW" if table.view_sql else "BASE TABLE")
        for name in catalog.databases()
        for table in catalog.tables(name)
    ]


def _columns(catalog: Catalog) -> tuple[list[str], list[tuple[str, ...]]]:
    names = ["table_catalog", "table_schema", "table_name", "column_name", "data_type"]
    rows: list[tuple[str, ...]] = []
    for name in catalog.databases():
        for table in catalog.tables(name):
            both: tuple[Column, ...] = table.columns + table.partition_keys
            rows += [("awsdatacatalog", name, table.name, c.name, c.type) for c in both]
    return names, rows
