"""Lambda: a function's code is unpacked once, and every worker that runs it reads that copy.

ministack unpacks the zip anew for each worker, a thousand files at each cold start. On AWS the code
is read-only to the function too: only /tmp can be written; and it is made ready while the function
is Pending, before the first call.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import threading
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

RUNTIME, SERVICE = "ministack.core.lambda_runtime", "ministack.services.lambda_svc"


class Unpacked:
    """Archives by their content, each unpacked by whoever comes first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def of(self, content: bytes) -> Path:
        """The folder with the archive's files."""
        whole = self._folder / hashlib.sha256(content).hexdigest()[:32]
        with self._lock:
            if not whole.is_dir():
                fresh = self._folder / "unpacking"
                shutil.rmtree(fresh, ignore_errors=True)
                zipfile.ZipFile(io.BytesIO(content)).extractall(fresh)
                os.rename(fresh, whole)
        return whole


def install(config: CloudConfig) -> None:
    """Unpack what a function is made of when it comes from S3, and share it between workers."""
    folder = config.state / "functions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    unpacked = Unpacked(folder)
    adapter.replace(RUNTIME, "zipfile", lambda module: sharing(module, unpacked))
    adapter.replace(SERVICE, "_fetch_code_from_s3", lambda fetch: preparing(fetch, unpacked))


def sharing(module: Any, unpacked: Unpacked) -> types.SimpleNamespace:
    """`zipfile` with a ZipFile that unpacks to links into the shared folder."""

    class Shared(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            whole = unpacked.of(Path(str(self.filename)).read_bytes())
            for entry in whole.iterdir():
                (Path(path) / entry.name).symlink_to(entry)

    return types.SimpleNamespace(**{**vars(module), "ZipFile": Shared})


def preparing(fetch: Callable[..., Any], unpacked: Unpacked) -> Callable[..., Any]:
    """Unpack beside the request that creates or updates a function; it refuses bad archives."""

    def fetched(*given: Any, **named: Any) -> Any:
        content = fetch(*given, **named)
        if content and zipfile.is_zipfile(io.BytesIO(content)):
            threading.Thread(target=unpacked.of, args=(content,), daemon=True).start()
        return content

    return fetched
