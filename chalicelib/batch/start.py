"""A file came under batch/in/: one execution of the batch machine, however often it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib import clients
from chalicelib.batch.files import BatchFile
from chalicelib.environment import Environment


def arrived(event: Mapping[str, Any]) -> dict[str, Any]:
    """Start the machine for the file of an event."""
    file = BatchFile.of(event)
    return {"ignored": "a folder"} if file.key.endswith("/") else start(file)


def start(file: BatchFile) -> dict[str, Any]:
    """Start the machine under the file's id, a name that Step Functions takes once.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    client = clients.client("stepfunctions")
    try:
        client.start_execution(
            stateMachineArn=Environment.from_env().batch_machine_arn,
            name=file.id,
            input=json.dumps({"batch_id": file.id, "file": file.document}),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return {"ignored": f"{file.key} was started before, as {file.id}"}
    return {"started": file.id}
