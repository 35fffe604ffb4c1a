"""The processes that belong to a directory, also those that left their group.

A container ends with all that runs in it. Every process started here has the directory it works in
as SAGEMAKER_BASE_DIR, and so have its children, whatever session they have moved to and whichever
cloud, killed since, has started them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

BASE = "SAGEMAKER_BASE_DIR"


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process that leads a group, and to all of the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def end_all(folder: Path) -> None:
    """Kill every process whose directory is this folder, or lies in it."""
    for process in _of(folder):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _of(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            base = process.environ().get(BASE) if process.pid != os.getpid() else None
        except psutil.Error:  # it is gone, or another user's
            continue
        if base and Path(base).is_relative_to(folder):
            yield process
