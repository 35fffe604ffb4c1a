"""What Glue does and ministack does not: crawlers that crawl, and BatchDeletePartition."""

from __future__ import annotations

import functools
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig
from localcloud.iam import door

CONSOLE = "https://console.aws.amazon.com/cloudwatch/home"


def install(config: CloudConfig) -> None:
    """Serve our actions; all others stay with the catalog that is there."""
    from localcloud.glue.catalog import Catalog
    from localcloud.glue.crawler import crawl
    from localcloud.glue.crawls import LOG_GROUP, Crawls
    from localcloud.glue.objects import Objects
    from localcloud.glue.service import Service

    def announce(detail: dict[str, Any]) -> None:
        link = f"#logEventViewer:group={LOG_GROUP};stream={detail['crawlerName']}"
        where = {
            "accountId": config.account,
            "cloudWatchLogLink": f"{CONSOLE}?region={config.region}{link}",
        }
        adapter.put_event("aws.glue", "Glue Crawler State Change", detail | where)

    data_dir = config.objects / config.account
    objects = Objects(adapter.client("s3"), data_dir, config.state / "crawls")
    crawls = Crawls(
        functools.partial(crawl, Catalog(adapter.client("glue")), objects),
        lambda stream, line: adapter.log_events(LOG_GROUP, stream, [line]),
        announce,
    )
    service = Service(
        crawls,
        adapter.part("ministack.services.glue")._crawlers,
        adapter.part("ministack.app").SERVICE_HANDLERS["glue"],
        lambda action, request: adapter.call_json("glue", f"AWSGlue.{action}", request),
    )
    adapter.register_service("glue", door.guarded("glue", service.handle))
    adapter.register_state("crawls", crawls.saved, crawls.restore)
    adapter.on_stop(crawls.interrupt)
