"""What there is to judge since a kind's last look: captured traffic, or labels of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib import clock
from chalicelib.environment import Environment
from chalicelib.monitoring import capture, ground_truth, windows
from chalicelib.monitoring.windows import Window

if TYPE_CHECKING:
    from chalicelib.settings import Settings

FEWEST = 30  # records whose mean says something: of fewer, a job judges no metric


@dataclass(frozen=True)
class Asked:
    """Who asks for material, and until when what came is judged already.

    Captured requests reach S3 within `delay`: what is younger is the next look's. AWS speaks of a
    couple of minutes.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
    """

    environment: Environment
    settings: Settings
    in_service_at: str  # the champion
    now: dt.datetime
    judged_until: str | None
    delay: dt.timedelta

    @property
    def until(self) -> dt.datetime:
        """All that was captured before it has come."""
        return self.now - self.delay

    @property
    def catch_up(self) -> dt.timedelta:
        return dt.timedelta(days=self.settings.monitor.catch_up_days)

    @property
    def wanted(self) -> int:
        return self.settings.monitor.min_records


@dataclass(frozen=True)
class Material:
    """`window` is that of the traffic; `judged_until` holds once the material is judged.

    A look at a day that was missed is of that day; every other is of the moment.

    `more`: later material remains, and the machine comes back for it.
    """

    why: str
    window: Window
    judged_until: dt.datetime
    time: dt.datetime  # of the look
    captured: Sequence[str] = ()  # keys below the capture prefix
    labels: Sequence[str] = ()  # keys below the ground-truth prefix
    enough: bool = True
    more: bool = False


def traffic_by_day(asked: Asked) -> Material:
    """The oldest day with enough records; a day that is over and has fewer is left behind."""
    *days, last = windows.days(asked.until, asked.in_service_at, asked.judged_until, asked.catch_up)
    for day in days:
        found = _traffic(asked, day, day[1])
        if found.enough:
            return replace(found, more=True)
    return _traffic(asked, last, asked.now)


def traffic(asked: Asked) -> Material:
    """All that was captured since the last look."""
    window = windows.window(asked.until, asked.in_service_at, asked.judged_until, asked.catch_up)
    return _traffic(asked, window, asked.now, FEWEST)


def labels(asked: Asked) -> Material:
    """The labels that came since the last look, of predictions as old as `catch_up_days`.

    Ground truth may come late, and each label is judged once: when its request has come too.
    """
    until = asked.until.replace(microsecond=0)  # what is written in this second is the next look's
    since = asked.judged_until or asked.in_service_at
    named = list(ground_truth.written(clock.parse(since), until))
    window = windows.window(asked.until, asked.in_service_at, None, asked.catch_up)
    wanted = max(asked.wanted, FEWEST)
    found = ground_truth.enough(named, wanted)
    if found < wanted:
        words = f"{found} labels since {since}; {wanted} are needed"
        return Material(words, window, clock.parse(since), asked.now, enough=False)
    captured = capture.objects(asked.environment, *window)
    return Material(f"labels since {since}", window, until, asked.now, captured, named)


def _traffic(asked: Asked, window: Window, time: dt.datetime, fewest: int = 1) -> Material:
    start, end = window
    wanted = max(asked.wanted, fewest)
    names = capture.objects(asked.environment, start, end)
    found = capture.enough(asked.environment, names, start, end, wanted)
    since = clock.text(start)
    if found < wanted:
        words = f"{found} records captured since {since}; {wanted} are needed"
        return Material(words, window, start, time, enough=False)
    return Material(f"captured traffic since {since}", window, end, time, names)
