"""CloudFormation reads YAML without aliases; ministack's loader follows them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

from typing import Any

import yaml

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

ENGINE = "ministack.services.cloudformation.engine"


def install(config: CloudConfig) -> None:
    adapter.replace(ENGINE, "CfnLoader", _without_aliases)


def _without_aliases(loader: Any) -> Any:
    class Loader(loader):  # type: ignore[misc]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("YAML aliases are not allowed in CloudFormation templates")
            return super().compose_node(parent, index)

    return Loader
