"""What the crawler saw, as the quality step asks for it."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import clients, settings, tables
from chalicelib.environment import Environment

pytestmark = pytest.mark.cloud

DATASET = settings.load().dataset
VALUES = {"integer": "5", "number": "1.5", "boolean": "true", "date": "2026-01-31"}


def reviews(extra: str = "") -> bytes:
    """Two rows of the declared columns, and perhaps one more column."""
    names = [column.name for column in DATASET.columns]
    row = [VALUES.get(column.type, "text") for column in DATASET.columns]
    lines = [[*names, extra], [*row, "x"]] if extra else [names, row]
    return "".join("\t".join(line) + "\n" for line in [*lines, lines[-1]]).encode()


@pytest.fixture
def crawled(
    cloud: Any, bucket: str, eventually: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, bytes]], list[str]]:
    """Puts files, crawls them as the template's crawler does, gives what was noticed."""
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
        Role="arn:aws:iam::000000000000:role/crawler",
        DatabaseName=database,
        TablePrefix="raw_",
        Targets={"S3Targets": [{"Path": f"s3://{bucket}/raw/{DATASET.name}/"}]},
        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        Configuration=json.dumps(configuration),
    )
    names = {field.name: field.name for field in dataclasses.fields(Environment)}
    environment = Environment(**(names | {"data_bucket": bucket, "glue_database": database}))

    def crawl(files: dict[str, bytes]) -> list[str]:
        for key, body in files.items():
            cloud.client("s3").put_object(Bucket=bucket, Key=f"raw/{DATASET.name}/{key}", Body=body)
        glue.start_crawler(Name=bucket)
        eventually(lambda: glue.get_crawler(Name=bucket)["Crawler"]["State"] == "READY", 60)
        return tables.noticed(DATASET, environment)

    return crawl


def test_files_as_declared(crawled: Any) -> None:
    assert crawled({"arrival=1/a.tsv.gz": gzip.compress(reviews())}) == []


def test_files_of_two_compressions(crawled: Any) -> None:
    """They are two tables: https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    files = {"arrival=1/a.tsv.gz": gzip.compress(reviews()), "arrival=2/b.tsv": reviews("mood")}
    assert crawled(files) == ["new column, not read: mood"]


def test_a_column_that_is_gone(crawled: Any) -> None:
    lines = reviews().decode().splitlines()
    cut = "".join(line.split("\t", 1)[1] + "\n" for line in lines).encode()
    with pytest.raises(
        tables.SchemaChangedError, match=f"no longer have {DATASET.columns[0].name}"
    ):
        crawled({"arrival=1/a.tsv": cut})


def test_nothing_that_the_crawler_can_read(crawled: Any) -> None:
    with pytest.raises(tables.SchemaChangedError, match="could not read what lies there"):
        crawled({"arrival=1/a.bin": bytes(range(256))})
