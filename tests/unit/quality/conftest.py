"""Measuring a data frame as Athena would: the same statement, translated for DuckDB."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from chalicelib.quality import query
from chalicelib.quality.declared import Check
from localcloud.athena import translate
from localcloud.athena.macros import MACROS

TODAY = dt.date(2026, 2, 1)
Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure() -> Measure:
    """`measure(frame, checks)` gives {metric: value} and the columns that come without asking."""

    def measured(
        frame: pd.DataFrame,
        checks: Sequence[Check],
        others: Mapping[str, pd.DataFrame] | None = None,
        columns: Sequence[str] = (),
        histograms: Sequence[str] = (),
        **more: Any,
    ) -> dict[str, Any]:
        rows = query.Rows('"db"."t"', "r1", "db")
        wanted = query.Wanted(checks, columns, histograms, **more)
        sql = query.statement(wanted, rows, "0", TODAY)
        with duckdb.connect() as connection:
            connection.execute(MACROS + "CREATE SCHEMA db")
            tables = {"t": frame.assign(run="r1"), **(others or {})}
            for name, table in tables.items():
                connection.register(f"given_{name}", table)
                connection.execute(f"CREATE TABLE db.{name} AS SELECT * FROM given_{name}")
            other_run = "CREATE TABLE more AS SELECT * REPLACE ('r2' AS run) FROM db.t"
            connection.execute(f"{other_run}; INSERT INTO db.t FROM more")
            found = connection.execute(translate.query(sql))
            names = [column[0] for column in found.description or []]
            (values,) = found.fetchall()
        row = dict(zip(names, values, strict=True))
        metrics = {check.metric: row[f"m{i}"] for i, check in enumerate(wanted.metrics)}
        return row | metrics

    return measured


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Two thousand rows with every type of column and with holes in most."""
    rng = np.random.default_rng(7)
    count = 2000
    stars = rng.choice([1, 2, 3, 4, 5], count, p=[0.1, 0.05, 0.1, 0.25, 0.5])
    price = np.round(rng.lognormal(3, 1, count), 2)
    days = rng.integers(0, 400, count)
    table = pd.DataFrame(
        {
            "id": np.arange(count) // np.where(np.arange(count) < 100, 2, 1),
            "stars": pd.array(stars, dtype="Int64"),
            "votes": pd.array(rng.poisson(2, count), dtype="Int64"),
            "price": price - 5,
            "word": rng.choice(["red", "green", "blue", "été", "12", "-3.5", "true"], count),
            "mail": [f"user{i % 50}@example.com" if i % 5 else "not a mail" for i in range(count)],
            "day": [dt.date(2025, 1, 1) + dt.timedelta(days=int(each)) for each in days],
        }
    )
    for index, name in enumerate(("votes", "price", "word", "mail", "day")):
        table.loc[rng.random(count) < 0.03 * (index + 1), name] = None
    return table
