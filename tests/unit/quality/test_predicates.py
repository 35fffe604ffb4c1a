"""SQL conditions: which are taken, what they read, and what is said of the others."""

from __future__ import annotations

import pytest

from chalicelib.quality import predicates
from localcloud.athena.dialect import parse_trino


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("a > 1", {"a"}),
        ("A = b", {"a", "b"}),
        ('"odd name" IS NOT NULL', {"odd name"}),
        ("a IN (1, 2, -3) AND NOT b LIKE 'x%' ESCAPE '!'", {"a", "b"}),
        ("a NOT BETWEEN 1 AND b + 2 OR c", {"a", "b", "c"}),
        ("length(trim(a)) >= 3.5e1", {"a"}),
        ("CASE WHEN a THEN b = 1 ELSE true END", {"a", "b"}),
        ("CASE a WHEN 1 THEN true END", {"a"}),
        ("day >= DATE '2020-01-01' - INTERVAL '3' DAY", {"day"}),
        ("TRY_CAST(a AS decimal(10, 2)) > 0", {"a"}),
        ("regexp_like(a, '^it''s')", {"a"}),
        ("(a = 1 OR b = 2) AND current_date > c", {"a", "b", "c"}),
        ("a || 'x' <> b", {"a", "b"}),
    ],
)
def test_a_condition_names_its_columns(condition: str, columns: set[str]) -> None:
    assert predicates.columns(condition) == columns
    parse_trino(f"SELECT 1 FROM t WHERE {condition}")  # and Athena's parser takes it


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("", "it ends where a value should be"),
        ("a >", "it ends where a value should be"),
        ("a > 1 AND", "it ends where a value should be"),
        ("a + 1", "this is a value, not a condition"),
        ("'text'", "this is a value, not a condition"),
        ("a IN (1, 2", "the end where ) should be"),
        ("a IS 5", "5 where NULL should be"),
        ("a NOT 5", "NOT here wants IN, BETWEEN or LIKE"),
        ("a = 1; DROP TABLE t", "'; DROP TAB' is not understood"),
        ("a = 1 -- rest", "'-- rest' is not understood"),
        ("a = 1 /* rest */", "is not understood"),
        ("a = 1) OR (b = 2", ") has no place in a condition"),
        ("a IN (SELECT b FROM c)", "SELECT has no place in a condition"),
        ("EXISTS (a)", "EXISTS has no place in a condition"),
        ("sum(a) > 5", "sum looks at many rows"),
        ("a = 'open", "is not understood"),
        ("a b", "b has no place in a condition"),
    ],
)
def test_anything_else_is_refused(condition: str, words: str) -> None:
    with pytest.raises(predicates.PredicateError) as refused:
        predicates.columns(condition)
    assert words in str(refused.value)
