"""AWS's price list, which is not here: refused by name, so that nobody waits for it.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig
from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.service import Response, error_reply


def install(config: CloudConfig) -> None:
    adapter.register_service("pricing", _refuse)


async def _refuse(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    return error_reply(ApiError("NotFoundException", "The local cloud has no price list."))
