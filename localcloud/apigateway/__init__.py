"""APIs under the host name that AWS gives them: `{id}.execute-api.{region}.amazonaws.com`.

ministack knows its own host's form only. A client sends AWS's name as the Host header.
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.apigateway import gateway_responses
from localcloud.config import CloudConfig

APP = "ministack.app"
AWS = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?(:\d+)?")


def install(config: CloudConfig) -> None:
    """Read AWS's host names where ministack reads its own."""
    adapter.replace(APP, "_parse_execute_api_url", _reading)
    gateway_responses.install()


def _reading(parse: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    def read(host: str, path: str) -> Any:
        if found := AWS.fullmatch(host):
            return parse("localhost", f"/_aws/execute-api/{found['id']}{path}")
        return parse(host, path)

    return read
