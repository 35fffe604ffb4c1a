"""Data capture: requests and answers as JSON lines in S3, as SageMaker writes them.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.jobs import files

FLUSH_SECONDS = 1.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Body:
    """One direction of an invocation."""

    content_type: str
    data: bytes


class Capture:
    """Lines wait here briefly and go to S3 together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[datetime, str]]] = {}
        self._running = False

    def add(
        self,
        endpoint: str,
        variant: str,
        config: dict[str, Any] | None,
        request: Body,
        answer: Body,
        inference_id: str | None,
        custom: str | None,
    ) -> None:
        """Take an invocation, if the configuration captures it."""
        if not sampled(config, random.random()):
            return
        assert config is not None
        moment = datetime.now(UTC)
        line = json.dumps(event(config, request, answer, inference_id, custom, moment))
        prefix = f"{config['DestinationS3Uri'].rstrip('/')}/{endpoint}/{variant}"
        with self._lock:
            self._waiting.setdefault(prefix, []).append((moment, line))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="capture", daemon=True).start()

    def flush(self) -> None:
        """Write what waits: one object for each variant and hour."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for prefix, lines in waiting.items():
            try:
                self._write(prefix, lines)
            except OSError:
                log.exception("%d captured requests of %s could not be written", len(lines), prefix)

    def _write(self, prefix: str, lines: list[tuple[datetime, str]]) -> None:
        hours: dict[str, list[tuple[datetime, str]]] = {}
        for moment, line in lines:
            hours.setdefault(f"{moment:%Y/%m/%d/%H}", []).append((moment, line))
        for hour, entries in hours.items():
            first = entries[0][0]
            milliseconds = first.microsecond // 1000
            name = f"{first:%M-%S}-{milliseconds:03d}-{uuid.uuid4()}.jsonl"
            bucket, key = files.split(f"{prefix}/{hour}/{name}")
            content = "".join(line + "\n" for _, line in entries).encode()
            cloud.put_object(bucket, key, content)

    def _run(self) -> None:
        while True:
            time.sleep(FLUSH_SECONDS)
            self.flush()
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return


def sampled(config: dict[str, Any] | None, draw: float) -> bool:
    """Whether a configuration captures an invocation; `draw` is of [0, 1)."""
    if not config or not config.get("EnableCapture"):
        return False
    return bool(draw * 100 < config["InitialSamplingPercentage"])


def event(
    config: dict[str, Any],
    request: Body,
    answer: Body,
    inference_id: str | None,
    custom: str | None,
    moment: datetime,
) -> dict[str, Any]:
    """One captured invocation."""
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    headers = config.get("CaptureContentTypeHeader", {})
    data: dict[str, Any] = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _part(request, "INPUT", headers)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _part(answer, "OUTPUT", headers)
    metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
    if inference_id:
        metadata["inferenceId"] = inference_id
    if custom:
        metadata["customAttributes"] = [custom]
    metadata["inferenceTime"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def _part(body: Body, mode: str, headers: dict[str, list[str]]) -> dict[str, str]:
    kind = body.content_type.split(";")[0].strip().lower()
    encoding = "BASE64"
    if kind in [each.lower() for each in headers.get("JsonContentTypes", [])]:
        encoding = "JSON"
    elif kind in [each.lower() for each in headers.get("CsvContentTypes", [])]:
        encoding = "CSV"
    text = (
        base64.b64encode(body.data).decode()
        if encoding == "BASE64"
        else body.data.decode("utf-8", "replace")
    )
    return {
        "observedContentType": body.content_type,
        "mode": mode,
        "data": text,
        "encoding": encoding,
    }


capture = Capture()
