"""Secondary statuses of training jobs, in AWS's order and words.

InProgress: Starting, Downloading, Training, Uploading; then Completed. A job that is stopped, or
runs too long, goes over Stopping to Stopped or MaxRuntimeExceeded; one that fails ends as Failed.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.store import Record, now

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
LAST = ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded")
AFTER_STOP = ("Uploading", *LAST)


def entered(record: Record, status: str, message: str = "") -> dict[str, Any]:
    """The members of a record that entering this status changes."""
    before = [dict(entry) for entry in record.get("SecondaryStatusTransitions", [])]
    moment = now()
    if before:
        before[-1].setdefault("EndTime", moment)
    entry = {"Status": status, "StartTime": moment}
    if status in LAST:
        entry["EndTime"] = moment
    entry["StatusMessage"] = message or MESSAGES.get(status, "")
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": [*before, entry]}
