"""What a deployment uploads, made from the project folder.

The template and the zip are those of `chalice package`. Its own pip run asks the index every
time, so the requirements are installed once for each version of them and handed to it as its
`vendor` folder. https://aws.github.io/chalice/topics/packaging.html
"""

from __future__ import annotations

import compileall
import gzip
import hashlib
import importlib.util
import io
import json
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import yaml

from cli import project, serving_package
from cli.errors import Problem

CODE = ("training", "inference", "monitoring")
MACHINES = ("retrain", "monitor", "batch", "rollout")
BYTECODE = py_compile.PycInvalidationMode.UNCHECKED_HASH  # AWS sets the times of files anew
SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


@dataclass(frozen=True)
class Package:
    """The files of one deployment; a key names its content, so the same is uploaded once."""

    template: bytes
    function: bytes
    function_digest: str
    code: dict[str, bytes]
    definitions: dict[str, bytes]
    serving: bytes | None  # the function that holds the model, where there is one

    @property
    def code_digest(self) -> str:
        return digest(b"".join(self.code[name] for name in CODE))


def _as_json(template: bytes) -> bytes:
    """CloudFormation takes no YAML with aliases, which chalice writes for what stands twice.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """
    return json.dumps(yaml.safe_load(template), indent=1).encode()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def build() -> Package:
    """Everything that a deployment uploads."""
    root = project.root()
    code = {name: tarball(root / f"{name}_code") for name in CODE}
    definitions = {
        name: _read(root / "statemachines" / f"{name}.asl.json", "python -m statemachines")
        for name in MACHINES
    }
    with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
        stage = _stage(Path(folder) / "project", dependencies())
        out = Path(folder) / "out"
        checked = _python(stage, "-c", "from chalicelib import settings; settings.load()")
        packaged = _python(stage, *_chalice(root, out))
        _finish(checked, "chalicelib/pipeline.toml is not right")
        _finish(packaged, "chalice could not package the functions")
        zipped = out / "deployment.zip"
        return Package(
            template=_as_json((out / "sam.yaml").read_bytes()),
            function=zipped.read_bytes(),
            function_digest=_zip_digest(zipped),
            code=code,
            definitions=definitions,
            serving=serving_package.build(project.pipeline()),
        )


def dependencies() -> Path:
    """requirements.txt installed for Lambda, in a folder kept until the requirements change."""
    root = project.root()
    pins = (root / "requirements.txt").read_bytes() + (root / "constraints.txt").read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    packager = distribution("chalice").version
    here = f"{python} {platform.system()} {platform.machine()} chalice {packager}"
    name = digest(pins + here.encode())
    kept = project.home() / "packages" / name
    if kept.is_dir():
        return kept
    made = kept.with_name(f"{name}.{os.getpid()}")
    _install(made, "--platform", "manylinux2014_x86_64", "--only-binary", ":all:")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        _add_native(made)
    try:
        made.rename(kept)
    except OSError:  # another deployment was faster
        shutil.rmtree(made)
    return kept


def tarball(folder: Path) -> bytes:
    """A folder as tar.gz; the same content always gives the same bytes."""
    if not folder.is_dir():
        raise Problem(f"{folder.name}/ is missing", "It holds what the SageMaker jobs run.")
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and not any(p.startswith((".", "__pycache__")) for p in parts):
                entry = tarfile.TarInfo("/".join(parts))
                content = path.read_bytes()
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _add_native(made: Path) -> None:
    """Compiled modules for this machine too (their names differ), for the local cloud."""
    native = made.with_name(made.name + ".native")
    _install(native)
    for path in native.rglob("*.so"):
        target = made / path.relative_to(native)
        if not target.exists():
            shutil.copy2(path, target)
    shutil.rmtree(native)


def _install(target: Path, *options: str) -> None:
    root = project.root()
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(target), "--no-compile", *options]
    command += ["-r", str(root / "requirements.txt"), "-c", str(root / "constraints.txt")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        raise Problem(f"requirements.txt could not be installed:\n{done.stderr.strip()}")
    shutil.rmtree(target / "bin", ignore_errors=True)
    _compile(target)
    for name in ("__init__.py", "app.py"):  # what chalice adds of itself, as source
        py_compile.compile(
            str(distribution("chalice").locate_file(f"chalice/{name}")),
            cfile=importlib.util.cache_from_source(str(target / "chalice" / name)),
            dfile=f"chalice/{name}",
            doraise=True,
            invalidation_mode=BYTECODE,
        )


def _compile(folder: Path) -> None:
    """A cold start would compile every module: ship the bytecode. Another Python passes it over."""
    compileall.compile_dir(folder, quiet=2, invalidation_mode=BYTECODE, stripdir=str(folder))


def _stage(folder: Path, vendor: Path) -> Path:
    """The Chalice project alone: the app, its library, its settings and what it requires."""
    root = project.root()
    shutil.copytree(root / "chalicelib", folder / "chalicelib", ignore=SKIPPED)
    (folder / ".chalice").mkdir()
    for name in ("app.py", ".chalice/config.json"):
        if not (root / name).is_file():
            raise Problem(f"{name} is missing from the project")
        shutil.copy2(root / name, folder / name)
    _compile(folder)
    (folder / "requirements.txt").touch()
    (folder / "vendor").symlink_to(vendor)
    return folder


def _chalice(root: Path, out: Path) -> list[str]:
    template = root / "infrastructure" / "template.yaml"
    command = ["-c", "from chalice.cli import main; main()", "package"]
    return [*command, "--template-format", "yaml", "--merge-template", str(template), str(out)]


def _python(stage: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{stage}{os.pathsep}{stage / 'vendor'}",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=stage,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(process: subprocess.Popen[str], headline: str) -> None:
    said, _ = process.communicate()
    if process.returncode:
        lines = said.strip().splitlines()
        shown = lines if lines and not lines[0].startswith("Traceback") else lines[-8:]
        raise Problem(f"{headline}:\n" + "\n".join(shown))


def _zip_digest(path: Path) -> str:
    """By names and contents: chalice's zips differ in their times, and bytecode of the same source
    in its marks of what is shared."""
    with zipfile.ZipFile(path) as archive:
        listed = sorted(
            (i.filename, 0 if i.filename.endswith(".pyc") else i.CRC) for i in archive.infolist()
        )
    return digest(repr(listed).encode())


def _read(path: Path, remedy: str) -> bytes:
    if not path.is_file():
        raise Problem(f"{path.name} is missing", f"Run: {remedy}")
    return path.read_bytes()
