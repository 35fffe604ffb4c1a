"""Runs of crawlers: state, cancelling, history, log lines and events.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html
"""

from __future__ import annotations

import copy
import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud.glue.crawler import Changes, CrawlCancelledError, CrawlError

log = logging.getLogger(__name__)

LOG_GROUP = "/aws-glue/crawlers"
KEPT = 20  # runs remembered of a crawler
Say = Callable[[str, str], None]
Crawl = Callable[[dict[str, Any], Callable[[str], None], Callable[[], bool]], Changes]
INTERRUPTED = "Internal service exception: the service stopped while the crawl ran"


class RefusedError(Exception):
    """A request that Glue refuses."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Crawls:
    """What each crawler does now and did last; definitions lie elsewhere."""

    def __init__(self, crawl: Crawl, say: Say, announce: Callable[[dict[str, Any]], None]) -> None:
        self._crawl, self._say, self._announce = crawl, say, announce
        self._all: dict[str, dict[str, Any]] = {}
        self._cancelled: dict[str, threading.Event] = {}
        self._lock = threading.RLock()

    def of(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """A crawler's record; a crawler made anew under an old name starts fresh."""
        with self._lock:
            record = self._all.get(crawler["Name"])
            if record is None or record["Created"] != crawler.get("CreationTime"):
                fresh = {"Created": crawler.get("CreationTime"), "State": "READY", "Runs": []}
                record = self._all[crawler["Name"]] = fresh
            return record

    def shown(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """The crawler as GetCrawler tells it."""
        with self._lock:
            record = copy.deepcopy(self.of(crawler))
        runs, state = record["Runs"], record["State"]
        told = {key: value for key, value in crawler.items() if key != "LastCrawl"}
        told["State"] = state
        told["CrawlElapsedTime"] = 0
        if state != "READY":
            told["CrawlElapsedTime"] = round((time.time() - runs[-1]["StartTime"]) * 1000)
        ended = [run for run in runs if run["Status"] != "RUNNING"]
        if ended:
            names = ("Status", "ErrorMessage", "LogGroup", "LogStream", "MessagePrefix",
                     "StartTime")  # fmt: skip
            told["LastCrawl"] = {name: ended[-1][name] for name in names if name in ended[-1]}
        return told

    def start(self, crawler: dict[str, Any]) -> None:
        """Begin a crawl in a thread of its own; one at a time."""
        name = crawler["Name"]
        with self._lock:
            record = self.of(crawler)
            if record["State"] != "READY":
                raise RefusedError(
                    "CrawlerRunningException", f"Crawler with name {name} has already started"
                )
            run = {
                "Status": "RUNNING",
                "StartTime": time.time(),
                "LogGroup": LOG_GROUP,
                "LogStream": name,
                "MessagePrefix": str(uuid.uuid4()),
            }
            record["State"] = "RUNNING"
            record["Runs"] = [*record["Runs"][1 - KEPT :], run]
            cancelled = self._cancelled[name] = threading.Event()
        arguments = (copy.deepcopy(crawler), record, run, cancelled)
        threading.Thread(
            target=self._run, args=arguments, name=f"crawler-{name}", daemon=True
        ).start()

    def stop(self, crawler: dict[str, Any]) -> None:
        name = crawler["Name"]
        with self._lock:
            record = self.of(crawler)
            if record["State"] == "STOPPING":
                raise RefusedError(
                    "CrawlerStoppingException", f"Crawler with name {name} is stopping"
                )
            if record["State"] != "RUNNING":
                raise RefusedError(
                    "CrawlerNotRunningException", f"Crawler with name {name} isn't running"
                )
            record["State"] = "STOPPING"
            self._cancelled[name].set()

    def idle(self, crawler: dict[str, Any]) -> None:
        """Refuse where a crawl runs: it cannot be changed or deleted meanwhile."""
        if self.of(crawler)["State"] != "READY":
            raise RefusedError(
                "CrawlerRunningException", f"Crawler with name {crawler['Name']} is running"
            )

    def _run(
        self,
        crawler: dict[str, Any],
        record: dict[str, Any],
        run: dict[str, Any],
        cancelled: threading.Event,
    ) -> None:
        name = crawler["Name"]

        def say(words: str) -> None:
            self._say(name, f"[{run['MessagePrefix']}] {words}")

        changes, status, reason = Changes(), "FAILED", ""
        try:
            say(f"BENCHMARK : Running Start Crawl for Crawler {name}")
            self._announce(_event(name, run, "Started"))
            changes = self._crawl(crawler, say, cancelled.is_set)
            status = "SUCCEEDED"
        except CrawlCancelledError:
            status = "CANCELLED"
        except CrawlError as error:
            reason = str(error)
        except Exception as error:
            log.exception("crawler %s", name)
            reason = f"Internal service exception: {type(error).__name__}: {error}"
        self._finish(crawler, record, run, status, reason, changes, say)

    def _finish(
        self,
        crawler: dict[str, Any],
        record: dict[str, Any],
        run: dict[str, Any],
        status: str,
        reason: str,
        changes: Changes,
        say: Callable[[str], None],
    ) -> None:
        name = crawler["Name"]
        try:
            if reason:
                say(f"ERROR : {reason}")
            if status == "CANCELLED":
                say("INFO : The crawl was stopped")
            say("BENCHMARK : Crawler has finished running and is in state READY")
        finally:
            with self._lock:
                run |= {"Status": status, "EndTime": time.time(), "Changes": vars(changes)}
                if reason:
                    run["ErrorMessage"] = reason
                record["State"] = "READY"
        if status != "CANCELLED":
            self._announce(_event(name, run, status.capitalize(), changes, reason))

    # What a restart keeps

    def saved(self) -> dict[str, Any]:
        with self._lock:
            return copy.deepcopy(self._all)

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up saved records; a crawl under way then has failed."""
        with self._lock:
            for name, record in saved.items():
                record["State"] = "READY"
                for run in record["Runs"]:
                    if run["Status"] == "RUNNING":
                        ended = {"EndTime": time.time(), "ErrorMessage": INTERRUPTED}
                        run |= {"Status": "FAILED", **ended}
                self._all[name] = record


def _event(
    name: str,
    run: dict[str, Any],
    state: str,
    changes: Changes | None = None,
    reason: str = "",
) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "crawlerName": name,
        "state": state,
        "message": f"Crawler {state}",
    }
    if state == "Started":
        return detail | {"startTime": _iso(run["StartTime"])}
    if state == "Failed":
        return detail | {"errorMessage": reason}
    return detail | {
        "warningMessage": "N/A",
        "completionDate": _iso(run["EndTime"]),
        "runningTime (sec)": str(round(run["EndTime"] - run["StartTime"])),
        **{key: str(value) for key, value in vars(changes or Changes()).items()},
    }


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
