"""The monitor machine's failure path."""

from __future__ import annotations

from typing import Any

from chalicelib import failures, notify, records
from chalicelib.monitoring import looks


def fail(execution: dict[str, Any]) -> dict[str, Any]:
    """A look failed: say so once, and let the next one of its kind take in the same."""
    explanation = failures.explain(execution["error"])
    records.release(looks.STATE + execution["kind"])
    notify.notify(
        "monitor_failed",
        f"The {execution['kind']} monitor failed",
        "\n\n".join(part for part in (explanation.message, explanation.detail) if part),
    )
    return {"error": explanation.message}
