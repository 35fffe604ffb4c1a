"""SDK integrations of the services we add (`arn:aws:states:::aws-sdk:sagemaker:describeEndpoint`).

Names and times follow the second Java SDK, as ministack already does for its own services.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.ministack_adapter import StatesError
from localcloud.service_models import service_model
from localcloud.stepfunctions import errors, permissions
from localcloud.stepfunctions.history import SFN
from localcloud.stepfunctions.optimized import TARGETS


def install() -> None:
    """Serve the SDK calls of SageMaker, Athena and Glue."""
    for service in TARGETS:
        adapter.register_sdk_service(service, partial(call, service))


def call(service: str, operation: str, request: Any) -> Any:
    """Call an operation; its answer has the names and times of the Java SDK."""
    if operation not in service_model(service).operation_names:
        raise StatesError("States.Runtime", f"{service} has no operation {operation}")
    sfn = adapter.part(SFN)
    wire = sfn._sdk_json_params({}, service, operation, request)
    status, answer = adapter.call_json(
        service, f"{TARGETS[service]}.{operation}", wire, permissions.key()
    )
    if status >= 400:
        raise errors.sdk_error(service, status, *errors.refusal(answer))
    return sfn._sdk_json_result(service, operation, answer)
