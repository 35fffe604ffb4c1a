"""Times as the records hold them: UTC, ISO 8601, ending in Z."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def text(moment: dt.datetime) -> str:
    """To the millisecond, so that sort keys keep their order."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(words: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(words.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
