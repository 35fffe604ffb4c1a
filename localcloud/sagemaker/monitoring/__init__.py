"""Model Monitor: job definitions, schedules, and the executions that they start.

What AWS's two images do is done by the project's own monitoring_code, which reads and writes the
same. https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor.html
"""

from __future__ import annotations

import logging
import threading

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.monitoring import definitions, executions, schedules

__all__ = ["definitions", "install", "schedules"]

TICK_SECONDS = 1.0
log = logging.getLogger(__name__)


def install() -> None:
    """Start what is due, each second, from when the cloud is up until it stops."""
    stopped = threading.Event()
    cloud.on_ready(lambda: threading.Thread(target=_tick, args=(stopped,), daemon=True).start())
    cloud.on_stop(stopped.set)


def _tick(stopped: threading.Event) -> None:
    while not stopped.wait(TICK_SECONDS):
        for schedule in schedules.enabled():
            try:
                executions.start_due(schedule)
            except Exception:  # others are due as well
                log.exception("monitoring schedule %s", schedule["MonitoringScheduleName"])
