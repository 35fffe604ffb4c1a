"""Parsing of Athena's statements: its kind, and the tree of the query in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, TokenError

from localcloud.athena.errors import invalid


@dataclass(frozen=True)
class Statement:
    """One statement: `kind` chooses what runs it, `type`/`substatement` are what the API tells."""

    sql: str
    kind: str
    type: str
    substatement: str


_HEADS: list[tuple[str, str, str, str]] = [
    (r"(SELECT|WITH|VALUES|\(|TABLE)", "select", "DML", "SELECT"),
    (r"INSERT\s+INTO\b", "insert", "DML", "INSERT"),
    (r"UNLOAD\b", "unload", "DML", "UNLOAD"),
    (r"EXPLAIN\b", "explain", "UTILITY", "EXPLAIN"),
    (r"SHOW\s+(DATABASES|SCHEMAS)\b", "show_databases", "UTILITY", "SHOW_DATABASES"),
    (r"SHOW\s+TABLES\b", "show_tables", "UTILITY", "SHOW_TABLES"),
    (r"SHOW\s+VIEWS\b", "show_views", "UTILITY", "SHOW_VIEWS"),
    (r"SHOW\s+COLUMNS\b", "show_columns", "UTILITY", "SHOW_COLUMNS"),
    (r"SHOW\s+PARTITIONS\b", "show_partitions", "UTILITY", "SHOW_PARTITIONS"),
    (r"SHOW\s+TBLPROPERTIES\b", "show_properties", "UTILITY", "SHOW_TBLPROPERTIES"),
    (r"SHOW\s+CREATE\s+TABLE\b", "show_create_table", "UTILITY", "SHOW_CREATE_TABLE"),
    (r"SHOW\s+CREATE\s+VIEW\b", "show_create_view", "UTILITY", "SHOW_CREATE_VIEW"),
    (r"DESC(RIBE)?\b", "describe", "UTILITY", "DESCRIBE_TABLE"),
    (r"MSCK\s+REPAIR\s+TABLE\b", "msck", "DDL", "MSCK_REPAIR_TABLE"),
    (r"CREATE\s+(OR\s+REPLACE\s+)?VIEW\b", "create_view", "DDL", "CREATE_VIEW"),
    (r"CREATE\s+(DATABASE|SCHEMA)\b", "create_database", "DDL", "CREATE_DATABASE"),
    (r"CREATE\s+EXTERNAL\s+TABLE\b", "create_table", "DDL", "CREATE_TABLE"),
    (r"CREATE\s+TABLE\b", "ctas", "DDL", "CREATE_TABLE_AS_SELECT"),
    (r"DROP\s+(DATABASE|SCHEMA)\b", "drop_database", "DDL", "DROP_DATABASE"),
    (r"DROP\s+TABLE\b", "drop_table", "DDL", "DROP_TABLE"),
    (r"DROP\s+VIEW\b", "drop_view", "DDL", "DROP_VIEW"),
    (r"ALTER\s+TABLE\b", "alter_table", "DDL", "ALTER_TABLE"),
]
_QUERIES = {"select", "insert", "unload", "ctas", "create_view", "explain"}
# First words of statements that Athena or Trino knows and that are not served here.
_OTHERS = frozenset(
    ["ALTER", "ANALYZE", "CALL", "COMMIT", "CREATE", "DEALLOCATE", "DELETE", "DENY", "DESCRIBE",
     "DROP", "EXECUTE", "GRANT", "INSERT", "MERGE", "OPTIMIZE", "PREPARE", "REFRESH", "RESET",
     "REVOKE", "ROLLBACK", "SET", "SHOW", "START", "TRUNCATE", "UPDATE", "USE", "VACUUM"]
)  # fmt: skip
_EXPECTED = "'ALTER', 'CREATE', 'DESCRIBE', 'DROP', 'INSERT', 'SHOW', 'UNLOAD', <query>"
_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)


def classify(sql: str) -> Statement:
    """What a statement is; refuses what Athena refuses before it queues anything."""
    text = _COMMENTS.sub("", sql).strip()
    text = re.sub(r"(?:;\s*)+\Z", "", text).strip()
    if not text:
        raise invalid("queryString is empty")
    for head, kind, name, substatement in _HEADS:
        if re.match(head, text, re.IGNORECASE):
            statement = Statement(text, kind, name, substatement)
            if kind in _QUERIES:
                check_syntax(statement)
            return statement
    word = text.split()[0]
    if word.upper() in _OTHERS:
        raise invalid("Queries of this type are not supported", "NOT_SUPPORTED")
    raise invalid(f"line 1:1: mismatched input '{word}'. Expecting: {_EXPECTED}", "MALFORMED_QUERY")


def check_syntax(statement: Statement) -> None:
    """Refuse a query that does not parse.

    https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
    """
    if statement.kind == "unload":
        parse_unload(statement.sql)
    elif statement.kind == "explain":
        parse_trino(
            re.sub(r"\AEXPLAIN\s+(ANALYZE\s+)?(\([^)]*\)\s*)?", "", statement.sql, flags=re.I)
        )
    else:
        parse_trino(statement.sql)


def parse_trino(sql: str) -> exp.Expr:
    """The tree of one query in Trino's syntax."""
    try:
        trees = sqlglot.parse(sql, read="athena")
    except ParseError as error:
        raise invalid(_syntax_words(error), "MALFORMED_QUERY") from error
    except (TokenError, SqlglotError) as error:
        raise invalid(f"line 1:1: {error}", "MALFORMED_QUERY") from error
    if len(trees) != 1 or trees[0] is None:
        raise invalid("Only one sql statement is allowed", "MALFORMED_QUERY")
    if isinstance(trees[0], exp.Command):
        raise invalid(f"line 1:1: mismatched input '{sql.split()[0]}'", "MALFORMED_QUERY")
    return trees[0]


def _syntax_words(error: ParseError) -> str:
    first = error.errors[0] if error.errors else {}
    place = f"line {first.get('line', 1)}:{first.get('col', 1)}"
    return (
        f"{place}: mismatched input '{first.get('highlight', '')}'. {first.get('description', '')}"
    )


@dataclass(frozen=True)
class Unload:
    query: exp.Expr
    location: str
    properties: dict[str, str | list[str]]


def parse_unload(sql: str) -> Unload:
    """`UNLOAD (query) TO 's3://...' WITH (...)`.

    https://docs.aws.amazon.com/athena/latest/ug/unload.html
    """
    match = re.match(
        r"UNLOAD\s*\((.*)\)\s*TO\s*'([^']+)'\s*(?:WITH\s*(\(.*\)))?\s*\Z", sql, re.DOTALL | re.I
    )
    if not match:
        raise invalid(
            "line 1:1: mismatched input 'UNLOAD'. Expecting: UNLOAD (query) TO 'location'"
        )
    shell = parse_trino(f"CREATE TABLE t WITH {match[3]} AS SELECT 1") if match[3] else None
    return Unload(parse_trino(match[1]), match[2], table_properties(shell) if shell else {})


def table_properties(create: exp.Expr) -> dict[str, str | list[str]]:
    """The `WITH (...)` of CTAS and UNLOAD, names in lower case."""
    found: dict[str, str | list[str]] = {}
    holder = create.args.get("properties")
    for item in holder.expressions if holder else []:
        name, value = _property(item)
        found[name] = value
    return found


def _property(item: exp.Expr) -> tuple[str, str | list[str]]:
    names: dict[type[exp.Expr], str] = {
        exp.FileFormatProperty: "format",
        exp.PartitionedByProperty: "partitioned_by",
        exp.LocationProperty: "location",
    }
    if type(item) in names:
        name, value = names[type(item)], item.this
    elif isinstance(item, exp.Property):
        name, value = item.this.name.lower(), item.args["value"]
    else:
        raise invalid(f"Table property is not supported: {item.sql('athena')}", "NOT_SUPPORTED")
    if isinstance(value, (exp.Array, exp.Tuple, exp.Schema)):
        return name, [part.name.lower() for part in value.expressions]
    return name, value.name
