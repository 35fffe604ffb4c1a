"""What ministack's S3 events lack: the version's id, where the bucket keeps versions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

S3 = "ministack.services.s3"
EVENTBRIDGE = "ministack.services.eventbridge"
_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def install(config: CloudConfig) -> None:
    """Note the version where the event is fired, and add it where it is dispatched."""
    adapter.replace(S3, "_fire_s3_event", _noting)
    adapter.replace(EVENTBRIDGE, "_dispatch_event", _adding)


def _noting(fire: Callable[..., None]) -> Callable[..., None]:
    def noted(*arguments: Any, version_id: str | None = None, **more: Any) -> None:
        token = _version.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **more)
        finally:
            _version.reset(token)

    return noted


def _adding(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    def added(event: dict[str, Any], *arguments: Any, **more: Any) -> Any:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *arguments, **more)

    return added
