"""The statement through Athena itself: Glue's table, Parquet in S3, the result's text."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from chalicelib.quality import query, verdict
from chalicelib.quality.declared import Bias
from tests.unit.quality.conftest import TODAY, Measure, frame, measure  # noqa: F401
from tests.unit.quality.test_metrics import CASES, WORDS

BIAS = Bias(facet="word", values=("red",), positive_values=(4, 5), group="mail")
HIVE = {"int64": "bigint", "Int64": "bigint", "float64": "double"}
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    },
}


@pytest.fixture
def database(cloud: Any) -> str:
    name = f"quality_{uuid.uuid4().hex[:8]}"
    cloud.client("glue").create_database(DatabaseInput={"Name": name})
    return name


def put(cloud: Any, bucket: str, database: str, name: str, table: pd.DataFrame) -> None:
    """A table of one Parquet file."""
    packed = io.BytesIO()
    table.to_parquet(packed)
    body = packed.getvalue()
    cloud.client("s3").put_object(Bucket=bucket, Key=f"{name}/part.parquet", Body=body)
    columns = [
        {"Name": each, "Type": "date" if each == "day" else HIVE.get(str(kind), "string")}
        for each, kind in table.dtypes.items()
    ]
    storage = {"Columns": columns, "Location": f"s3://{bucket}/{name}/", **PARQUET}
    wanted = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    cloud.client("glue").create_table(DatabaseName=database, TableInput=wanted)


@pytest.mark.cloud
def test_athena_measures_what_duckdb_does(
    cloud: Any,
    bucket: str,
    database: str,
    eventually: Callable[..., Any],
    measure: Measure,  # noqa: F811
    frame: pd.DataFrame,  # noqa: F811
) -> None:
    put(cloud, bucket, database, "t", frame.assign(run="r1"))
    put(cloud, bucket, database, "words", WORDS)
    checks = [check for check, _ in CASES]
    rows = query.Rows(f'"{database}"."t"', "r1", database)
    wanted = query.Wanted(checks, ["word"], ["stars"], [BIAS], "stars")
    sql = query.statement(wanted, rows, "(SELECT 1)", TODAY)
    athena = cloud.client("athena")
    query_id = athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{bucket}/results/"}
    )["QueryExecutionId"]

    def ended() -> Any:
        found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        return found if found["State"] not in ("QUEUED", "RUNNING") else None

    status = eventually(ended, 60)
    assert status["State"] == "SUCCEEDED", status.get("StateChangeReason")
    answer = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    names, values = ([cell.get("VarCharValue") for cell in row["Data"]] for row in answer)
    row = dict(zip(names, values, strict=True))
    expected = measure(
        frame, checks, {"words": WORDS}, ["word"], ["stars"], biases=[BIAS], label="stars"
    )
    assert (row["rows"], row["rows_read"]) == ("2000", "1")
    assert row["c0"] == str(expected["c0"])
    assert row["h0"] == expected["h0"]
    assert json.loads(row["b0"]) == json.loads(expected["b0"])
    for index, check in enumerate(checks):
        value = verdict.number(row[f"m{index}"])
        assert value == pytest.approx(float(expected[check.metric]), rel=1e-9), check.metric
