"""What went wrong, in one headline and one line that says what to do."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - it is what the person reads
    """Shown without a traceback; the command exits with 1."""

    def __init__(self, headline: str, remedy: str = "") -> None:
        super().__init__(headline)
        self.headline = headline
        self.remedy = remedy
