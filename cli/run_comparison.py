"""Two runs side by side: every number that each left behind, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli import records, show, versions
from cli.follow import QUIET
from cli.history import Execution

Values = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """`one` and `other` are None where a run has no such value."""

    section: str
    name: str
    one: Any
    other: Any

    @property
    def differs(self) -> bool:
        return bool(self.one != self.other)

    @property
    def difference(self) -> str:
        """Of numbers how far, of all else that they differ."""
        if not self.differs:
            return ""
        if all(isinstance(each, int | float) for each in (self.one, self.other)):
            return f"{self.other - self.one:+.4g}"
        return "differs"


def compare(stack: str, one: str, other: str) -> list[Row]:
    """Rows by section; the runs by their ids, or the beginnings of them."""
    return side_by_side(*(numbers(stack, records.run(stack, each)) for each in (one, other)))


def side_by_side(one: Mapping[str, Values], other: Mapping[str, Values]) -> list[Row]:
    """A row for each name that either has, in the order of the first."""
    rows = []
    for section in dict.fromkeys([*one, *other]):
        left, right = one.get(section, {}), other.get(section, {})
        for name in dict.fromkeys([*left, *right]):
            rows.append(Row(section, name, left.get(name), right.get(name)))
    return rows


def numbers(stack: str, record: Mapping[str, Any]) -> dict[str, Values]:
    """All that a run left behind, by section."""
    run = show.plain(record)
    folder = f"runs/{run['run_id']}/"
    lineage = versions.read(stack, f"{folder}lineage.json") or {}
    dataset = versions.read(stack, f"{folder}dataset.json") or {}
    slices: Any = versions.read(stack, f"{folder}evaluation/slices.json") or []
    names = ("version", "digest", "total_rows", "files", "schema_hash")
    return {
        "run": {name: run.get(name) for name in ("run_id", "reason", "status", "outcome",
                                                  "model_version")},
        "data": {**{name: dataset.get(name) for name in names}, **flat(run.get("rows"))},
        "parameters": flat((lineage.get("training") or {}).get("HyperParameters")),
        "environment": {"code": (lineage.get("code") or {}).get("digest"),
                        **flat(lineage.get("environment"))},
        "training": flat(run.get("training")),
        "evaluation": flat(run.get("evaluation")),
        "slices": dict(_sliced(slices)),
        "seconds": seconds(run),
    }  # fmt: skip


def seconds(run: Mapping[str, Any]) -> Values:
    """In each state that did work, as far as the run has come."""
    if not run.get("execution_arn"):
        return {}
    execution = Execution(str(run["execution_arn"]))
    steering = {state.name for _, state in execution.news() if state.kind in QUIET}
    return {name: spent for name, spent in execution.durations().items() if name not in steering}


def flat(document: Any, prefix: str = "") -> Values:
    """Nested members by their path, as `train accuracy`; lists are left out."""
    found: Values = {}
    for name, value in (document or {}).items():
        path = f"{prefix} {name}".strip()
        if isinstance(value, Mapping):
            found |= flat(value, path)
        elif not isinstance(value, list):
            found[path] = value
    return found


def _sliced(slices: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for each in slices:
        where = f"{each['column']} {each['value']}"
        yield f"{where} rows", each.get("rows")
        for name, metric in each["metrics"].items():
            yield f"{where} {name}", metric["value"]
