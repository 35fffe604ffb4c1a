"""Lambda: a function's code is unpacked once, and every worker that runs it reads that copy.

ministack unpacks the zip anew for each worker, a thousand files at each cold start. On AWS the code
is read-only to the function too: only /tmp can be written.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import types
import zipfile
from pathlib import Path
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

RUNTIME = "ministack.core.lambda_runtime"


def install(config: CloudConfig) -> None:
    """Hand the workers' runtime a `zipfile` whose archives share what they unpack to."""
    folder = config.state / "functions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    adapter.replace(RUNTIME, "zipfile", lambda module: sharing(module, folder))


def sharing(module: Any, folder: Path) -> types.SimpleNamespace:
    """`zipfile` with a ZipFile that unpacks to links into `folder`."""
    lock = threading.Lock()

    class Shared(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            with lock:
                whole = _unpacked(self, folder)
            for entry in whole.iterdir():
                (Path(path) / entry.name).symlink_to(entry)

    return types.SimpleNamespace(**{**vars(module), "ZipFile": Shared})


def _unpacked(archive: zipfile.ZipFile, folder: Path) -> Path:
    """The archive's files, unpacked by whoever comes first."""
    content = Path(str(archive.filename)).read_bytes()
    whole = folder / hashlib.sha256(content).hexdigest()[:32]
    if not whole.is_dir():
        fresh = folder / "unpacking"
        shutil.rmtree(fresh, ignore_errors=True)
        zipfile.ZipFile.extractall(archive, fresh)
        os.rename(fresh, whole)
    return whole
