"""Keep the cloud small at rest: glibc gives freed memory back only when it is asked to.

https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

from __future__ import annotations

import contextlib
import ctypes
import threading

from localcloud import ministack_adapter as adapter

ARENAS, M_ARENA_MAX = 2, -8  # one arena a thread would keep dozens of half-empty heaps
M_MMAP_THRESHOLD, LARGE = -3, 1024 * 1024
TRIM_SECONDS = 3.0


def spare() -> None:
    """Set the allocator up; call this before threads start. Elsewhere than on glibc: nothing."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_ARENA_MAX, ARENAS)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)


def install() -> None:
    """Give back what is free, every few seconds until the cloud stops."""
    try:
        trim = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(TRIM_SECONDS):
            trim(0)

    adapter.on_ready(lambda: threading.Thread(target=run, name="memory", daemon=True).start())
    adapter.on_stop(stopped.set)
