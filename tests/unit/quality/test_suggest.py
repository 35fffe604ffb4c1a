"""Suggested checks: what the data keeps, in TOML that pipeline.toml takes."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from chalicelib import settings
from chalicelib.quality import __main__ as asked
from chalicelib.quality import fitting, sample, suggest, verdict
from chalicelib.quality.declared import Quality
from chalicelib.quality.query import Wanted
from chalicelib.reading import rows
from chalicelib.schema import TrainingDataset
from cli import quality, reviews
from cli.errors import Problem
from tests.unit.quality.conftest import Measure

DATASET = TrainingDataset.model_validate(
    {
        "name": "people",
        "label": "kind",
        "columns": [
            {"name": "id", "type": "string"},
            {"name": "mail", "type": "string"},
            {"name": "zip", "type": "string"},
            {"name": "kind", "type": "string"},
            {"name": "low", "type": "integer"},
            {"name": "high", "type": "number"},
        ],
    }
)
ROWS = 2000


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    count = range(ROWS)
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in count],
            "mail": [None if i % 10 == 0 else f"u{i % 300}@example.org" for i in count],
            "zip": [str(10000 + i % 700) for i in count],
            "kind": ["rare" if i == 7 else ("a", "b", "c")[i % 3] for i in count],
            "low": [i % 90 for i in count],
            "high": [i % 90 + 1.5 for i in count],
        }
    )


def suggested(measure: Measure, table: pd.DataFrame) -> list[dict[str, Any]]:
    checks = suggest.first_look(DATASET.columns)
    row = measure(table, checks)
    values: Any = {"size": len(table), **{c.metric: row[c.metric] for c in checks}}
    second, few = suggest.second_look(DATASET.columns, values)
    row = measure(table, second, histograms=few)
    values |= {c.metric: row[c.metric] for c in second}
    histograms = {name: json.loads(row[f"h{i}"]) for i, name in enumerate(few)}
    return [dict(s.check) for s in suggest.suggest(DATASET.columns, "kind", values, histograms)]


@pytest.mark.parametrize(
    "check",
    [
        {"check": "complete", "column": "id"},
        {"check": "uniqueness", "column": "id", "at_least": 1},
        # 0.9 less 1.96 standard errors
        {"check": "completeness", "column": "mail", "at_least": 0.88, "level": "warning"},
        {"check": "data_type", "column": "zip", "type": "integral"},
        {
            "check": "membership", "column": "kind", "values": ["a", "b", "c"],
            "at_least": 0.99, "level": "warning",
        },
        {"check": "count_distinct", "column": "kind", "at_least": 2},
        {"check": "non_negative", "column": "low"},
        {"check": "positive", "column": "high"},
        {"check": "less_than_or_equal", "columns": ["low", "high"]},
    ],
    ids=lambda check: f"{check['check']}",
)  # fmt: skip
def test_what_the_data_keeps_is_suggested(
    measure: Measure, people: pd.DataFrame, check: dict[str, Any]
) -> None:
    assert check in suggested(measure, people)


def test_what_it_does_not_keep_is_not(measure: Measure, people: pd.DataFrame) -> None:
    found = suggested(measure, people)
    columns = {each.get("column") for each in found if each["check"] == "uniqueness"}
    assert columns == {"id"}
    assert not [each for each in found if each["check"] == "pattern"]  # 90 % is not nearly all
    assert {"check": "less_than_or_equal", "columns": ["high", "low"]} not in found


def test_no_rows_suggest_nothing() -> None:
    assert suggest.suggest(DATASET.columns, "kind", {"size": 0}, {}) == []


def test_a_files_rows_measure_as_athena_would(measure: Measure, people: pd.DataFrame) -> None:
    checks = suggest.first_look(DATASET.columns)
    table = people.replace({float("nan"): None}).to_dict("list")
    values = sample.values(checks, table)
    second, few = suggest.second_look(DATASET.columns, values)
    values |= sample.values(second, table)
    row = measure(people, [*checks, *second], histograms=few)
    assert {name: row[name] for name in values if name != "size"} == {
        name: pytest.approx(value) for name, value in values.items() if name != "size"
    }
    assert sample.histogram(table["kind"]) == json.loads(row["h0"])


def of_file(path: Path) -> str:
    return asked.answer({"dataset": "reviews", "file": str(path)})["toml"]


@pytest.mark.parametrize("pack", [gzip.open, open], ids=["gzip", "plain"])
def test_a_files_suggestions_are_a_section_that_its_rows_keep(
    tmp_path: Path, pack: Callable[..., Any]
) -> None:
    path = reviews.write(tmp_path / "made.tsv.gz", 1500, seed=5)
    again = tmp_path / ("again.tsv.gz" if pack is gzip.open else "again.tsv")
    with pack(again, "wb") as out, gzip.open(path) as made:
        out.write(made.read())
    text = of_file(again)
    assert "the first 1,500 rows of again.tsv" in text
    section = Quality.model_validate(tomllib.loads(text)["quality"])
    dataset = settings.load().dataset
    assert fitting.problems(section, dataset, dataset.label) == []
    stars = [each for each in section.checks if each.metric.startswith("membership(star_rating")]
    assert [each.values for each in stars] == [(1, 2, 3, 4, 5)]


def test_lines_inside_values_are_read(tmp_path: Path) -> None:
    made = pd.DataFrame(list(reviews.rows(300, seed=5)))
    made["review_body"] = "two\nlines " + made["review_body"]
    dataset = settings.load().dataset.model_copy(update={"quote": '"', "delimiter": ","})
    made.to_csv(tmp_path / "made.csv", index=False)
    found = sample.read(tmp_path / "made.csv", dataset)
    assert found["review_body"] == made["review_body"].to_list()
    assert found["star_rating"] == made["star_rating"].astype(int).to_list()


def test_a_parquet_file_gets_suggestions_too(tmp_path: Path) -> None:
    made = pd.DataFrame(list(reviews.rows(300, seed=5))).astype({"star_rating": "int64"})
    made["review_date"] = pd.to_datetime(made["review_date"])
    made.to_parquet(tmp_path / "made.parquet")
    text = quality.suggest_of_file(tmp_path / "made.parquet", None)
    assert "the first 300 rows of made.parquet" in text
    stars = [each for each in tomllib.loads(text)["quality"]["checks"]
             if each.get("column") == "star_rating" and each["check"] == "membership"]  # fmt: skip
    assert [each["values"] for each in stars] == [[1, 2, 3, 4, 5]]
    (tmp_path / "no.parquet").write_text("text")
    with pytest.raises(Problem, match=r"no\.parquet is no Parquet file"):
        quality.suggest_of_file(tmp_path / "no.parquet", None)


def test_the_first_rows_go_over_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = reviews.write(tmp_path / "made.tsv.gz", 300, seed=5)
    dataset = settings.load().dataset
    whole = sample.read(path, dataset)
    monkeypatch.setattr(rows, "PART", 0)
    monkeypatch.setattr(sample, "PIECE", 2000)
    assert sample.read(path, dataset) == whole
    monkeypatch.setattr(sample, "MOST_ROWS", 120)
    assert {name: each[:120] for name, each in whole.items()} == sample.read(path, dataset)


def test_a_runs_suggestions_take_two_queries() -> None:
    question: dict[str, Any] = {"dataset": "reviews", "database": "db", "run": "r1"}
    first = asked.answer(question)["query"]
    assert "'r1'" in first
    columns = settings.load().dataset.columns
    wanted = Wanted(suggest.first_look(columns))
    row = {"rows": "5000"} | {f"m{i}": "1" for i in range(len(wanted.metrics))}
    second = asked.answer({**question, "found": [row]})["query"]
    assert "map_agg" in second
    checks, few = suggest.second_look(columns, {"size": 5000.0} | dict.fromkeys(
        [check.metric for check in wanted.metrics], verdict.number("1")))  # fmt: skip
    answer = {"rows": "5000"} | {f"m{i}": "1" for i in range(len(checks))}
    answer |= {f"h{i}": '{"1": 5000}' for i in range(len(few))}
    assert "[quality]" in asked.answer({**question, "found": [row, answer]})["toml"]
