"""S3 objects as local files: the local S3's own file where it has one, else a download."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class S3Object:
    bucket: str
    key: str
    size: int

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class BadLocationError(ValueError):
    """A location that is not an S3 URI."""


def split_uri(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` -> (bucket, key)."""
    match = re.fullmatch(r"s3[an]?://([^/]+)/?(.*)", uri, re.DOTALL)
    if not match:
        raise BadLocationError(f"Not an S3 location: {uri}")
    return match[1], match[2]


@dataclass
class Objects:
    """Reads and writes objects; `data_dir` holds `<bucket>/<key>` files where the S3 keeps them."""

    s3: Any
    data_dir: Path | None
    scratch: Path

    def list(self, uri: str) -> list[S3Object]:
        """Every data object under a prefix; hidden names (`_x`, `.x`) and folder marks are not."""
        bucket, prefix = split_uri(uri)
        found = []
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                name = item["Key"].rsplit("/", 1)[-1]
                if name and name[0] not in "_.":
                    found.append(S3Object(bucket, item["Key"], item["Size"]))
        return found

    def exists(self, uri: str) -> bool:
        """Whether anything lies under a prefix."""
        bucket, prefix = split_uri(uri)
        return bool(self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"])

    def local(self, item: S3Object, into: Path) -> Path:
        """A file with the object's bytes, at a path that ends in `<bucket>/<key>`."""
        if self.data_dir is not None:
            path = self.data_dir / item.bucket / item.key
            if path.is_file() and path.stat().st_size == item.size:
                return path
        path = into / item.bucket / item.key
        path.parent.mkdir(parents=True, exist_ok=True)
        self.s3.download_file(item.bucket, item.key, str(path))
        return path

    def head(self, item: S3Object, size: int) -> bytes:
        """The object's first bytes, at most `size` of them."""
        wanted = f"bytes=0-{size - 1}"
        answer = self.s3.get_object(Bucket=item.bucket, Key=item.key, Range=wanted)
        return bytes(answer["Body"].read())

    def read(self, uri: str) -> bytes:
        bucket, key = split_uri(uri)
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def put(self, uri: str, body: bytes) -> None:
        bucket, key = split_uri(uri)
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def put_files(self, files: Iterable[tuple[Path, str]]) -> None:
        for path, uri in files:
            with path.open("rb") as body:
                bucket, key = split_uri(uri)
                self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def folder(self) -> Path:
        """A new empty directory for one query's or crawl's own files."""
        path = self.scratch / uuid.uuid4().hex
        path.mkdir(parents=True)
        return path
