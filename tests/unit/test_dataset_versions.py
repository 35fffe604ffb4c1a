"""What changed from one dataset version to another."""

from __future__ import annotations

from typing import Any

from cli import datasets


def version(name: str, **more: Any) -> dict[str, Any]:
    return {
        "version": name,
        "runs": [name],
        "total_rows": 10,
        "files": 1,
        "schema": {"id": "string", "price": "integer"},
        "schema_hash": "a",
    } | more


def test_the_same_version_does_not_differ() -> None:
    found = datasets.diff(version("r1"), version("r1"))
    assert (found["rows"], found["files"], found["schema_changed"]) == (0, 0, False)
    assert not any(found[key] for key in found if key.startswith(("runs_", "columns_")))


def test_rows_runs_and_columns_are_compared() -> None:
    later = version(
        "r2",
        runs=["r1", "r2"],
        total_rows=25,
        files=3,
        schema={"id": "string", "price": "number", "colour": "string"},
        schema_hash="b",
    )
    found = datasets.diff(version("r1"), later)
    assert (found["from"], found["to"]) == ("r1", "r2")
    assert (found["rows"], found["files"], found["runs_added"]) == (15, 2, ["r2"])
    assert found["columns_added"] == ["colour"]
    assert found["columns_retyped"] == {"price": ["integer", "number"]}
    assert found["schema_changed"] is True
    assert datasets.diff(later, version("r1"))["columns_removed"] == ["colour"]
