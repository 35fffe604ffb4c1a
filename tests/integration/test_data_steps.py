"""The machine's steps about new rows, with the queries that it runs between them."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib import records, runs, settings
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals, reconcile, schema_changes, spread
from chalicelib.reading import inspection
from chalicelib.steps import data

pytestmark = pytest.mark.cloud

DATASET = settings.load().dataset
NAMES = [column.name for column in DATASET.columns]
RUN, ARRIVAL = "20260301-120000-a1b2c3", "a" * 20


def row(number: int, kind: str, stars: str = "5") -> str:
    values = dict.fromkeys(NAMES, "x") | {
        "review_id": f"R{number}", "product_category": kind, "star_rating": stars,
        "helpful_votes": "0", "total_votes": "0", "review_date": "2015-08-31",
    }  # fmt: skip
    return "\t".join(values[name] for name in NAMES)


class Machine:
    """What the state machine does, as far as these steps go."""

    def __init__(self, cloud: Any, environment: Environment) -> None:
        self.cloud, self.environment = cloud, environment
        self.state: dict[str, Any] = {"run_id": RUN, "dataset": DATASET.name}
        records.put(RUN, {"arrivals": [ARRIVAL]})

    def take(self, *lines: str) -> None:
        """A file, where intake puts it."""
        content, sink = "\n".join(["\t".join(NAMES), *lines, ""]).encode(), io.BytesIO()
        found = inspection.inspect("a.tsv", len(content), [content], DATASET, sink)
        key = f"text/{DATASET.name}/arrival={ARRIVAL}/part-00000.gz"
        self.put(key, sink.getvalue())
        kept = {
            "format": found.kind.format,
            "types": found.types,
            "text_columns": NAMES,
            "text_bytes": found.text_bytes,
            "rows": found.rows,
        }
        arrivals.note(DATASET.name, ARRIVAL, kept)

    def put(self, key: str, body: bytes) -> None:
        bucket = self.environment.data_bucket
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def step(self, name: str, function: Any) -> dict[str, Any]:
        self.state[name] = function(self.state)
        return self.state[name]

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        """startQueryExecution.sync: the execution, ended."""
        athena = self.cloud.client("athena")
        query_id = athena.start_query_execution(**request)["QueryExecutionId"]
        while True:
            found = athena.get_query_execution(QueryExecutionId=query_id)
            if found["QueryExecution"]["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return json.loads(json.dumps(found, default=str))
            time.sleep(0.02)

    def status(self, request: dict[str, Any]) -> str:
        status = self.query(request)["QueryExecution"]["Status"]
        return status.get("StateChangeReason") or status["State"]

    def run(self, step: str, query: str) -> None:
        """A query whose request gives way to its execution's id."""
        found = self.query(self.state[step][query])["QueryExecution"]
        self.state[step][query] = {"QueryExecutionId": found["QueryExecutionId"]}

    def in_parts(self) -> list[int]:
        """Measure, then one INSERT after another; the parts."""
        self.run("convert", "measure")
        done = []
        while not done or self.state["plan_part"]["more"]:
            planned = self.step("plan_part", data.plan_part)
            for _ in range(2):  # a start that was not heard of is asked for again
                assert self.status(planned["insert"]) == "SUCCEEDED"
            done.append(planned["part"])
        return done

    def reconciled(self) -> dict[str, Any]:
        self.run("convert", "count")
        return self.step("reconcile", data.reconciled)

    def listed(self, prefix: str) -> list[str]:
        bucket = self.environment.data_bucket
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=bucket, Prefix=prefix)
        return [str(each["Key"]) for page in found for each in page.get("Contents", [])]


@pytest.fixture
def machine(stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Machine:
    named = {"glue_database": bucket.replace("-", "_"), "athena_workgroup": bucket}
    environment = Environment(**{**vars(Environment.from_env()), **named})
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: environment))
    stack.client("glue").create_database(DatabaseInput={"Name": environment.glue_database})
    stack.client("athena").create_work_group(
        Name=bucket,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/results/"}},
    )
    return Machine(stack, environment)


PREFIX = f"curated/{DATASET.name}/run={RUN}/"


def test_what_an_earlier_attempt_wrote_is_removed_before_rows_are_counted(machine: Machine) -> None:
    machine.take(row(1, "Baby"), row(2, "Beauty"))
    packed = io.BytesIO()
    columns = {c.name: ["x"] for c in DATASET.columns if c.type == "string"}
    del columns[str(DATASET.partition_by)]
    pq.write_table(pa.table(columns), packed)
    machine.put(f"{PREFIX}product_category=Baby/stray", packed.getvalue())
    machine.put(f"runs/{RUN}/rejects/stray.gz", b"rows")
    for _ in range(2):  # the second time finds the first's partitions and files
        planned = machine.step("convert", data.convert)
        assert machine.listed(PREFIX) == machine.listed(f"runs/{RUN}/rejects/") == []
        assert not planned["in_parts"]
        machine.query({**planned["convert"], "ClientRequestToken": "t" * 32 + str(time.time())})
    answer = machine.reconciled()
    assert answer["counts"] == {"accepted": 2, "curated": 2, "rejected": 0, "duplicates": 0}
    assert (answer["has_rejects"], answer["too_many"]) == (False, False)
    assert (runs.get(RUN) or {})["rows"] == answer["counts"]


def test_a_stray_file_after_the_emptying_is_rows_that_do_not_add_up(machine: Machine) -> None:
    machine.take(row(1, "Baby"))
    planned = machine.step("convert", data.convert)
    machine.query(planned["convert"])
    (written,) = machine.listed(PREFIX)
    bucket = machine.environment.data_bucket
    source = {"Bucket": bucket, "Key": written}
    machine.cloud.client("s3").copy_object(Bucket=bucket, Key=f"{written}-2", CopySource=source)
    with pytest.raises(reconcile.RowsLostError, match="1 rows accepted are not 2 curated"):
        machine.reconciled()


@pytest.mark.parametrize(
    ("bad", "has", "too_many"), [(0, False, False), (1, True, False), (2, True, True)]
)
def test_a_twentieth_of_the_rows_may_be_rejected(
    machine: Machine, bad: int, has: bool, too_many: bool
) -> None:
    stars = ["six"] * bad + ["5"] * (20 - bad)
    machine.take(*(row(n, "Baby", each) for n, each in enumerate(stars)))
    machine.query(machine.step("convert", data.convert)["convert"])
    answer = machine.reconciled()
    assert answer["counts"]["rejected"] == bad
    assert (answer["has_rejects"], answer["too_many"]) == (has, too_many)
    assert machine.status(answer["rejects"]) == "SUCCEEDED"
    assert bool(machine.listed(f"runs/{RUN}/rejects/")) is has


KINDS = [f"kind {n:03}" for n in range(230)]


def test_more_partitions_than_an_insert_writes_are_written_by_several(machine: Machine) -> None:
    machine.take(*(row(n, kind) for n, kind in enumerate([*KINDS, *KINDS])), row(0, KINDS[0]))
    planned = machine.step("convert", data.convert)
    assert not planned["in_parts"]  # nobody knows yet
    assert "HIVE_TOO_MANY_OPEN_PARTITIONS" in machine.status(planned["convert"])
    machine.put(f"{PREFIX}product_category={KINDS[7]}/half-written", b"x")
    assert machine.in_parts() == [0, 1, 2]
    counts = machine.reconciled()["counts"]
    assert counts == {"accepted": 461, "curated": 460, "rejected": 0, "duplicates": 1}
    assert len(machine.listed(PREFIX)) == 230


def test_after_a_run_of_many_partitions_the_next_one_measures_at_once(machine: Machine) -> None:
    machine.take(row(1, "Baby"))
    records.put(f"#dataset#{DATASET.name}", {"last": "r0", "columns": {}})
    machine.put("runs/r0/dataset.json", json.dumps({"partitions": 101, "runs": ["r0"]}).encode())
    assert machine.step("convert", data.convert)["in_parts"]
    assert machine.in_parts() == [0]
    assert machine.reconciled()["counts"]["curated"] == 1


def test_of_a_large_partition_the_rows_are_cut_for_several_writers_and_none_is_lost(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "TARGET_BYTES", 1000)
    machine.take(*(row(n, "Books") for n in range(300)), *(row(n, "Baby") for n in range(9)))
    assert machine.step("convert", data.convert)["in_parts"]
    assert machine.in_parts() == [0]
    statement = machine.state["plan_part"]["insert"]["QueryString"]
    assert "WHEN 'Books' THEN" in statement
    assert "WHEN 'Baby'" not in statement
    assert machine.reconciled()["counts"]["curated"] == 309


@pytest.mark.parametrize(
    ("policy", "stops", "told"),
    [("allow", False, False), ("warn", False, True), ("stop", True, False)],
)
def test_the_datasets_policy_says_what_a_new_column_does(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, policy: str, stops: bool, told: bool
) -> None:
    changed = settings.load().dataset.model_copy(update={"schema_change": policy})
    chosen = settings.load().model_copy(update={"dataset": changed})
    monkeypatch.setattr(settings, "load", lambda: chosen)
    types = dict.fromkeys(NAMES, "string") | {"colour": "string"}
    arrivals.note(DATASET.name, ARRIVAL, {"format": "parquet", "types": types, "columns": [*types]})
    if stops:
        with pytest.raises(schema_changes.SchemaStopError, match="column added: colour"):
            machine.step("schema", data.schema)
    else:
        assert "column added: colour" in machine.step("schema", data.schema)["changes"]
    recorded = (runs.get(RUN) or {})["schema_changes"]
    assert {"kind": "added", "column": "colour", "before": "", "now": "string"} in recorded
    messages = records.newest(records.NOTIFICATION, 5)
    assert [each["kind"] for each in messages] == (["schema_changed"] if told else [])
