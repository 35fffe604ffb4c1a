"""Copy an object within its bucket, whatever its size."""

from __future__ import annotations

from chalicelib import clients

LIMIT = 5 * 1024**3  # CopyObject takes no more; a multipart copy does


def copy(source: dict[str, str], size: int, key: str) -> dict[str, str]:
    """`source` is CopyObject's CopySource; returns the copy's `etag` and `version_id`.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    client, bucket = clients.client("s3"), source["Bucket"]
    if size > LIMIT:
        client.copy(source, bucket, key)
        made = client.head_object(Bucket=bucket, Key=key)
        etag = made["ETag"]
    else:
        made = client.copy_object(Bucket=bucket, Key=key, CopySource=source)
        etag = made["CopyObjectResult"]["ETag"]
    return {"etag": etag.strip('"'), "version_id": made.get("VersionId", "")}
