"""Which execution a thread works for, and whether it should stop.

AWS stops the tasks of an execution that is aborted or timed out, of a state that timed out, and of
a Parallel state's other branches when one fails; for `.sync` it stops the job too.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync
"""

from __future__ import annotations

import contextvars
from typing import Any


class Cancelled(BaseException):
    """Ends a thread whose work nobody waits for; no Exception, so no Retry or Catch takes it."""


class Scope:
    """The part of an execution that stops together."""

    def __init__(self, execution: dict[str, Any], parent: Scope | None = None) -> None:
        self.execution = execution
        self._parent = parent
        self._cancelled = False

    def cancel(self) -> None:
        """Stop this part and all inside it."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether this part, or any it belongs to, was stopped."""
        if self._cancelled:
            return True
        if self._parent is not None:
            return self._parent.cancelled
        return bool(self.execution["status"] != "RUNNING")

    def inner(self) -> Scope:
        """A part of this part."""
        return Scope(self.execution, self)


current: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("scope", default=None)


def cancelled() -> bool:
    """Whether the work of this thread should stop."""
    scope = current.get()
    return scope is not None and scope.cancelled


def check() -> None:
    """Raise Cancelled when the work of this thread should stop."""
    if cancelled():
        raise Cancelled
