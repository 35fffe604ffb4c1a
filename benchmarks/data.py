"""The data's way in: files taken in by intake's core, and rows cast to curated Parquet.

The conversion is the statement that a run gives Athena, on the local cloud's Athena (DuckDB), over
the rows as intake wrote them. The peer is DuckDB's COPY alone, on the same machine and as many
threads, from the TSV.gz that was dropped, to the same output: typed, a folder a partition, zstd,
by the same sort columns. It may use what memory there is; it numbers nothing, finds no duplicates,
tells no reason for a row that does not cast, and its threads leave a few rows out of order. A peer
that does not sort is shown beside it.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

from benchmarks import generated
from benchmarks.rows import Bar, Row
from chalicelib import settings
from chalicelib.ingest import convert, reconcile, tables
from chalicelib.ingest import dataset as data
from chalicelib.reading import inspection, unpacking
from cli import athena, local, project, reviews, target

FILES, FILE_ROWS = 1000, 20
SIZES = (1_000_000, 5_000_000)
ROUNDS = 2  # of us and the peers by turns; the best of each counts
LEAST_SHARE, MOST_GB, LEAST_FILES = 0.8, 2.0, 100.0
PEER = """
import duckdb, sys, time
source, out, order = sys.argv[1:]
con = duckdb.connect()
con.execute("SET threads = 2; SET enable_progress_bar = false")
columns = {columns}
began = time.perf_counter()
con.execute(f'''COPY (SELECT {typed} FROM read_csv('{{source}}', delim='\\t', quote='', escape='',
    header=true, auto_detect=false, columns={{columns}}) {{order}})
    TO '{{out}}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (product_category))''')
print(time.perf_counter() - began)
"""


def measure() -> Iterator[Row]:
    yield small_files()
    with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
        for size in SIZES:
            yield from conversion(Path(folder), size)
    local.stop()


def small_files() -> Row:
    """Intake's core on many small files: none lost, none doubled."""
    dataset = settings.load().dataset
    rows = reviews.rows(FILES * FILE_ROWS, seed=2)
    files = [gzip.compress(_text(itertools.islice(rows, FILE_ROWS))) for _ in range(FILES)]
    began = time.perf_counter()
    found = [
        inspection.inspect("r.tsv.gz", len(each), [each], dataset, io.BytesIO()) for each in files
    ]
    spent = time.perf_counter() - began
    assert len({each.digest for each in found}) == FILES
    assert sum(each.rows for each in found) == FILES * FILE_ROWS
    bar = Bar("at least", LEAST_FILES)
    return Row(f"intake's core, {FILES:,} files", FILES / spent, "files/s", bar)


def conversion(folder: Path, size: int) -> Iterator[Row]:
    """One file of so many rows, taken in and converted; the peers on the same file."""
    path, text = generated.tsv(size), folder / "text.gz"
    began = time.perf_counter()
    with path.open("rb") as file, text.open("wb") as sink:
        pieces = iter(lambda: file.read(unpacking.PIECE), b"")
        found = inspection.inspect(
            path.name, path.stat().st_size, pieces, settings.load().dataset, sink
        )
    told = f"{size:,} rows"
    yield Row(f"intake, {told}", size / (time.perf_counter() - began), "rows/s")
    sort = ", ".join([settings.load().dataset.partition_by or "", *settings.load().dataset.sort_by])
    rounds = [
        (*converted(text, found), peer(path, folder, f"ORDER BY {sort}"), peer(path, folder))
        for _ in range(ROUNDS)
    ]
    ours, _, same, unsorted = (min(column) for column in zip(*rounds, strict=True))
    peak = max(most for _, most, _, _ in rounds)
    bar = Bar("at least", LEAST_SHARE * size / same, f"{LEAST_SHARE} of the peer")
    name = f"convert, {told}"
    yield Row(name, size / ours, "rows/s", bar, "DuckDB's COPY to the same output", size / same)
    yield Row(name, size / ours, "rows/s", None, "DuckDB's COPY, not sorted", size / unsorted)
    yield Row(f"{name}: peak memory", peak / 1e9, "GB", Bar("at most", MOST_GB))


def converted(text: Path, found: inspection.Inspected) -> tuple[float, int]:
    """Seconds of the conversion's statement on the local cloud, and its process' peak in bytes."""
    cloud = local.start()
    dataset, name = settings.load().dataset, f"bench_{uuid.uuid4().hex[:8]}"
    place = SimpleNamespace(data_bucket=name.replace("_", "-"), glue_database=name)
    target.client("s3").create_bucket(Bucket=place.data_bucket)
    target.client("glue").create_database(DatabaseInput={"Name": name})
    with text.open("rb") as file:
        for number, size in enumerate(found.parts):
            key = f"text/{dataset.name}/arrival=a/part-{number:05d}.gz"
            target.client("s3").put_object(Bucket=place.data_bucket, Key=key, Body=file.read(size))
    arrival = {
        "arrival_id": "a",
        "format": "tsv",
        "text_columns": [column.name for column in dataset.columns],
        "text_bytes": found.text_bytes,
        "line_ends": found.line_ends,
    }
    source = convert.Source.of(dataset, name, [arrival])
    tables.prepare(dataset, place, source.layouts, "r")
    where = {
        "QueryExecutionContext": {"Database": name},
        "ResultConfiguration": {"OutputLocation": f"s3://{place.data_bucket}/results/"},
    }
    client = target.client("athena")
    with peak_of(cloud.pid) as peak:
        began = time.perf_counter()
        athena.rows(client, QueryString=convert.insert(source, "r"), **where)
        spent, most = time.perf_counter() - began, peak()
    (counted,) = athena.rows(client, QueryString=convert.counts(source, "r"), **where)
    reconcile.Counts.of(found.rows, counted).check()
    for prefix in ("text/", "curated/"):
        data.empty(place, prefix)
    return spent, most


def peer(path: Path, folder: Path, order: str = "") -> float:
    """Seconds of DuckDB's COPY, in a process of its own."""
    dataset = settings.load().dataset
    columns = "{" + ", ".join(f"'{c.name}': 'VARCHAR'" for c in dataset.columns) + "}"
    kinds = {"integer": "BIGINT", "number": "DOUBLE", "date": "DATE"}
    typed = ", ".join(
        f"TRY_CAST({c.name} AS {kinds[c.type]}) AS {c.name}" if c.type in kinds else c.name
        for c in dataset.columns
    )
    python = project.home() / "envs" / "cloud" / "bin" / "python"
    program = PEER.format(columns=repr(columns), typed=typed)
    out = folder / f"peer-{uuid.uuid4().hex[:8]}"
    done = subprocess.run(
        [python, "-c", program, path, out, order], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


@contextlib.contextmanager
def peak_of(pid: int) -> Iterator[Any]:
    """The most resident memory that a process had meanwhile."""
    process, ended, seen = psutil.Process(pid), threading.Event(), [0]

    def look() -> None:
        while not ended.wait(0.02):
            seen[0] = max(seen[0], process.memory_info().rss)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield lambda: seen[0]
    finally:
        ended.set()
        watching.join()


def _text(rows: Iterable[dict[str, str]]) -> bytes:
    lines = [reviews.COLUMNS, *(row.values() for row in rows)]
    return "".join("\t".join(line) + "\n" for line in lines).encode()
