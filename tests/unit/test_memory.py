"""Memory is given back where the C library can, and nothing breaks where it cannot."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

import pytest

from localcloud import memory
from localcloud import ministack_adapter as adapter


class Library:
    """A C library that counts its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self.trimmed = threading.Event()

    def mallopt(self, *words: int) -> int:
        self.calls.append(("mallopt", words))
        return 1

    def malloc_trim(self, pad: int) -> int:
        self.calls.append(("malloc_trim", (pad,)))
        self.trimmed.set()
        return 1


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Callable[[], None]]]:
    """What was asked of the cloud's life."""
    asked: dict[str, list[Callable[[], None]]] = {"ready": [], "stop": []}
    monkeypatch.setattr(adapter, "on_ready", asked["ready"].append)
    monkeypatch.setattr(adapter, "on_stop", asked["stop"].append)
    return asked


def test_memory_is_given_back_until_the_cloud_stops(
    hooks: dict[str, list[Callable[[], None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(memory, "TRIM_SECONDS", 0.01)
    memory.spare()
    assert library.calls == [
        ("mallopt", (memory.M_ARENA_MAX, memory.ARENAS)),
        ("mallopt", (memory.M_MMAP_THRESHOLD, memory.LARGE)),
    ]
    memory.install()
    before = set(threading.enumerate())
    [start], [stop] = hooks["ready"], hooks["stop"]
    start()
    [thread] = set(threading.enumerate()) - before
    assert library.trimmed.wait(30)
    stop()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("fault", [OSError, AttributeError])
def test_another_c_library_is_left_alone(
    hooks: dict[str, list[Callable[[], None]]],
    monkeypatch: pytest.MonkeyPatch,
    fault: type[Exception],
) -> None:
    def absent(name: str) -> None:
        raise fault(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    memory.spare()
    memory.install()
    assert hooks == {"ready": [], "stop": []}
