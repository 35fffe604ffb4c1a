"""What failed runs leave in the curated table, on the real catalog, bucket and Athena."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import records, settings
from chalicelib.environment import Environment
from chalicelib.ingest import dataset as data
from chalicelib.ingest import leftovers, tables
from cli import athena

pytestmark = pytest.mark.cloud

DATASET = settings.load().dataset
KINDS = [f"kind {number}" for number in range(30)]  # more than one BatchDeletePartition
SEVERAL = ["Baby", "Garden & Patio/Outdoor", "50% off"]  # folders' names are escaped


@pytest.fixture
def lake(stack: Any, bucket: str) -> Any:
    """The curated table, empty; `lake(sql)` gives rows, `lake.add(run, kinds)` curates."""
    database = bucket.replace("-", "_")
    values = {**vars(Environment.from_env()), "glue_database": database}
    environment = Environment(**values)
    stack.client("glue").create_database(DatabaseInput={"Name": database})
    tables.prepare(DATASET, environment, {}, "r0")
    return Lake(stack, environment)


class Lake:
    def __init__(self, cloud: Any, environment: Environment) -> None:
        self.cloud, self.environment = cloud, environment

    def add(self, run_id: str, kinds: list[str]) -> None:
        names = [c.name for c in DATASET.columns if c.name != DATASET.partition_by]
        columns = ", ".join([*names, "run", str(DATASET.partition_by)])
        types = {c.name: {"integer": "bigint"}.get(c.type, c.type) for c in DATASET.columns}
        nulls = [f"CAST(NULL AS {types[name].replace('string', 'varchar')})" for name in names]
        rows = " UNION ALL ".join(
            f"SELECT {', '.join(nulls)}, '{run_id}', '{kind}'" for kind in kinds
        )
        self.rows(f"INSERT INTO {tables.curated(DATASET)} ({columns}) {rows}")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return athena.rows(
            self.cloud.client("athena"),
            QueryString=sql,
            QueryExecutionContext={"Database": self.environment.glue_database},
            ResultConfiguration={"OutputLocation": f"s3://{self.environment.data_bucket}/results/"},
        )

    @property
    def counted(self) -> dict[str, int]:
        """Rows of each run, as anybody's query counts them."""
        sql = f"SELECT run, count(*) AS n FROM {tables.curated(DATASET)} GROUP BY run"
        return {row["run"]: int(row["n"]) for row in self.rows(sql)}


def test_a_runs_rows_go_and_those_of_others_stay(lake: Lake) -> None:
    lake.add("r1", KINDS)
    lake.add("r2", SEVERAL)
    lake.add("r3", SEVERAL)
    for _ in range(2):  # twice, as after a crash
        leftovers.remove(lake.environment, DATASET.name, "r1")
        leftovers.remove(lake.environment, DATASET.name, "r2")
    assert lake.counted == {"r3": 3}
    assert data.runs_with_files(lake.environment, DATASET.name) == ["r3"]


def test_before_the_first_conversion_there_is_nothing_to_remove(stack: Any) -> None:
    leftovers.remove(Environment.from_env(), DATASET.name, "r1")


def test_what_failed_runs_wrote_after_their_end_goes_with_the_next_run(lake: Lake) -> None:
    statuses = {"r1": "succeeded", "r2": "failed", "r3": "failed", "r4": "running"}
    for run_id, status in statuses.items():
        records.put(run_id, {"status": status})
        lake.add(run_id, SEVERAL)
    lake.add("by-hand", SEVERAL)
    data.write("r1", [{"sha256": "1"}], {"curated": 3}, DATASET, lake.environment, "INSERT")
    records.put(f"#dataset#{DATASET.name}", {"last": "r1", "columns": {}})
    last = data.newest(lake.environment, DATASET.name)
    assert leftovers.remove_failed(lake.environment, DATASET.name, last) == ["r2", "r3"]
    assert lake.counted == {"r1": 3, "r4": 3, "by-hand": 3}
    assert leftovers.remove_failed(lake.environment, DATASET.name, last) == []
