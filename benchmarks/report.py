"""Rows as a table for people, and as JSON for programs with the machine and the versions."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from benchmarks.rows import Row, Skipped
from cli import project, show

PACKAGES = ("driftloop", "ministack", "boto3", "chalice", "aws-lambda-powertools")
JOBS_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn")
Found = Sequence[Row | Skipped]


def collect(measured: Iterable[Row | Skipped]) -> list[Row | Skipped]:
    """All of them; each is said as it comes."""
    found = []
    for each in measured:
        done = (
            f"skipped, {each.why}"
            if isinstance(each, Skipped)
            else f"{each.figure:.4g} {each.unit}"
        )
        show.progress(f"{each.work}: {done}")
        found.append(each)
    return found


def all_hold(found: Found) -> bool:
    """Whether every bar is met; what was skipped breaks none."""
    return all(each.holds for each in found if isinstance(each, Row))


def table(title: str, found: Found) -> Table:
    """For people; a row without a bar has nothing to hold."""
    shown = Table(title=title, box=box.SIMPLE, title_justify="left", pad_edge=False)
    for heading in ("work", "figure", "peer", "bar", "holds"):
        shown.add_column(heading, justify="right" if heading == "figure" else "left")
    for each in found:
        if isinstance(each, Skipped):
            shown.add_row(
                escape(f"{each.work}: {each.why}"), "-", "", "", "[yellow]skipped[/yellow]"
            )
        else:
            shown.add_row(*_cells(each))
    return shown


def _cells(row: Row) -> tuple[str, ...]:
    peer = "" if row.peer_figure is None else f"{row.peer_figure:.4g}  {row.peer}"
    holds = "[green]yes[/green]" if row.holds else "[red]NO[/red]"
    bar = escape(str(row.bar)) if row.bar else ""
    return escape(row.work), f"{row.figure:.4g} {row.unit}", escape(peer), bar, holds if bar else ""


def write(name: str, found: Found) -> Path:
    """Every row, with the machine and the versions, to `.driftloop/bench/<name>.json`."""
    where = {"machine": machine(), "versions": versions()}
    rows = [{**each.record(), **where} for each in found if isinstance(each, Row)]
    path = project.home() / "bench" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    return path


def machine() -> dict[str, Any]:
    """What ran it: the system, its processors and memory, how busy it was."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "memory_gb": round(pages * size / 1e9, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Of Python, of what runs the loop, and of what the jobs' environment holds."""
    places = (project.home() / "envs" / "jobs" / "lib").glob("python*/site-packages")
    found = metadata.distributions(path=[str(place) for place in places])
    jobs = {each.name: each.version for each in found if each.name in JOBS_PACKAGES}
    return {
        "python": platform.python_version(),
        **{n: metadata.version(n) for n in PACKAGES},
        **jobs,
    }
