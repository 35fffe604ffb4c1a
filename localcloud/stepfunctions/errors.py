"""The error names and causes that AWS gives to a task whose API call is refused.

Optimised integrations use the first Java SDK's names: an exception that the service's model knows
keeps its name (`Athena.InvalidRequestException`), any other is the service's base exception
(`SageMaker.AmazonSageMakerException`). SDK integrations use the second Java SDK's: `SageMaker.
ResourceNotFoundException`, `SageMaker.SageMakerException`.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import uuid
from typing import Any

from botocore.model import NoShapeFoundError

from localcloud.ministack_adapter import StatesError
from localcloud.service_models import service_model

PREFIXES = {"sagemaker": "SageMaker", "athena": "Athena", "glue": "Glue"}


def optimized_error(service: str, status: int, code: str, message: str) -> StatesError:
    """The failure of `arn:aws:states:::<service>:<action>`."""
    prefix = PREFIXES[service]
    name = _modelled(service, code) or f"Amazon{prefix}Exception"
    cause = (
        f"{message} (Service: Amazon{prefix}; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {uuid.uuid4()}; Proxy: null)"
    )
    return StatesError(f"{prefix}.{name}", cause)


def sdk_error(service: str, status: int, code: str, message: str) -> StatesError:
    """The failure of `arn:aws:states:::aws-sdk:<service>:<action>`."""
    prefix = PREFIXES[service]
    name = _modelled(service, code) or f"{prefix}Exception"
    cause = f"{message} (Service: {prefix}, Status Code: {status}, Request ID: {uuid.uuid4()})"
    return StatesError(f"{prefix}.{name}", cause)


def refusal(document: dict[str, Any]) -> tuple[str, str]:
    """The code and the message of an error answer in JSON."""
    code = str(document.get("__type", "InternalFailure")).rpartition("#")[2]
    return code, str(document.get("message") or document.get("Message") or "")


def _modelled(service: str, code: str) -> str | None:
    """The Java name of an exception that the service's model knows."""
    try:
        shape = service_model(service).shape_for(code)
    except NoShapeFoundError:
        return None
    if not shape.metadata.get("exception"):
        return None
    base = code.removesuffix("Exception").removesuffix("Fault")
    return f"{base}Exception"
