"""The gateway responses that an imported API's document declares, as SAM's GatewayResponses does.

ministack keeps those that PutGatewayResponse is told, and passes over the document's.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter

GATEWAY = "ministack.services.apigateway_v1"
EXTENSION = "x-amazon-apigateway-gateway-responses"


def install() -> None:
    adapter.replace(GATEWAY, "_import_rest_api", _importing)


def _importing(import_api: Callable[..., str]) -> Callable[..., str]:
    def run(document: dict[str, Any], base: dict[str, Any] | None = None) -> str:
        api_id = import_api(document, base)
        for kind, response in (document.get(EXTENSION) or {}).items():
            adapter.put_gateway_response(api_id, kind, response)
        return api_id

    return run
