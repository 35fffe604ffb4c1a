"""Which Lambda workers end: those that nobody called for a while, never one at work."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from localcloud import lambda_idle

NOW = 1000.0
LONG_AGO = NOW - lambda_idle.IDLE_SECONDS


@dataclass(eq=False)
class Worker:
    last_used: float
    in_use: bool = False


@pytest.mark.parametrize(
    ("worker", "idle"),
    [
        (Worker(NOW), False),
        (Worker(LONG_AGO + 1), False),
        (Worker(LONG_AGO), True),
        (Worker(LONG_AGO, in_use=True), False),
    ],
)
def test_a_worker_is_idle_when_its_last_call_is_long_ago_and_over(worker, idle):
    assert lambda_idle.is_idle(worker, NOW) is idle


def test_idle_workers_leave_their_pools_and_end_and_the_others_stay():
    warm, idle, alone = Worker(NOW), Worker(LONG_AGO), Worker(LONG_AGO)
    killed: list[Worker] = []
    runtime = SimpleNamespace(
        _lock=threading.Lock(),
        _workers={"shared": [warm, idle], "single": [alone]},
        kill_workers=killed.extend,
    )
    assert lambda_idle.end_idle(runtime, NOW) == 2
    assert runtime._workers == {"shared": [warm]}
    assert killed == [idle, alone]
