"""Lambda: a process that nobody called for a while ends, and the next call is a cold start.

ministack keeps one of every function for ever; AWS keeps an idle one for some time.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import threading
import time
from typing import Any

from localcloud import ministack_adapter as adapter

RUNTIME = "ministack.core.lambda_runtime"
IDLE_SECONDS = 90.0  # what runs once a minute stays warm
LOOK_SECONDS = 10.0


def install() -> None:
    """Look every few seconds until the cloud stops."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(LOOK_SECONDS):
            end_idle(adapter.part(RUNTIME), time.time())

    adapter.on_ready(lambda: threading.Thread(target=run, name="lambda", daemon=True).start())
    adapter.on_stop(stopped.set)


def end_idle(runtime: Any, now: float) -> int:
    """Take idle workers out of their pools, then end them; says how many."""
    ended = []
    with runtime._lock:
        for key, pool in list(runtime._workers.items()):
            idle = [each for each in pool if is_idle(each, now)]
            ended += idle
            runtime._workers[key] = [each for each in pool if each not in idle]
            if not runtime._workers[key]:
                del runtime._workers[key]
    runtime.kill_workers(ended)
    return len(ended)


def is_idle(worker: Any, now: float) -> bool:
    """Whether it works for nobody, and has not for long; `last_used` is when a call began."""
    return not worker.in_use and now - worker.last_used >= IDLE_SECONDS
