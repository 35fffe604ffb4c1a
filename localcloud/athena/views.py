"""CREATE VIEW: the SQL, in the comment where Athena keeps it in Glue.

https://docs.aws.amazon.com/athena/latest/ug/create-view.html
"""

from __future__ import annotations

import base64
import json

from sqlglot import exp

from localcloud.athena.errors import QueryError
from localcloud.glue.catalog import Catalog


def save(
    catalog: Catalog, context: str, tree: exp.Expr, columns: list[tuple[str, str, str]]
) -> None:
    """Store a view made in the database `context`; `columns` are (name, Hive type, Trino type)."""
    table = tree.this
    database, name = (table.db or context).lower(), table.name.lower()
    if catalog.database(database) is None:
        raise QueryError(f"SCHEMA_NOT_FOUND: line 1:1: Schema '{database}' does not exist")
    existing = catalog.table(database, name)
    if existing is not None and (existing.view_sql is None or not tree.args.get("replace")):
        raise QueryError(
            f"TABLE_ALREADY_EXISTS: line 1:1: View 'awsdatacatalog.{database}.{name}' "
            "already exists"
        )
    document = {
        "originalSql": tree.expression.sql("athena"),
        "catalog": "awsdatacatalog",
        "schema": context,
        "columns": [{"name": n, "type": trino} for n, _, trino in columns],
    }
    packed = base64.b64encode(json.dumps(document).encode()).decode()
    wanted = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": f"/* Presto View: {packed} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": n, "Type": hive} for n, hive, _ in columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }
    call = catalog.glue.update_table if existing else catalog.glue.create_table
    call(DatabaseName=database, TableInput=wanted)
