"""Errors as SageMaker answers them.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations


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
