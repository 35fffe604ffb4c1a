"""Runs one statement from start to result files.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb
from botocore.exceptions import ClientError
from sqlglot import exp

from localcloud.athena import damage, results, show, views, write
from localcloud.athena.ctas import (
    check_partition_columns,
    location_of,
    output_of,
    table_of,
    without_data,
)
from localcloud.athena.ddl import Definitions
from localcloud.athena.dialect import Statement, parse_trino, parse_unload, table_properties
from localcloud.athena.errors import ApiError, QueryError, from_duckdb
from localcloud.athena.insertion import insertion
from localcloud.athena.session import Session
from localcloud.athena.write import Written
from localcloud.glue import hive_types
from localcloud.glue.catalog import Catalog, partition_path
from localcloud.glue.hive_types import UnknownTypeError, quote
from localcloud.glue.objects import BadLocationError, Objects


@dataclass
class Outcome:
    """What the API tells of a finished query."""

    columns: list[dict[str, Any]] = field(default_factory=list)
    output: str = ""
    manifest: str | None = None
    scanned: int = 0
    rows: int = 0


@dataclass
class Query:
    id: str
    statement: Statement
    database: str
    output: str  # the folder of results, ends in /
    enforced: bool = False  # the workgroup decides where results go


@dataclass
class Engine:
    """Statements in, files and catalog entries out. One `run` per query, in its own thread."""

    catalog: Catalog
    objects: Objects

    def run(self, query: Query, started: Callable[[Session], None]) -> Outcome:
        """Run a statement; a QueryError says why it failed."""
        folder = self.objects.folder()
        session = Session(self.catalog, self.objects, folder, query.database)
        started(session)
        try:
            outcome = self._run(query, session)
            outcome.scanned = session.scanned
            return outcome
        except duckdb.Error as error:
            told = damage.found(error, session.parquet) or from_duckdb(error, session.tree)
            raise told from error
        except ApiError as error:
            raise QueryError(error.message) from error
        except (UnknownTypeError, BadLocationError) as error:
            raise QueryError(f"NOT_SUPPORTED: {error}") from error
        except ClientError as error:
            detail = error.response["Error"]
            raise QueryError(f"{detail['Code']}: {detail.get('Message', '')}") from error
        finally:
            session.close()
            shutil.rmtree(folder, ignore_errors=True)

    def warm_up(self) -> None:
        """Make what the first query would else wait for: clients, parser, DuckDB's functions."""
        folder = self.objects.folder()
        session = Session(self.catalog, self.objects, folder, "default")
        try:
            self.catalog.databases()
            session.connection.execute(session.prepare(parse_trino("SELECT 1"))).fetchall()
        finally:
            session.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, query: Query, session: Session) -> Outcome:
        kind = query.statement.kind
        if kind in ("select", "insert", "unload", "ctas", "create_view", "explain"):
            outcome: Outcome = getattr(self, f"_{kind}")(query, session)
            return outcome
        if kind in show.COLUMNS:
            lines = show.Show(self.catalog, query.database).run(kind, query.statement.sql)
            return self._text(query, lines, show.COLUMNS[kind])
        definitions = Definitions(self.catalog, self.objects, query.database)
        lines = definitions.run(kind, query.statement.sql)
        return self._text(query, lines, ["result"] if lines else [])

    def _text(self, query: Query, lines: list[str], names: list[str]) -> Outcome:
        uri = f"{query.output}{query.id}.txt"
        self.objects.put(uri, "".join(line + "\n" for line in lines).encode())
        return self._finished(query, Outcome([results.text_column(n) for n in names], uri))

    def _finished(self, query: Query, outcome: Outcome) -> Outcome:
        body = json.dumps({"ColumnInfo": outcome.columns}).encode()
        self.objects.put(f"{outcome.output}.metadata", body)
        return outcome

    def _select(self, query: Query, session: Session) -> Outcome:
        tree = named(parse_trino(query.statement.sql))
        sql = session.prepare(tree)
        described = describe(session, sql)
        path = session.folder / "result.csv"
        rows = results.write_csv(session.connection, sql, described, path)
        uri = f"{query.output}{query.id}.csv"
        self.objects.put_files([(path, uri)])
        columns = [results.column_info(name, kind) for name, kind in described]
        return self._finished(query, Outcome(columns, uri, rows=rows))

    def _explain(self, query: Query, session: Session) -> Outcome:
        text = re.sub(
            r"\AEXPLAIN\s+(ANALYZE\s+)?(\([^)]*\)\s*)?", "", query.statement.sql, flags=re.I
        )
        sql = session.prepare(parse_trino(text))
        rows = session.connection.execute(f"EXPLAIN {sql}").fetchall()
        return self._text(
            query, [line for row in rows for line in row[1].splitlines()], ["Query Plan"]
        )

    def _create_view(self, query: Query, session: Session) -> Outcome:
        tree = parse_trino(query.statement.sql)
        described = describe(session, session.prepare(named(tree.expression.copy())))
        _all_named(described)
        columns = [
            (name.lower(), hive_types.to_hive(kind), hive_types.to_trino(kind)[0])
            for name, kind in described
        ]
        views.save(self.catalog, query.database, tree, columns)
        return self._text(query, [], [])

    def _insert(self, query: Query, session: Session) -> Outcome:
        tree = parse_trino(query.statement.sql)
        plan = insertion(self.catalog, session, tree, query.database)
        table = plan.table
        written = write.write(
            session.connection, self.objects, plan.sql, plan.columns,
            [key.name for key in table.partition_keys], plan.output, table.location, session.folder,
        )  # fmt: skip
        self._register(table.database, table.name, written)
        return self._manifest(query, written, f"{query.output}{query.id}")

    def _register(self, database: str, name: str, written: Written) -> None:
        table = self.catalog.table(database, name)
        if table is None:
            raise QueryError(f"TABLE_NOT_FOUND: Table '{database}.{name}' was dropped meanwhile")
        root = table.location.rstrip("/")
        self.catalog.add_partitions(
            table,
            {v: f"{root}/{partition_path(table.partition_keys, v)}" for v in written.partitions},
        )

    def _unload(self, query: Query, session: Session) -> Outcome:
        plan = parse_unload(query.statement.sql)
        if "format" not in plan.properties:
            raise QueryError("INVALID_TABLE_PROPERTY: UNLOAD needs the property 'format'")
        output, partition_by = output_of(plan.properties, "GZIP")
        if not partition_by:
            self._must_be_empty(plan.location, "the UNLOAD")
        sql = session.prepare(named(plan.query))
        columns = _typed(describe(session, sql))
        written = write.write(
            session.connection, self.objects, _renamed(sql, columns), columns, partition_by,
            output, plan.location, session.folder,
        )  # fmt: skip
        return self._manifest(query, written, f"{query.output}{query.id}")

    def _ctas(self, query: Query, session: Session) -> Outcome:
        tree = parse_trino(query.statement.sql)
        if not isinstance(tree, exp.Create) or tree.expression is None:
            raise QueryError("NOT_SUPPORTED: CREATE TABLE takes AS SELECT, or EXTERNAL")
        properties = table_properties(tree)
        database = (tree.this.db or query.database).lower()
        name = tree.this.name.lower()
        if not self._absent(database, name, bool(tree.args.get("exists"))):
            return self._manifest(query, Written([], [], 0), f"{query.output}tables/{query.id}")
        default = f"{query.output}tables/{query.id}/"
        location = location_of(properties, default, query.enforced)
        self._must_be_empty(location, f"table '{database}.{name}'")
        output, partition_by = output_of(properties, "GZIP")
        sql = session.prepare(named(tree.expression.copy()))
        columns = _typed(describe(session, sql))
        _all_named(columns)
        check_partition_columns(columns, partition_by)
        empty = without_data(query.statement.sql)
        written = Written([], [], 0) if empty else write.write(
            session.connection, self.objects, _renamed(sql, columns), columns, partition_by,
            output, location, session.folder,
        )  # fmt: skip
        wanted = table_of(name, columns, partition_by, output, location)
        self.catalog.glue.create_table(DatabaseName=database, TableInput=wanted)
        self._register(database, name, written)
        return self._manifest(query, written, f"{query.output}tables/{query.id}")

    def _absent(self, database: str, name: str, quiet: bool) -> bool:
        if self.catalog.database(database) is None:
            raise QueryError(f"SCHEMA_NOT_FOUND: line 1:1: Schema {database} does not exist")
        if self.catalog.table(database, name) is None:
            return True
        if quiet:
            return False
        raise QueryError(
            f"TABLE_ALREADY_EXISTS: line 1:1: Destination table "
            f"'awsdatacatalog.{database}.{name}' already exists"
        )

    def _must_be_empty(self, location: str, what: str) -> None:
        if self.objects.exists(location.rstrip("/") + "/"):
            raise QueryError(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for {what} already exists: "
                f"{location}. You may need to manually clean the data at location '{location}' "
                "before retrying. Athena will not delete data in your account."
            )

    def _manifest(self, query: Query, written: Written, uri: str) -> Outcome:
        manifest = f"{uri}-manifest.csv"
        self.objects.put(manifest, "".join(f"{file}\n" for file in written.files).encode())
        columns = [results.column_info("rows", "BIGINT")]
        return self._finished(query, Outcome(columns, uri, manifest, rows=written.rows))


def named(tree: exp.Expr) -> exp.Expr:
    """Give unnamed outputs a mark, so that they can be called `_colN` as Trino does."""
    select = tree
    while isinstance(select, (exp.SetOperation, exp.Subquery, exp.Paren)):
        select = select.this
    if isinstance(select, exp.Select):
        for at, item in enumerate(select.expressions):
            if not isinstance(item, (exp.Alias, exp.Column, exp.Star, exp.Dot)):
                item.replace(exp.alias_(item.copy(), f"__unnamed_{at}", quoted=True))
    return tree


def describe(session: Session, sql: str) -> list[tuple[str, str]]:
    """(name, DuckDB type) of a query's columns."""
    rows = session.connection.execute(f"DESCRIBE {sql}").fetchall()
    found = []
    for at, row in enumerate(rows):
        unnamed = row[0].startswith("__unnamed_") or (
            re.fullmatch(r"col\d+", row[0]) and "VALUES" in sql
        )
        found.append((f"_col{at}" if unnamed else row[0], row[1]))
    return found


def _all_named(columns: list[tuple[str, str]]) -> None:
    for at, (name, _) in enumerate(columns, 1):
        if re.fullmatch(r"_col\d+", name):
            raise QueryError(
                f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {at}"
            )
    names = [name.lower() for name, _ in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise QueryError(
            f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{twice}' specified more than once"
        )


def _typed(described: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Output types as Hive can hold them: what a table made of them will say."""
    return [
        (name.lower(), hive_types.to_duckdb(hive_types.to_hive(kind))) for name, kind in described
    ]


def _renamed(sql: str, columns: list[tuple[str, str]]) -> str:
    marks = [f"c{at}" for at in range(len(columns))]
    cast = ", ".join(
        f"CAST({mark} AS {kind}) AS {quote(name)}"
        for mark, (name, kind) in zip(marks, columns, strict=True)
    )
    return f"SELECT {cast} FROM ({sql}) AS q({', '.join(marks)})"
