"""Quality as people look at it: a run's report, and checks suggested from data there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cli import arrivals, athena, package, project, records, target
from cli.errors import Problem

AS_JSON_LINES = """
import json, sys
from pyarrow import parquet
source, target = sys.argv[1:]
batch = next(parquet.ParquetFile(source).iter_batches(200_000), None)
with open(target, "w", encoding="utf-8") as out:
    for row in batch.to_pylist() if batch else []:
        out.write(json.dumps({k.lower(): v for k, v in row.items()}, default=str) + "\\n")
"""


def report(stack: str, run_id: str) -> tuple[dict[str, Any], Path]:
    """A run's quality.json, and where its page now lies on this machine."""
    run = records.run(stack, run_id)
    bucket, prefix = target.outputs(stack)["DataBucket"], f"runs/{run['run_id']}/"
    folder = project.home() / "reports" / str(run["run_id"])
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("quality.json", "quality.html"):
        try:
            target.client("s3").download_file(bucket, prefix + name, str(folder / name))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            raise Problem(
                f"run {run['run_id']} has no quality report",
                "It took no new data, or it ended before its data was judged: driftloop run show",
            ) from error
    document: dict[str, Any] = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    return document, folder / "quality.html"


def suggest_of_file(path: Path, dataset: str | None) -> str:
    """TOML of checks that a file's rows keep; no cloud is needed."""
    chosen = dataset or arrivals.datasets()[0]
    if path.suffix != ".parquet":
        return _ask({"dataset": chosen, "file": str(path.resolve())})["toml"]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / f"{path.name}.jsonl"
        _as_json_lines(path, lines)
        return _ask({"dataset": chosen, "file": str(lines)})["toml"]


def _as_json_lines(path: Path, lines: Path) -> None:
    """The first rows of a Parquet file, which only the jobs' environment reads."""
    python = project.home() / "envs" / "jobs" / "bin" / "python"
    if not python.exists():
        raise Problem(f"nothing here reads {path.name} yet", "First: make setup")
    command = [str(python), "-c", AS_JSON_LINES, str(path), str(lines)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"{path.name} is no Parquet file: {done.stderr.splitlines()[-1]}")


def suggest_of_dataset(stack: str, dataset: str) -> str:
    """TOML of checks that the newest rows of a dataset keep, as Athena measures them."""
    if dataset not in arrivals.datasets():
        known = ", ".join(arrivals.datasets())
        raise Problem(f"{dataset} is neither a file nor a dataset", f"There are: {known}")
    last = records.learned(stack, dataset)
    if last is None:
        raise Problem(f"{dataset} holds no rows yet", "Drop files first, or name a file.")
    question: dict[str, Any] = {
        "dataset": dataset,
        "database": target.outputs(stack)["GlueDatabase"],
        "run": last,
        "found": [],
    }
    while "query" in (answer := _ask(question)):
        question["found"].append(_row(stack, answer["query"]))
    return answer["toml"]


def _ask(question: dict[str, Any]) -> dict[str, str]:
    """The project's own library answers, in a process with what it requires."""
    paths = (str(project.root()), str(package.dependencies()))
    done = subprocess.run(
        [sys.executable, "-m", "chalicelib.quality"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise Problem("nothing can be suggested: " + "\n".join(done.stderr.splitlines()[-3:]))
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def _row(stack: str, query: str) -> dict[str, str | None]:
    """Run a query in Athena; its one row."""
    group = target.outputs(stack)["AthenaWorkGroup"]
    (row,) = athena.rows(target.client("athena"), QueryString=query, WorkGroup=group)
    return row
