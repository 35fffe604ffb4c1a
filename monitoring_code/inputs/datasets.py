"""Baseline datasets and batch data: csv, JSON lines, Parquet, a batch of rows at a time.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-create-baseline.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv_reader
import pyarrow.parquet as pq

from inputs import columns, jsonlines, payloads
from inputs.jsonlines import Rejects

ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
ROWS = 65_536  # in a batch of Parquet


def batches(
    source: Path, dataset_format: Mapping[str, Any], rejects: Rejects
) -> Iterator[pa.Table]:
    """Plain columns of every file of a folder, or of one file.

    `dataset_format` is AWS's: {"csv": {"header": true}}, {"json": {"lines": true}},
    {"parquet": {}}; empty: by each file's ending.
    """
    stated = next(iter(dataset_format), None)
    for path in _files(source):
        kind = stated or ENDINGS.get(path.suffix)
        if kind == "csv":
            header = str(dataset_format.get("csv", {}).get("header", True)).lower() != "false"
            tables = _csv(path, header=header)
        elif kind == "json":
            tables = jsonlines.tables([path], rejects)
        elif kind == "parquet":
            tables = (
                pa.Table.from_batches([part]) for part in pq.ParquetFile(path).iter_batches(ROWS)
            )
        else:
            continue
        for table in tables:
            yield columns.plain(payloads.flat(table))


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return [
        path
        for path in sorted(source.rglob("*"))
        if path.is_file() and not path.name.startswith((".", "_"))
    ]


def _csv(path: Path, *, header: bool) -> Iterator[pa.Table]:
    """Read as text and then cast, so that a number here and a word further down are both seen."""
    with path.open("rb") as file:
        first = file.readline()
        if not first.strip():
            return
        width = csv_reader.read_csv(
            pa.BufferReader(first), csv_reader.ReadOptions(autogenerate_column_names=True)
        )
        names = [str(each[0]) for each in width.columns] if header else []
        names = names or [f"_c{i}" for i in range(width.num_columns)]
        if not header:
            file.seek(0)
        reader = csv_reader.open_csv(
            file,
            csv_reader.ReadOptions(column_names=names, block_size=jsonlines.BLOCK),
            csv_reader.ParseOptions(newlines_in_values=True),
            csv_reader.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        for batch in reader:
            yield columns.numbers(pa.Table.from_batches([batch]))
