"""A dropped file: taken in as an arrival, known already, or put into quarantine with a reason.

Events come twice, late and out of order. An arrival's id is its content's digest, so the same
content arrives once, whatever its name; a refused file's id is its key and version.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import arrivals, clients, clock, coalesce, inspection, places
from chalicelib.environment import Environment

INCOMING = "incoming/"
ID_LENGTH = 20


@dataclass(frozen=True)
class Dropped:
    """One version of an object under incoming/."""

    bucket: str
    key: str
    size: int
    version_id: str | None

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Dropped:
        """From S3's event; its keys are not URL-encoded.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        """
        found = event["detail"]["object"]
        bucket = event["detail"]["bucket"]["name"]
        return cls(bucket, found["key"], int(found.get("size", 0)), found.get("version-id"))

    @property
    def dataset(self) -> str:
        return self.key.removeprefix(INCOMING).split("/", 1)[0]

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    @property
    def version(self) -> dict[str, str]:
        return {"VersionId": self.version_id} if self.version_id else {}

    @property
    def refusal_id(self) -> str:
        words = f"{self.key}\n{self.version_id}".encode()
        return hashlib.sha256(words).hexdigest()[:ID_LENGTH]


def arrived(event: Mapping[str, Any]) -> dict[str, Any]:
    """Take one file in; says what became of it."""
    from chalicelib import settings

    dropped = Dropped.of(event)
    if dropped.key.endswith("/"):
        return {"ignored": "a folder"}
    dataset = settings.load().dataset
    try:
        pieces = _read(dropped)
        if pieces is None:
            return {"ignored": f"{dropped.key} was taken in before"}
        if dropped.dataset != dataset.name or dropped.key.count("/") < 2:
            raise inspection.RefusedError(
                "unknown_dataset",
                f"{dropped.key}: no dataset takes it. Drop files under {INCOMING}{dataset.name}/.",
            )
        found = inspection.inspect(dropped.name, dropped.size, pieces, dataset)
    except inspection.RefusedError as refused:
        return _quarantine(dropped, refused)
    return _accept(dropped, found)


def raw_key(dataset: str, arrival_id: str, name: str, suffix: str) -> str:
    """Where an accepted file lies: Athena tells gzip by the name."""
    stem = re.sub(r"(\.(tsv|csv|txt))?(\.gz)?$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._") or "file"
    return f"raw/{dataset}/arrival={arrival_id}/{stem[:100]}{suffix}"


def _accept(dropped: Dropped, found: inspection.Inspected) -> dict[str, Any]:
    arrival_id = found.digest[:ID_LENGTH]
    key = raw_key(dropped.dataset, arrival_id, dropped.name, found.suffix)
    known = arrivals.get(dropped.dataset, arrival_id)
    if known is None:
        _copy(dropped, key)
    entry = {
        "key": key,
        "source_key": dropped.key,
        "version_id": dropped.version_id or "",
        "size": dropped.size,
        "rows": found.rows,
        "format": found.format,
        "compression": found.compression,
        "status": arrivals.PENDING,
        "attempts": 0,
        "arrived_at": clock.text(clock.now()),
        "warnings": list(found.warnings),
    }
    new = known is None and arrivals.add(dropped.dataset, arrival_id, entry)
    if not new:
        _remember_duplicate(dropped, arrival_id, known)
    _remove(dropped)
    coalesce.wake()
    return {"arrival_id": arrival_id, "rows": found.rows, "new": new}


def _remember_duplicate(dropped: Dropped, arrival_id: str, known: Mapping[str, Any] | None) -> None:
    """Note that the content came again, unless this is the same event once more."""
    same = (dropped.key, dropped.version_id or "")
    if known and (known["source_key"], known["version_id"]) != same:
        note = {"source_key": dropped.key, "of": arrival_id, "at": clock.text(clock.now())}
        arrivals.add(dropped.dataset, f"{arrivals.DUPLICATE}{dropped.refusal_id}", note)


def _quarantine(dropped: Dropped, refused: inspection.RefusedError) -> dict[str, Any]:
    """Put the file aside with its reason, tell people, and go on."""
    from chalicelib import notify

    prefix = f"quarantine/{dropped.dataset}/{dropped.refusal_id}/"
    entry = {
        "key": prefix + dropped.name,
        "source_key": dropped.key,
        "reason": refused.code,
        "message": refused.message,
        "size": dropped.size,
        "at": clock.text(clock.now()),
    }
    _copy(dropped, prefix + dropped.name)
    clients.client("s3").put_object(
        Bucket=dropped.bucket,
        Key=prefix + "reason.json",
        Body=json.dumps(entry, indent=2, ensure_ascii=False).encode(),
        ContentType="application/json",
    )
    new = arrivals.add(dropped.dataset, f"{arrivals.QUARANTINE}{dropped.refusal_id}", entry)
    if new:
        notify.notify(
            "quarantined",
            f"Quarantined: {dropped.name}",
            refused.message,
            reason=refused.code,
            file=places.uri(Environment.from_env(), prefix + dropped.name),
        )
    _remove(dropped)
    return {"quarantined": refused.code, "message": refused.message}


def _read(dropped: Dropped) -> Iterator[bytes] | None:
    """The object in pieces; None where it is gone: an earlier event took it in."""
    client = clients.client("s3")
    try:
        found = client.get_object(Bucket=dropped.bucket, Key=dropped.key, **dropped.version)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}:
            return None
        raise
    pieces: Iterator[bytes] = found["Body"].iter_chunks(inspection.PIECE)
    return pieces


def _copy(dropped: Dropped, key: str) -> None:
    source = {"Bucket": dropped.bucket, "Key": dropped.key, **dropped.version}
    clients.client("s3").copy_object(Bucket=dropped.bucket, Key=key, CopySource=source)


def _remove(dropped: Dropped) -> None:
    """The bucket keeps versions: this hides the drop, and its bytes stay for the days set there."""
    clients.client("s3").delete_object(Bucket=dropped.bucket, Key=dropped.key)
