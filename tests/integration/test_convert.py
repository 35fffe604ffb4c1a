"""The conversion on Athena: what casts, what does not, and where every row went."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib import clients, settings
from chalicelib.ingest import convert, damaged, reconcile, tables
from chalicelib.reading import inspection
from cli import athena
from cli.errors import Problem

TOML = settings.FILE.read_text(encoding="utf-8")
DATASET = settings.load().dataset.model_copy(
    update={"quote": '"', "delimiter": ",", "sort_by": ("star_rating",)}
)
NAMES = [column.name for column in DATASET.columns]
GOOD = dict.fromkeys(NAMES, "x") | {
    "review_id": "R1", "product_category": "Beauty", "star_rating": "5", "helpful_votes": "0",
    "total_votes": "0", "review_date": "2015-08-31",
}  # fmt: skip


class Place:
    """As much of the environment as the catalog needs."""

    def __init__(self, bucket: str, database: str) -> None:
        self.data_bucket, self.glue_database = bucket, database


@pytest.fixture
def place(cloud: Any, bucket: str) -> Any:
    clients.client.cache_clear()
    database = bucket.replace("-", "_")
    cloud.client("glue").create_database(DatabaseInput={"Name": database})
    yield Place(bucket, database)
    clients.client.cache_clear()


def csv_of(*rows: dict[str, str]) -> bytes:
    lines = [NAMES, *([row[name] for name in NAMES] for row in rows)]
    return "\n".join(
        ",".join('"' + v.replace('"', '""') + '"' for v in line) for line in lines
    ).encode()


def take(cloud: Any, place: Any, arrival_id: str, name: str, content: bytes) -> dict[str, Any]:
    """Put a file where intake would, and say what intake would write down."""
    sink = io.BytesIO()
    found = inspection.inspect(name, len(content), [content], DATASET, sink)
    key, body = f"raw/{DATASET.name}/arrival={arrival_id}/{name}", content
    if found.is_text:
        key, body = f"text/{DATASET.name}/arrival={arrival_id}/part-00000.gz", sink.getvalue()
    cloud.client("s3").put_object(Bucket=place.data_bucket, Key=key, Body=body)
    return {
        "arrival_id": arrival_id,
        "format": found.kind.format,
        "types": found.types,
        "text_columns": NAMES,
        "text_bytes": found.text_bytes,
        "line_ends": found.line_ends,
        "rows": found.rows,
    }


def query(cloud: Any, place: Any, sql: str) -> list[dict[str, Any]]:
    return athena.rows(
        cloud.client("athena"),
        QueryString=sql,
        QueryExecutionContext={"Database": place.glue_database},
        ResultConfiguration={"OutputLocation": f"s3://{place.data_bucket}/results/"},
    )


@pytest.fixture
def converted(cloud: Any, place: Any) -> tuple[Any, reconcile.Counts]:
    """Two files, text and Parquet, with everything that can be wrong, converted."""
    text = (
        csv_of(
            GOOD,
            GOOD,
            GOOD | {"review_id": "R2", "star_rating": "2", "review_body": "two\nlines, 'quoted'"},
            GOOD | {"review_id": "R3", "star_rating": "6"},
            GOOD | {"review_id": "R4", "star_rating": "five"},
            GOOD | {"review_id": "R5", "review_body": " "},
            GOOD | {"review_id": "R6", "review_date": "8/31/2015", "helpful_votes": ""},
            GOOD | {"review_id": "R7", "review_date": "yesterday"},
            GOOD | {"review_id": "R8", "product_category": "Baby"},
            GOOD | {"review_id": "R9", "product_category": "Möbel"},
        )
        + b'\n"too","short"\n'
        + csv_of(GOOD).splitlines()[1]  # a good row's values and one more
        + b',"more"\n'
    )
    columns = {name: [value] for name, value in GOOD.items()} | {"star_rating": [5]}
    packed = io.BytesIO()
    pq.write_table(pa.table(columns | {"review_id": ["R1"], "extra": [1]}), packed)
    found = [
        take(cloud, place, "a" * 20, "a.csv", text),
        take(cloud, place, "b" * 20, "b.parquet", packed.getvalue()),
    ]
    source = convert.Source.of(DATASET, place.glue_database, found)
    tables.prepare(DATASET, place, source.layouts, "r1")
    query(cloud, place, convert.insert(source, "r1"))
    (row,) = query(cloud, place, convert.counts(source, "r1"))
    return source, reconcile.Counts.of(sum(each["rows"] for each in found), row)


def test_every_row_is_accounted_for(converted: tuple[Any, reconcile.Counts]) -> None:
    _, counts = converted
    counts.check()
    assert counts.document == {"accepted": 13, "curated": 4, "rejected": 7, "duplicates": 2}


def test_rows_are_typed_sorted_and_whole(cloud: Any, place: Any, converted: Any) -> None:
    table = f'SELECT * FROM "curated_{DATASET.name}" ORDER BY review_id'
    rows = query(cloud, place, table)
    assert [row["review_id"] for row in rows] == ["R1", "R2", "R6", "R8"]
    assert rows[1]["review_body"] == "two\nlines, 'quoted'"
    assert {row["review_date"] for row in rows} == {"2015-08-31"}
    assert rows[2]["helpful_votes"] is None
    listed = cloud.client("s3").list_objects_v2(Bucket=place.data_bucket, Prefix="curated/")
    keys = [entry["Key"] for entry in listed["Contents"]]
    assert [key.split("/")[2:4] for key in keys] == [
        ["run=r1", "product_category=Baby"],
        ["run=r1", "product_category=Beauty"],
    ]
    body = cloud.client("s3").get_object(Bucket=place.data_bucket, Key=keys[1])["Body"].read()
    written = pq.ParquetFile(io.BytesIO(body))
    assert written.metadata.row_group(0).column(0).compression == "ZSTD"
    stars = written.read().column("star_rating").to_pylist()
    assert stars == sorted(stars)


def test_rejects_say_row_column_value_and_reason(cloud: Any, place: Any, converted: Any) -> None:
    source, _ = converted
    target = f"s3://{place.data_bucket}/rejects/"
    query(cloud, place, convert.rejects(source, "r1", target))
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=place.data_bucket, Prefix="rejects/")["Contents"]
    lines = [
        json.loads(line)
        for entry in listed
        for line in gzip.decompress(
            s3.get_object(Bucket=place.data_bucket, Key=entry["Key"])["Body"].read()
        ).splitlines()
    ]
    told = {
        (r["row_number"], r["reject_column"], r["reject_value"], r["reject_reason"]) for r in lines
    }
    assert told == {
        (4, "star_rating", "6", "is not one of the allowed values"),
        (5, "star_rating", "five", "is not an integer"),
        (6, "review_body", " ", "is empty"),
        (8, "review_date", "yesterday", "is not a date"),
        (10, "product_category", "Möbel", "names no partition: it has letters beyond ASCII"),
        (11, "", "", "the row has 2 values, the header 15"),
        (12, "", "", "the row has 16 values, the header 15"),
    }
    assert {row["arrival"] for row in lines} == {"a" * 20}


def test_a_second_insert_is_seen_as_doubled_rows(cloud: Any, place: Any, converted: Any) -> None:
    source, counts = converted
    query(cloud, place, convert.insert(source, "r1"))
    (row,) = query(cloud, place, convert.counts(source, "r1"))
    with pytest.raises(reconcile.RowsLostError, match="13 rows accepted are not 8 curated"):
        reconcile.Counts.of(counts.taken_in, row).check()


@pytest.mark.parametrize(
    ("first", "damage"), [(4, b"\xff"), (400, b"\x00")], ids=["header", "page"]
)
def test_a_damaged_parquet_file_is_named_by_the_error(
    cloud: Any, place: Any, first: int, damage: bytes
) -> None:
    """Its footer is sound, so intake took it; the file beside it is sound altogether."""
    columns = {name: [f"{value}{n}" for n in range(5000)] for name, value in GOOD.items()}
    columns |= dict.fromkeys(("star_rating", "helpful_votes", "total_votes"), [5] * 5000)
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    sound = packed.getvalue()
    broken = sound[:first] + damage * 300 + sound[first + 300 :]
    found = [
        take(cloud, place, "a" * 20, "a.parquet", sound),
        take(cloud, place, "b" * 20, "b.parquet", broken),
    ]
    source = convert.Source.of(DATASET, place.glue_database, found)
    tables.prepare(DATASET, place, source.layouts, "r1")
    with pytest.raises(Problem) as failed:
        query(cloud, place, convert.insert(source, "r1"))
    assert damaged.named(str(failed.value)) == "b" * 20
