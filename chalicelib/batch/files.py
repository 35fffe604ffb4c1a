"""A file to predict, and where all that is made of it lies.

Batch transform names an answer by its input: `<name>.out`.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib import clock, records

IN, OUT, JOBS = "batch/in/", "batch/out/", "batch/jobs/"
ID_LENGTH = 20


@dataclass(frozen=True)
class BatchFile:
    """One version of an object under batch/in/."""

    key: str
    version: str  # empty where the bucket keeps none
    size: int
    dropped_at: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> BatchFile:
        """From S3's event. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
        found = event["detail"]["object"]
        version = found.get("version-id") or ""
        return cls(found["key"], version, int(found.get("size", 0)), event["time"])

    @classmethod
    def listed(cls, version: Mapping[str, Any]) -> BatchFile:
        """As S3 lists it.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectVersion.html
        """
        given = str(version.get("VersionId", "null"))
        dropped_at = clock.text(version["LastModified"])
        return cls(version["Key"], "" if given == "null" else given, version["Size"], dropped_at)

    @property
    def document(self) -> dict[str, Any]:
        """What `BatchFile(**document)` makes again."""
        return asdict(self)

    @property
    def id(self) -> str:
        """The same for every event of this version; also the execution's name."""
        return hashlib.sha256(f"{self.key}\n{self.version}".encode()).hexdigest()[:ID_LENGTH]

    @property
    def name(self) -> str:
        """The key below batch/in/, folders and all."""
        return self.key.removeprefix(IN)

    @property
    def version_argument(self) -> dict[str, str]:
        return {"VersionId": self.version} if self.version else {}

    @property
    def record(self) -> str:
        """The key of what is written down of it: sorts by time."""
        return f"{records.BATCH}{self.dropped_at}-{self.id}"

    @property
    def inputs(self) -> str:
        """The prefix of the transform's input: nothing but this file's records."""
        return f"{JOBS}{self.id}/"

    @property
    def lines(self) -> str:
        """The records as JSON lines, under the name that the answer's is made of."""
        return self.inputs + self.name

    def out(self, suffix: str) -> str:
        """`out`, `rejects.jsonl`, `manifest.json` or `error.json` of this file."""
        return f"{OUT}{self.name}.{suffix}"
