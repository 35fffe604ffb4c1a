"""A dropped file: taken in as an arrival, known already, or put into quarantine with a reason.

Events come twice, late, out of order or never. A drop is one version of a key: what became of it
is written down once. An arrival's id is its content's digest, so the same content arrives once,
whatever its name. The file itself moves to raw/ as it came; its rows lie beside it under text/,
as Athena reads them (Parquet it reads as it is).

Limits: a function runs 15 minutes and has the 10 GB of /tmp that the template gives it. Files are
read in pieces, so memory does not depend on their size; `max_mb` of the dataset and MOST_TEXT keep
out what would take longer. 150 million reviews, 8 GB of gzip, are five files or more.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from chalicelib import clients, clock, places
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals, coalesce, drops, quarantine
from chalicelib.ingest.copying import copy
from chalicelib.ingest.drops import Dropped
from chalicelib.reading import inspection, kinds, refusals, unpacking

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

IN_MEMORY = 64 * 1024 * 1024  # rows beyond this go through /tmp
ATTEMPTS = 10  # of the sweep with one file
GONE = {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}
Opened = tuple[Iterator[bytes], dict[str, str]]


def arrived(event: Mapping[str, Any]) -> dict[str, Any]:
    """Take one file in; says what became of it."""
    dropped = Dropped.of(event)
    if dropped.key.endswith("/"):
        return {"ignored": "a folder"}
    if known := drops.get(dropped):
        _remove(dropped)  # a crash may have come between
        return {"ignored": f"{dropped.key} was {known['became']} before"}
    client = clients.client("s3")
    try:
        return _taken_in(dropped, event)
    except client.exceptions.ClientError as error:
        # The same event, handled twice at once: the other one has moved the file.
        if error.response["Error"]["Code"] not in GONE or not drops.get(dropped):
            raise
        return {"ignored": f"{dropped.key} is gone: an event beside took it in"}


def _taken_in(dropped: Dropped, event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib import settings

    opened = _open(dropped)
    if opened is None:
        return {"ignored": f"{dropped.key} is gone: an earlier event took it in"}
    pieces, metadata = opened
    came = clock.now()
    try:
        dataset = drops.dataset_of(dropped, settings.load())
        _not_in_vain(dropped, int(event["detail"].get("attempts", 0)))
        released = _released(dropped, metadata)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as sink:
            found = inspection.inspect(
                dropped.name, dropped.size, pieces, dataset, sink, waived=released is not None
            )
            became = _accept(dropped, dataset, found, sink, released, came)
    except refusals.RefusedError as refused:
        return _quarantine(dropped, refused)
    if became["became"] == "accepted":  # the quiet window went by while the file was taken in
        coalesce.wake(coalesce.due_in(clock.now(), [came], settings.load().intake))
    return became


def _not_in_vain(dropped: Dropped, attempts: int) -> None:
    """Refuse a file that the sweep has handed over too often."""
    if attempts > ATTEMPTS:
        raise refusals.RefusedError(
            "not_taken",
            f"{dropped.name}: intake began {attempts - 1} times and came to no end. It may need "
            "more than a function's 15 minutes or memory: split it. The function's log says more.",
        )


def raw_key(dataset: str, arrival_id: str, kind: kinds.Kind) -> str:
    """Where an accepted file lies as it came: one place for the same content, whatever its name,
    because Athena reads all Parquet that lies there."""
    packed = {"gzip": ".gz", "zstd": ".zst", "none": ""}[kind.compression]
    return f"raw/{dataset}/arrival={arrival_id}/file.{kind.format}{packed}"


def _accept(
    dropped: Dropped,
    dataset: Dataset,
    found: inspection.Inspected,
    sink: IO[bytes],
    released: Mapping[str, Any] | None,
    came: dt.datetime,
) -> dict[str, Any]:
    arrival_id = found.digest[: drops.ID_LENGTH]
    columns = [column.name for column in dataset.columns]
    first = arrivals.get(dataset.name, arrival_id)
    if first is None:
        key = raw_key(dataset.name, arrival_id, found.kind)
        kept = copy(dropped.source, dropped.size, key)
        _write_rows(dataset, arrival_id, found, sink)
        entry = _entry(dropped, found, key, kept, clock.text(came))
        entry["text_columns"] = columns
        if released:
            entry["released"] = released
        if not arrivals.add(dataset.name, arrival_id, entry):
            _remove_copy(dropped.bucket, key, kept)
        first = arrivals.get(dataset.name, arrival_id) or {}
    elif first["status"] != arrivals.DONE and first["text_columns"] == columns:
        _write_rows(dataset, arrival_id, found, sink)  # where they were lost, they are back
    new = (first.get("source_key"), first.get("version_id")) == (dropped.key, dropped.version)
    became = "accepted" if new else "duplicate"
    drops.remember(dropped, became, arrival_id=arrival_id, rows=found.rows)
    _remove(dropped)
    return {"became": became, "arrival_id": arrival_id, "rows": found.rows}


def _entry(
    dropped: Dropped, found: inspection.Inspected, key: str, kept: Mapping[str, str], came: str
) -> dict[str, Any]:
    """What the arrivals table keeps of an accepted file."""
    return {
        "key": key,
        "etag": kept["etag"],
        "raw_version_id": kept["version_id"],
        "sha256": found.digest,
        "source_key": dropped.key,
        "version_id": dropped.version,
        "size": dropped.size,
        "text_bytes": found.text_bytes or dropped.size,
        "line_ends": found.line_ends,
        "rows": found.rows,
        "format": found.kind.format,
        "compression": found.kind.compression,
        "columns": list(found.columns),
        "types": found.types,
        "status": arrivals.PENDING,
        "arrived_at": came,
        "waiting_since": came,
        "attempts": 0,
        "warnings": list(found.warnings),
    }


def _write_rows(
    dataset: Dataset, arrival_id: str, found: inspection.Inspected, sink: IO[bytes]
) -> None:
    """The parts of the rows as objects of their own.

    The same content may come twice at once, and a run may read its rows already: parts that lie
    there are left alone, and only those that this content does not have are removed.
    """
    from chalicelib.ingest import dataset as data

    environment, prefix = Environment.from_env(), places.text(dataset.name, arrival_id)
    client, bucket = clients.client("s3"), environment.data_bucket
    there = data.sizes(environment, prefix)
    sink.seek(0)
    for number, size in enumerate(found.parts):
        key, part = f"{prefix}part-{number:05d}.gz", sink.read(size)
        kept = there.pop(key, None) == size
        if not kept or client.get_object(Bucket=bucket, Key=key)["Body"].read() != part:
            client.put_object(Bucket=bucket, Key=key, Body=part)
    data.remove(environment, list(there))


def _quarantine(dropped: Dropped, refused: refusals.RefusedError) -> dict[str, Any]:
    """Put the file aside with its reason, tell people, and go on."""
    quarantine.put(dropped, refused, dropped.source)
    drops.remember(dropped, "quarantined", reason=refused.code, message=refused.message)
    _remove(dropped)
    return {"became": "quarantined", "reason": refused.code, "message": refused.message}


def _released(dropped: Dropped, metadata: Mapping[str, str]) -> dict[str, Any] | None:
    """Who let this file out of quarantine and why; the table's word counts, not the object's."""
    origin = metadata.get("released-from")
    if not origin:
        return None
    entry = arrivals.get(dropped.folder, f"{arrivals.QUARANTINE}{origin}") or {}
    released = entry.get("released")
    return {**released, "quarantine_id": origin} if released else None


def _open(dropped: Dropped) -> Opened | None:
    """The object in pieces, and its metadata; None where it is gone."""
    client = clients.client("s3")
    try:
        found = client.get_object(
            Bucket=dropped.bucket, Key=dropped.key, **dropped.version_argument
        )
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        raise
    pieces: Iterator[bytes] = found["Body"].iter_chunks(unpacking.PIECE)
    return pieces, found.get("Metadata", {})


def _remove_copy(bucket: str, key: str, kept: Mapping[str, str]) -> None:
    """Another invocation was first with the same content: its version of the copy is the one."""
    if kept["version_id"]:
        clients.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=kept["version_id"])


def _remove(dropped: Dropped) -> None:
    """This version only: it lies in raw/ or quarantine/ now. A newer one of the key stays."""
    clients.client("s3").delete_object(
        Bucket=dropped.bucket, Key=dropped.key, **dropped.version_argument
    )
