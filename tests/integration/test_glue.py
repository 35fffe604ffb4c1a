"""Glue's crawlers as on AWS: what they infer, group, register, keep to themselves and tell."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from roles import ROLE

pytestmark = pytest.mark.cloud

SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
REVIEWS = (
    "review_id\tstar_rating\treview_body\n"
    'R1\t5\t12" of snow, and it "holds\n'
    'R2\t1\t"Broken\n'
    "R3\t4\tFine\n"
)
COMBINE = {"Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}
INHERIT = {"CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
MERGE = {"CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}


class Lake:
    """A bucket, a database and crawlers over them."""

    def __init__(self, cloud: Any, bucket: str, eventually: Callable[..., Any]) -> None:
        self.cloud, self.bucket, self.eventually = cloud, bucket, eventually
        self.glue, self.database = cloud.client("glue"), f"db_{uuid.uuid4().hex[:8]}"
        self.glue.create_database(DatabaseInput={"Name": self.database})

    def put(self, key: str, body: str | bytes) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=data)

    def crawler(self, path: str = "", **more: Any) -> str:
        """A crawler over a path of the bucket."""
        name = f"crawler-{uuid.uuid4().hex[:8]}"
        configuration = more.pop("configuration", {})
        target = {"Path": f"s3://{self.bucket}/{path}", **more.pop("target", {})}
        self.glue.create_crawler(
            Name=name,
            Role=ROLE,
            DatabaseName=self.database,
            Targets={"S3Targets": [target]},
            Configuration=json.dumps({"Version": 1.0, **configuration}),
            **more,
        )
        return name

    def crawl(self, name: str) -> dict[str, Any]:
        """Run a crawler to its end; gives its LastCrawl."""
        self.glue.start_crawler(Name=name)
        return self.ended(name)

    def ended(self, name: str) -> dict[str, Any]:
        def ready() -> dict[str, Any] | None:
            found = self.glue.get_crawler(Name=name)["Crawler"]
            return found if found["State"] == "READY" else None

        return self.eventually(ready, 60)["LastCrawl"]

    def table(self, name: str) -> dict[str, Any]:
        return self.glue.get_table(DatabaseName=self.database, Name=name)["Table"]

    def tables(self) -> set[str]:
        return {t["Name"] for t in self.glue.get_tables(DatabaseName=self.database)["TableList"]}

    def columns(self, name: str) -> dict[str, str]:
        return {c["Name"]: c["Type"] for c in self.table(name)["StorageDescriptor"]["Columns"]}

    def partitions(self, name: str) -> dict[tuple[str, ...], dict[str, Any]]:
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=name
        )
        return {tuple(p["Values"]): p for page in pages for p in page["Partitions"]}


@pytest.fixture
def lake(cloud: Any, bucket: str, eventually: Callable[..., Any]) -> Lake:
    return Lake(cloud, bucket, eventually)


# --- What is inferred ---------------------------------------------------------------------------


def test_a_tsv_with_lone_quotes_is_a_table_that_athena_reads(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    lake.put("raw/reviews/arrival=a1/reviews.tsv.gz", gzip.compress(REVIEWS.encode()))
    crawler = lake.crawler("raw/reviews/", TablePrefix="raw_")
    assert lake.crawl(crawler)["Status"] == "SUCCEEDED"
    table = lake.table("raw_reviews")
    assert lake.columns("raw_reviews") == {
        "review_id": "string",
        "star_rating": "bigint",
        "review_body": "string",
    }
    assert table["PartitionKeys"] == [{"Name": "arrival", "Type": "string"}]
    about, serde = table["Parameters"], table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == SERDE
    assert serde["Parameters"]["field.delim"] == "\t"
    assert about["classification"] == "csv"
    assert about["compressionType"] == "gzip"
    assert about["skip.header.line.count"] == "1"
    assert about["UPDATED_BY_CRAWLER"] == crawler
    assert about["objectCount"] == "1"
    where = f"s3://{lake.bucket}/raw/reviews/arrival=a1/"
    assert lake.partitions("raw_reviews")[("a1",)]["StorageDescriptor"]["Location"] == where
    rows = query(lake, "SELECT review_id, review_body, arrival FROM raw_reviews ORDER BY 1")
    assert rows[0] == ["R1", '12" of snow, and it "holds', "a1"]
    assert len(rows) == 3


def parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    columns = {"id": pa.array([1, 2], pa.int64()), "tags": pa.array([["a"], []])}
    pq.write_table(pa.table(columns | {"Day": pa.array([1, 2], pa.date32())}), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "kind", "columns"),
    [
        pytest.param(
            "a.csv",
            b'id,said,price\n1,"a, b",1.5\n2,c,2\n',
            "csv",
            {"id": "bigint", "said": "string", "price": "double"},
            id="csv with a quoted delimiter",
        ),
        pytest.param(
            "a.csv.bz2",
            bz2.compress(b"id|ok\n1|true\n2|false\n"),
            "csv",
            {"id": "bigint", "ok": "boolean"},
            id="bzip2, another delimiter",
        ),
        pytest.param(
            "a.csv", b"a,b\nc,d\n", "csv", {"col0": "string", "col1": "string"}, id="text only"
        ),
        pytest.param(
            "a.jsonl",
            b'{"Id": 1, "x": {"y": [1]}}\n{"Id": 5000000000, "z": null}\n',
            "json",
            {"id": "bigint", "x": "struct<y:array<int>>", "z": "string"},
            id="JSON lines",
        ),
        pytest.param(
            "a.parquet",
            parquet(),
            "parquet",
            {"id": "bigint", "tags": "array<string>", "day": "date"},
            id="Parquet",
        ),
    ],
)
def test_formats(lake: Lake, name: str, body: bytes, kind: str, columns: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-built-in"""
    lake.put(f"data/{name}", body)
    assert lake.crawl(lake.crawler("data/"))["Status"] == "SUCCEEDED"
    assert lake.columns("data") == columns
    assert lake.table("data")["Parameters"]["classification"] == kind
    assert lake.table("data")["PartitionKeys"] == []


def test_what_no_classifier_knows_makes_no_table(lake: Lake) -> None:
    """Zstandard text, bytes, a lone column: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    lake.put("data/a.csv.zst", b"\x28\xb5\x2f\xfd\x00" + b"x" * 50)
    lake.put("data/b.bin", bytes(range(256)) * 8)
    lake.put("data/c.txt", "a\nb\nc\n")
    crawler = lake.crawler("data/")
    assert lake.crawl(crawler)["Status"] == "SUCCEEDED"
    assert lake.tables() == set()
    assert sum("classification UNKNOWN" in line for line in log(lake, crawler)) == 3


def test_a_custom_csv_classifier_comes_first(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html"""
    name = f"classifier-{uuid.uuid4().hex[:8]}"
    lake.glue.create_classifier(
        CsvClassifier={
            "Name": name,
            "Delimiter": ";",
            "QuoteSymbol": "'",
            "ContainsHeader": "ABSENT",
            "Header": ["who", "what"],
            "Serde": "OpenCSVSerDe",
        }
    )
    lake.put("data/a.txt", "ann;'x;y'\nbob;z\n")
    assert lake.crawl(lake.crawler("data/", Classifiers=[name]))["Status"] == "SUCCEEDED"
    assert lake.columns("data") == {"who": "string", "what": "string"}
    serde = lake.table("data")["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "org.apache.hadoop.hive.serde2.OpenCSVSerde"
    assert query(lake, "SELECT who, what FROM data ORDER BY 1")[0] == ["ann", "x;y"]


# --- How it is grouped --------------------------------------------------------------------------


def test_folders_are_partitions_with_names_or_without(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    for folder in ("year=2025/01", "year=2025/02", "year=2026/01"):
        lake.put(f"sales/{folder}/a.csv", "id,price\n1,2.5\n2,3.5\n")
    lake.crawl(lake.crawler("sales"))
    assert lake.tables() == {"sales"}
    assert [key["Name"] for key in lake.table("sales")["PartitionKeys"]] == ["year", "partition_1"]
    assert set(lake.partitions("sales")) == {("2025", "01"), ("2025", "02"), ("2026", "01")}


@pytest.mark.parametrize(
    ("configuration", "names"),
    [({}, {"year_2017", "year_2018"}), (COMBINE, {"table1"})],
    ids=["by similarity", "CombineCompatibleSchemas"],
)
def test_files_without_a_common_column(
    lake: Lake, configuration: dict[str, Any], names: set[str]
) -> None:
    """AWS's own example: https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    lake.put("table1/year=2017/data1.json", '{"A": 1, "B": 2}\n')
    lake.put("table1/year=2018/data2.json", '{"C": 3, "D": 4}\n')
    lake.crawl(lake.crawler("table1/", configuration=configuration))
    assert lake.tables() == names
    if configuration:
        assert lake.columns("table1") == dict.fromkeys("abcd", "int")


def test_excluded_objects_are_not_looked_at(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude"""
    lake.put("data/a.csv", "id,n\n1,2\n")
    lake.put("data/b.json", '{"x": 1}\n')
    lake.put("data/old/c.csv", "q,w,e\n1,2,3\n")
    lake.crawl(lake.crawler("data/", target={"Exclusions": ["**.json", "old/**"]}))
    assert lake.tables() == {"data"}
    assert lake.columns("data") == {"id": "bigint", "n": "bigint"}


def test_an_include_path_may_be_one_object(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html"""
    lake.put("data/a.csv", "id,n\n1,2\n")
    lake.put("data/b.csv", "x,y,z\n1,2,3\n")
    lake.crawl(lake.crawler("data/a.csv"))
    assert lake.tables() == {"a_csv"}
    where = f"s3://{lake.bucket}/data/a.csv"
    assert lake.table("a_csv")["StorageDescriptor"]["Location"] == where


def test_a_sample_of_each_folder(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_S3Target.html"""
    for day in (1, 2):
        lake.put(f"data/day={day}/a.csv", "id,n\n1,2\n")
        lake.put(f"data/day={day}/b.csv", "id,n,more\n1,2,3\n")
    lake.crawl(lake.crawler("data/", target={"SampleSize": 1}))
    assert lake.columns("data") == {"id": "bigint", "n": "bigint"}
    assert lake.table("data")["Parameters"]["objectCount"] == "2"


def test_the_database_is_made_where_it_is_absent(lake: Lake) -> None:
    """https://docs.aws.amazon.com/code-library/latest/ug/python_3_glue_code_examples.html"""
    lake.glue.delete_database(Name=lake.database)
    lake.put("data/a.csv", "id,n\n1,2\n")
    lake.crawl(lake.crawler("data/"))
    assert lake.tables() == {"data"}


def test_a_name_that_is_taken_gets_a_hash(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    for place in ("one", "two"):
        lake.put(f"{place}/data/a.csv", "id,n\n1,2\n")
        lake.crawl(lake.crawler(f"{place}/data/"))
    first, second = sorted(lake.tables(), key=len)
    assert first == "data"
    assert second.startswith("data_")
    assert len(second) == len("data_") + 32


# --- What a second crawl changes ----------------------------------------------------------------


def changed(lake: Lake, **crawler: Any) -> str:
    """A crawler that has seen a table grow a column and retype another."""
    lake.put("data/day=1/a.csv", "id,n\n1,2\n")
    name = lake.crawler("data/", **crawler)
    lake.crawl(name)
    lake.put("data/day=1/a.csv", "id,n,extra\nx,2,3\n")
    lake.put("data/day=2/a.csv", "id,n,extra\ny,2,3\n")
    lake.crawl(name)
    return name


def test_a_changed_schema_is_updated(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    name = changed(lake)
    assert lake.columns("data") == {"id": "string", "n": "bigint", "extra": "bigint"}
    assert set(lake.partitions("data")) == {("1",), ("2",)}
    metrics = lake.glue.get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"]
    assert (metrics[0]["TablesCreated"], metrics[0]["TablesUpdated"]) == (1, 1)


def test_a_changed_schema_is_only_logged(lake: Lake) -> None:
    """LOG adds partitions and changes nothing else.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html
    """
    policy = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    name = changed(lake, SchemaChangePolicy=policy, configuration=INHERIT)
    assert lake.columns("data") == {"id": "bigint", "n": "bigint"}
    new = lake.partitions("data")[("2",)]["StorageDescriptor"]
    assert [column["Name"] for column in new["Columns"]] == ["id", "n"]
    assert any("not updated" in line for line in log(lake, name))


def test_changed_partition_keys_are_only_logged(lake: Lake) -> None:
    """A partition has as many values as its table has keys.

    https://docs.aws.amazon.com/glue/latest/webapi/API_PartitionInput.html
    """
    lake.put("data/day=1/a.csv", "id,n\n1,2\n")
    name = lake.crawler(
        "data/", SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    )
    lake.crawl(name)
    lake.cloud.client("s3").delete_object(Bucket=lake.bucket, Key="data/day=1/a.csv")
    lake.put("data/day=1/hour=2/a.csv", "id,n\n1,2\n")
    assert lake.crawl(name)["Status"] == "SUCCEEDED"
    assert set(lake.partitions("data")) == {("1",)}
    assert any("partition keys of data changed" in line for line in log(lake, name))


def test_new_columns_are_merged(lake: Lake) -> None:
    """MergeNewColumns: https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html"""
    changed(lake, configuration=MERGE)
    assert lake.columns("data") == {"id": "bigint", "n": "bigint", "extra": "bigint"}


@pytest.mark.parametrize("behaviour", ["DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE", "LOG"])
def test_objects_that_are_gone(lake: Lake, behaviour: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_SchemaChangePolicy.html"""
    lake.put("gone/a.csv", "id,n\n1,2\n")
    lake.put("kept/day=1/a.csv", "x,y,z\n1,2,3\n")
    lake.put("kept/day=2/a.csv", "x,y,z\n1,2,3\n")
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behaviour}
    name = lake.crawler(SchemaChangePolicy=policy)
    lake.crawl(name)
    for key in ("gone/a.csv", "kept/day=2/a.csv"):
        lake.cloud.client("s3").delete_object(Bucket=lake.bucket, Key=key)
    lake.put("more/a.csv", "q,w\n1,2\n")
    assert lake.crawl(name)["Status"] == "SUCCEEDED"
    assert ("gone" in lake.tables()) == (behaviour != "DELETE_FROM_DATABASE")
    assert (("2",) in lake.partitions("kept")) == (behaviour != "DELETE_FROM_DATABASE")
    if behaviour != "DELETE_FROM_DATABASE":
        marked = "DEPRECATED_BY_CRAWLER" in lake.table("gone")["Parameters"]
        assert marked == (behaviour == "DEPRECATE_IN_DATABASE")


def test_an_incremental_crawl_adds_new_folders_only(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    lake.put("data/day=1/a.csv", "id,n\n1,2\n")
    only_new = {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}
    log_only = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    name = lake.crawler("data/", RecrawlPolicy=only_new, SchemaChangePolicy=log_only)
    lake.crawl(name)
    lake.put("data/day=1/a.csv", '{"not": "looked at"}\n')
    lake.put("data/day=2/a.csv", "id,n\n3,4\n")
    lake.put("data/day=3/a.csv", "q,w,e,r\n1,2,3,4\n")
    lake.put("data/day=4/a.csv", "id,n\n5,6\n")
    lake.crawl(name)
    assert set(lake.partitions("data")) == {("1",), ("2",), ("4",)}
    assert lake.columns("data") == {"id": "bigint", "n": "bigint"}
    assert any("day=3/ does not fit table data" in line for line in log(lake, name))


# --- Runs ---------------------------------------------------------------------------------------


@pytest.fixture
def slow(lake: Lake) -> str:
    return slow_crawler(lake)


def slow_crawler(lake: Lake) -> str:
    """A crawler that has much to look at."""
    body = "a,b,c,d\n" + ("1,2,3," + "x" * 100 + "\n") * 1000
    for number in range(150):
        lake.put(f"slow/n={number}/a.csv", body)
    return lake.crawler("slow/")


def test_a_crawler_runs_once_at_a_time(lake: Lake, slow: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartCrawler.html"""
    lake.glue.start_crawler(Name=slow)
    assert lake.glue.get_crawler(Name=slow)["Crawler"]["State"] == "RUNNING"
    for refused in (
        lambda: lake.glue.start_crawler(Name=slow),
        lambda: lake.glue.update_crawler(Name=slow, Description="other"),
        lambda: lake.glue.delete_crawler(Name=slow),
    ):
        with pytest.raises(lake.glue.exceptions.CrawlerRunningException):
            refused()
    assert lake.ended(slow)["Status"] == "SUCCEEDED"


def test_a_crawl_is_stopped(lake: Lake, slow: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
    with pytest.raises(lake.glue.exceptions.CrawlerNotRunningException):
        lake.glue.stop_crawler(Name=slow)
    lake.glue.start_crawler(Name=slow)
    lake.glue.stop_crawler(Name=slow)
    assert lake.ended(slow)["Status"] == "CANCELLED"
    assert lake.tables() == set()


def test_a_crawler_that_is_not_there(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetCrawler.html"""
    for call in ("get_crawler", "start_crawler", "stop_crawler", "delete_crawler"):
        with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
            getattr(lake.glue, call)(Name="not-there")
    found = lake.glue.batch_get_crawlers(CrawlerNames=["not-there"])
    assert (found["Crawlers"], found["CrawlersNotFound"]) == ([], ["not-there"])


def test_a_crawler_as_it_is_shown(lake: Lake) -> None:
    """With defaults: https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html"""
    name = lake.crawler("data/")
    shown = lake.glue.get_crawler(Name=name)["Crawler"]
    assert (shown["State"], shown["CrawlElapsedTime"], shown["Version"]) == ("READY", 0, 1)
    assert shown["SchemaChangePolicy"] == {
        "UpdateBehavior": "UPDATE_IN_DATABASE",
        "DeleteBehavior": "DEPRECATE_IN_DATABASE",
    }
    assert shown["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert "LastCrawl" not in shown
    assert lake.glue.batch_get_crawlers(CrawlerNames=[name])["Crawlers"] == [shown]


def test_crawlers_are_listed_in_pages(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetCrawlers.html"""
    names = {lake.crawler("data/") for _ in range(3)}
    pages = lake.glue.get_paginator("get_crawlers").paginate(PaginationConfig={"PageSize": 2})
    listed = [crawler["Name"] for page in pages for crawler in page["Crawlers"]]
    assert names <= set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"target": {"Path": "s3://no-such-bucket-here/x/"}}, "NoSuchBucket"),
        ({"Classifiers": ["no-such-classifier"]}, "EntityNotFound"),
        (
            {"configuration": {"CrawlerOutput": {"Tables": {"TableThreshold": 1}}}},
            "The number of tables detected by crawler: 2 is greater than the table threshold",
        ),
    ],
)
def test_a_crawl_fails_with_the_reason(lake: Lake, more: dict[str, Any], words: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_LastCrawlInfo.html"""
    lake.put("data/one/a.csv", "id,n\n1,2\n")
    lake.put("data/two/a.csv", "x,y,z\n1,2,3\n")
    name = lake.crawler("data/", **more)
    last = lake.crawl(name)
    assert last["Status"] == "FAILED"
    assert words in last["ErrorMessage"]
    assert lake.tables() == set()
    assert any("ERROR" in line and words in line for line in log(lake, name))


@pytest.mark.parametrize(
    "wrong",
    [
        {"Configuration": "{"},
        {"Configuration": '{"Version": 2}'},
        {"Configuration": "[]"},
        {"Schedule": "cron(0 * * * ? *)"},
        {
            "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
            "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        },
    ],
)
def test_a_definition_that_cannot_be_is_refused(lake: Lake, wrong: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html"""
    name = lake.crawler("data/")
    with pytest.raises(lake.glue.exceptions.InvalidInputException):
        lake.glue.create_crawler(Name="x", Role="r", Targets={}, **wrong)
    with pytest.raises(lake.glue.exceptions.InvalidInputException):
        lake.glue.update_crawler(Name=name, **wrong)


def test_a_crawl_is_told_on_the_bus_and_in_the_log(lake: Lake, listen: Callable[..., Any]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html"""
    lake.put("data/day=1/a.csv", "id,n\n1,2\n")
    name = lake.crawler("data/")
    events = listen(
        {
            "source": ["aws.glue"],
            "detail-type": ["Glue Crawler State Change"],
            "detail": {"crawlerName": [name]},
        }
    )
    last = lake.crawl(name)
    told = {event["detail"]["state"]: event["detail"] for event in events(2)}
    assert set(told) == {"Started", "Succeeded"}
    done = told["Succeeded"]
    assert (done["tablesCreated"], done["partitionsCreated"]) == ("1", "1")
    assert done["message"] == "Crawler Succeeded"
    assert done["accountId"] == "000000000000"
    assert last["LogGroup"] == "/aws-glue/crawlers"
    lines = log(lake, name)
    assert all(line.startswith(f"[{last['MessagePrefix']}]") for line in lines)
    assert f"Running Start Crawl for Crawler {name}" in lines[0]
    assert lines[-1].endswith("BENCHMARK : Crawler has finished running and is in state READY")
    assert any(f"Created table data in database {lake.database}" in line for line in lines)


def test_a_restart_keeps_runs_and_closes_the_one_under_way(
    own_cloud: Any, eventually: Callable[..., Any]
) -> None:
    """A crawl ends with the service it runs in; what was crawled before stays."""
    own_cloud.start().client("s3").create_bucket(Bucket="lake")
    lake = Lake(own_cloud, "lake", eventually)
    lake.put("small/a.csv", "id,n\n1,2\n")
    small = lake.crawler("small/")
    lake.crawl(small)
    large = slow_crawler(lake)
    lake.glue.start_crawler(Name=large)
    own_cloud.stop()
    lake.glue = own_cloud.start().client("glue")
    crawler = lake.glue.get_crawler(Name=large)["Crawler"]
    assert crawler["State"] == "READY"
    assert crawler["LastCrawl"]["Status"] == "FAILED"
    assert crawler["LastCrawl"]["ErrorMessage"].startswith("Internal service exception: ")
    assert lake.glue.get_crawler(Name=small)["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
    assert lake.columns("small") == {"id": "bigint", "n": "bigint"}


# --- Partitions ---------------------------------------------------------------------------------


def test_partitions_are_deleted_in_batches(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html"""
    for day in (1, 2, 3):
        lake.put(f"data/day={day}/a.csv", "id,n\n1,2\n")
    lake.crawl(lake.crawler("data/"))
    where = {"DatabaseName": lake.database, "TableName": "data"}
    wanted = [{"Values": ["1"]}, {"Values": ["9"]}, {"Values": ["3"]}]
    errors = lake.glue.batch_delete_partition(**where, PartitionsToDelete=wanted)["Errors"]
    assert [(e["PartitionValues"], e["ErrorDetail"]["ErrorCode"]) for e in errors] == [
        (["9"], "EntityNotFoundException")
    ]
    assert set(lake.partitions("data")) == {("2",)}
    too_many = [{"Values": [str(day)]} for day in range(26)]
    with pytest.raises(ClientError, match="less than or equal to 25"):
        lake.glue.batch_delete_partition(**where, PartitionsToDelete=too_many)
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.glue.batch_delete_partition(
            DatabaseName=lake.database, TableName="none", PartitionsToDelete=wanted
        )


def test_partitions_are_chosen_by_an_expression(lake: Lake) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html"""
    for year, kind in ((2024, "a"), (2025, "a"), (2025, "it's")):
        lake.put(f"data/year={year}/kind={kind}/a.csv", "id,n\n1,2\n")
    lake.crawl(lake.crawler("data/"))
    where = {"DatabaseName": lake.database, "TableName": "data"}

    def chosen(expression: str) -> list[list[str]]:
        found = lake.glue.get_partitions(**where, Expression=expression)["Partitions"]
        return sorted(each["Values"] for each in found)

    assert chosen("year = '2025'") == [["2025", "a"], ["2025", "it's"]]
    assert chosen("year > '2023' AND kind = 'it''s'") == [["2025", "it's"]]
    with pytest.raises(ClientError, match="InvalidInputException"):
        chosen("month = '1'")
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.glue.get_partitions(
            DatabaseName=lake.database, TableName="none", Expression="year = '2025'"
        )


# --- Helpers ------------------------------------------------------------------------------------


def log(lake: Lake, stream: str) -> list[str]:
    """The crawler's lines in CloudWatch Logs."""
    found = lake.cloud.client("logs").get_log_events(
        logGroupName="/aws-glue/crawlers", logStreamName=stream, startFromHead=True
    )
    return [event["message"] for event in found["events"]]


def query(lake: Lake, sql: str) -> list[list[str | None]]:
    """The rows of a query of Athena, without its header."""
    athena = lake.cloud.client("athena")
    asked = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": lake.database},
        ResultConfiguration={"OutputLocation": f"s3://{lake.bucket}/results/"},
    )["QueryExecutionId"]

    def ended() -> dict[str, Any] | None:
        status = athena.get_query_execution(QueryExecutionId=asked)["QueryExecution"]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else None

    status = lake.eventually(ended, 60)
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=asked)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]
