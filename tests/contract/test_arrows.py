"""Dependencies point one way, as the design says."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "app", "chalicelib", "cli", "localcloud", "statemachines", "benchmarks", "tests",
    "training_code", "inference_code", "monitoring_code", "serving_code",
}  # fmt: skip
ALONE = ("training_code", "inference_code", "monitoring_code", "serving_code")
# What each part may import of the project; what Lambda and the command may import beside that.
ARROWS = {
    "app": {"chalicelib"},
    "chalicelib": {"chalicelib"},
    "cli": {"cli"},
    "benchmarks": {"app", "benchmarks", "chalicelib", "cli", "localcloud"},
    "statemachines": {"statemachines"},
    "localcloud": {"localcloud"},
} | {name: set() for name in ALONE}
LIBRARIES = {
    "app": {"chalice"},
    "chalicelib": {
        "aws_lambda_powertools",
        "backports",
        "boto3",
        "botocore",
        "chalice",
        "pyarrow",  # quality suggest alone: in the jobs' environment, never in a function
        "pydantic",
    },
    "cli": {"boto3", "botocore", "rich", "typer", "yaml"},
}


def files(part: str) -> list[Path]:
    single = ROOT / f"{part}.py"
    return [single] if single.is_file() else sorted((ROOT / part).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """The top-level names of a file's absolute imports, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text(), path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0], node.lineno


@pytest.mark.parametrize("part", ARROWS)
def test_imports_of_the_project_point_the_right_way(part: str):
    beside = {path.stem for path in files(part)} if part in ALONE else set()
    allowed = ARROWS[part] | beside
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files(part)
        for name, line in imported(path)
        if name in OURS and name not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("part", LIBRARIES)
def test_libraries_are_the_ones_its_place_has(part: str):
    allowed = LIBRARIES[part] | OURS | set(sys.stdlib_module_names)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files(part)
        for name, line in imported(path)
        if name not in allowed
    ]
    assert not wrong


def test_what_two_parts_that_stand_alone_share_is_the_same_file():
    one, other = "inference_code/shapley.py", "monitoring_code/checks/shapley.py"
    assert (ROOT / one).read_text() == (ROOT / other).read_text()


def test_only_the_adapter_loads_ministack():
    statically = [
        path.relative_to(ROOT).as_posix()
        for part in sorted(OURS)
        for path in files(part)
        for name, _ in imported(path)
        if name == "ministack"
    ]
    by_name = {
        path.relative_to(ROOT).as_posix()
        for path in files("localcloud")
        if re.search(r'import_module\((?!f"localcloud\.)', path.read_text())
    }
    assert set(statically) | by_name == {"localcloud/ministack_adapter.py"}
