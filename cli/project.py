"""Where things are: the project folder, and what driftloop keeps in its `.driftloop`."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

from cli.errors import Problem


@functools.cache
def root() -> Path:
    """The project folder: the first one upwards that holds `chalicelib/pipeline.toml`."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "chalicelib" / "pipeline.toml").is_file():
            return folder
    raise Problem(
        "this is not a driftloop project",
        "Go to the folder that holds chalicelib/pipeline.toml and try again.",
    )


def home() -> Path:
    """The folder for everything that can be made again: environments, state, reports."""
    folder = root() / ".driftloop"
    folder.mkdir(exist_ok=True)
    return folder


@functools.cache
def pipeline() -> dict[str, Any]:
    """pipeline.toml as it stands; the deployed functions check it, the command only reads."""
    with (root() / "chalicelib" / "pipeline.toml").open("rb") as file:
        return tomllib.load(file)
