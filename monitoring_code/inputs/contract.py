"""What a job is told: AWS's environment for monitoring containers, or options by hand.

The names in lower case are AWS's own; a path below /opt/ml lies below SAGEMAKER_BASE_DIR.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from inputs import preprocessing, window
from inputs.capture import INPUT, Capture
from inputs.window import Window

ML = "/opt/ml"
BASELINE, ANALYZE = "baseline", "analyze"
# dataset_format of a schedule's job: captured traffic, or such lines with their ground truth.
CAPTURED, MERGED = "sagemakerCaptureJson", "sagemakerMergeJson"
FORMATS = (CAPTURED, MERGED, "csv", "json", "parquet")


@dataclass(frozen=True)
class Job:
    """One run of a monitor."""

    mode: str
    base: Path  # /opt/ml
    source: Path  # dataset_source: a dataset, or captured traffic
    dataset_format: Mapping[str, Any]
    output: Path
    constraints: Path  # of the baseline
    statistics: Path  # of the baseline
    named: tuple[Path, ...]  # files of the baseline that the job is told of
    window: Window
    publish: bool
    put: bool
    endpoint: str
    schedule: str
    variant: str
    features: str
    exclude: str
    preprocessor: Path | None
    postprocessor: Path | None
    min_records: int
    history: Path | None  # of earlier reports, for the page

    def capture(self, names: tuple[str, ...] = ()) -> Capture:
        """The captured traffic to read; `names` are the baseline's columns."""
        stated = self.dataset_format.get(MERGED if self.merged else CAPTURED, {})
        return Capture(
            self.source,
            self.window,
            tuple(stated.get("captureIndexNames", [INPUT])),
            self.variant,
            names,
            preprocessing.preprocess(self.preprocessor),
            self.merged,
        )

    @property
    def captured(self) -> bool:
        """Whether the source holds captured traffic and no dataset."""
        stated = not self.dataset_format or CAPTURED in self.dataset_format
        return self.mode == ANALYZE and (stated or self.merged)

    @property
    def merged(self) -> bool:
        """Whether each captured line holds its ground truth, as AWS's schedules merge them."""
        return MERGED in self.dataset_format

    def document(self, path: Path) -> dict[str, Any] | None:
        """A file of the baseline, None of one that the job is not told of: each is optional.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataQualityBaselineConfig.html
        """
        if path not in self.named and not path.is_file():
            return None
        return dict(json.loads(path.read_text()))

    def check(self) -> None:
        """Refuse by name what this code does not read."""
        unknown = [name for name in self.dataset_format if name not in FORMATS]
        known = ", ".join(FORMATS)
        assert not unknown, f"dataset_format {', '.join(unknown)} is none of {known}"

    @property
    def beside(self) -> Path:
        """Where the baseline's further files lie."""
        return self.constraints.parent


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all monitors share; each defaults to its environment variable."""
    env = os.environ.get
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = options.add_argument
    add("--base", type=Path, default=env("SAGEMAKER_BASE_DIR", ML), help="in place of /opt/ml")
    add("--mode", choices=(BASELINE, ANALYZE), default=env("MODE") or _mode())
    add("--source", default=env("dataset_source"), help="a folder or file to read")
    add("--format", default=env("dataset_format", "{}"), help="dataset_format, as AWS's JSON")
    add("--output", default=env("output_path"), help="a folder for the report")
    add("--baseline", help="a folder with constraints.json and statistics.json")
    add("--constraints", default=env("baseline_constraints"))
    add("--statistics", default=env("baseline_statistics"))
    add("--start", default=env("start_time", ""), help="first moment, ISO 8601")
    add("--end", default=env("end_time", ""), help="first moment after, ISO 8601")
    add("--start-offset", default=env("start_time_offset", ""), help="such as -P3D")
    add("--end-offset", default=env("end_time_offset", ""), help="such as -PT1H")
    add("--endpoint", default=env("sagemaker_endpoint_name", ""))
    add("--schedule", default=env("sagemaker_monitoring_schedule_name", ""))
    add("--variant", default=env("VARIANT", ""), help="only this production variant's traffic")
    add("--features", default=env("features_attribute", ""), help="columns to look at")
    add("--exclude", default=env("exclude_features_attribute", ""), help="columns to leave out")
    add("--preprocessor", default=env("record_preprocessor_script"))
    add("--postprocessor", default=env("post_analytics_processor_script"))
    add("--min-records", type=int, default=env("MIN_RECORDS", "1"), help="fewer are not judged")
    add("--history", default=env("HISTORY"), help="a folder of earlier reports, for the page")
    publish = env("publish_cloudwatch_metrics", "Disabled")
    add("--publish", choices=("Enabled", "Disabled"), default=publish, help="write metrics' file")
    add("--put-metrics", action="store_true", help="send the metrics to CloudWatch from here")
    return options


def job(options: argparse.Namespace) -> Job:
    """The options with AWS's places filled in."""
    base = Path(options.base)
    processing = base / "processing"
    baseline = options.mode == BASELINE
    folder = local(options.baseline, base) or processing / "input" / "baseline"
    limits = local(options.constraints, base) or folder / "constraints.json"
    statistics = local(options.statistics, base) or folder / "statistics.json"
    told = {limits: options.constraints or options.baseline, statistics: options.statistics}
    given = processing / "input" / ("baseline" if baseline else "capture")
    report = processing / "output" / ("baseline" if baseline else "report")
    return Job(
        mode=options.mode,
        base=base,
        source=local(options.source, base) or given,
        dataset_format=json.loads(options.format),
        output=local(options.output, base) or report,
        constraints=limits,
        statistics=statistics,
        named=tuple(path for path, given in told.items() if given),
        window=window.window(options.start, options.end, options.start_offset, options.end_offset),
        publish=options.publish == "Enabled",
        put=options.put_metrics,
        endpoint=options.endpoint,
        schedule=options.schedule,
        variant=options.variant,
        features=options.features,
        exclude=options.exclude,
        preprocessor=local(options.preprocessor, base),
        postprocessor=local(options.postprocessor, base),
        min_records=int(options.min_records),
        history=local(options.history, base),
    )


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is left aside", name=name)


def without_pandas(options: argparse.Namespace) -> None:
    """pyarrow takes pandas along where it is there, which is half the time of a small run.

    Nothing here needs it; a user's script may.
    """
    if not (options.preprocessor or options.postprocessor):
        sys.meta_path.insert(0, _NoPandas())


def local(path: str | Path | None, base: Path) -> Path | None:
    """A path as the container has it, on this machine."""
    if not path:
        return None
    text = str(path)
    inside = text == ML or text.startswith(f"{ML}/")
    return base / text[len(ML) :].lstrip("/") if inside else Path(text)


def _mode() -> str:
    """A schedule's run names its baseline; a baseline's own run does not."""
    names = ("baseline_constraints", "start_time", "sagemaker_monitoring_schedule_name")
    return ANALYZE if any(os.environ.get(name) for name in names) else BASELINE
