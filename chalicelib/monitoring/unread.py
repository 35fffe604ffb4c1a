"""Captured records and labels that a monitor could not read: told once, while there are many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import notify

SHARE = 0.05  # of a look's material; more is told


def share(drift: Mapping[str, Any]) -> float:
    """Of a look's drift.json: what was not read, of all there was."""
    lost, judged = sum(drift.get("not_read", {}).values()), int(drift.get("records", 0))
    return lost / (lost + judged) if lost else 0.0


def told(kind: str, drift: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether so much was not read that people know; `known`: of the kind's look before."""
    lost = share(drift)
    if lost <= SHARE:
        return False
    if not known.get("unread"):
        why = ", ".join(f"{count} {what}" for what, count in drift["not_read"].items())
        notify.notify(
            "monitor_unread",
            f"The {kind} monitor could not read {lost:.0%} of its input",
            f"Not read: {why}. The other {drift['records']} records were judged without them. "
            "Something that writes captured traffic or ground truth has changed its format.",
        )
    return True
