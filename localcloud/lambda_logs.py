"""Lambda: a call's answer does not wait for log lines that may still come.

ministack waits 5 ms after a call's last line, and 50 ms for a first one. Here the worker marks
where a call's lines end, so that all of them are there at once and none goes to the next call.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter

RUNTIME = "ministack.core.lambda_runtime"
MARK = "\x00end of the call's log\x00"
ANSWERED = "        _real_stdout.flush()\n\nrun()"
MARKED = f"        print({MARK!r}, file=sys.stderr, flush=True)\n{ANSWERED}"
LONGEST = 0.25  # as ministack: a process that died inside a call marks nothing


def install() -> None:
    """Make the Python worker mark the end of each call's log, and read up to there."""
    adapter.replace(RUNTIME, "_PYTHON_WORKER_SCRIPT", with_marks)
    worker = adapter.part(RUNTIME).Worker
    worker._drain_stderr_bounded = _up_to_mark(worker._drain_stderr_bounded)


def with_marks(script: str) -> str:
    """The worker's script, changed to mark the end of a call's log before it answers."""
    if script.count(ANSWERED) != 1:
        raise RuntimeError(f"ministack's Python worker no longer ends with: {ANSWERED}")
    return script.replace(ANSWERED, MARKED)


def read(lines: queue.Queue[str], patience: float = LONGEST) -> str:
    """The lines before the mark, or those that came in time."""
    found: list[str] = []
    deadline = time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        before, mark, _ = line.partition(MARK)
        if before or not mark:
            found.append(before)
        if mark:
            break
    return "\n".join(found)


def _up_to_mark(original: Callable[..., str]) -> Callable[..., str]:
    def drain(worker: Any, *arguments: Any, **options: Any) -> str:
        if not str(worker.config.get("Runtime")).startswith("python"):
            return original(worker, *arguments, **options)
        return read(worker._stderr_queue)

    return drain
