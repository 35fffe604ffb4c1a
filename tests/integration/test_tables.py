"""What the crawler saw of the files, as the schema step asks for it."""

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
from chalicelib.reading.rows import ADDED, RowWriter, joined

pytestmark = pytest.mark.cloud

DATASET = settings.load().dataset
NAMES = tuple(column.name for column in DATASET.columns)
VALUES = {"integer": "5", "number": "1.5", "boolean": "true", "date": "2026-01-31"}


def rows(*more: str) -> bytes:
    """Two rows of the declared columns and of more, as intake writes them."""
    sink = io.BytesIO()
    writer = RowWriter(sink)
    writer.header((*NAMES, *more))
    values = [VALUES.get(column.type, "text").encode() for column in DATASET.columns]
    writer.block([joined([*values, *(b"x" for _ in more)])] * 2)
    writer.end()
    return sink.getvalue()


@pytest.fixture
def crawled(
    cloud: Any, bucket: str, eventually: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, bytes]], dict[str, str]]:
    """Puts files, crawls them as the template's crawler does, gives what was seen."""
    monkeypatch.setattr(clients, "client", cloud.client)
    glue, database = cloud.client("glue"), bucket.replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    configuration = {
        "Version": 1.0,
        "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
        "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"},
    }
    glue.create_crawler(
        Name=bucket,
        Role=ROLE,
        DatabaseName=database,
        TablePrefix="raw_",
        Targets={"S3Targets": [{"Path": f"s3://{bucket}/text/{DATASET.name}/"}]},
        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        Configuration=json.dumps(configuration),
    )
    names = {field.name: field.name for field in dataclasses.fields(Environment)}
    environment = Environment(**(names | {"data_bucket": bucket, "glue_database": database}))

    def crawl(files: dict[str, bytes]) -> dict[str, str]:
        for key, body in files.items():
            cloud.client("s3").put_object(
                Bucket=bucket, Key=f"text/{DATASET.name}/{key}", Body=body
            )
        glue.start_crawler(Name=bucket)
        eventually(lambda: glue.get_crawler(Name=bucket)["Crawler"]["State"] == "READY", 60)
        return tables.crawled(DATASET, environment)

    return crawl


def test_every_column_with_a_type_that_the_declared_one_is_read_from(crawled: Any) -> None:
    seen = crawled({"arrival=1/part-00000.gz": rows()})
    assert set(seen) == {*ADDED, *NAMES}
    assert (seen["star_rating"], seen["review_body"]) == ("bigint", "string")


def test_columns_of_any_file_are_seen(crawled: Any) -> None:
    files = {"arrival=1/part-00000.gz": rows(), "arrival=2/part-00000.gz": rows("mood")}
    assert set(crawled(files)) == {*ADDED, *NAMES, "mood"}


def test_nothing_that_the_crawler_can_read(crawled: Any) -> None:
    with pytest.raises(tables.SchemaChangedError, match="could not read text/"):
        crawled({"arrival=1/a.bin": bytes(range(256))})
