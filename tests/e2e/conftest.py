"""One project folder with the stack deployed on a local cloud of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import deploy, target


@dataclass(frozen=True)
class Stack:
    name: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return target.client(service)


@pytest.fixture(scope="session")
def stack(cloud: Any) -> Iterator[Stack]:
    """The project's own template, deployed as `driftloop deploy` does; it looks every minute."""
    assert os.environ["AWS_ENDPOINT_URL"] == cloud.endpoint
    target.client.cache_clear()
    target.outputs.cache_clear()
    target.table.cache_clear()
    made = deploy.deploy(
        parameters={"MonitorSchedule": "rate(1 minute)"}, progress=lambda line: None
    )
    yield Stack(made.stack, made.outputs)
    target.client.cache_clear()
    target.outputs.cache_clear()
    target.table.cache_clear()


@pytest.fixture(scope="session")
def shared_reviews() -> Path:
    """Real reviews beside the project, where there are any."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "reviews"
    if not folder.is_dir():
        pytest.skip("no real reviews beside the project")
    return folder
