"""How Athena says no: a refused request, or a query that ends FAILED with a reason."""

from __future__ import annotations

import re

import duckdb


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


class QueryCancelledError(Exception):
    """The query was stopped."""


_RULES: list[tuple[type[duckdb.Error], str, str]] = [
    (duckdb.BinderException, r'Referenced column "(.+?)" not found', "COLUMN_NOT_FOUND: Column '{}' cannot be resolved"),
    (duckdb.BinderException, r'Referenced table "(.+?)" not found', "COLUMN_NOT_FOUND: Column '{}' cannot be resolved"),
    (duckdb.BinderException, r'does not have a column named "(.+?)"', "COLUMN_NOT_FOUND: Column '{}' cannot be resolved"),
    (duckdb.BinderException, r'column "?(.+?)"? must appear in the GROUP BY', "EXPRESSION_NOT_AGGREGATE: '{}' must be an aggregate expression or appear in GROUP BY clause"),
    (duckdb.CatalogException, r"Function with name \"?(\w+)\"? does not exist", "FUNCTION_NOT_FOUND: Function '{}' not registered"),
    (duckdb.ConversionException, r"(?:Could not convert string|Failed to cast value:.*?|invalid .*? field format:) [\"'](.*?)[\"']", "INVALID_CAST_ARGUMENT: Cannot cast '{}'"),
    (duckdb.InvalidInputException, r"Division by zero", "DIVISION_BY_ZERO: Division by zero"),
    (duckdb.InvalidInputException, r"Could not parse string \"(.*?)\" according to format", "INVALID_FUNCTION_ARGUMENT: Invalid format: \"{}\""),
    (duckdb.OutOfRangeException, r"(.+)", "NUMERIC_VALUE_OUT_OF_RANGE: {}"),
]  # fmt: skip
_KINDS: list[tuple[type[duckdb.Error], str]] = [
    (duckdb.BinderException, "TYPE_MISMATCH"),
    (duckdb.ParserException, "SYNTAX_ERROR"),
    (duckdb.CatalogException, "NOT_SUPPORTED"),
    (duckdb.PermissionException, "PERMISSION_DENIED"),
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
    (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
]
_AWS_WORDS = re.compile(r"^(?:Invalid Input Error: )?((?:[A-Z]+_)+[A-Z]+: .*)", re.DOTALL)


def from_duckdb(error: duckdb.Error) -> QueryError:
    """The engine's error in Trino's words, as far as they can be told."""
    text = str(error)
    first = text.split("\n", 1)[0]
    if match := _AWS_WORDS.match(text.split("\n\nLINE", 1)[0]):
        return QueryError(match[1].strip())
    if isinstance(error, duckdb.InterruptException):
        return QueryError("Query cancelled")
    for kind, pattern, words in _RULES:
        if isinstance(error, kind) and (match := re.search(pattern, first)):
            return QueryError(words.format(*match.groups()))
    message = first.split(": ", 1)[-1]
    for kind, name in _KINDS:
        if isinstance(error, kind):
            return QueryError(f"{name}: {message}")
    return QueryError(f"GENERIC_INTERNAL_ERROR: {message}", category=1)
