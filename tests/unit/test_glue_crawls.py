"""Runs of crawlers across a kill: https://docs.aws.amazon.com/glue/latest/webapi/API_LastCrawlInfo.html"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.glue.changes import Changes
from localcloud.glue.crawls import INTERRUPTED, KEPT, Crawls, RefusedError

CRAWLER = {"Name": "raw", "CreationTime": 1}


def crawls(crawl: Callable[[], Changes] = Changes, told: list[Any] | None = None) -> Crawls:
    events = [] if told is None else told
    return Crawls(lambda *_: crawl(), lambda *_: None, events.append)


def waiting(go: threading.Event) -> Callable[[], Changes]:
    """A crawl that lasts until it may go."""

    def crawl() -> Changes:
        go.wait(30)
        return Changes()

    return crawl


def crawled(runs: Crawls, eventually: Callable[..., Any]) -> dict[str, Any]:
    runs.start(CRAWLER)
    eventually(lambda: runs.shown(CRAWLER)["State"] == "READY")
    return runs.shown(CRAWLER)


def test_a_crawl_that_a_kill_cut_off_has_failed() -> None:
    go = threading.Event()
    before = crawls(waiting(go))
    before.start(CRAWLER)
    saved = before.saved()
    assert saved["raw"]["Runs"][0]["Status"] == "RUNNING"
    after = crawls()
    after.restore(saved)
    shown = after.shown(CRAWLER)
    assert (shown["State"], shown["LastCrawl"]["Status"]) == ("READY", "FAILED")
    assert shown["LastCrawl"]["ErrorMessage"] == INTERRUPTED
    go.set()


def test_a_crawl_that_ends_after_it_was_closed_stays_failed(eventually: Callable[..., Any]) -> None:
    go, ended = threading.Event(), threading.Event()
    told: list[dict[str, Any]] = []
    crawl = waiting(go)
    runs = Crawls(
        lambda *_: crawl(),
        lambda _, line: ended.set() if "finished running" in line else None,
        told.append,
    )
    runs.start(CRAWLER)
    runs.interrupt()
    go.set()
    assert ended.wait(30)
    eventually(lambda: not any(t.name == "crawler-raw" for t in threading.enumerate()))
    assert runs.shown(CRAWLER)["LastCrawl"]["Status"] == "FAILED"
    assert [event["state"] for event in told] == ["Started"]


def test_a_fault_of_the_crawler_fails_the_crawl(eventually: Callable[..., Any]) -> None:
    told: list[dict[str, Any]] = []
    shown = crawled(crawls(lambda: Changes(1 // 0), told), eventually)
    reason = "Internal service exception: ZeroDivisionError"
    assert shown["LastCrawl"]["ErrorMessage"].startswith(reason)
    eventually(lambda: len(told) == 2)
    assert told[1]["state"] == "Failed"
    assert told[1]["errorMessage"].startswith(reason)


def test_runs_are_counted_and_the_oldest_forgotten(eventually: Callable[..., Any]) -> None:
    runs = crawls(lambda: Changes(tables_created=1))
    for _ in range(KEPT + 2):
        crawled(runs, eventually)
    assert len(runs.saved()["raw"]["Runs"]) == KEPT
    assert runs.metrics(CRAWLER)["TablesCreated"] == KEPT


def test_a_crawler_made_anew_has_no_past(eventually: Callable[..., Any]) -> None:
    runs = crawls()
    assert "LastCrawl" in crawled(runs, eventually)
    assert "LastCrawl" not in runs.shown({"Name": "raw", "CreationTime": 2})


@pytest.mark.parametrize("call", ["stop", "start", "idle"])
def test_a_crawl_under_way_refuses(call: str) -> None:
    go = threading.Event()
    runs = crawls(waiting(go))
    runs.start(CRAWLER)
    if call == "stop":
        runs.stop(CRAWLER)
    with pytest.raises(RefusedError) as refused:
        getattr(runs, call)(CRAWLER)
    code = "CrawlerStoppingException" if call == "stop" else "CrawlerRunningException"
    assert refused.value.code == code
    go.set()
