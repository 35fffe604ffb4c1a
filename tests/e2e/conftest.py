"""One project folder with the stack deployed on a local cloud of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import demo, deploy, drop, records, reviews, target
from tests.e2e.own_project import forget, wait

Eventually = Callable[..., Any]
ORIGIN = "https://shop.example"


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
    forget()
    parameters = {**demo.LOOKS, "CorsOrigin": ORIGIN}
    made = deploy.deploy(parameters=parameters, progress=lambda line: None)
    yield Stack(made.stack, made.outputs)
    forget()


@pytest.fixture(scope="session")
def shared_reviews() -> Path:
    """Real reviews beside the project, where there are any."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "reviews"
    if not folder.is_dir():
        pytest.skip("no real reviews beside the project")
    return folder


def ended(stack: Stack, run_id: str, eventually: Eventually) -> dict[str, Any]:
    return eventually(
        lambda: (
            (run := records.run(stack.name, run_id))["status"] in ("succeeded", "failed") and run
        ),
        300,
    )


def dropped(stack: Stack, path: Path, eventually: Eventually) -> dict[str, Any]:
    """Drop a file and give the run that took it, ended."""
    before = {run["run_id"] for run in records.runs(stack.name)}
    put = drop.upload(stack.name, [path])
    (fate,) = drop.fates(stack.name, put, None, 60)
    assert fate.status == "accepted", fate.words
    run_id = drop.run_of(stack.name, before, 60)
    assert run_id
    return ended(stack, run_id, eventually)


@pytest.fixture(scope="session")
def first(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run of three thousand generated reviews."""
    path = reviews.write(tmp_path_factory.mktemp("drop") / "reviews.tsv.gz", 3000, seed=1)
    return dropped(stack, path, wait)
