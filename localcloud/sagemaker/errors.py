"""Errors as SageMaker answers them.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class ApiError(Exception):
    """An answer that is an error: AWS's code, the message, the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def validation(message: str) -> ApiError:
    """The request is well formed but cannot be served as it stands."""
    return ApiError("ValidationException", message)


def not_found(message: str) -> ApiError:
    """What the request names does not exist."""
    return ApiError("ResourceNotFound", message)


def in_use(message: str) -> ApiError:
    """The name is taken."""
    return ApiError("ResourceInUse", message)


def limit_exceeded(message: str) -> ApiError:
    """More than the account may have."""
    return ApiError("ResourceLimitExceeded", message)


def conflict(message: str) -> ApiError:
    """Another thing stands in the way."""
    return ApiError("ConflictException", message)


def refuse_unserved(request: Mapping[str, Any], members: Iterable[str], where: str = "") -> None:
    """Members that the local cloud does not act on are refused, never passed over."""
    if found := [f"{where}{member}" for member in members if request.get(member)]:
        raise validation(f"The local SageMaker does not serve {', '.join(found)}.")
