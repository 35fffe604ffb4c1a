"""SQL conditions that people write in pipeline.toml: read before Athena does.

A condition is one boolean expression over a row: no subquery, no aggregate, nothing that could end
the statement around it. https://docs.aws.amazon.com/athena/latest/ug/functions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

TOKENS = re.compile(
    r"""\s*(?:
    (?P<comment>--|/\*)
  | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
  | (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign><>|!=|<=|>=|\|\||[-+*/%=<>(),])
    )""",
    re.VERBOSE,
)
RESERVED = {
    "AND", "AS", "BETWEEN", "CASE", "CAST", "ELSE", "END", "ESCAPE", "EXISTS", "FROM", "GROUP",
    "HAVING", "IN", "IS", "JOIN", "LIKE", "NOT", "NULL", "OR", "ORDER", "SELECT", "THEN", "UNION",
    "WHEN", "WHERE", "WITH",
}  # fmt: skip
CONSTANTS = {"TRUE", "FALSE", "NULL", "CURRENT_DATE", "CURRENT_TIMESTAMP"}
COMPARED = ("=", "<>", "!=", "<=", ">=", "<", ">")
AGGREGATES = {"AVG", "COUNT", "COUNT_IF", "MAX", "MIN", "STDDEV", "SUM"}


class PredicateError(ValueError):
    """The text is not one SQL condition; the message says where and why."""


def columns(condition: str) -> set[str]:
    """The names of the columns that a condition reads."""
    return _Reader(condition).read()


class _Reader:
    """Recursive descent; each method says whether what it read is a condition (None: may be)."""

    def __init__(self, condition: str) -> None:
        self.names: set[str] = set()
        self.tokens = _tokens(condition)
        self.at = 0

    def read(self) -> set[str]:
        is_condition = self.either()
        if self.at < len(self.tokens):
            raise PredicateError(f"{self.tokens[self.at][1]} has no place in a condition")
        if is_condition is False:
            raise PredicateError("this is a value, not a condition")
        return self.names

    def either(self) -> bool | None:
        return self._joined("OR", lambda: self._joined("AND", self.negated))

    def negated(self) -> bool | None:
        if self._take("NOT"):
            self.negated()
            return True
        return self.compared()

    def compared(self) -> bool | None:
        is_condition = self.value()
        if self._take(*COMPARED):
            self.value()
            return True
        if self._take("IS"):
            self._take("NOT")
            self._must("NULL")
            return True
        negative = self._take("NOT")
        if self._take("IN"):
            self._must("(")
            self._listed(")")
        elif self._take("BETWEEN"):
            self.value()
            self._must("AND")
            self.value()
        elif self._take("LIKE"):
            self.value()
            if self._take("ESCAPE"):
                self.value()
        elif negative:
            raise PredicateError("NOT here wants IN, BETWEEN or LIKE after it")
        else:
            return is_condition
        return True

    def value(self) -> bool | None:
        kind = self.term()
        while self._take("+", "-", "*", "/", "%", "||"):
            self.term()
            kind = False
        return kind

    def term(self) -> bool | None:
        if self._take("+", "-"):
            self.term()
            return False
        kind, token = self._next("a value")
        if kind in ("number", "text"):
            return False
        if kind == "quoted":
            self.names.add(token[1:-1].replace('""', '"'))
            return None
        if token == "(":
            inner = self.either()
            self._must(")")
            return inner
        if kind == "word":
            return self._word(token)
        raise PredicateError(f"{token} where a value should be")

    def _word(self, token: str) -> bool | None:
        word = token.upper()
        if word == "CASE":
            self._case()
            return None
        if word in ("CAST", "TRY_CAST") and self._take("("):
            self.either()
            self._must("AS")
            self._type()
            return None
        if word in CONSTANTS:
            return None
        if word in RESERVED:
            raise PredicateError(f"{token} has no place in a condition")
        if word in ("DATE", "TIMESTAMP", "INTERVAL") and self._kind() == "text":
            self.at += 1
            if word == "INTERVAL":
                self._next("a unit such as DAY")
            return False
        if self._take("("):
            if word in AGGREGATES:
                raise PredicateError(f"{token} looks at many rows; a condition looks at one")
            if not self._take(")"):
                self._listed(")")
            return None
        self.names.add(token.lower())
        return None

    def _case(self) -> None:
        if self._peek() != "WHEN":
            self.value()
        while self._take("WHEN"):
            self.either()
            self._must("THEN")
            self.either()
        if self._take("ELSE"):
            self.either()
        self._must("END")

    def _type(self) -> None:
        self._next("a type")
        if self._take("("):
            self._listed(")")
        self._must(")")

    def _listed(self, end: str) -> None:
        self.either()
        while self._take(","):
            self.either()
        self._must(end)

    def _joined(self, word: str, part: Callable[[], bool | None]) -> bool | None:
        kind = part()
        while self._take(word):
            part()
            kind = True
        return kind

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def _take(self, *wanted: str) -> bool:
        found = self._kind() in ("word", "sign") and self._peek() in wanted
        self.at += found
        return found

    def _must(self, wanted: str) -> None:
        if not self._take(wanted):
            raise PredicateError(f"{self._peek() or 'the end'} where {wanted} should be")

    def _next(self, wanted: str) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise PredicateError(f"it ends where {wanted} should be")
        self.at += 1
        return self.tokens[self.at - 1]


def _tokens(condition: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(condition.rstrip())
    while at < end:
        token = TOKENS.match(condition, at)
        if token is None or token["comment"]:
            raise PredicateError(
                f"what begins with {condition[at:].strip()[:10]!r} is not understood"
            )
        kind = token.lastgroup or ""
        found.append((kind, token[kind]))
        at = token.end()
    return found
