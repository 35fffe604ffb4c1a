"""Rows that break a check, and how they are told."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import pytest

from chalicelib.quality import explanation, offenders, query, verdict
from chalicelib.quality.declared import Check, Quality
from localcloud.athena import translate
from localcloud.athena.macros import MACROS

ROWS = query.Rows('"db"."t"', "r1", "db")
TABLE = pd.DataFrame(
    {
        "id": ["a", "b", "b", "c", None],
        "stars": [1, 5, 5, 9, 2],
        "text": ["fine", None, "good", "x" * 500, "12"],
        "run": ["r1"] * 5,
    }
)
KEYS = pd.DataFrame({"id": ["a", "b", None]})


def broken(checks: list[dict[str, Any]]) -> tuple[list[Check], list[verdict.Result]]:
    made = [Check.model_validate(each) for each in checks]
    results = [
        verdict.Result(c.metric, c.level, 0.5, c.at_least, c.at_most, False, c.hint, i)
        for i, c in enumerate(made)
    ]
    return made, results


def found(*checks: dict[str, Any], rows: pd.DataFrame = TABLE) -> offenders.Offending:
    made, results = broken(list(checks))
    sql = offenders.statement(results, made, ROWS, ["id", "stars", "text"])
    assert sql
    with duckdb.connect() as connection:
        connection.execute(MACROS + "CREATE SCHEMA db")
        for name, table in (("t", rows), ("keys", KEYS)):
            connection.register("given", table)
            connection.execute(f"CREATE TABLE db.{name} AS SELECT * FROM given")
        answer = connection.execute(translate.query(sql))
        names = [column[0] for column in answer.description or []]
        return offenders.read(dict(zip(names, row, strict=True)) for row in answer.fetchall())


@pytest.mark.parametrize(
    ("check", "stars"),
    [
        ({"check": "complete", "column": "text"}, {"5"}),
        ({"check": "completeness", "column": "id", "at_least": 1}, {"2"}),
        ({"check": "membership", "column": "stars", "values": [1, 2, 5]}, {"9"}),
        ({"check": "compliance", "predicate": "text = 'good'", "where": "id = 'b'"}, {"5"}),
        ({"check": "pattern", "column": "text", "pattern": "^[a-z]+$"}, {"5", "2"}),
        ({"check": "data_type", "column": "text", "type": "string"}, {"2"}),
        ({"check": "max", "column": "stars", "at_most": 5}, {"9"}),
        ({"check": "min", "column": "stars", "at_least": 2}, {"1"}),
        ({"check": "max_length", "column": "text", "at_most": 10}, {"9"}),
        ({"check": "uniqueness", "column": "id", "at_least": 1}, {"5"}),
        (
            {
                "check": "foreign_key",
                "column": "id",
                "references": {"table": "keys", "column": "id"},
            },
            {"9"},
        ),
    ],
    ids=lambda each: each.get("check") if isinstance(each, dict) else None,
)
def test_the_rows_that_break_a_check(check: dict[str, Any], stars: set[str]) -> None:
    (rows,) = found(check).values()
    assert {row["stars"] for row in rows} == stars


def test_rows_of_a_few_repeated_keys_are_shown() -> None:
    keys = [("a", None)] * 3 + [("b", number) for number in range(9)] * 2 + [(None, None)] * 2
    table = pd.DataFrame(keys, columns=["id", "stars"]).assign(text="x", run="r1")
    (rows,) = found(
        {"check": "uniqueness", "columns": ["id", "stars"], "at_least": 1}, rows=table
    ).values()
    shown = [(row["id"], row["stars"]) for row in rows]
    assert sorted(shown, key=str) == [("a", None)] * 3 + [("b", "0.0")] * 2


def test_one_query_for_all_and_long_values_are_cut() -> None:
    answer = found(
        {"check": "max", "column": "stars", "at_most": 5},
        {"check": "complete", "column": "id"},
    )
    assert answer.keys() == {0, 1}
    assert len(answer[0][0]["text"] or "") == offenders.LONGEST


@pytest.mark.parametrize(
    "check",
    [
        {"check": "mean", "column": "stars", "at_most": 1},
        {"check": "size", "at_least": 100},
        {"check": "min", "column": "stars", "at_most": 0},
        {"check": "entropy", "column": "id", "at_least": 9},
    ],
)
def test_some_checks_no_row_breaks(check: dict[str, Any]) -> None:
    made, results = broken([check])
    assert offenders.statement(results, made, ROWS, ["id"]) is None


def test_people_are_told_which_check_how_far_which_rows_and_what_to_do() -> None:
    quality = Quality.model_validate(
        {
            "checks": [
                {"check": "complete", "column": "text", "hint": "Ask the shop."},
                {"check": "mean", "column": "stars", "at_most": 4, "level": "warning"},
            ]
        }
    )
    measured = {"rows": "4", "rows_read": "4", "m0": "0.75", "m1": "4.4"}
    report = verdict.judge(measured, query.Wanted(quality.checks), 0.05)
    offending: dict[int | None, list[offenders.Row]] = {0: [{"id": "b", "text": None}]}
    told = explanation.explain("r1", report, quality.checks, offending)
    assert told.split("\n\n") == [
        "1 check of the data broke: complete(text) is 0.75; wanted at least 1. Ask the shop.",
        "error: complete(text) is 0.75; wanted at least 1. Ask the shop.\n"
        "  row: text = NULL, id = b\n"
        "warning: mean(stars) is 4.4; wanted at most 4.",
        explanation.REMEDY.format(run_id="r1"),
    ]


def test_a_look_that_failed_leaves_the_verdict_and_says_why() -> None:
    quality = Quality.model_validate({"checks": [{"check": "complete", "column": "text"}]})
    measured = {"rows": "4", "rows_read": "4", "m0": "0.75"}
    report = verdict.judge(measured, query.Wanted(quality.checks), 0.05)
    told = explanation.explain("r1", report, quality.checks, {}, "the Athena query failed: x")
    assert told.split("\n\n")[1].splitlines()[-1] == (
        "No rows are shown: the Athena query failed: x"
    )
