"""What Glue does and ministack does not: crawlers that crawl, and BatchDeletePartition."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

Response = tuple[int, dict[str, str], bytes]
Action = Callable[[dict[str, Any]], dict[str, Any]]


def install(config: CloudConfig) -> None:
    """Serve our actions; all others stay with the catalog that is there."""
    from localcloud.glue.crawler import Crawlers, GlueError

    beneath = adapter.part("ministack.app").SERVICE_HANDLERS["glue"]
    crawlers = Crawlers(config)
    actions: dict[str, Action] = {
        "StartCrawler": crawlers.start,
        "StopCrawler": crawlers.stop,
        "BatchDeletePartition": crawlers.delete_partitions,
    }

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
        action = actions.get(target.removeprefix("AWSGlue."))
        if action is None:
            answer: Response = await beneath(method, path, headers, body, query)
            return answer
        shown = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            document = await asyncio.to_thread(action, json.loads(body or b"{}"))
        except GlueError as error:
            words = {"__type": error.code, "message": str(error)}
            return 400, {**shown, "x-amzn-ErrorType": error.code}, json.dumps(words).encode()
        return 200, shown, json.dumps(document).encode()

    adapter.register_service("glue", handle)
    adapter.on_ready(crawlers.close_orphans)
