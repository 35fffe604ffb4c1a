"""The retrain machine's steps that plan its jobs: what is run, and what an earlier run has done.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalicelib import documents, places, records, runs
from chalicelib.environment import Environment
from chalicelib.model import caching, jobs, registry, tuning

Run = dict[str, Any]
Request = dict[str, Any]
Entry = dict[str, str]  # of a run's jobs: {"job", "key", and "reused": the run that did it}


def plan_prepare(run: Run, dataset: str) -> dict[str, Any]:
    """The request of the first job. `dataset`: the digest of the version that it reads."""
    from chalicelib import settings

    environment, run_id = Environment.from_env(), str(run["run_id"])
    prefixes = [places.capture(environment), jobs.GROUND_TRUTH]
    live = all(documents.exists(environment, prefix) for prefix in prefixes)
    request = jobs.prepare(run_id, environment, settings.load(), live=live)
    inputs = {"dataset": dataset}
    if live:
        inputs |= {prefix: caching.listing(environment, prefix) for prefix in prefixes}
    wanted = caching.key(request, inputs, [run_id])
    look = _looking(run, environment, records.newest_runs(caching.LOOK_BACK))
    planned = {"prepare": look("prepare", request, wanted)}
    runs.record(run_id, jobs=planned)
    return {"prepare": request, "jobs": planned}


def plan_training(run: Run) -> dict[str, Any]:
    """The requests of the other jobs, now that what the splits hold is known."""
    from chalicelib import settings
    from chalicelib.monitoring import bias
    from chalicelib.monitoring import requests as monitors

    environment, configured, run_id = Environment.from_env(), settings.load(), str(run["run_id"])
    champion, earlier = _champion(), records.newest_runs(caching.LOOK_BACK)
    parents = tuning.parents([each for each in earlier if each["run_id"] != run_id], configured)
    searches = configured.tuning.max_jobs > 0
    requests = {
        "train": tuning.request(run_id, environment, configured, parents)
        if searches
        else jobs.train(run_id, environment, configured),
        "evaluate": jobs.evaluate(run_id, environment, configured, champion_run=champion),
        "baseline": monitors.data_baseline(run_id, environment, configured),
        "model_baselines": monitors.model_baselines(run_id, environment, configured),
    }
    compared = bias.config(configured)
    documents.write(environment, places.bias_config(run_id), compared)
    splits = {"splits": _splits(run, environment)}
    begun = dict(splits)
    if configured.training.pretrained:
        begun["pretrained"] = caching.listing(environment, places.pretrained(configured))
    look = _looking(run, environment, earlier)
    planned: dict[str, Entry] = {}
    for job in ("train", "baseline"):
        wanted = caching.key(requests[job], begun, [run_id])
        planned[job] = look(job, requests[job], wanted)
    # A model is what one training made: another with the same key need not be the same.
    models = {
        "model": planned["train"].get("reused", run_id),
        "champion": _trained_by(champion) if champion else "none",
    }
    folders = [run_id, *([champion] if champion else [])]
    wanted = caching.key(requests["evaluate"], {**splits, **models}, folders)
    planned["evaluate"] = look("evaluate", requests["evaluate"], wanted)
    held = {**splits, "model": models["model"], "bias": json.dumps(compared)}
    wanted = caching.key(requests["model_baselines"], held, [run_id])
    planned["model_baselines"] = look("model_baselines", requests["model_baselines"], wanted)
    every = {**run["plan"]["jobs"], **planned}
    runs.record(run_id, jobs=every, tuning=_tuning_of(planned["train"].get("reused")))
    return {**requests, "searches": searches, "jobs": every}


def keep_best(run: Run) -> dict[str, Any]:
    """The best model of a search is the run's; all that was tried is on its record."""
    from chalicelib import settings

    described, run_id = run["tuned"], str(run["run_id"])
    tried = tuning.trials(str(described["HyperParameterTuningJobName"]))
    found = tuning.facts(described, tried, settings.load())
    tuning.keep_model(Environment.from_env(), run_id, found["best"]["job"])
    runs.record(run_id, tuning=found)
    return {**found["best"], "metric": found["objective"], "of": len(found["trials"])}


def _looking(
    run: Run, environment: Environment, earlier: list[records.Record]
) -> Callable[[str, Request, str | None], Entry]:
    """Gives a job's entry on the run: its key, and the earlier run whose outputs are reused."""
    usable = [] if run.get("no_cache") else earlier

    def entry(job: str, request: Request, wanted: str | None) -> Entry:
        run_id = str(run["run_id"])
        reused = caching.reuse(job, run_id, request, wanted, usable, environment)
        name = caching.job_name(request).replace(run_id, reused or run_id)
        found = {"job": name, "key": wanted, "reused": reused}
        return {name: value for name, value in found.items() if value}

    return entry


def _splits(run: Run, environment: Environment) -> str | None:
    """What the splits are, by the rows they were made of and how; None where no report says."""
    key = places.run(str(run["run_id"]), "prepare/prepare.json")
    report = documents.find(environment, key)
    if report is None:
        return None
    rows = {"rows": report.get("dataset_digest")}
    return caching.key(run["plan"]["prepare"], rows, [str(run["run_id"])])


def _tuning_of(run_id: str | None) -> dict[str, Any] | None:
    """What an earlier run's search found, where its model is reused."""
    return (records.get(run_id) or {}).get("tuning") if run_id else None


def _champion() -> str | None:
    """The run of the model in service."""
    found = registry.champion()
    return str(found["run"]) if found else None


def _trained_by(run_id: str) -> str:
    """The run that trained a run's model: itself, unless it reused one."""
    trained: Entry = ((records.get(run_id) or {}).get("jobs") or {}).get("train", {})
    return trained.get("reused", run_id)
