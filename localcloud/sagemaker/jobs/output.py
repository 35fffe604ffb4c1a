"""What a process prints, line by line to CloudWatch Logs as it comes.

https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import threading
import time
from collections.abc import Callable
from typing import IO

from localcloud import ministack_adapter as cloud

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
LINE_BYTES = 256 * 1024 - 26  # a longer line is several events
BATCH = 1000
PATIENCE = 5.0  # seconds for the last lines, once their process has ended

log = logging.getLogger(__name__)


def ignore(line: str) -> None:
    """For output that only the log wants."""


class Log:
    """A log stream, and the process whose output it gets."""

    def __init__(self, group: str, stream: str) -> None:
        self.group, self.stream = group, stream
        # Bounded: a process that prints faster than lines are stored waits.
        self._lines: queue.Queue[tuple[int, str] | None] = queue.Queue(BATCH)
        self._threads: list[threading.Thread] = []

    def note(self, *lines: str) -> None:
        """Lines of SageMaker's own."""
        cloud.log_events(self.group, self.stream, lines)

    def follow(self, source: IO[bytes], on_line: Callable[[str], None] = ignore) -> None:
        """Take lines until the source ends, and give each to `on_line` too; returns at once."""
        for act in (lambda: self._read(source, on_line), self._send):
            thread = threading.Thread(target=act, name=f"log {self.stream}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def finish(self) -> None:
        """Wait until what was printed is in the log."""
        for thread in self._threads:
            thread.join(PATIENCE)
        self._threads.clear()

    def _read(self, source: IO[bytes], on_line: Callable[[str], None]) -> None:
        while raw := source.readline(LINE_BYTES):
            for part in re.split(r"\r(?!\n)", raw.decode("utf-8", "replace").rstrip("\r\n")):
                self._lines.put((int(time.time() * 1000), part))
                try:
                    on_line(part)
                except Exception:  # the process would wait for ever for somebody to read on
                    log.exception("a line of %s was not taken: %.200r", self.stream, part)
        self._lines.put(None)

    def _send(self) -> None:
        """CloudWatch Logs takes no empty message."""
        while True:
            batch = [self._lines.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < BATCH:
                    batch.append(self._lines.get_nowait())
            entries = [entry for entry in batch if entry is not None and entry[1]]
            try:
                if entries:
                    cloud.log_events(self.group, self.stream, entries)
            except Exception:
                log.exception("%d lines of %s are lost", len(entries), self.stream)
            if None in batch:
                return
