"""How Athena says no: a refused request, or a query that ends FAILED with a reason."""

from __future__ import annotations

import re

import duckdb
from sqlglot import exp


class ApiError(Exception):
    """The request itself is refused.

    https://docs.aws.amazon.com/athena/latest/APIReference/CommonErrors.html
    """

    def __init__(self, code: str, message: str, **extra: str) -> None:
        super().__init__(message)
        self.code, self.message, self.extra = code, message, extra


def invalid(message: str, athena_code: str = "INVALID_INPUT") -> ApiError:
    return ApiError("InvalidRequestException", message, AthenaErrorCode=athena_code)


class QueryError(Exception):
    """The query ends FAILED; `reason` is its StateChangeReason.

    `category` is AthenaError's: 1 system, 2 user, 3 other.
    https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html
    """

    def __init__(self, reason: str, category: int = 2) -> None:
        super().__init__(reason)
        self.reason, self.category = reason, category


def refused(kind: str, message: str) -> QueryError:
    """The words that Athena's Hive side uses for a failed DDL task."""
    return QueryError(
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
        f"{kind}(message:{message})"
    )


def semantic(code: int, message: str) -> QueryError:
    return QueryError(f"FAILED: SemanticException [Error {code}]: {message}")


_UNRESOLVED = "COLUMN_NOT_FOUND: {place}Column '{0}' cannot be resolved"
_RULES: list[tuple[type[duckdb.Error], str, str]] = [
    (duckdb.BinderException, r'Referenced (?:column|table) "(.+?)" not found', _UNRESOLVED),
    (duckdb.BinderException, r'does not have a column named "(.+?)"', _UNRESOLVED),
    (
        duckdb.BinderException,
        r'column "?(.+?)"? must appear in the GROUP BY',
        "EXPRESSION_NOT_AGGREGATE: {place}'{0}' must be an aggregate expression or appear in "
        "GROUP BY clause",
    ),
    (
        duckdb.CatalogException,
        r"Function with name \"?(\w+)\"? does not exist",
        "FUNCTION_NOT_FOUND: {place}Function '{0}' not registered",
    ),
    (
        duckdb.ConversionException,
        r"Could not convert string '(.*?)' to (\w+)",
        "INVALID_CAST_ARGUMENT: Cannot cast '{0}' to {1}",
    ),
    (
        duckdb.ConversionException,
        r"(?:Failed to cast value:.*?|invalid .*? field format:) [\"'](.*?)[\"']",
        "INVALID_CAST_ARGUMENT: Cannot cast '{0}'",
    ),
    (duckdb.InvalidInputException, r"Division by zero", "DIVISION_BY_ZERO: Division by zero"),
    (
        duckdb.InvalidInputException,
        r"Could not parse string \"(.*?)\" according to format",
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "{0}"',
    ),
    (duckdb.OutOfRangeException, r"(.+)", "NUMERIC_VALUE_OUT_OF_RANGE: {0}"),
]
_KINDS: list[tuple[type[duckdb.Error], str]] = [
    (duckdb.BinderException, "TYPE_MISMATCH"),
    (duckdb.ParserException, "SYNTAX_ERROR"),
    (duckdb.CatalogException, "NOT_SUPPORTED"),
    (duckdb.PermissionException, "PERMISSION_DENIED"),
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
    (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
]
# What `athena_fail` says, as DuckDB quotes it.
_AWS_WORDS = re.compile(r"Could not convert string '((?:[A-Z]+_)+[A-Z]+: .*)' to INT64", re.DOTALL)
_TYPES = {"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT"}


def place(node: exp.Expr) -> str:
    """Where in the query a name stands, in Trino's words: `line 1:8`."""
    meta = node.meta or node.this.meta
    line, end = meta.get("line", 1), meta.get("col", 1)
    return f"line {line}:{max(1, end - len(node.name) + 1)}"


def from_duckdb(error: duckdb.Error, tree: exp.Expr | None = None) -> QueryError:
    """The engine's error in Trino's words, as far as they can be told.

    `tree` is the query as it was given: it says where a name that was not found stands.
    """
    text = str(error)
    first = text.split("\n", 1)[0]
    if match := _AWS_WORDS.search(text):
        return QueryError(match[1])
    if isinstance(error, duckdb.InterruptException):
        return QueryError("Query cancelled")
    for kind, pattern, words in _RULES:
        if isinstance(error, kind) and (match := re.search(pattern, first)):
            told = [_TYPES.get(group, group) for group in match.groups()]
            return QueryError(words.format(*told, place=_found(tree, told)))
    message = first.split(": ", 1)[-1]
    for kind, name in _KINDS:
        if isinstance(error, kind):
            return QueryError(f"{name}: {message}")
    return QueryError(f"GENERIC_INTERNAL_ERROR: {message}", category=1)


def _found(tree: exp.Expr | None, names: list[str]) -> str:
    if tree is None or not names:
        return ""
    named = tree.find_all(exp.Column, exp.Func)
    same = (n for n in named if n.name.lower() == names[0].lower() and (n.meta or n.this.meta))
    return next((f"{place(node)}: " for node in same), "")
