"""What a run has the crawler look at, and what the crawler makes of it."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from roles import ROLE

from chalicelib import clients, settings
from chalicelib.environment import Environment
from chalicelib.ingest import tables
from chalicelib.reading.rows import RowWriter, joined

pytestmark = pytest.mark.cloud

DATASET = settings.load().dataset
NAMES = tuple(column.name for column in DATASET.columns)
VALUES = {"integer": "5", "number": "1.5", "boolean": "true", "date": "2026-01-31"}


def rows() -> bytes:
    """Two rows of the declared columns, as intake writes them."""
    sink = io.BytesIO()
    writer = RowWriter(sink)
    writer.header(NAMES)
    values = [VALUES.get(column.type, "text").encode() for column in DATASET.columns]
    writer.block([joined(values)] * 2)
    writer.end()
    return sink.getvalue()


@pytest.fixture
def crawled(
    cloud: Any, bucket: str, eventually: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[str, list[str]]]:
    """Puts files and crawls as a run does: what was looked at, and the arrivals in the catalog."""
    monkeypatch.setattr(clients, "client", cloud.client)
    glue, database = cloud.client("glue"), bucket.replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    configuration = {
        "Version": 1.0,
        "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
        "Grouping": {
            "TableGroupingPolicy": "CombineCompatibleSchemas",
            "TableLevelConfiguration": 3,
        },
    }
    glue.create_crawler(
        Name=bucket,
        Role=ROLE,
        DatabaseName=database,
        TablePrefix="raw_",
        Targets={"S3Targets": [{"Path": f"s3://{bucket}/text/"}]},
        SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
        RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
        Configuration=json.dumps(configuration),
    )
    names = {field.name: field.name for field in dataclasses.fields(Environment)}
    environment = Environment(**(names | {"data_bucket": bucket, "glue_database": database}))

    def crawl(dataset: str, *arrivals: str) -> tuple[str, list[str]]:
        for each in arrivals:
            key = f"text/{dataset}/arrival={each}/part-00000.gz"
            cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=rows())
        wanted = tables.recrawl(DATASET.model_copy(update={"name": dataset}), environment)
        glue.update_crawler(Name=bucket, RecrawlPolicy={"RecrawlBehavior": wanted})
        glue.start_crawler(Name=bucket)
        eventually(lambda: glue.get_crawler(Name=bucket)["Crawler"]["State"] == "READY", 60)
        found = glue.get_partitions(DatabaseName=database, TableName=f"raw_{dataset}")
        return wanted, sorted(part["Values"][0] for part in found["Partitions"])

    return crawl


def test_a_datasets_first_run_crawls_everything_and_later_ones_what_is_new(crawled: Any) -> None:
    assert crawled("reviews", "1", "2") == ("CRAWL_EVERYTHING", ["1", "2"])
    assert crawled("reviews", "3") == ("CRAWL_NEW_FOLDERS_ONLY", ["1", "2", "3"])
    assert crawled("orders", "4") == ("CRAWL_EVERYTHING", ["4"])
    assert crawled("orders", "5") == ("CRAWL_NEW_FOLDERS_ONLY", ["4", "5"])
