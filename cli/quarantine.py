"""Files that intake refused: look at them, and let one in again with a person's word."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cli import arrivals, target
from cli.errors import Problem

SHOWN_BYTES = 2000
COPY_LIMIT = 5 * 1024**3  # CopyObject takes no more; a multipart copy does


def every(stack: str, dataset: str | None) -> list[dict[str, Any]]:
    """Refusals of one dataset, or of all and of none, newest first."""
    chosen = [dataset] if dataset else [*arrivals.datasets(), arrivals.UNKNOWN]
    found = [
        {**entry, "id": str(entry["arrival_id"]).removeprefix(arrivals.QUARANTINE)}
        for name in chosen
        for entry in arrivals.entries(stack, name, arrivals.QUARANTINE)
    ]
    for entry in found:
        entry["state"] = "released" if _is_released(entry) else "quarantined"
    return sorted(found, key=lambda entry: str(entry["at"]), reverse=True)


def one(stack: str, refusal_id: str) -> dict[str, Any]:
    """One refusal by its id, or by the beginning of it."""
    found = [entry for entry in every(stack, None) if entry["id"].startswith(refusal_id)]
    if not found:
        raise Problem(f"nothing in quarantine is {refusal_id}", "See: driftloop quarantine list")
    if len(found) > 1:
        raise Problem(f"more than one id begins with {refusal_id}", "Give more of it.")
    return found[0]


def head(stack: str, entry: dict[str, Any]) -> bytes:
    """The first bytes of the file as it came."""
    if not entry["size"]:
        return b""
    answer = target.client("s3").get_object(
        Bucket=target.outputs(stack)["DataBucket"],
        Key=entry["key"],
        Range=f"bytes=0-{SHOWN_BYTES - 1}",
    )
    return bytes(answer["Body"].read())


def release(stack: str, entry: dict[str, Any], why: str) -> dict[str, str]:
    """Drop the file again under its old key; intake judges it anew, its size and ratio waived.

    Who and why are recorded with the refusal first, because intake looks there, and with the
    arrival if it is one now. It is released once it was dropped: what broke off before may be
    done again. Returns the key with its version.
    """
    if _is_released(entry):
        raise Problem(f"{entry['id']} was released {entry['released']['at']}")
    if str(entry["dataset"]) not in arrivals.datasets():
        raise Problem(
            f"{entry['source_key']} names no dataset", "Drop it again under a dataset's folder."
        )
    who = target.client("sts").get_caller_identity()["Arn"]
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    _record(stack, entry, "released", {"by": who, "why": why, "at": moment})
    key = f"incoming/{entry['dataset']}/{str(entry['key']).rsplit('/', 1)[-1]}"
    version = _drop(target.outputs(stack)["DataBucket"], entry, key)
    _record(stack, entry, "released.version_id", version)
    return {key: version}


def _is_released(entry: dict[str, Any]) -> bool:
    return "version_id" in (entry.get("released") or {})


def _record(stack: str, entry: dict[str, Any], name: str, value: Any) -> None:
    arrivals.table(stack).update_item(
        Key={"dataset": entry["dataset"], "arrival_id": entry["arrival_id"]},
        UpdateExpression=f"SET {name} = :value",
        ConditionExpression="attribute_exists(arrival_id) "
        "AND attribute_not_exists(released.version_id)",
        ExpressionAttributeValues={":value": value},
    )


def _drop(bucket: str, entry: dict[str, Any], key: str) -> str:
    """Copy the file to the key; the version that this made."""
    client, source = target.client("s3"), {"Bucket": bucket, "Key": entry["key"]}
    marked = {"Metadata": {"released-from": entry["id"]}, "MetadataDirective": "REPLACE"}
    if entry["size"] <= COPY_LIMIT:  # intake may have it before anybody could look
        made = client.copy_object(Bucket=bucket, Key=key, CopySource=source, **marked)
    else:
        client.copy(source, bucket, key, ExtraArgs=marked)
        made = client.head_object(Bucket=bucket, Key=key)
    return str(made.get("VersionId", ""))
