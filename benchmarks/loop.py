"""The whole loop on the local cloud, from the demo's own record, and the cloud's memory at rest.

Like `make demo`, it replaces a local cloud that is up; its state is kept aside.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import psutil

from benchmarks.rows import Bar, Row
from cli import demo, local, project
from cli.errors import Problem

REST_SECONDS = 120.0  # after the last request: Lambda's idle workers have ended


def measure() -> Iterator[Row]:
    try:
        if not demo.run(None, None, keep=True):
            raise Problem("the demo did not do all that it shows", "Look at what it printed.")
        facts = json.loads((project.home() / "demo.json").read_text())
        yield from times(facts)
        time.sleep(REST_SECONDS)
        running = local.running()
        assert running is not None, "the local cloud has gone"
        yield memory(psutil.Process(running.pid))
    finally:
        local.stop()


def times(facts: dict[str, Any]) -> Iterator[Row]:
    total = facts["drop_to_in_service_s"]
    overhead, start = (
        100 * facts[name] / total for name in ("orchestration_overhead_s", "endpoint_start_s")
    )
    yield Row("10,000 reviews, drop to in service", total, "s", Bar("at most", 30))
    work = "of it, outside jobs and queries"
    yield Row(work, overhead, "%", Bar("at most", 40))
    yield Row("of that, the endpoint's start", start, "%")
    yield Row("the whole demo", facts["demo_s"], "s", Bar("at most", 90))


def memory(cloud: psutil.Process) -> Row:
    """The cloud's process, the Lambda workers still warm and the endpoint's, shared pages once."""
    family = [cloud, *cloud.children(recursive=True)]
    total = sum(_resident(process) for process in family) / 1e6
    work = f"local cloud at rest: {len(family)} processes, warm workers and endpoint too"
    return Row(work, total, "MB", Bar("at most", 600))


def _resident(process: psutil.Process) -> int:
    """Where the system tells, a shared page counts by its share."""
    found = process.memory_full_info()
    return int(getattr(found, "pss", found.rss))
