"""Athena by its API: statements, tables of each format, result files, errors, workgroups."""

from __future__ import annotations

import csv
import gzip
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from chalicelib.reading.delimited import ROW_LIMIT

pytestmark = pytest.mark.cloud

LAZY = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"
OPEN_CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
OPENX = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
_MANY = "UNNEST(sequence(1, 100000))"
ENDLESS = f"SELECT sum(sqrt(x * y)) FROM {_MANY} AS a(x) CROSS JOIN {_MANY} AS b(y)"
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass
class Athena:
    """One database and one bucket of a cloud's Athena."""

    cloud: Any
    eventually: Callable[..., Any]
    bucket: str
    database: str

    @property
    def api(self) -> Any:
        return self.cloud.client("athena")

    def put(self, key: str, body: str | bytes) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=data)

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        found = self.cloud.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def start(self, sql: str, **more: Any) -> str:
        request = {
            "QueryExecutionContext": {"Database": self.database},
            "ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/results/"},
        } | more
        return self.api.start_query_execution(QueryString=sql, **request)["QueryExecutionId"]

    def end(self, query: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found = self.api.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            return found if found["Status"]["State"] in ENDED else None

        return self.eventually(ended, 60)

    def run(self, sql: str, **more: Any) -> dict[str, Any]:
        """Run a statement that succeeds."""
        execution = self.end(self.start(sql, **more))
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution

    def fail(self, sql: str, **more: Any) -> str:
        """Run a statement that fails; why, in Athena's words."""
        status = self.end(self.start(sql, **more))["Status"]
        assert status["State"] == "FAILED", status
        return status["StateChangeReason"]

    def rows(self, sql: str, **more: Any) -> list[list[str | None]]:
        """The rows that GetQueryResults tells, the header row among them."""
        query = self.run(sql, **more)["QueryExecutionId"]
        pages = self.api.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        return [
            [value.get("VarCharValue") for value in row["Data"]]
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]

    def select(self, sql: str) -> list[list[str | None]]:
        """A query's rows without the header."""
        return self.rows(sql)[1:]

    def lines(self, sql: str) -> list[str | None]:
        """The lines that a utility statement gives."""
        return [row[0] for row in self.rows(sql)]


def made(cloud: Any, eventually: Callable[..., Any]) -> Athena:
    mark = uuid.uuid4().hex[:12]
    cloud.client("s3").create_bucket(Bucket=f"athena-{mark}")
    cloud.client("glue").create_database(DatabaseInput={"Name": f"db_{mark}"})
    return Athena(cloud, eventually, f"athena-{mark}", f"db_{mark}")


@pytest.fixture
def athena(cloud: Any, eventually: Callable[..., Any]) -> Athena:
    return made(cloud, eventually)


@pytest.fixture
def people(athena: Athena) -> Athena:
    """A table of three people, in TSV."""
    athena.put("people/a.tsv", "id\tname\tstars\n1\tAda\t5\n2\tBo\t3\n3\tCy\t5\n")
    athena.run(
        f"CREATE EXTERNAL TABLE people (id int, name string, stars int) {LAZY} "
        f"LOCATION 's3://{athena.bucket}/people/' TBLPROPERTIES ('skip.header.line.count'='1')"
    )
    return athena


# Data definition: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html


def test_databases_are_made_once_and_dropped_when_empty(athena: Athena):
    name = f"more_{uuid.uuid4().hex[:8]}"
    execution = athena.run(f"CREATE DATABASE {name} COMMENT 'mine'")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_DATABASE")
    assert "AlreadyExistsException" in athena.fail(f"CREATE DATABASE {name}")
    athena.run(f"CREATE DATABASE IF NOT EXISTS {name}")
    assert name in athena.lines("SHOW DATABASES")
    athena.run(f"CREATE EXTERNAL TABLE {name}.t (x int) LOCATION 's3://{athena.bucket}/t/'")
    assert f"Database {name} is not empty" in athena.fail(f"DROP DATABASE {name}")
    athena.run(f"DROP DATABASE {name} CASCADE")
    assert name not in athena.lines("SHOW DATABASES")
    assert f"Database does not exist: {name}" in athena.fail(f"DROP DATABASE {name}")
    athena.run(f"DROP DATABASE IF EXISTS {name}")


TABLES = {
    "lazy simple serde: no quotes, what does not fit is NULL": (
        "id int, name string, at date, score double",
        LAZY,
        '1\t"Ada"\t2020-01-31\t1.5\nx\t\\N\tbad\t\n3\n',
        [["1", '"Ada"', "2020-01-31", "1.5"], [None, None, None, None], ["3", None, None, None]],
    ),
    "lazy simple serde with collections": (
        "id int, tags array<string>",
        LAZY + " COLLECTION ITEMS TERMINATED BY '|'",
        "1\ta|b\n",
        [["1", "[a, b]"]],
    ),
    "open csv serde: quotes, and empty text where nothing stands": (
        "id int, name string, at date",
        OPEN_CSV,
        '"1","a,b",18292\n2,"say ""hi""",18293\n3,,18294\n',
        [["1", "a,b", "2020-01-31"], ["2", 'say "hi"', "2020-02-01"], ["3", "", "2020-02-02"]],
    ),
    "open csv serde with a separator of its own": (
        "a string, b string",
        OPEN_CSV + " WITH SERDEPROPERTIES ('separatorChar'=';', 'quoteChar'='`')",
        "`x;y`;z\n",
        [["x;y", "z"]],
    ),
    "json serde: keys without regard to case, absent ones NULL": (
        "id bigint, name string, tags array<string>, inner_ struct<k:int>, m map<string,int>",
        OPENX + " WITH SERDEPROPERTIES ('mapping.inner_'='inner')",
        '{"ID": 1, "Name": "a", "tags": ["x"], "inner": {"k": 7}, "m": {"q": 1}}\n{"id": 2}\n',
        [["1", "a", "[x]", "{k=7}", "{q=1}"], ["2", None, None, None, None]],
    ),
}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", TABLES)
def test_text_tables_are_read_as_their_serde_reads(athena: Athena, case: str, compressed: bool):
    """https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html"""
    columns, row_format, text, rows = TABLES[case]
    body = gzip.compress(text.encode()) if compressed else text.encode()
    athena.put(f"t/data{'.gz' if compressed else ''}", body)
    athena.put("t/_hidden", "9\tnever seen\n")
    where = f"s3://{athena.bucket}/t/"
    athena.run(f"CREATE EXTERNAL TABLE t ({columns}) {row_format} LOCATION '{where}'")
    assert athena.select("SELECT * FROM t") == rows


def test_a_row_as_long_as_intake_takes_is_read(athena: Athena):
    athena.put("t/a.tsv", f"1\t{'x' * ROW_LIMIT}\n2\tshort\n")
    where = f"s3://{athena.bucket}/t/"
    athena.run(f"CREATE EXTERNAL TABLE t (id int, words string) {LAZY} LOCATION '{where}'")
    rows = [["1", str(ROW_LIMIT)], ["2", "5"]]
    assert athena.select("SELECT id, length(words) FROM t ORDER BY id") == rows


def test_unnest_tells_arrays_of_rows_from_maps_by_their_columns_types(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/flattening-arrays.html"""
    athena.put("t/a.json", '{"id": 1, "bought": [{"what": "x", "n": 2}], "m": {"k": 7}}\n')
    athena.run(
        "CREATE EXTERNAL TABLE t (id int, bought array<struct<what:string,n:int>>, "
        f"m map<string,int>) {OPENX} LOCATION 's3://{athena.bucket}/t/'"
    )
    bought = "SELECT id, what, n FROM t CROSS JOIN UNNEST(bought) AS b(what, n)"
    assert athena.select(bought) == [["1", "x", "2"]]
    named = "SELECT n FROM t AS s CROSS JOIN UNNEST(s.bought) WITH ORDINALITY AS b(what, n, at)"
    assert athena.select(named) == [["2"]]
    assert athena.select("SELECT k, v FROM t, UNNEST(m) AS e(k, v)") == [["k", "7"]]


def test_parquet_tables_are_read_by_column_name(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html"""
    data = io.BytesIO()
    pq.write_table(pa.table({"b": [1.5], "A": ["x"], "unknown": [1]}), data)
    athena.put("t/a.parquet", data.getvalue())
    athena.run(
        "CREATE EXTERNAL TABLE t (a string, b double, later int) STORED AS PARQUET "
        f"LOCATION 's3://{athena.bucket}/t/'"
    )
    assert athena.rows("SELECT * FROM t") == [["a", "b", "later"], ["x", "1.5", None]]


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("EXTERNAL TABLE t (x int)", "The location of the table is required"),
        ("EXTERNAL TABLE t (x int) LOCATION '/tmp/x'", "Not an S3 location"),
        ("EXTERNAL TABLE t (x widget) LOCATION 's3://b/p/'", "ParseException"),
        ("EXTERNAL TABLE t (x int) STORED AS ORC LOCATION 's3://b/p/'", "NOT_SUPPORTED"),
        ("EXTERNAL TABLE nodb.t (x int) LOCATION 's3://b/p/'", "Database does not exist: nodb"),
        ("TABLE t (x int)", "NOT_SUPPORTED"),
    ],
)
def test_a_table_that_cannot_be_is_refused(athena: Athena, definition: str, words: str):
    assert words in athena.fail(f"CREATE {definition}")


def test_partitions_are_added_dropped_and_found(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/partitions.html"""
    athena.run(
        f"CREATE EXTERNAL TABLE p (x int) PARTITIONED BY (day string, n int) {LAZY} "
        f"LOCATION 's3://{athena.bucket}/p/'"
    )
    athena.put("p/day=a/n=1/f", "1\n")
    athena.put("p/day=b/n=2/f", "2\n")
    athena.put("elsewhere/f", "3\n")
    assert athena.select("SELECT * FROM p") == []
    athena.run(
        f"ALTER TABLE p ADD PARTITION (day='c', n=3) LOCATION 's3://{athena.bucket}/elsewhere/'"
    )
    assert "AlreadyExistsException" in athena.fail("ALTER TABLE p ADD PARTITION (day='c', n=3)")
    athena.run("ALTER TABLE p ADD IF NOT EXISTS PARTITION (day='c', n=3)")
    assert athena.lines("MSCK REPAIR TABLE p") == [
        "Partitions not in metastore:\tp:day=a/n=1\tp:day=b/n=2",
        "Repair: Added partition to metastore p:day=a/n=1",
        "Repair: Added partition to metastore p:day=b/n=2",
    ]
    assert athena.lines("SHOW PARTITIONS p") == ["day=a/n=1", "day=b/n=2", "day=c/n=3"]
    assert athena.select("SELECT * FROM p ORDER BY x") == [
        ["1", "a", "1"], ["2", "b", "2"], ["3", "c", "3"],
    ]  # fmt: skip
    assert athena.select('SELECT max(n) FROM "p$partitions"') == [["3"]]
    path = f"s3://{athena.bucket}/elsewhere/f"
    assert athena.select("SELECT \"$path\" FROM p WHERE day = 'c'") == [[path]]
    athena.run("ALTER TABLE p DROP PARTITION (day='c', n=3)")
    assert "Partition not found" in athena.fail("ALTER TABLE p DROP PARTITION (day='c', n=3)")
    athena.run("ALTER TABLE p DROP IF EXISTS PARTITION (day='c', n=3)")
    assert athena.select("SELECT count(*) FROM p") == [["2"]]


def test_a_partition_condition_reads_those_partitions_alone(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/partitions.html"""
    where = f"LOCATION 's3://{athena.bucket}/p/'"
    athena.run(f"CREATE EXTERNAL TABLE p (x int) PARTITIONED BY (day string) {LAZY} {where}")
    athena.put("p/day=a/f", "1\n" * 10)
    athena.put("p/day=b/f", "1\n" * 500)
    athena.run("MSCK REPAIR TABLE p")
    for sql, scanned in [
        ("SELECT x FROM p", 1020),
        ("SELECT x FROM p WHERE day = 'a'", 20),
        ("SELECT x FROM p WHERE day IN ('b', 'c') AND x > 0", 1000),
        ("SELECT x FROM p WHERE day = 'none'", 0),
    ]:
        assert athena.run(sql)["Statistics"]["DataScannedInBytes"] == scanned, sql


def test_a_table_is_altered_and_described(people: Athena):
    people.run("ALTER TABLE people ADD COLUMNS (email string COMMENT 'of work')")
    people.run("ALTER TABLE people SET TBLPROPERTIES ('owner'='ml')")
    assert people.lines("SHOW COLUMNS IN people") == ["id", "name", "stars", "email"]
    assert people.lines("DESCRIBE people")[3].split("\t") == [
        f"{'email':<20}", f"{'string':<20}", f"{'of work':<20}",
    ]  # fmt: skip
    assert "owner\tml" in people.lines("SHOW TBLPROPERTIES people")
    made_by = people.lines("SHOW CREATE TABLE people")
    assert made_by[0] == "CREATE EXTERNAL TABLE `people`("
    assert f"  's3://{people.bucket}/people/'" in made_by
    assert people.lines("SHOW TABLES 'peo*'") == ["people"]
    people.run("DROP TABLE people")
    assert people.lines("SHOW TABLES") == []
    assert people.keys("people/") == ["people/a.tsv"]  # the data of an external table stays
    missing = people.fail("DROP TABLE people")
    assert missing.endswith(f"[Error 10001]: Table not found {people.database}.people")


def test_what_show_create_table_says_makes_the_same_table(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/show-create-table.html"""
    before = people.rows("SELECT * FROM people")
    text = "\n".join(line or "" for line in people.lines("SHOW CREATE TABLE people"))
    people.run(text.replace("`people`", "`again`"))
    assert people.rows("SELECT * FROM again") == before


# Queries: https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html


def test_a_query_writes_its_csv_where_it_says(people: Athena):
    sql = "SELECT id, name, nullif(stars, 3) AS stars, '' AS empty FROM people ORDER BY id"
    execution = people.run(sql)
    where = execution["ResultConfiguration"]["OutputLocation"]
    query = execution["QueryExecutionId"]
    assert where == f"s3://{people.bucket}/results/{query}.csv"
    assert people.read(where).decode() == (
        '"id","name","stars","empty"\n"1","Ada","5",""\n"2","Bo",,""\n"3","Cy","5",""\n'
    )
    assert people.keys(f"results/{query}") == [
        f"results/{query}.csv", f"results/{query}.csv.metadata",
    ]  # fmt: skip
    assert execution["StatementType"] == "DML"
    assert execution["Query"] == sql
    assert execution["QueryExecutionContext"]["Database"] == people.database
    statistics = execution["Statistics"]
    assert statistics["DataScannedInBytes"] == 36
    assert statistics["EngineExecutionTimeInMillis"] > 0
    assert statistics["EngineExecutionTimeInMillis"] <= statistics["TotalExecutionTimeInMillis"]
    assert execution["Status"]["SubmissionDateTime"] <= execution["Status"]["CompletionDateTime"]


def test_results_have_the_types_of_athena(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_ColumnInfo.html"""
    query = athena.run(
        "SELECT 1 AS i, cast(2 AS bigint) AS big, 1.50 AS dec, 1e7 AS dbl, 'x' AS s, true AS b, "
        "DATE '2020-01-31' AS d, TIMESTAMP '2020-01-31 10:00:00' AS ts, ARRAY[1, null] AS a, "
        "MAP(ARRAY['k'], ARRAY[1]) AS m, cast(ROW(1, 'x') AS ROW(p integer, q varchar)) AS r, "
        "X'00ff' AS bin, null AS nothing, count(*)"
    )["QueryExecutionId"]
    results = athena.api.get_query_results(QueryExecutionId=query)["ResultSet"]
    columns = results["ResultSetMetadata"]["ColumnInfo"]
    values = [value.get("VarCharValue") for value in results["Rows"][1]["Data"]]
    found = {c["Name"]: (c["Type"], v) for c, v in zip(columns, values, strict=True)}
    assert found == {
        "i": ("integer", "1"),
        "big": ("bigint", "2"),
        "dec": ("decimal", "1.50"),
        "dbl": ("double", "1.0E7"),
        "s": ("varchar", "x"),
        "b": ("boolean", "true"),
        "d": ("date", "2020-01-31"),
        "ts": ("timestamp", "2020-01-31 10:00:00.000"),
        "a": ("array", "[1, null]"),
        "m": ("map", "{k=1}"),
        "r": ("row", "{p=1, q=x}"),
        "bin": ("varbinary", "00 ff"),
        "nothing": ("unknown", None),
        "_col13": ("bigint", "1"),
    }
    decimal = columns[2]
    assert (decimal["Precision"], decimal["Scale"], decimal["CatalogName"]) == (3, 2, "hive")


def test_results_come_in_pages(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html"""
    sql = "SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x) ORDER BY x"
    query = athena.run(sql)["QueryExecutionId"]
    pages = list(athena.api.get_paginator("get_query_results").paginate(QueryExecutionId=query))
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [1000, 1000, 501]
    assert pages[0]["ResultSet"]["Rows"][0]["Data"] == [{"VarCharValue": "x"}]
    assert pages[2]["ResultSet"]["Rows"][-1]["Data"] == [{"VarCharValue": "2500"}]
    few = athena.api.get_query_results(QueryExecutionId=query, MaxResults=2)
    assert len(few["ResultSet"]["Rows"]) == 2
    with pytest.raises(ClientError, match="MaxResults"):
        athena.api.get_query_results(QueryExecutionId=query, MaxResults=1001)


def test_a_utility_statement_writes_text(people: Athena):
    execution = people.run("SHOW TABLES")
    where = execution["ResultConfiguration"]["OutputLocation"]
    query = execution["QueryExecutionId"]
    assert where == f"s3://{people.bucket}/results/{query}.txt"
    assert people.read(where) == b"people\n"
    assert execution["StatementType"] == "UTILITY"
    assert people.keys(f"results/{query}.txt.metadata")


def test_execution_parameters_stand_for_question_marks(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html"""
    sql = "SELECT name FROM people WHERE id = ? AND name <> '?' AND name = ?"
    assert people.rows(sql, ExecutionParameters=["1", "'Ada'"]) == [["name"], ["Ada"]]
    with pytest.raises(ClientError, match="Incorrect number of parameters"):
        people.start(sql, ExecutionParameters=["1"])


def test_views_are_stored_and_read(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/views.html"""
    people.run("CREATE VIEW best AS SELECT name, stars FROM people WHERE stars = 5")
    people.run("CREATE VIEW of_view AS SELECT upper(name) AS loud FROM best")
    assert people.select("SELECT * FROM of_view ORDER BY loud") == [["ADA"], ["CY"]]
    assert people.lines("SHOW VIEWS") == ["best", "of_view"]
    assert people.lines("SHOW CREATE VIEW best")[0] == "CREATE VIEW best AS"
    stored = people.cloud.client("glue").get_table(DatabaseName=people.database, Name="best")
    assert stored["Table"]["TableType"] == "VIRTUAL_VIEW"
    assert stored["Table"]["ViewOriginalText"].startswith("/* Presto View: ")
    assert people.fail("CREATE VIEW best AS SELECT 1 AS x").startswith("TABLE_ALREADY_EXISTS")
    people.run("CREATE OR REPLACE VIEW best AS SELECT name FROM people WHERE stars = 3")
    assert people.select("SELECT * FROM of_view") == [["BO"]]
    assert "on a view" in people.fail("DROP TABLE best")
    people.run("DROP VIEW best")
    assert "View not found" in people.fail("DROP VIEW best")


def test_the_information_schema_tells_of_the_catalog(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html"""
    assert people.select(
        "SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = '{people.database}' AND table_name = 'people' AND data_type = 'int'"
        " ORDER BY 1"
    ) == [["id", "int"], ["stars", "int"]]


# Writing: https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html


def test_ctas_makes_a_partitioned_parquet_table(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html"""
    where = f"s3://{people.bucket}/made/"
    execution = people.run(
        f"CREATE TABLE made WITH (format = 'PARQUET', write_compression = 'SNAPPY', "
        f"partitioned_by = ARRAY['stars'], external_location = '{where}') "
        "AS SELECT id, name, stars FROM people"
    )
    assert execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    table = people.cloud.client("glue").get_table(DatabaseName=people.database, Name="made")[
        "Table"
    ]
    assert table["PartitionKeys"] == [{"Name": "stars", "Type": "int"}]
    assert [c["Name"] for c in table["StorageDescriptor"]["Columns"]] == ["id", "name"]
    assert "parquet" in table["StorageDescriptor"]["InputFormat"]
    assert people.lines("SHOW PARTITIONS made") == ["stars=3", "stars=5"]
    files = people.keys("made/")
    manifest = execution["Statistics"]["DataManifestLocation"]
    assert people.read(manifest).decode().split() == [
        f"s3://{people.bucket}/{key}" for key in files
    ]
    written = pq.read_table(io.BytesIO(people.read(f"s3://{people.bucket}/{files[0]}")))
    assert written.column_names == ["id", "name"]
    assert people.select("SELECT * FROM made ORDER BY id") == [
        ["1", "Ada", "5"], ["2", "Bo", "3"], ["3", "Cy", "5"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("people AS SELECT 1 AS x", "TABLE_ALREADY_EXISTS"),
        ("t AS SELECT 1", "MISSING_COLUMN_NAME"),
        ("t AS SELECT 1 AS x, 2 AS X", "DUPLICATE_COLUMN_NAME"),
        ("t AS SELECT null AS x", "NOT_SUPPORTED: Unsupported Hive type: unknown"),
        ("t WITH (external_location = '{full}') AS SELECT 1 AS x", "HIVE_PATH_ALREADY_EXISTS"),
        ("t WITH (partitioned_by = ARRAY['id']) AS SELECT id, name FROM people",
         "HIVE_COLUMN_ORDER_MISMATCH"),
        ("t WITH (partitioned_by = ARRAY['n']) AS SELECT 1 AS x, n FROM "
         "UNNEST(sequence(1, 101)) AS s(n)", "HIVE_TOO_MANY_OPEN_PARTITIONS"),
        ("t WITH (partitioned_by = ARRAY['n']) AS SELECT 1 AS x, 'Möbel' AS n",
         "HIVE_INVALID_PARTITION_VALUE"),
        ("t WITH (format = 'AVRO') AS SELECT 1 AS x", "NOT_SUPPORTED"),
        ("t WITH (color = 'blue') AS SELECT 1 AS x", "NOT_SUPPORTED"),
        ("nodb.t AS SELECT 1 AS x", "SCHEMA_NOT_FOUND"),
    ],
)  # fmt: skip
def test_ctas_is_refused_where_athena_refuses(people: Athena, statement: str, reason: str):
    """https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html"""
    full = f"s3://{people.bucket}/people/"
    told = people.fail(f"CREATE TABLE {statement.replace('{full}', full)}")
    assert told.startswith(reason)
    assert people.lines("SHOW TABLES") == ["people"]


def test_insert_adds_files_and_partitions(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/insert-into.html"""
    people.run(
        "CREATE EXTERNAL TABLE p (id bigint, name string) PARTITIONED BY (stars int) "
        f"STORED AS PARQUET LOCATION 's3://{people.bucket}/p/'"
    )
    execution = people.run("INSERT INTO p SELECT id, name, stars FROM people")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "INSERT")
    results = people.api.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert results["UpdateCount"] == 3
    people.run("INSERT INTO p (name, stars) VALUES ('Di', 1), ('Ed', 5)")
    assert people.lines("SHOW PARTITIONS p") == ["stars=1", "stars=3", "stars=5"]
    assert len(people.keys("p/stars=5/")) == 2
    assert people.select("SELECT * FROM p WHERE stars IN (1, 5) ORDER BY name") == [
        ["1", "Ada", "5"], ["3", "Cy", "5"], [None, "Di", "1"], [None, "Ed", "5"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("nosuch VALUES (1)", "TABLE_NOT_FOUND"),
        ("quoted VALUES (1)", "NOT_SUPPORTED: Inserting into tables of"),
        ("v VALUES (1)", "NOT_SUPPORTED: line 1:1: Inserting into views is not supported"),
        ("people VALUES (1, 'x')", "TYPE_MISMATCH: Insert query has mismatched column types"),
        ("people VALUES ('1', 'x', 5)", "TYPE_MISMATCH: Insert query has mismatched column types"),
        ("people (id, age) VALUES (1, 2)", "COLUMN_NOT_FOUND"),
    ],
)
def test_insert_is_refused_where_athena_refuses(people: Athena, statement: str, reason: str):
    """https://docs.aws.amazon.com/athena/latest/ug/insert-into.html"""
    where = f"LOCATION 's3://{people.bucket}/q/'"
    people.run(f"CREATE EXTERNAL TABLE quoted (x int) {OPEN_CSV} {where}")
    people.run("CREATE VIEW v AS SELECT 1 AS x")
    assert people.fail(f"INSERT INTO {statement}").startswith(reason)
    assert people.keys("q/") == []
    assert people.keys("people/") == ["people/a.tsv"]


def test_unload_writes_files_and_no_table(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/unload.html"""
    where = f"s3://{people.bucket}/out/"
    sql = f"UNLOAD (SELECT id, name FROM people ORDER BY id) TO '{where}'"
    asked = f"{sql} WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE')"
    execution = people.run(asked)
    (file,) = people.keys("out/")
    assert people.read(f"s3://{people.bucket}/{file}") == b"1,Ada\n2,Bo\n3,Cy\n"
    manifest = people.read(execution["Statistics"]["DataManifestLocation"]).decode()
    assert manifest.split() == [f"s3://{people.bucket}/{file}"]
    assert people.fail(asked).startswith("HIVE_PATH_ALREADY_EXISTS")
    assert "needs the property 'format'" in people.fail(sql.replace("/out/", "/other/"))
    assert people.lines("SHOW TABLES") == ["people"]


def test_unload_by_partition_may_write_beside_what_is_there(people: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/unload.html"""
    for _ in range(2):
        people.run(
            f"UNLOAD (SELECT name, stars FROM people) TO 's3://{people.bucket}/out/' "
            "WITH (format = 'JSON', compression = 'GZIP', partitioned_by = ARRAY['stars'])"
        )
    (first, second) = people.keys("out/stars=3/")
    line = json.loads(gzip.decompress(people.read(f"s3://{people.bucket}/{first}")))
    assert (line, first != second) == ({"name": "Bo"}, True)


# Errors: https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM nosuch",
         "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{db}.nosuch' does not exist"),
        ("SELECT 1 FROM nodb.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nodb' does not exist"),
        ("SELECT nosuch FROM people",
         "COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved"),
        ("SELECT\n  wrong(id) FROM people",
         "FUNCTION_NOT_FOUND: line 2:3: Function 'wrong' not registered"),
        ("SELECT cast(name AS integer) FROM people",
         "INVALID_CAST_ARGUMENT: Cannot cast 'Ada' to INTEGER"),
        ("SELECT * FROM people WHERE name = 1",
         "TYPE_MISMATCH: line 1:33: Cannot apply operator: varchar = integer"),
        ("SELECT * FROM people WHERE id >= '1'",
         "TYPE_MISMATCH: line 1:31: Cannot apply operator: integer >= varchar(1)"),
        ("SELECT * FROM people a JOIN people b ON a.id = b.name",
         "TYPE_MISMATCH: line 1:46: Cannot apply operator: integer = varchar"),
        ("SELECT id / 0 FROM people", "DIVISION_BY_ZERO: Division by zero"),
    ],
)  # fmt: skip
def test_a_query_that_fails_says_why(people: Athena, sql: str, reason: str):
    status = people.end(people.start(sql))["Status"]
    words = reason.replace("{db}", people.database)
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", words)
    error = status["AthenaError"]
    assert (error["ErrorCategory"], error["ErrorMessage"]) == (2, words)
    assert error["Retryable"] is False


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "MALFORMED_QUERY"),
        ("SELECT FROM WHERE", "MALFORMED_QUERY"),
        ("DELETE FROM people", "NOT_SUPPORTED"),
        ("MERGE INTO people USING people ON 1 = 1 WHEN MATCHED THEN DELETE", "NOT_SUPPORTED"),
    ],
)
def test_a_statement_that_is_not_taken_is_refused_at_once(athena: Athena, sql: str, code: str):
    with pytest.raises(ClientError) as caught:
        athena.start(sql)
    answer = caught.value.response
    assert answer["Error"]["Code"] == "InvalidRequestException"
    assert answer["AthenaErrorCode"] == code


def test_results_of_a_failed_query_are_refused(athena: Athena):
    query = athena.end(athena.start("SELECT 1/0"))["QueryExecutionId"]
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        athena.api.get_query_results(QueryExecutionId=query)
    with pytest.raises(ClientError, match="was not found"):
        athena.api.get_query_execution(QueryExecutionId=str(uuid.uuid4()))


# Executions: https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html


def test_the_same_token_starts_one_query(athena: Athena):
    token = uuid.uuid4().hex
    first = athena.start("SELECT 1", ClientRequestToken=token)
    assert athena.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        athena.start("SELECT 2", ClientRequestToken=token)


def test_a_query_is_stopped(athena: Athena, eventually):
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_StopQueryExecution.html"""
    query = athena.start(ENDLESS)

    def state() -> str:
        found = athena.api.get_query_execution(QueryExecutionId=query)
        return found["QueryExecution"]["Status"]["State"]

    eventually(lambda: state() == "RUNNING")
    with pytest.raises(ClientError, match="not yet finished"):
        athena.api.get_query_results(QueryExecutionId=query)
    athena.api.stop_query_execution(QueryExecutionId=query)
    status = athena.end(query)["Status"]
    assert (status["State"], "CompletionDateTime" in status) == ("CANCELLED", True)
    athena.api.stop_query_execution(QueryExecutionId=query)  # stopping twice is no error


def test_a_workgroup_decides_where_results_go(athena: Athena):
    """https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html"""
    name = f"group-{uuid.uuid4().hex[:8]}"
    own = {"OutputLocation": f"s3://{athena.bucket}/of-group/"}
    athena.api.create_work_group(Name=name, Configuration={"ResultConfiguration": own})
    group = athena.api.get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]
    assert group["EnforceWorkGroupConfiguration"] is True
    execution = athena.run("SELECT 1", WorkGroup=name)
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(own["OutputLocation"])
    assert execution["WorkGroup"] == name
    listed = athena.api.list_query_executions(WorkGroup=name)["QueryExecutionIds"]
    assert listed == [execution["QueryExecutionId"]]
    made = f"CREATE TABLE t WITH (external_location = 's3://{athena.bucket}/x/') AS SELECT 1 AS x"
    assert "enforces a centralized output location" in athena.fail(made, WorkGroup=name)
    athena.run("CREATE TABLE t AS SELECT 1 AS x", WorkGroup=name)
    assert all("of-group/tables/" in key for key in athena.keys("of-group/tables/"))


def test_without_an_output_location_nothing_runs(athena: Athena):
    with pytest.raises(ClientError, match="No output location provided"):
        athena.api.start_query_execution(QueryString="SELECT 1")
    with pytest.raises(ClientError, match="WorkGroup is not found"):
        athena.start("SELECT 1", WorkGroup="nosuch")


def test_each_change_of_state_is_told(athena: Athena, eventually):
    """https://docs.aws.amazon.com/athena/latest/ug/athena-events.html"""
    cloud, name = athena.cloud, f"q-{uuid.uuid4().hex[:8]}"
    url = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    events = cloud.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.athena"]}))
    target = {"Id": "1", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule=name, Targets=[target])
    query = athena.run("SELECT 1")["QueryExecutionId"]
    told: list[dict[str, Any]] = []

    def heard() -> bool:
        answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        told.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return any(event["detail"]["currentState"] == "SUCCEEDED" for event in told)

    eventually(heard)
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
    mine = [event for event in told if event["detail"]["queryExecutionId"] == query]
    assert {event["detail-type"] for event in mine} == {"Athena Query State Change"}
    states = {(e["detail"].get("previousState"), e["detail"]["currentState"]) for e in mine}
    assert states == {(None, "QUEUED"), ("QUEUED", "RUNNING"), ("RUNNING", "SUCCEEDED")}


def test_a_restart_keeps_what_ended_and_fails_what_had_not(own_cloud: Any, eventually):
    athena = made(own_cloud.start(), eventually)
    execution = athena.run("SELECT 1 AS x")
    athena.run("CREATE TABLE kept AS SELECT 'here' AS word")
    cut_off = athena.start(ENDLESS)
    own_cloud.stop()
    own_cloud.start()
    query = execution["QueryExecutionId"]
    again = athena.api.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert again == execution
    results = athena.api.get_query_results(QueryExecutionId=query)["ResultSet"]
    assert [row["Data"] for row in results["Rows"]] == [
        [{"VarCharValue": "x"}], [{"VarCharValue": "1"}],
    ]  # fmt: skip
    assert athena.select("SELECT * FROM kept") == [["here"]]
    status = athena.end(cut_off)["Status"]
    assert status["State"] == "FAILED"
    assert "The service stopped while the query ran" in status["StateChangeReason"]


def test_result_files_are_csv_to_everyone(athena: Athena):
    hard = "SELECT 'a\"b' AS q, 'x,y' AS c, concat('l1', chr(10), 'l2') AS n, null AS z"
    execution = athena.run(hard)
    text = athena.read(execution["ResultConfiguration"]["OutputLocation"]).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["q", "c", "n", "z"], ['a"b', "x,y", "l1\nl2", ""],
    ]  # fmt: skip
    assert athena.select(hard) == [['a"b', "x,y", "l1\nl2", None]]
