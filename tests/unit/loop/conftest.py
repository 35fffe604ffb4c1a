"""The loop on AWS in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.loop.memory_cloud import Cloud, in_memory


@pytest.fixture
def memory() -> Iterator[Cloud]:
    with in_memory() as cloud:
        yield cloud
