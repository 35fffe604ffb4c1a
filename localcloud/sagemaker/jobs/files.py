"""Inputs from S3 to a job's folders, and its results back, as the role that the job was given."""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker import roles
from localcloud.sagemaker.jobs.lifecycle import JobError

THREADS = 8
S3_ERRORS = (Boto3Error, BotoCoreError, ClientError)


def split(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` as (bucket, key)."""
    if not uri.startswith("s3://"):
        raise JobError(f"ClientError: {uri} is not an S3 URI")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def download(uri: str, kind: str, folder: Path, at_least: int = 1) -> int:
    """Fetch a data source into a folder; returns how many files. `kind` is S3DataType.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        pairs = _manifest(uri) if kind == "ManifestFile" else _prefix(uri)
        if len(pairs) < at_least:
            raise JobError(
                f"ClientError: Data download failed: no S3 objects found under {uri}. "
                "Please ensure that the bucket exists and that objects exist under that prefix"
            )
        _fetch([(bucket, key, _below(folder, name)) for bucket, key, name in pairs])
    except S3_ERRORS as error:
        raise JobError(f"ClientError: Data download failed: {uri}: {error}") from error
    return len(pairs)


def upload(folder: Path, uri: str) -> int:
    """Put every file of a folder under a prefix; returns how many."""
    bucket, prefix = split(uri)
    prefix = prefix.rstrip("/")
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]

    s3 = roles.s3()

    def put(path: Path) -> None:
        key = f"{prefix}/{path.relative_to(folder).as_posix()}".lstrip("/")
        s3.upload_file(str(path), bucket, key)

    _each(put, found, f"ClientError: Upload to {uri} failed")
    return len(found)


def put_file(path: Path, uri: str) -> None:
    bucket, key = split(uri)
    try:
        roles.s3().upload_file(str(path), bucket, key)
    except (*S3_ERRORS, OSError) as error:
        raise JobError(f"ClientError: Upload to {uri} failed: {error}") from error


def get_file(uri: str, path: Path) -> None:
    bucket, key = split(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        roles.s3().download_file(bucket, key, str(path))
    except S3_ERRORS as error:
        raise JobError(f"ClientError: Download of {uri} failed: {error}") from error


def check_there(uri: str) -> None:
    """JobError where there is no such object."""
    bucket, key = split(uri)
    try:
        roles.s3().head_object(Bucket=bucket, Key=key)
    except S3_ERRORS as error:
        raise JobError(f"ClientError: {uri}: {error}") from error


def pack(folder: Path, archive: Path) -> None:
    """A folder's content as tar.gz."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)


def unpack(archive: Path, folder: Path) -> None:
    """A tar.gz into a folder; nothing may leave the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise JobError(f"ClientError: {archive.name} is not a sound tar.gz: {error}") from error


def _prefix(uri: str) -> list[tuple[str, str, str]]:
    """All objects whose key begins so, with their names below the prefix."""
    bucket, prefix = split(uri)
    pages = roles.s3().get_paginator("list_objects_v2")
    return [
        (bucket, entry["Key"], below(prefix, entry["Key"]))
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for entry in page.get("Contents", [])
        if not entry["Key"].endswith("/")
    ]


def below(prefix: str, key: str) -> str:
    """`train` and `train/` stand for a folder, half a name or a whole one for files beside it."""
    rest = key[len(prefix) :]
    if prefix and not prefix.endswith("/") and not rest.startswith("/"):
        return key[prefix.rfind("/") + 1 :]
    return rest.lstrip("/")


def _manifest(uri: str) -> list[tuple[str, str, str]]:
    """`[{"prefix": "s3://b/p/"}, "a", "b/c"]`: the names keep their layout below the prefix."""
    bucket, key = split(uri)
    content = roles.s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        (first, *listed) = json.loads(content)
        target, base = split(first["prefix"])
        return [(target, base + name, name) for name in listed]
    except (LookupError, TypeError, ValueError) as error:
        raise JobError(f"ClientError: {uri} is not a manifest: {error}") from error


def _below(folder: Path, name: str) -> Path:
    """A file in the folder; a key may say `../`, a path may not."""
    path = folder / name
    if ".." in path.parts:
        raise JobError(f"ClientError: Data download failed: {name} would leave {folder.name}")
    return path


def _fetch(files: Iterable[tuple[str, str, Path]]) -> None:
    s3 = roles.s3()

    def get(entry: tuple[str, str, Path]) -> None:
        bucket, key, path = entry
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(path))

    _each(get, list(files), "ClientError: Data download failed")


def _each(act: Any, items: list[Any], failure: str) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(act, item) for item in items]:
            try:
                future.result()
            except (*S3_ERRORS, OSError) as error:
                raise JobError(f"{failure}: {error}") from error
