"""Save the state while the cloud runs, so that a crash costs seconds, not everything.

ministack itself saves on an orderly stop only. AWS's services are durable: what a call has
acknowledged stays. Here a crash may lose what was acknowledged in the last `INTERVAL` seconds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

INTERVAL = 5.0
ATTEMPTS = 5

log = logging.getLogger(__name__)


class Saver:
    """Writes each service's state when it differs from what was last written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._written: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def save(self) -> list[str]:
        """Write what changed; returns the names of the services written."""
        with self._lock:
            self.directory.mkdir(parents=True, exist_ok=True)
            services = adapter.saved_services().items()
            return [name for name, get in services if self._save_one(name, get)]

    def _save_one(self, name: str, get: Callable[[], Any]) -> bool:
        state = _snapshot(name, get)
        if state is None:
            return False
        digest = hashlib.blake2b(state, digest_size=16).digest()
        if self._written.get(name) == digest:
            return False
        fresh = self.directory / f"{name}.json.new"
        with fresh.open("wb") as file:
            file.write(state)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.directory / f"{name}.json")
        self._written[name] = digest
        return True


def _snapshot(name: str, get: Callable[[], Any]) -> bytes | None:
    """A service's state as bytes; taken again when a request changed it meanwhile."""
    for _ in range(ATTEMPTS):
        try:
            state = get()
            return None if state is None else adapter.encode_state(name, state)
        except RuntimeError as error:
            if "changed size during iteration" not in str(error):
                raise
    log.warning("%s changes too fast to be saved now; next time", name)
    return None


def install(config: CloudConfig) -> None:
    """Save every `INTERVAL` seconds from the moment the cloud is ready until it stops."""
    saver = Saver(config.services)
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(INTERVAL):
            try:
                saver.save()
            except Exception:
                log.exception("the state could not be saved; trying again")

    adapter.on_ready(lambda: threading.Thread(target=run, name="saving", daemon=True).start())
    adapter.on_stop(stopped.set)
