"""A captured request and its answer, as SageMaker's endpoints write them: the monitors read both.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

JSON = "application/json"


def name(moment: datetime) -> str:
    """yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl, below the variant's prefix."""
    milliseconds = moment.microsecond // 1000
    return f"{moment:%Y/%m/%d/%H/%M-%S}-{milliseconds:03d}-{uuid.uuid4()}.jsonl"


def event(body: str, answer: str, inference_id: str, moment: datetime) -> dict[str, Any]:
    """One line."""
    data = {"endpointInput": _part(body, "INPUT"), "endpointOutput": _part(answer, "OUTPUT")}
    metadata = {
        "eventId": str(uuid.uuid4()),
        "inferenceId": inference_id,
        "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def _part(data: str, mode: str) -> dict[str, str]:
    return {"observedContentType": JSON, "mode": mode, "data": data, "encoding": "JSON"}
