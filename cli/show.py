"""How the command prints: one table or one JSON document, times as people read them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(highlight=False, soft_wrap=False)
errors = Console(stderr=True, highlight=False)

STYLES = {
    "succeeded": "green",
    "deployed": "green",
    "InService": "green",
    "in service": "green",
    "running": "cyan",
    "starting": "cyan",
    "deploying": "cyan",
    "failed": "red",
    "violations": "yellow",
    "kept_champion": "yellow",
    "pending": "yellow",
    "waiting": "yellow",
    "stopping": "yellow",
    "rejected": "yellow",
    "held": "red",
}
WHOLE = {"run_id", "time", "created_at", "status", "outcome", "created", "instances"}
FREE_TEXT = {"cause", "subject", "message"}


def plain(value: Any) -> Any:
    """DynamoDB's and boto3's values as JSON's."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds")
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return value


def as_json(value: Any) -> None:
    """Print for programs: one JSON document on standard output."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False))


def table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], title: str | None = None
) -> None:
    """Print rows for people; a column is a key of the rows, its heading the key with blanks.

    Ids and times stay whole, when something was made is told to the minute; free text gets what
    the line has left and ends there.
    """
    text = FREE_TEXT & {*columns}
    shown = Table(
        title=title,
        box=box.SIMPLE,
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
        expand=bool(text),
    )
    for column in columns:
        heading = column.replace("_", " ")
        if column in text:
            shown.add_column(heading, ratio=1, no_wrap=True, overflow="ellipsis")
        else:
            whole, word = column in WHOLE, max(map(len, heading.split()))
            lines = heading if whole else heading.replace(" ", "\n")  # as narrow as a word
            shown.add_column(lines, overflow="fold", no_wrap=whole, min_width=word)
    for row in rows:
        shown.add_row(*(_cell(_told(column, row.get(column))) for column in columns))
    console.print(shown)


def _told(column: str, value: Any) -> Any:
    found = plain(value)
    return found[:16].replace("T", " ") if column == "created_at" and found else found


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "[dim]-[/dim]"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = escape(str(value))
    style = STYLES.get(str(value))
    return f"[{style}]{text}[/{style}]" if style else text


def prediction(found: Mapping[str, Any]) -> str:
    """A class with its probability, or a number."""
    if "prediction" in found:
        return f"{found['prediction']:.6g}"
    share = found.get("probabilities", {}).get(found["label"])
    return str(found["label"]) + ("" if share is None else f" ({share:.0%})")


def log_line(stream: str, line: str) -> None:
    """A line of a log, after what wrote it."""
    console.print(f"[dim]{escape(stream[:40])}[/dim]  {escape(line)}", soft_wrap=True)


def progress(line: str) -> None:
    """A step of long work, as it is done."""
    console.print(f"  [dim]{escape(line)}[/dim]")


def seconds(value: float) -> str:
    """`7.4 s` or `3 min 05 s`."""
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def short(number: str) -> str:
    """`0.28057582` as `0.2806`; what is no number, or a whole one, as it is."""
    try:
        return number if float(number).is_integer() else f"{float(number):.4g}"
    except ValueError:
        return number


def parse_time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
