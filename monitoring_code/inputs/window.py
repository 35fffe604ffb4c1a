"""The span of time that a job looks at: AWS's start and end, moved by its offsets.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-schedule.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

DURATION = re.compile(
    r"(?P<sign>[-+])?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
HOUR = timedelta(hours=1)
UTC = timezone.utc  # noqa: UP017 - the image's Python may be older than datetime.UTC


@dataclass(frozen=True)
class Window:
    """[start, end); None: without a bound on that side."""

    start: datetime | None = None
    end: datetime | None = None

    def may_hold(self, path: Path) -> bool:
        """Whether a file below .../yyyy/mm/dd/hh/ can hold events of the window.

        An hour's slack on both sides: folders are named by when a line was written.
        """
        named = hour_of(path)
        if named is None:
            return True
        early = self.start is not None and named + 2 * HOUR <= self.start
        late = self.end is not None and named - HOUR >= self.end
        return not (early or late)


ALWAYS = Window()


def window(start: str, end: str, start_offset: str = "", end_offset: str = "") -> Window:
    """The window of a job; offsets move the two ends, or count from `end` where there is no start.

    >>> window("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z", "-P1D", "-PT1H").start.day
    1
    """
    first, last = moment(start), moment(end)
    if first is None and last is not None and start_offset:
        first = last
    return Window(_moved(first, start_offset), _moved(last, end_offset))


def moment(words: str) -> datetime | None:
    """An ISO 8601 time, in UTC where it names no zone; blanks within it are AWS's own."""
    if not words:
        return None
    found = datetime.fromisoformat(words.replace(" ", "").replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def offset(words: str) -> timedelta:
    """An ISO 8601 duration such as -P3D or -PT1H30M."""
    found = DURATION.fullmatch(words)
    parts = {key: int(n) for key, n in (found.groupdict() if found else {}).items() if _is(n)}
    if not found or not parts:
        raise ValueError(f"{words!r} is no ISO 8601 duration such as -P3D or -PT1H")
    length = timedelta(**parts)
    return -length if found["sign"] == "-" else length


def hour_of(path: Path) -> datetime | None:
    """The hour that the last four folders of a captured file name."""
    names = path.parent.parts[-4:]
    if len(names) < 4 or not all(name.isdigit() for name in names):
        return None
    try:
        year, month, day, hour = (int(name) for name in names)
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None


def _moved(base: datetime | None, words: str) -> datetime | None:
    return base + offset(words) if base is not None and words else base


def _is(text: str | None) -> bool:
    return text is not None and text.isdigit()
