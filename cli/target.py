"""Which cloud a command talks to.

`AWS_ENDPOINT_URL` decides, as it does for every AWS tool. When it is not set and no AWS
credentials are configured, a local cloud that is up is the only thing one can mean.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from cli import local
from cli.errors import Problem

CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def has_credentials() -> bool:
    """Whether this machine is set up for AWS (looked up without asking the network)."""
    files = ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"), ("AWS_CONFIG_FILE", ".aws/config")
    return any(os.environ.get(name) for name in CREDENTIAL_VARIABLES) or any(
        Path(os.environ.get(variable) or Path.home() / default).is_file()
        for variable, default in files
    )


def choose() -> str:
    """Set the environment for the chosen cloud and name it in words."""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return endpoint
    if not has_credentials():
        running = local.running()
        if running is None:
            raise Problem(
                "there is no cloud to talk to",
                "Start the local cloud (driftloop up), or configure AWS credentials.",
            )
        os.environ.update(local.environment(running.endpoint))
        return running.endpoint
    return "AWS"


@functools.cache
def client(service: str) -> Any:
    """A boto3 client of the chosen cloud."""
    choose()
    return boto3.client(service, config=Config(retries={"mode": "standard", "max_attempts": 4}))


@functools.cache
def outputs(stack: str) -> dict[str, str]:
    """The stack's outputs: all that a command knows of a deployment."""
    from botocore.exceptions import ClientError

    try:
        (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise Problem(f"no stack named {stack} is deployed", "Run: driftloop deploy") from error
    return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}


@functools.cache
def table(stack: str, output: str) -> Any:
    """The DynamoDB table that the stack names in one of its outputs."""
    choose()
    return boto3.resource("dynamodb").Table(outputs(stack)[output])
