"""The monitors' processing jobs: pure functions of a run or a look, the settings, the environment.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import clock, places
from chalicelib.model import containers, jobs
from chalicelib.model.jobs import Request
from chalicelib.monitoring import attribution, kinds, managed, model_quality
from chalicelib.monitoring.kind import Kind, Need
from chalicelib.monitoring.windows import Window

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

ARCHIVE = "monitoring"


def data_baseline(run_id: str, environment: Environment, settings: Settings) -> Request:
    """Statistics and constraints of what the model was trained on."""
    return jobs.processing(
        f"{run_id}-baseline",
        environment,
        settings,
        instance=settings.monitor.instance_type,
        program="data_quality.py",
        archive=ARCHIVE,
        inputs=[jobs.given(environment, "baseline", places.run(run_id, "baseline-data/"))],
        outputs={"baseline": places.baseline(run_id, kinds.OF_DATA)},
        variables={
            "MODE": "baseline",
            "THRESHOLD": str(settings.monitor.threshold),
            "TEXT": jobs.compact(settings.model.text),
        },
    )


def model_baselines(run_id: str, environment: Environment, settings: Settings) -> Request:
    """What the new model does with rows that it has not learned from, kind by kind."""
    _, metric = model_quality.PROBLEMS[settings.model.problem]
    made = kinds.of_model(settings)
    return jobs.processing(
        f"{run_id}-model-baselines",
        environment,
        settings,
        instance=settings.monitor.instance_type,
        program="model_baselines.py",
        archive=ARCHIVE,
        image=containers.training(places.region(environment), settings),
        inputs=[
            jobs.given(environment, "baseline", places.run(run_id, "held-out/")),
            jobs.given(environment, "model", places.model(run_id)),
            jobs.fetched("inference", places.code(environment, "inference")),
            jobs.given(environment, "config", places.bias_config(run_id)),
        ],
        outputs={kind: places.baseline(run_id, kind) for kind in made},
        variables={
            "MODE": "baseline",
            "LABEL": settings.dataset.label,
            "KINDS": jobs.compact(made),
            "METRICS": jobs.compact([metric]),
            "MAX_DECLINE": str(settings.monitor.max_decline),
            **model_quality.variables(settings),
            **attribution.variables(settings),
        },
    )


def look(
    name: str,
    environment: Environment,
    settings: Settings,
    kind: Kind,
    window: Window,
    report: str,
    champion_run: str,
    *,
    history: bool,
) -> Request:
    """A kind's job over a window; `report` is the prefix that lists what it reads and gets what it
    finds, also of earlier looks where there is `history`.

    Its environment is named as a monitoring schedule names it.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
    """

    def listed(name: str, manifest: str) -> Request:
        return jobs.given(environment, name, f"{report}{manifest}.manifest", manifest=True)

    beside: dict[Need, list[Request]] = {
        "labels": [listed("ground_truth", "labels")],
        "config": [jobs.given(environment, "config", places.bias_config(champion_run))],
        "model": [
            jobs.given(environment, "model", places.model(champion_run)),
            jobs.fetched("inference", places.code(environment, "inference")),
        ],
        "history": [listed("history", "history")] if history else [],
    }
    start, end = window
    return jobs.processing(
        name,
        environment,
        settings,
        instance=settings.monitor.instance_type,
        program=kind.program,
        archive=ARCHIVE,
        image=(
            containers.training(places.region(environment), settings)
            if "model" in kind.needs
            else containers.image(places.region(environment))
        ),
        inputs=[
            listed("capture", "capture"),
            jobs.given(environment, "baseline", places.baseline(champion_run, kind.name)),
            *(each for need in kind.needs for each in beside[need]),
        ],
        outputs={"report": report},
        variables={
            "MODE": "analyze",
            "MIN_RECORDS": str(settings.monitor.min_records),
            "start_time": clock.text(start),
            "end_time": clock.text(end),
            "sagemaker_endpoint_name": environment.endpoint_name,
            "sagemaker_monitoring_schedule_name": managed.schedule_name(environment, kind.name),
            **({"HISTORY": f"{jobs.INPUT}/history"} if history else {}),
            **kind.variables(settings),
        },
    )
