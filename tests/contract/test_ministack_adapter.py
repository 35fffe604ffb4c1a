"""What holds this project to one version of ministack: its inner parts, named one by one."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.ministack_parts import PARTS, VERSION

ROOT = Path(__file__).parents[2]
KNOWN = {name for names in PARTS.values() for name in names.split()}
# ministack reads its settings while it is imported: so in a process of its own.
CONFIGURE = """
import importlib, sys
from pathlib import Path
from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

module, _, name = sys.argv[2].rpartition(":")
if module:
    delattr(importlib.import_module(module), name)
elif name:
    sys.modules[name] = None
adapter.configure(CloudConfig(1, Path(sys.argv[1]), *[Path(sys.executable)] * 2))
"""


def configured(state: Path, taken: str) -> subprocess.CompletedProcess[str]:
    """Configure the adapter on a ministack without a part (`module:name`) or a whole module."""
    command = [sys.executable, "-c", CONFIGURE, str(state), taken]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_every_part_is_in_the_pinned_version(tmp_path: Path) -> None:
    done = configured(tmp_path, "")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        ("ministack.app:SERVICE_HANDLERS", ["ministack.app.SERVICE_HANDLERS"]),
        (
            "ministack.services.cloudformation.provisioners",
            ["ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS"],
        ),
    ],
)
def test_a_part_that_moved_is_named(tmp_path: Path, taken: str, named: list[str]) -> None:
    done = configured(tmp_path, taken)
    assert done.returncode != 0
    words = done.stderr.strip().splitlines()[-1]
    assert words == (
        f"RuntimeError: this local cloud is made for ministack {VERSION}; "
        f"here it lacks: {', '.join(named)}"
    )


def test_the_version_is_pinned_alike_everywhere() -> None:
    assert importlib.metadata.version("ministack") == VERSION
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert f"ministack[full]=={VERSION}" in groups["cloud"]
    assert f"ministack=={VERSION}" in (ROOT / "constraints.txt").read_text().split()


def is_part(node: ast.AST) -> bool:
    """`part(...)` or `adapter.part(...)`: a module of ministack."""
    called = node.func if isinstance(node, ast.Call) else None
    return getattr(called, "id", getattr(called, "attr", "")) == "part"


def used(function: ast.AST) -> Iterator[tuple[str, int]]:
    """The names taken from a module of ministack, directly or by a variable that holds it."""
    held = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and is_part(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and (
            is_part(node.value) or (isinstance(node.value, ast.Name) and node.value.id in held)
        ):
            yield node.attr, node.lineno


def test_every_part_that_is_used_is_listed() -> None:
    unlisted = {
        f"{path.relative_to(ROOT)}:{line} uses {name}"
        for path in sorted((ROOT / "localcloud").rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name, line in used(function)
        if name not in KNOWN
    }
    assert not unlisted
