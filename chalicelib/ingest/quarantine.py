"""A file put aside with its reason: one that intake refuses, or one that Athena cannot read."""

from __future__ import annotations

import json
from typing import Any

from chalicelib import clients, clock, places
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals
from chalicelib.ingest.copying import copy
from chalicelib.ingest.drops import Dropped
from chalicelib.reading.refusals import RefusedError


def put(
    dropped: Dropped, refused: RefusedError, source: dict[str, str], **facts: Any
) -> dict[str, Any]:
    """Copy the file, which lies at `source`, write down why, and tell people once.

    May be done again. `facts` are kept beside the reason. Returns what is written down.
    """
    from chalicelib import notify

    prefix = f"quarantine/{dropped.folder}/{dropped.id}/"
    key = prefix + dropped.safe_name
    entry = {
        "key": key,
        "source_key": dropped.key,
        "version_id": dropped.version,
        "reason": refused.code,
        "message": refused.message,
        "size": dropped.size,
        "at": clock.text(clock.now()),
        **facts,
    }
    copy(source, dropped.size, key)
    clients.client("s3").put_object(
        Bucket=dropped.bucket,
        Key=prefix + "reason.json",
        Body=json.dumps(entry, indent=2, ensure_ascii=False).encode(),
        ContentType="application/json",
    )
    if arrivals.add(dropped.folder, f"{arrivals.QUARANTINE}{dropped.id}", entry):
        notify.notify(
            "quarantined",
            f"Quarantined: {dropped.safe_name}",
            refused.message,
            reason=refused.code,
            file=places.uri(Environment.from_env(), key),
            look=f"driftloop quarantine show {dropped.id}",
        )
    return entry
