"""awswrangler against the local Athena, Glue and S3: what jobs and notebooks use, unchanged."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

import awswrangler as wr
import pandas as pd
import pytest

pytestmark = pytest.mark.cloud

FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "name": ["Ada", None, 'Cy, the "third"'],
        "score": [1.5, None, 1e10],
        "day": [datetime.date(2020, 1, 31), None, datetime.date(1999, 12, 31)],
        "at": pd.to_datetime(["2020-01-31 10:00:00.123", None, "1999-12-31 00:00:00.000"]),
        "good": pd.array([True, False, None], dtype="boolean"),
        "tags": [["x", "y"], [], None],
        "year": ["2020", "2021", "2021"],
    }
)


@dataclass(frozen=True)
class Lake:
    database: str
    path: str
    results: str

    def write(self, frame: pd.DataFrame, mode: str = "overwrite") -> dict[str, Any]:
        return wr.s3.to_parquet(
            frame,
            path=f"{self.path}t/",
            dataset=True,
            database=self.database,
            table="t",
            partition_cols=["year"],
            mode=mode,
        )

    def read(self, sql: str, **how: Any) -> pd.DataFrame:
        return wr.athena.read_sql_query(sql, database=self.database, s3_output=self.results, **how)


@pytest.fixture
def lake(cloud: Any, bucket: str) -> Lake:
    name = f"wr_{uuid.uuid4().hex[:8]}"
    wr.catalog.create_database(name)
    return Lake(name, f"s3://{bucket}/lake/", f"s3://{bucket}/results/{uuid.uuid4().hex[:8]}/")


@pytest.mark.parametrize(
    "how",
    [
        {"ctas_approach": True},
        {"ctas_approach": False},
        {"ctas_approach": False, "unload_approach": True},
    ],
    ids=["ctas", "csv", "unload"],
)
def test_a_frame_comes_back_as_it_was_written(lake: Lake, how: dict[str, Any]):
    """https://aws-sdk-pandas.readthedocs.io/en/stable/tutorials/006%20-%20Amazon%20Athena.html"""
    lake.write(FRAME)
    frame = lake.read("SELECT * FROM t ORDER BY id", **how)
    assert list(frame.columns) == list(FRAME.columns)
    assert frame["id"].tolist() == [1, 2, 3]
    assert str(frame["id"].dtype) == "Int64"
    assert frame["name"].fillna("-").tolist() == ["Ada", "-", 'Cy, the "third"']
    assert frame["score"].fillna(-1).tolist() == [1.5, -1, 1e10]
    assert frame["day"].tolist()[0] == datetime.date(2020, 1, 31)
    assert frame["at"].tolist()[0] == pd.Timestamp("2020-01-31 10:00:00.123")
    assert frame["at"].isna().tolist() == [False, True, False]
    assert frame["good"].tolist()[:2] == [True, False]
    assert frame["year"].tolist() == ["2020", "2021", "2021"]
    # Only the CSV of a plain query loses what a list is.
    csv = not how["ctas_approach"] and "unload_approach" not in how
    assert frame["tags"][0] == "[x, y]" if csv else list(frame["tags"][0]) == ["x", "y"]


def test_the_temporary_table_of_the_ctas_approach_is_gone(lake: Lake):
    lake.write(FRAME)
    lake.read("SELECT * FROM t")
    assert [table["Name"] for table in wr.catalog.get_tables(database=lake.database)] == ["t"]


def test_modes_of_writing_a_dataset(lake: Lake):
    """https://aws-sdk-pandas.readthedocs.io/en/stable/tutorials/004%20-%20Parquet%20Datasets.html"""
    count = "SELECT year, count(*) AS n FROM t GROUP BY year ORDER BY year"
    lake.write(FRAME)
    lake.write(FRAME.head(1), "append")
    assert lake.read(count)["n"].tolist() == [2, 2]
    lake.write(FRAME.head(1), "overwrite_partitions")
    assert lake.read(count)["n"].tolist() == [1, 2]
    lake.write(FRAME.head(1).assign(later=7), "append")
    assert lake.read("SELECT max(later) AS m FROM t")["m"].tolist() == [7]
    lake.write(FRAME.head(1))
    assert lake.read(count)["n"].tolist() == [1]


def test_the_catalog_tells_what_was_written(lake: Lake):
    written = lake.write(FRAME)
    assert wr.catalog.does_table_exist(lake.database, "t")
    assert wr.catalog.get_table_types(lake.database, "t") == {
        "id": "bigint",
        "name": "string",
        "score": "double",
        "day": "date",
        "at": "timestamp",
        "good": "boolean",
        "tags": "array<string>",
        "year": "string",
    }
    assert wr.catalog.get_partitions(lake.database, "t") == written["partitions_values"]
    assert set(wr.catalog.databases()["Database"]) >= {lake.database}
    wr.catalog.delete_partitions("t", lake.database, [["2020"]])
    assert lake.read("SELECT count(*) AS n FROM t")["n"].tolist() == [2]
    assert wr.catalog.delete_all_partitions("t", lake.database) == [["2021"]]
    assert wr.catalog.delete_table_if_exists(lake.database, "t")


def test_statements_by_name(lake: Lake):
    lake.write(FRAME)
    here = {"database": lake.database, "s3_output": lake.results}
    assert wr.athena.repair_table("t", **here) == "SUCCEEDED"
    assert wr.athena.show_create_table("t", **here).startswith("CREATE EXTERNAL TABLE `t`(")
    described = wr.athena.describe_table("t", **here)
    assert described["Column Name"].tolist() == list(FRAME.columns)
    made = wr.athena.create_ctas_table(
        "SELECT id, year FROM t", ctas_table="copy", partitioning_info=["year"], wait=True, **here
    )
    assert made["ctas_table"] == "copy"
    assert len(wr.athena.read_sql_table("copy", **here)) == 3


def test_parameters_and_chunks(lake: Lake):
    lake.write(FRAME)
    named = lake.read("SELECT id FROM t WHERE id > :low AND name <> :n", ctas_approach=False,
                      params={"low": 1, "n": "Ada"})  # fmt: skip
    assert named["id"].tolist() == [3]
    marks = lake.read("SELECT id FROM t WHERE name = ?", ctas_approach=False, params=["'Ada'"],
                      paramstyle="qmark")  # fmt: skip
    assert marks["id"].tolist() == [1]
    chunks = lake.read("SELECT id FROM t", ctas_approach=False, chunksize=2)
    assert [len(chunk) for chunk in chunks] == [2, 1]


def test_csv_datasets(lake: Lake):
    wr.s3.to_csv(
        FRAME[["id", "name", "year"]],
        path=f"{lake.path}c/",
        dataset=True,
        database=lake.database,
        table="c",
        partition_cols=["year"],
        index=False,
    )
    assert lake.read("SELECT id, year FROM c ORDER BY id")["year"].tolist() == [
        "2020", "2021", "2021",
    ]  # fmt: skip


def test_a_failed_query_is_an_exception_with_the_reason(lake: Lake):
    with pytest.raises(wr.exceptions.QueryFailed, match="TABLE_NOT_FOUND"):
        lake.read("SELECT * FROM nosuch", ctas_approach=False)
    with pytest.raises(wr.exceptions.InvalidCtasApproachQuery, match="DUPLICATE_COLUMN_NAME"):
        lake.read("SELECT 1 AS x, 2 AS x")
