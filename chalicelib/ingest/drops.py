"""A drop: one version of an object under incoming/, and what became of it, written down once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import clock
from chalicelib.ingest import arrivals
from chalicelib.reading.refusals import RefusedError

if TYPE_CHECKING:
    from chalicelib.schema import Dataset
    from chalicelib.settings import Settings

INCOMING = "incoming/"
ID_LENGTH = 20
KEY_LIMIT = 900  # bytes of 1,024: the key under quarantine/ is longer
UNKNOWN = "unknown"  # stands for every folder that is no dataset's
STRANGE = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True)
class Dropped:
    """One version of an object under incoming/."""

    bucket: str
    key: str
    size: int
    version: str  # empty where the bucket keeps none

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Dropped:
        """From S3's event; its keys are not URL-encoded.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
        """
        found = event["detail"]["object"]
        bucket = event["detail"]["bucket"]["name"]
        return cls(bucket, found["key"], int(found.get("size", 0)), found.get("version-id") or "")

    @property
    def id(self) -> str:
        words = f"{self.key}\n{self.version}".encode()
        return hashlib.sha256(words).hexdigest()[:ID_LENGTH]

    @property
    def folder(self) -> str:
        """The dataset that the key names, or UNKNOWN."""
        from chalicelib import settings

        name = self.key.removeprefix(INCOMING).split("/", 1)[0]
        known = [dataset.name for dataset in settings.load().every_dataset]
        return name if name in known else UNKNOWN

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    @property
    def safe_name(self) -> str:
        """The name as it can stand in any key, path or message."""
        return re.sub(r"[^\w .,()+=@-]+", "-", self.name).strip(" .-")[:200] or "file"

    @property
    def version_argument(self) -> dict[str, str]:
        return {"VersionId": self.version} if self.version else {}

    @property
    def source(self) -> dict[str, str]:
        """As CopyObject's CopySource."""
        return {"Bucket": self.bucket, "Key": self.key, **self.version_argument}


def dataset_of(dropped: Dropped, settings: Settings) -> Dataset:
    """The dataset that takes the drop, by its folder; RefusedError where there is none."""
    parts = dropped.key.removeprefix(INCOMING).split("/")
    check_key(dropped.key, parts)
    names = [dataset.name for dataset in settings.every_dataset]
    if len(parts) < 2 or parts[0] not in names:
        folders = ", ".join(f"{INCOMING}{name}/" for name in names)
        raise RefusedError(
            "unknown_dataset", f"{dropped.key}: no dataset takes it. Drop files under {folders}."
        )
    return settings.find(parts[0])


def check_key(key: str, parts: list[str]) -> None:
    """RefusedError where a part of the key is no plain name, or the key is too long."""
    if (
        any(part in ("", ".", "..") or STRANGE.search(part) for part in parts)
        or len(key.encode()) > KEY_LIMIT
    ):
        raise RefusedError(
            "unsafe_key",
            f"{key[:200]!r}: a key is folders and a name, without empty parts, dots "
            f"alone, backslashes or control characters, {KEY_LIMIT} bytes at most. Rename it.",
        )


def get(dropped: Dropped) -> arrivals.Arrival | None:
    """What became of the drop, or None where nothing has yet."""
    return arrivals.get(dropped.folder, f"{arrivals.DROP}{dropped.id}")


def remember(dropped: Dropped, became: str, **facts: Any) -> None:
    """Write down what became of the drop: accepted, duplicate or quarantined."""
    entry = {
        "source_key": dropped.key,
        "version_id": dropped.version,
        "became": became,
        "at": clock.text(clock.now()),
        **facts,
    }
    arrivals.add(dropped.folder, f"{arrivals.DROP}{dropped.id}", entry)
