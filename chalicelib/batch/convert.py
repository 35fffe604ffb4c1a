"""Read a file once, as its dataset's settings say, and write its records for the transform."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from chalicelib import clients
from chalicelib.batch.files import BatchFile
from chalicelib.batch.lines import LineWriter
from chalicelib.environment import Environment
from chalicelib.ingest import drops
from chalicelib.reading import inspection, kinds, unpacking
from chalicelib.reading.refusals import RefusedError

if TYPE_CHECKING:
    from chalicelib.schema import Dataset
    from chalicelib.settings import Settings

IN_MEMORY = 64 * 1024 * 1024  # beyond this, through /tmp


@dataclass(frozen=True)
class Converted:
    etag: str
    rows: int
    rejected: int


def convert(file: BatchFile, settings: Settings) -> Converted:
    """Write the lines, and the rejects where there are any; RefusedError says what is wrong."""
    drops.check_key(file.key, file.name.split("/"))
    bucket, client = Environment.from_env().data_bucket, clients.client("s3")
    inspection.check_size(file.name, file.size, settings.dataset.max_mb)
    opened = client.get_object(Bucket=bucket, Key=file.key, **file.version_argument)
    raw = opened["Body"].iter_chunks(unpacking.PIECE)
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as lines,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects,
    ):
        writer = LineWriter(lines, rejects, settings)
        first = next(raw, b"")
        kind = kinds.of(file.name, first)
        if kind.format == inspection.PARQUET:
            raise RefusedError(
                "unknown_type",
                f"{file.name}: a batch takes csv, tsv and JSON lines, plain, gzip or zstd; "
                "no Parquet. Write it as one of them.",
            )
        dataset, ratio = _wanted(settings), settings.dataset.max_ratio
        inspection.read_text(file.name, kind, itertools.chain([first], raw), dataset, writer, ratio)
        if writer.rejected:
            _upload(rejects, bucket, file.out("rejects.jsonl"))
        if writer.rejected == writer.rows:
            raise RefusedError(
                "no_rows", f"{file.name}: no row can be predicted; the first: {writer.first}"
            )
        _upload(lines, bucket, file.lines)
    return Converted(opened["ETag"].strip('"'), writer.rows, writer.rejected)


def _wanted(settings: Settings) -> Dataset:
    """The training dataset, with no more required than the model needs: nobody knows the label."""
    columns = tuple(
        column.model_copy(update={"required": column.name in settings.model.required})
        for column in settings.dataset.columns
    )
    return settings.dataset.model_copy(update={"columns": columns})


def _upload(content: IO[bytes], bucket: str, key: str) -> None:
    content.seek(0)
    clients.client("s3").upload_fileobj(content, bucket, key)
