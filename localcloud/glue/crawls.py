"""Runs of crawlers: state, cancelling, history, log lines and events.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html
"""

from __future__ import annotations

import copy
import logging
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.glue.changes import Changes
from localcloud.glue.crawler import CrawlCancelledError, CrawlError
from localcloud.glue.policy import DEPRECATE, EVERYTHING, UPDATE

log = logging.getLogger(__name__)

LOG_GROUP = "/aws-glue/crawlers"
KEPT = 20  # runs remembered of a crawler
INTERRUPTED = "Internal service exception: the service stopped while the crawl ran"
LAST = ("Status", "ErrorMessage", "LogGroup", "LogStream", "MessagePrefix", "StartTime")
# What GetCrawler tells where the definition says nothing.
DEFAULTS = {
    "SchemaChangePolicy": {"UpdateBehavior": UPDATE, "DeleteBehavior": DEPRECATE},
    "RecrawlPolicy": {"RecrawlBehavior": EVERYTHING},
    "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
}

Say = Callable[[str, str], None]  # (log stream, line)
Crawl = Callable[[dict[str, Any], Callable[[str], None], Callable[[], bool]], Changes]
Announce = Callable[[dict[str, Any]], None]  # the detail of an event


class RefusedError(Exception):
    """A request that Glue refuses."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class _Run:
    """One crawl under way: its crawler's definition and record, and its own."""

    crawler: dict[str, Any]
    record: dict[str, Any]
    run: dict[str, Any]
    cancelled: threading.Event


class Crawls:
    """What each crawler does now and did last; definitions lie elsewhere."""

    def __init__(self, crawl: Crawl, say: Say, announce: Announce) -> None:
        self._crawl, self._say, self._announce = crawl, say, announce
        self._all: dict[str, dict[str, Any]] = {}
        self._cancelled: dict[str, threading.Event] = {}
        self._lock = threading.RLock()

    def shown(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """The crawler as GetCrawler tells it."""
        with self._lock:
            record = copy.deepcopy(self._of(crawler))
        runs, state = record["Runs"], record["State"]
        told = {key: value for key, value in crawler.items() if value and key != "LastCrawl"}
        told |= {name: given | told.get(name, {}) for name, given in DEFAULTS.items()}
        told |= {"State": state, "CrawlElapsedTime": 0}
        if state != "READY":
            told["CrawlElapsedTime"] = round((time.time() - runs[-1]["StartTime"]) * 1000)
        if ended := [run for run in runs if run["Status"] != "RUNNING"]:
            told["LastCrawl"] = {name: ended[-1][name] for name in LAST if name in ended[-1]}
        return told

    def metrics(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerMetrics.html"""
        with self._lock:
            record = copy.deepcopy(self._of(crawler))
        ended = [run for run in record["Runs"] if run["Status"] != "RUNNING"]
        seconds = [run["EndTime"] - run["StartTime"] for run in ended]
        counts = [run["Changes"] for run in ended if "Changes" in run]
        return {
            "CrawlerName": crawler["Name"],
            "TimeLeftSeconds": 0.0,
            "StillEstimating": record["State"] != "READY",
            "LastRuntimeSeconds": seconds[-1] if seconds else 0.0,
            "MedianRuntimeSeconds": statistics.median(seconds) if seconds else 0.0,
            "TablesCreated": sum(each["tablesCreated"] for each in counts),
            "TablesUpdated": sum(each["tablesUpdated"] for each in counts),
            "TablesDeleted": sum(each["tablesDeleted"] for each in counts),
        }

    def start(self, crawler: dict[str, Any]) -> None:
        """Begin a crawl in a thread of its own; one at a time."""
        name = crawler["Name"]
        with self._lock:
            record = self._of(crawler)
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
        under_way = _Run(copy.deepcopy(crawler), record, run, cancelled)
        threading.Thread(
            target=self._run, args=(under_way,), name=f"crawler-{name}", daemon=True
        ).start()

    def stop(self, crawler: dict[str, Any]) -> None:
        """Ask the crawl under way to end; until it has, the state is STOPPING."""
        name = crawler["Name"]
        with self._lock:
            record = self._of(crawler)
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
        with self._lock:
            if self._of(crawler)["State"] != "READY":
                raise RefusedError(
                    "CrawlerRunningException", f"Crawler with name {crawler['Name']} is running"
                )

    def forget(self, name: str) -> None:
        """Drop the record of a crawler that was deleted."""
        with self._lock:
            self._all.pop(name, None)

    def _of(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """A crawler's record; a crawler made anew under an old name starts fresh."""
        record = self._all.get(crawler["Name"])
        if record is None or record["Created"] != crawler.get("CreationTime"):
            record = {"Created": crawler.get("CreationTime"), "State": "READY", "Runs": []}
            self._all[crawler["Name"]] = record
        return record

    def _run(self, under_way: _Run) -> None:
        name, prefix = under_way.crawler["Name"], under_way.run["MessagePrefix"]

        def say(words: str) -> None:
            self._say(name, f"[{prefix}] {words}")

        changes, status, reason = Changes(), "FAILED", ""
        try:
            say(f"BENCHMARK : Running Start Crawl for Crawler {name}")
            self._announce(_event(name, under_way.run, "Started"))
            changes = self._crawl(under_way.crawler, say, under_way.cancelled.is_set)
            status = "SUCCEEDED"
        except CrawlCancelledError:
            status = "CANCELLED"
            say("INFO : The crawl was stopped")
        except CrawlError as error:
            reason = str(error)
        except Exception as error:
            log.exception("crawler %s", name)
            reason = f"Internal service exception: {type(error).__name__}: {error}"
        if reason:
            say(f"ERROR : {reason}")
        say("BENCHMARK : Crawler has finished running and is in state READY")
        if self._ended(under_way, status, reason, changes) and status != "CANCELLED":
            self._announce(_event(name, under_way.run, status.capitalize(), changes, reason))

    def _ended(self, under_way: _Run, status: str, reason: str, changes: Changes) -> bool:
        """Write a run's end down; False where it was closed before, by the service's stop."""
        with self._lock:
            if under_way.run["Status"] != "RUNNING":
                return False
            ended = {"Status": status, "EndTime": time.time(), "Changes": changes.told()}
            under_way.run.update(ended)
            if reason:
                under_way.run["ErrorMessage"] = reason
            under_way.record["State"] = "READY"
        return True

    # What a restart keeps

    def interrupt(self) -> None:
        """A crawl that is under way when the service stops has failed."""
        with self._lock:
            for record in self._all.values():
                record["State"] = "READY"
                for run in record["Runs"]:
                    if run["Status"] == "RUNNING":
                        ended = {"EndTime": time.time(), "ErrorMessage": INTERRUPTED}
                        run |= {"Status": "FAILED", **ended}

    def saved(self) -> dict[str, Any]:
        """Every crawler's record, as JSON."""
        with self._lock:
            return copy.deepcopy(self._all)

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up saved records; the service may have been killed while a crawl ran."""
        with self._lock:
            self._all = dict(saved)
            self.interrupt()


def _event(
    name: str,
    run: dict[str, Any],
    state: str,
    changes: Changes | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html"""
    detail = {"crawlerName": name, "state": state, "message": f"Crawler {state}"}
    if state == "Started":
        return detail | {"startTime": _iso(run["StartTime"])}
    if state == "Failed":
        return detail | {"errorMessage": reason}
    return detail | {
        "warningMessage": "N/A",
        "completionDate": _iso(run["EndTime"]),
        "runningTime (sec)": str(round(run["EndTime"] - run["StartTime"])),
        **{key: str(count) for key, count in (changes or Changes()).told().items()},
    }


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
