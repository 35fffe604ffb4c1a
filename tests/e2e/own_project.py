"""A project of a test's own: the code with other settings, deployed on a local cloud of its own."""

from __future__ import annotations

import http.client
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from cli import api, deploy, project, target
from tests.conftest import ROOT, Cloud

PARTS = ("app.py", "chalicelib", ".chalice", "infrastructure", "statemachines", "training_code",
         "inference_code", "monitoring_code", "serving_code", "requirements.txt",
         "constraints.txt")  # fmt: skip


def wait(predicate: Callable[[], Any], timeout: float = 120) -> Any:
    deadline = time.monotonic() + timeout
    while not (found := predicate()):
        assert time.monotonic() < deadline, f"not so after {timeout} s; last: {found!r}"
        time.sleep(0.2)
    return found


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def browse(endpoint: str, url: str, form: dict[str, str] | None = None) -> Answer:
    """What a browser gets, which follows no redirect; the local cloud serves every host."""
    link, here = urlsplit(url), urlsplit(endpoint)
    connection = http.client.HTTPConnection(here.netloc, timeout=60)
    headers = {"Host": link.netloc}
    headers |= {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    path = f"{link.path}?{link.query}" if link.query else link.path
    body = urlencode(form) if form else None
    connection.request("POST" if form else "GET", path, body, headers)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, found, answer.read().decode())


@contextmanager
def deployed(
    home: Path, settings: Callable[[str], str], **options: Any
) -> Iterator[tuple[Cloud, str, Path]]:
    """The cloud, the stack and the project's folder, whose pipeline.toml `settings` changes."""
    folder = home / "project"
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        copied = shutil.copytree if source.is_dir() else shutil.copy2
        copied(source, folder / name)
    (folder / ".driftloop").symlink_to(ROOT / ".driftloop")  # the packages, installed once
    file = folder / "chalicelib" / "pipeline.toml"
    file.write_text(settings(file.read_text()))
    cloud = Cloud(home / "cloud").start()
    try:
        with at_home(folder, cloud):
            made = deploy.deploy(progress=lambda line: None, **options)
            yield cloud, made.stack, folder
    finally:
        cloud.kill()


@contextmanager
def at_home(folder: Path, cloud: Cloud) -> Iterator[None]:
    """In the project's folder, talking to its cloud."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in cloud.environment().items():
            patch.setenv(name, value)
        forget()
        yield
    forget()


def forget() -> None:
    """What the command remembers of a project and its cloud."""
    of_project = (project.root, project.pipeline)
    for remembered in (*of_project, target.client, target.outputs, target.table, api.key):
        remembered.cache_clear()
