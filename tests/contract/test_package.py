"""What ships to Lambda: small, only what it needs, and enough to be imported alone."""

from __future__ import annotations

import importlib.util
import io
import marshal
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import package

MEGABYTE = 1024 * 1024
REQUIRED = {
    "annotated_types", "aws_lambda_powertools", "backports", "jmespath", "pydantic",
    "pydantic_core", "typing_extensions.py", "typing_inspection", "tzdata",
}  # fmt: skip
ROOT = Path(__file__).parents[2]
OURS = {"app.py", "chalice", "chalicelib"}


@pytest.fixture(scope="module")
def archive(packaged: package.Package) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(packaged.function))


def test_the_zip_is_small(packaged: package.Package):
    assert len(packaged.function) < 10 * MEGABYTE


def test_the_zip_holds_the_app_and_its_requirements_only(archive: zipfile.ZipFile):
    top = {name.split("/")[0] for name in archive.namelist()}
    shipped = {name for name in top if not name.endswith(".dist-info")} - {"__pycache__"}
    assert shipped == OURS | REQUIRED
    assert "chalicelib/pipeline.toml" in archive.namelist()


def test_bytecode_ships_for_what_a_cold_start_would_compile(archive: zipfile.ZipFile):
    """Python would write it beside the source, where Lambda's file system takes no writes."""
    shipped = {*archive.namelist()}
    for name in ("pydantic/main.py", "chalice/app.py", "chalicelib/clients.py"):
        assert importlib.util.cache_from_source(name) in shipped


def test_bytecode_is_taken_whatever_the_times_of_the_files(archive: zipfile.ZipFile):
    """AWS sets them anew; the second word of a .pyc says so.

    https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
    """
    compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
    unchecked_hash = (1).to_bytes(4, "little")
    assert {archive.read(name)[4:8] for name in compiled} == {unchecked_hash}


def test_bytecode_names_no_folder_of_this_machine(archive: zipfile.ZipFile):
    (name,) = (n for n in archive.namelist() if n.endswith(".pyc") and "/clients." in n)
    assert marshal.loads(archive.read(name)[16:]).co_filename == "chalicelib/clients.py"


def test_the_same_project_has_the_same_digest(packaged: package.Package):
    assert package.build().function_digest == packaged.function_digest


@pytest.fixture(scope="module")
def lambda_python(
    archive: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Runs a line with what ships and the Lambda runtime alone; gives its output.

    AWS's Python runtime brings boto3; nothing else of this environment may be seen.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
    """
    task, runtime = (tmp_path_factory.mktemp(name) for name in ("task", "runtime"))
    archive.extractall(task)
    import boto3

    installed = Path(boto3.__file__).parents[1]
    brought = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six.py", "jmespath")
    for name in brought:
        (runtime / name).symlink_to(installed / name)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{task}{os.pathsep}{runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def run(line: str) -> str:
        command = [sys.executable, "-S", "-c", line]
        done = subprocess.run(command, cwd=task, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def test_the_app_imports_with_what_ships_and_the_lambda_runtime_alone(lambda_python):
    assert lambda_python("import app; print(app.app.app_name)") == "driftloop"


def test_the_app_s_import_is_lean(lambda_python):
    """What a function needs for its work is imported by the function that does it."""
    loaded = lambda_python("import app, sys; print(*sys.modules)").split()
    heavy = {"boto3", "botocore.session", "pydantic", "pandas", "numpy", "awswrangler", "sklearn"}
    assert not heavy & {*loaded}


def test_the_same_content_packs_to_the_same_bytes(tmp_path: Path):
    for folder in ("first", "second"):
        (tmp_path / folder / "inner").mkdir(parents=True)
        (tmp_path / folder / "train.py").write_text("print('train')\n")
        (tmp_path / folder / "inner" / "part.py").write_text("x = 1\n")
        (tmp_path / folder / "__pycache__").mkdir()
        (tmp_path / folder / "__pycache__" / f"{folder}.pyc").write_bytes(b"x")
        os.utime(tmp_path / folder / "train.py", (1, len(folder)))
    assert package.tarball(tmp_path / "first") == package.tarball(tmp_path / "second")


def test_authoring_libraries_do_not_ship():
    listed = (ROOT / "requirements.txt").read_text()
    assert "sagemaker" not in listed
    assert "stepfunctions" not in listed
