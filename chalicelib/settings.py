"""pipeline.toml, typed: what is wrong in it is told by the name of its key."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from chalicelib import learning, releasing, watching
from chalicelib.learning import Evaluation, Gate, Model, Training
from chalicelib.quality import fitting
from chalicelib.quality.declared import Quality
from chalicelib.releasing import Endpoint, Rollout
from chalicelib.schema import Dataset, TrainingDataset
from chalicelib.searching import Tuning
from chalicelib.section import InstanceType, Section
from chalicelib.watching import Drift, Monitor, Notifications, Reviews

FILE = Path(__file__).with_name("pipeline.toml")
Name = Annotated[str, Field(pattern=r"^[a-z0-9](-?[a-z0-9]){0,38}$")]


class SettingsError(ValueError):
    """pipeline.toml cannot be used; the message names each key that is wrong."""


class Pipeline(Section):
    name: Name
    time_zone: str = "UTC"


class SideDataset(Dataset):
    """A dataset beside the one that the model learns from."""

    quality: Quality = Quality()


class Intake(Section):
    quiet_seconds: Annotated[int, Field(ge=0, le=900)] = 60
    max_wait_seconds: Annotated[int, Field(ge=0)] = 900
    max_batch: Annotated[int, Field(ge=1, le=1000)] = 1000
    max_batch_mb: Annotated[int, Field(ge=1)] = 50_000  # of text; a query may run half an hour
    max_attempts: Annotated[int, Field(ge=1)] = 2
    unheard_seconds: Annotated[int, Field(ge=60)] = 960  # a function may run 900


class Api(Section):
    """How fast a key may call, and which web pages may call from a browser."""

    rate: Annotated[float, Field(gt=0, le=10_000)] = 100
    burst: Annotated[int, Field(gt=0, le=10_000)] = 200
    quota_per_day: Annotated[int, Field(gt=0)] = 1_000_000
    cors_origin: Annotated[str, Field(pattern=r"^(\*|https?://[^/\s]+)?$")] = ""


class Batch(Section):
    """Predictions of files. `output_filter`: what of a line comes out, a JSONPath."""

    instance_type: InstanceType = "ml.m5.large"
    output_filter: Annotated[str, Field(pattern=r"^\$", max_length=63)] = "$"


class Settings(Section):
    pipeline: Pipeline
    dataset: TrainingDataset
    datasets: tuple[SideDataset, ...] = ()
    intake: Intake = Intake()
    quality: Quality = Quality()
    model: Model
    training: Training = Training()
    tuning: Tuning = Tuning()
    evaluation: Evaluation = Evaluation()
    gate: Gate = Gate()
    endpoint: Endpoint = Endpoint()
    rollout: Rollout = Rollout()
    batch: Batch = Batch()
    api: Api = Api()
    monitor: Monitor = Monitor()
    drift: Drift = Drift()
    notifications: Notifications = Notifications()
    reviews: Reviews = Reviews()

    @property
    def every_dataset(self) -> tuple[Dataset, ...]:
        """The training dataset first."""
        return (self.dataset, *self.datasets)

    def find(self, name: str) -> Dataset:
        """A dataset by its name; KeyError where there is none."""
        return {dataset.name: dataset for dataset in self.every_dataset}[name]

    def quality_of(self, name: str) -> Quality:
        """What a dataset's new rows must keep."""
        beside = {dataset.name: dataset.quality for dataset in self.datasets}
        return beside.get(name, self.quality)

    @model_validator(mode="after")
    def _datasets_are_distinct(self) -> Settings:
        names = [dataset.name for dataset in self.every_dataset]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"datasets: {', '.join(twice)} is there twice")
        for index, dataset in enumerate(self.datasets):
            if wrong := fitting.problems(dataset.quality, dataset):
                raise ValueError("; ".join(f"datasets[{index}].{each}" for each in wrong))
        return self

    @model_validator(mode="after")
    def _names_are_columns(self) -> Settings:
        known = {column.name for column in self.dataset.columns}
        named = {
            "model.inputs": self.model.inputs,
            "model.text": self.model.text,
            "model.features": self.model.features,
            "training.split_column": filter(None, [self.training.split_column]),
        }
        for key, names in named.items():
            if strange := sorted(set(names) - known):
                raise ValueError(f"{key} names {', '.join(strange)}, which is not a column")
        for key in ("required", "text", "features"):
            if strange := sorted(set(getattr(self.model, key)) - set(self.model.inputs)):
                raise ValueError(f"model.{key} names {', '.join(strange)}, not in model.inputs")
        if self.dataset.label in self.model.inputs:
            raise ValueError(f"model.inputs has the label {self.dataset.label}")
        wrong = fitting.problems(self.quality, self.dataset, self.dataset.label)
        wrong += learning.problems(self.model, self.training, self.evaluation, self.dataset)
        wrong += watching.problems(self.pipeline, self.monitor, self.drift)
        wrong += releasing.problems(self.endpoint, self.rollout, self.training, self.monitor)
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


@cache
def load() -> Settings:
    """The settings that this package was deployed with."""
    return parse(FILE.read_text(encoding="utf-8"))


def parse(text: str) -> Settings:
    """Settings of a TOML text; SettingsError names each key that is wrong."""
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"pipeline.toml is not TOML: {error}") from error
    except ValidationError as error:
        lines = [_words(dict(problem)) for problem in error.errors()]
        raise SettingsError("pipeline.toml: " + "; ".join(lines)) from error


def _words(problem: dict[str, Any]) -> str:
    key = ""
    for part in problem["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    told = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        told = "there is no such key"
    return f"{key}: {told}" if key else told
