"""Crawlers: runs that list S3, infer schemas and register tables and partitions.

https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig
from localcloud.glue import register
from localcloud.glue.catalog import Catalog
from localcloud.glue.objects import Objects

log = logging.getLogger(__name__)
GROUP = "/aws-glue/crawlers"


class GlueError(Exception):
    """An answer that is an error, with Glue's code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Crawlers:
    """Starts and stops the runs of crawlers; their records lie with ministack's."""

    def __init__(self, config: CloudConfig) -> None:
        self._glue = adapter.part("ministack.services.glue")
        objects = config.objects / config.account
        self._objects = Objects(adapter.client("s3"), objects, config.state / "crawls")
        self._stopping: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_StartCrawler.html"""
        name = request.get("Name", "")
        with self._lock:
            record = self._record(name)
            if record["State"] != "READY":
                raise GlueError(
                    "CrawlerRunningException", f"Crawler with name {name} has already started"
                )
            record["State"], record["CrawlElapsedTime"] = "RUNNING", 0
            self._stopping[name] = threading.Event()
        self._announce(name, "Started", "Crawler Started")
        threading.Thread(target=self._run, args=(name,), name=f"crawl {name}", daemon=True).start()
        return {}

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
        name = request.get("Name", "")
        with self._lock:
            record = self._record(name)
            if record["State"] == "STOPPING":
                raise GlueError("CrawlerStoppingException", f"Crawler with name {name} is stopping")
            if record["State"] != "RUNNING":
                raise GlueError(
                    "CrawlerNotRunningException", f"Crawler with name {name} isn't running"
                )
            record["State"] = "STOPPING"
            self._stopping[name].set()
        return {}

    def delete_partitions(self, request: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html"""
        listed = request.get("PartitionsToDelete", [])
        if len(listed) > 25:
            raise GlueError("InvalidInputException", "PartitionsToDelete takes 25 entries at most")
        errors = []
        where = {"DatabaseName": request["DatabaseName"], "TableName": request["TableName"]}
        for entry in listed:
            status, answer = adapter.call_json(
                "glue", "AWSGlue.DeletePartition", {**where, "PartitionValues": entry["Values"]}
            )
            if status >= 400:
                detail = {
                    "ErrorCode": answer.get("__type", "").rsplit("#", 1)[-1],
                    "ErrorMessage": answer.get("message", ""),
                }
                errors.append({"PartitionValues": entry["Values"], "ErrorDetail": detail})
        return {"Errors": errors}

    def close_orphans(self) -> None:
        """A crawl that was under way when the cloud stopped has failed."""
        for name, record in list(self._glue._crawlers.items()):
            if record["State"] != "READY":
                log.warning("the crawl of %s ended with the cloud", name)
                self._end(name, "FAILED", time.time(), "the local cloud was stopped")

    def _run(self, name: str) -> None:
        began = time.time()
        stream = name
        record = self._record(name)
        try:
            catalog = Catalog(adapter.client("glue"))
            told = []
            for target in record["Targets"].get("S3Targets", []):
                if self._stopping[name].is_set():
                    self._end(name, "CANCELLED", began)
                    return
                told += register.crawl(catalog, self._objects, record, target)
            unserved = sorted(
                kind for kind, held in record["Targets"].items() if held and kind != "S3Targets"
            )
            if unserved:
                raise RuntimeError(f"the local crawler reads S3Targets only, not {unserved}")
            adapter.log_events(GROUP, stream, told or ["nothing to classify"])
            self._end(name, "SUCCEEDED", began)
        except Exception as error:
            log.exception("crawler %s", name)
            adapter.log_events(GROUP, stream, [f"ERROR : {error}"])
            self._end(name, "FAILED", began, str(error))

    def _end(self, name: str, status: str, began: float, error: str = "") -> None:
        crawl = {
            "Status": status,
            "LogGroup": GROUP,
            "LogStream": name,
            "MessagePrefix": str(uuid.uuid4()),
            "StartTime": began,
        }
        if error:
            crawl["ErrorMessage"] = error
        record = self._record(name)
        record.update(LastCrawl=crawl, CrawlElapsedTime=int((time.time() - began) * 1000))
        record["State"] = "READY"
        word = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "CANCELLED": "Cancelled"}[status]
        self._announce(name, word, error or f"Crawler {word}")

    def _record(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self._glue._crawlers.get(name)
        if found is None:
            raise GlueError(
                "EntityNotFoundException", f"Crawler entry with name {name} does not exist"
            )
        return found

    def _announce(self, name: str, state: str, message: str) -> None:
        """https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html"""
        detail = {"crawlerName": name, "state": state, "message": message}
        adapter.put_event("aws.glue", "Glue Crawler State Change", detail)
