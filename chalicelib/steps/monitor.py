"""The monitor machine's failure path."""

from __future__ import annotations

from typing import Any

from chalicelib import failures, notify, records
from chalicelib.monitoring import model_quality, monitor


def fail(execution: dict[str, Any]) -> dict[str, Any]:
    """A look failed: say so once, and let the next one cover the same window."""
    explanation = failures.explain(execution["error"])
    part = model_quality if "looked" in execution else monitor
    records.release(part.STATE)
    notify.notify(
        "monitor_failed",
        f"The {part.KIND} monitor failed",
        "\n\n".join(part for part in (explanation.message, explanation.detail) if part),
    )
    return {"error": explanation.message}
