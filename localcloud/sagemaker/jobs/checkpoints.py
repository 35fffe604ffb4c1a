"""A training job's checkpoints: fetched before it starts, kept in S3 while it runs and at its end.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from pathlib import Path
from typing import Any

from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import files, process
from localcloud.sagemaker.jobs.lifecycle import Job, JobError

FOLDER = "/opt/ml/checkpoints"  # unless the request has a LocalPath
SYNC_SECONDS = 2.0


def check(config: dict[str, Any] | None) -> None:
    """A folder outside of the container's own is none that this cloud can give a process."""
    path = (config or {}).get("LocalPath", FOLDER)
    if not path.startswith("/opt/ml/") or ".." in Path(path).parts:
        raise validation(
            f"The local SageMaker keeps checkpoints under /opt/ml/ only: LocalPath is {path}."
        )


class Checkpoints:
    """Between a folder of the job and a prefix in S3; where none are asked for, nothing.

    As a context: what the prefix holds is there when it is entered, what the folder holds is in
    S3 when it is left. Files that a script removes stay in S3, as on AWS.
    """

    def __init__(self, job: Job) -> None:
        config = job.request.get("CheckpointConfig", {})
        self._uri = str(config.get("S3Uri", "")).rstrip("/")
        self._folder = Path(process.inside(job.directory, config.get("LocalPath", FOLDER)))
        self._known: dict[Path, tuple[int, int]] = {}
        self._ended = threading.Event()
        ours = contextvars.copy_context()
        self._thread = threading.Thread(
            target=ours.run, args=(self._keep,), name="checkpoints", daemon=True
        )

    def __enter__(self) -> Checkpoints:
        if self._uri:
            files.download(f"{self._uri}/", "S3Prefix", self._folder, at_least=0)
            self._known = self._found()
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._uri:
            self._ended.set()
            self._thread.join()
            self._sync()

    def _keep(self) -> None:
        while not self._ended.wait(SYNC_SECONDS):
            with contextlib.suppress(JobError):  # the sync at the end says so
                self._sync()

    def _sync(self) -> None:
        """Upload what is new or has changed."""
        found = self._found()
        for path in sorted(path for path in found if found[path] != self._known.get(path)):
            name = path.relative_to(self._folder).as_posix()
            files.put_file(path, f"{self._uri}/{name}")
            self._known[path] = found[path]

    def _found(self) -> dict[Path, tuple[int, int]]:
        """Size and time of every file; one that vanishes meanwhile is none."""
        listed = (Path(at) / name for at, _, names in os.walk(self._folder) for name in names)
        found = {}
        for path in listed:
            with contextlib.suppress(FileNotFoundError):
                told = path.stat()
                found[path] = (told.st_size, told.st_mtime_ns)
        return found
