"""What SageMaker remembers: records by kind and name, safe between threads, saved with the cloud.

A record is a plain dict that JSON can hold. `get` and `values` give copies: change a record
through `put` or `update` only. Times are seconds since 1970, as the JSON protocol sends them.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from typing import Any

Record = dict[str, Any]


class Store:
    """Records by kind and name."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._kinds: dict[str, dict[str, Record]] = {}
        self._after_load: list[Callable[[], None]] = []

    def put(self, kind: str, name: str, record: Record) -> None:
        """Write a record, new or in place of the old."""
        with self.lock:
            self._kinds.setdefault(kind, {})[name] = copy.deepcopy(record)

    def add(self, kind: str, name: str, record: Record) -> bool:
        """Write a record unless the name is taken; says whether it was written."""
        with self.lock:
            if name in self._kinds.get(kind, {}):
                return False
            self.put(kind, name, record)
            return True

    def get(self, kind: str, name: str) -> Record | None:
        """A copy of a record, or None."""
        with self.lock:
            return copy.deepcopy(self._kinds.get(kind, {}).get(name))

    def update(self, kind: str, name: str, **changes: Any) -> Record:
        """Set members of a record that exists; returns a copy of the result."""
        with self.lock:
            record = self._kinds[kind][name]
            record.update(copy.deepcopy(changes))
            return copy.deepcopy(record)

    def delete(self, kind: str, name: str) -> Record | None:
        """Take a record out; returns it, or None where there was none."""
        with self.lock:
            return self._kinds.get(kind, {}).pop(name, None)

    def values(self, kind: str) -> list[Record]:
        """Copies of all records of a kind, oldest first."""
        with self.lock:
            return copy.deepcopy(list(self._kinds.get(kind, {}).values()))

    def after_load(self, hook: Callable[[], None]) -> None:
        """Call `hook` each time saved state has been read back."""
        self._after_load.append(hook)

    def dump(self) -> dict[str, Any]:
        """All there is, for saving."""
        with self.lock:
            return {"kinds": copy.deepcopy(self._kinds)}

    def load(self, saved: dict[str, Any] | None) -> None:
        """Take back what `dump` gave."""
        if not saved:
            return
        with self.lock:
            self._kinds = copy.deepcopy(saved["kinds"])
        for hook in self._after_load:
            hook()


store = Store()


def now() -> float:
    """The time as records hold it."""
    return round(time.time(), 3)
