"""A role that may do everything, for tests that are not about permissions."""

from __future__ import annotations

import contextlib
import json
from typing import Any

NAME = "may-do-everything"
ROLE = f"arn:aws:iam::000000000000:role/{NAME}"
SERVICES = ("lambda", "states", "sagemaker", "glue", "scheduler", "events", "monitoring")


def statement(**more: Any) -> dict[str, Any]:
    """A policy of one statement that allows."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]}


def trust(*services: str) -> str:
    """What lets these services assume a role."""
    by = {"Service": [f"{service}.amazonaws.com" for service in services]}
    return json.dumps(statement(Principal=by, Action="sts:AssumeRole"))


def make(iam: Any) -> None:
    """Make it, where it is not there from an earlier start of the same cloud."""
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=trust(*SERVICES))
    everything = json.dumps(statement(Action="*", Resource="*"))
    iam.put_role_policy(RoleName=NAME, PolicyName="everything", PolicyDocument=everything)
