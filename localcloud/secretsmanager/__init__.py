"""A secret's `Ref` in a template is its ARN; ministack gives its name, which no policy can use.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from __future__ import annotations

from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

TYPE = "AWS::SecretsManager::Secret"
Made = tuple[str, dict[str, Any]]


def install(config: CloudConfig) -> None:
    """Know secrets by their ARN in stacks, and by their name beneath."""
    adapter.amend_resource_type(
        TYPE,
        create=lambda make: lambda *given: _by_arn(make(*given)),
        update=lambda change: (
            lambda arn, *given, **more: _by_arn(change(_name(arn), *given, **more))
        ),
        delete=lambda remove: lambda arn, properties: remove(_name(arn), properties),
    )


def _by_arn(made: Made) -> Made:
    _, attributes = made
    return attributes["Arn"], attributes


def _name(arn: str) -> str:
    name, _ = adapter.part("ministack.services.secretsmanager")._resolve(arn)
    return name or arn
