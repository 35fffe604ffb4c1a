"""The zip of the function that holds the model: our code, and ONNX Runtime for a transformer.

Its packages are wheels for Lambda's Python, installed once for each version of
serving_code/requirements.txt and kept. https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli import project
from cli.errors import Problem

RUNTIME = "3.12"  # of the template's Serve; on Amazon Linux 2023, whose glibc is 2.34
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_BYTES = 250 * 1024 * 1024
SAME_TIME = (1980, 1, 1, 0, 0, 0)
SKIPPED = {"bin", "__pycache__"}


def build(pipeline: dict[str, Any]) -> bytes | None:
    """The zip that the settings ask for, or None where an endpoint serves."""
    if pipeline.get("endpoint", {}).get("serving") != "lambda":
        return None
    folders = [project.root() / name for name in ("serving_code", "inference_code")]
    training = pipeline.get("training", {}).get("hyperparameters", {})
    if training.get("model") == "transformer":
        folders.append(packages(project.root() / "serving_code" / "requirements.txt"))
    return zipped(dict(_files(folders)))


def zipped(files: dict[str, Path]) -> bytes:
    """Files by their names; the same content always gives the same bytes."""
    size = sum(path.stat().st_size for path in files.values())
    if size > MOST_BYTES:
        raise Problem(
            f"the function that serves the model comes to {size / 2**20:.0f} MB unpacked",
            "Lambda takes 250 MB: see serving_code/requirements.txt.",
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, SAME_TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name].read_bytes())
    return packed.getvalue()


def packages(requirements: Path) -> Path:
    """The folder of the requirements' wheels for Lambda, and for the local cloud's Python."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    pins = hashlib.sha256(requirements.read_bytes() + f"{RUNTIME} {here}".encode()).hexdigest()
    kept = project.home() / "serving" / pins[:16]
    if kept.is_dir():
        return kept
    made = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        _install(made, requirements, *_for_lambda())
        if here != RUNTIME or not sys.platform.startswith("linux"):
            _add_native(made, requirements)
        made.rename(kept)
    except OSError:  # another deployment was faster
        if not kept.is_dir():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return kept


def _for_lambda() -> list[str]:
    wanted = [word for each in PLATFORMS for word in ("--platform", each)]
    return ["--python-version", RUNTIME, *wanted]


def _add_native(made: Path, requirements: Path) -> None:
    """Compiled modules for this machine too: their names differ."""
    native = made.with_name(f"{made.name}.native")
    try:
        _install(native, requirements)
        for path in native.rglob("*.so"):
            target = made / path.relative_to(native)
            if not target.exists():
                shutil.copy2(path, target)
    finally:
        shutil.rmtree(native, ignore_errors=True)


def _install(target: Path, requirements: Path, *options: str) -> None:
    """Without what they depend on: none of that is needed to answer."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(target), "--no-compile", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*command, *options, "-r", str(requirements)], capture_output=True, text=True
    )
    if done.returncode:
        raise Problem(
            f"the wheels of serving_code/requirements.txt cannot be had:\n{done.stderr.strip()}",
            'A transformer in Lambda needs them; endpoint.serving = "endpoint" does not.',
        )


def _files(folders: list[Path]) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).parts
            if path.is_file() and not SKIPPED & set(parts):
                yield "/".join(parts), path
