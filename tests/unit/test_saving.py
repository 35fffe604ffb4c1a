"""The saver writes what changed, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud import ministack_adapter as adapter
from localcloud import saving


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Any]]:
    """The services that hold state, by name."""
    held: dict[str, Callable[[], Any]] = {}
    monkeypatch.setattr(adapter, "saved_services", lambda: held)
    monkeypatch.setattr(adapter, "encode_state", lambda name, state: f"{name}={state}".encode())
    return held


def test_only_what_changed_is_written(tmp_path: Path, services: dict[str, Any]) -> None:
    state = {"n": 1}
    services |= {"changing": lambda: state["n"], "still": lambda: 0, "empty": lambda: None}
    saver = saving.Saver(tmp_path / "services")
    assert saver.save() == ["changing", "still"]
    assert saver.save() == []
    state["n"] = 2
    assert saver.save() == ["changing"]
    written = {path.name: path.read_text() for path in (tmp_path / "services").iterdir()}
    assert written == {"changing.json": "changing=2", "still.json": "still=0"}


@pytest.mark.parametrize(("faults", "written"), [(1, ["busy"]), (saving.ATTEMPTS, [])])
def test_a_state_that_changes_meanwhile_is_taken_again(
    tmp_path: Path, services: dict[str, Any], faults: int, written: list[str]
) -> None:
    left = [faults]

    def busy() -> str:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("dictionary changed size during iteration")
        return "whole"

    services["busy"] = busy
    saver = saving.Saver(tmp_path)
    assert saver.save() == written
    assert saver.save() == ([] if written else ["busy"])


def test_another_fault_is_not_swallowed(tmp_path: Path, services: dict[str, Any]) -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    services["broken"] = broken
    with pytest.raises(RuntimeError, match="broken"):
        saving.Saver(tmp_path).save()
