"""Jobs and endpoints reach S3 with the permissions of the role that they were given.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

from localcloud import ministack_adapter as cloud

_role: contextvars.ContextVar[str] = contextvars.ContextVar("role")


@contextlib.contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Reach S3 as this role, in this thread and those that get a copy of its context."""
    before = _role.set(role)
    try:
        yield
    finally:
        _role.reset(before)


def s3() -> Any:
    """A client of S3 with the permissions of the role acted as."""
    return cloud.client("s3", _role.get())


def variables(role: str) -> dict[str, str]:
    """The credentials of a role, as the environment of a process holds them."""
    return {name.upper(): value for name, value in cloud.role_session(role, "service").items()}
