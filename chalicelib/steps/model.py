"""The retrain machine's steps about the model: gate, register and finish; deploy.py is between.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, documents, places
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, deployments, gate, registry, rollout

if TYPE_CHECKING:
    from chalicelib.settings import Settings

Run = dict[str, Any]


def decide(run: Run) -> dict[str, Any]:
    """Challenger against the thresholds and the champion; the verdict goes on the run."""
    from chalicelib import runs, settings

    policy = gate.Policy(**settings.load().gate.limits)
    run_id = str(run["run_id"])
    challenger = _evaluation(run_id, "evaluation.json")
    if challenger is None:
        raise gate.EvaluationError(f"{places.run(run_id, 'evaluation/evaluation.json')} is missing")
    compared = _evaluation(run_id, "comparison.json")
    slices = _evaluation(run_id, "slices.json") or []
    verdict = gate.decide(
        policy,
        gate.metrics(challenger),
        gate.comparison(compared, policy.metric) if compared else None,
        gate.slices(slices, policy.metric),
        (_evaluation(run_id, "not_compared.json") or {}).get("reason", ""),
    )
    found: dict[str, Any] = {"passed": verdict.promote, "reasons": verdict.reasons}
    if compared:
        found["comparison"] = {"metric": policy.metric, **compared[policy.metric]}
    training = _training(run)
    runs.record(run_id, evaluation=verdict.metrics, gate=found, training=training)
    return {
        "promote": verdict.promote,
        "reasons": verdict.reasons,
        "metrics": verdict.metrics,
        "versions": training["versions"],
    }


def _training(run: Run) -> dict[str, Any]:
    """What training measured: the numbers that its log told SageMaker, whatever script it was, and
    what our scripts say beside.
    """
    from chalicelib import runs
    from chalicelib.model import lineage

    run_id = str(run["run_id"])
    job = lineage.train_job(run, (runs.get(run_id) or {}).get("tuning"))
    described = clients.client("sagemaker").describe_training_job(TrainingJobName=job)
    told = _evaluation(run_id, "training.json") or {}
    return {
        "job": job,
        "seconds": described.get("TrainingTimeInSeconds"),
        "metrics": {m["MetricName"]: m["Value"] for m in described.get("FinalMetricDataList", [])},
        "rows": told.get("training_rows"),
        "scores": told.get("scores", {}),
        "versions": told.get("versions", {}),
    }


def register(run: Run) -> dict[str, Any]:
    """A package in the registry, and what the machine has to know to go on with it."""
    from chalicelib import runs, settings

    environment, configured = Environment.from_env(), settings.load()
    run_id = str(run["run_id"])
    arn, version = registry.register(run, environment, configured, run["gate"]["metrics"])
    runs.record(run_id, model_version=version, model_package_arn=arn)
    return {
        "at": clock.text(clock.now()),
        "model_version": version,
        "model_package_arn": arn,
        "needs_approval": configured.gate.by_hand,
        "approval": {"timeout_seconds": _approval_seconds(configured)},
        "in_lambda": configured.endpoint.in_lambda,
        "endpoint": rollout.endpoint(run_id, environment, configured),
        "poll_seconds": rollout.poll_seconds(configured),
    }


def finish(run: Run) -> dict[str, Any]:
    """The run has ended well: champion, lineage, the run's record, one notification."""
    from chalicelib import notify, runs, settings
    from chalicelib.monitoring import schedules

    environment = Environment.from_env()
    run_id, registered = str(run["run_id"]), run.get("register")
    ended_at = clock.text(clock.now())
    outcome = _outcome(run)
    if registered and outcome == "deployed":
        registry.crown(run_id, registered["model_package_arn"], run["gate"]["metrics"], ended_at)
        registry.experiment_runs(None)
        schedules.apply(run_id, settings.load())
        deployments.end(run_id)
    if registered:
        autoscaling.apply(environment, settings.load())
    lineage_uri = _lineage(run, environment, outcome, ended_at)
    runs.succeed(run_id, outcome=outcome)
    notify.notify(
        outcome,
        _subject(run),
        "\n".join([*_decided(run), *run["gate"]["reasons"]]),
        run_id=run_id,
        reason=run["reason"],
        cause=run["cause"],
        lineage=lineage_uri,
        model_card=places.uri(environment, places.run(run_id, "evaluation/model_card.html")),
        **(run.get("quality") or {}).get("told", {}),
    )
    return {"outcome": outcome, "lineage": lineage_uri}


def _lineage(run: Run, environment: Environment, outcome: str, ended_at: str) -> str:
    from chalicelib import runs
    from chalicelib.model import lineage

    record = runs.get(str(run["run_id"])) or {}
    known = {**run, "arrivals": record.get("arrivals", [])}
    return lineage.write(known, environment, outcome, ended_at, record.get("tuning"))


def _outcome(run: Run) -> str:
    if not run.get("register"):
        return "kept_champion"
    return "deployed" if run.get("approval", {"approved": True})["approved"] else "rejected"


def _subject(run: Run) -> str:
    outcome = _outcome(run)
    if outcome == "kept_champion":
        return "The champion stays: the new model did not pass the gate"
    version = run["register"]["model_version"]
    if outcome == "rejected":
        return f"Model version {version} was rejected"
    return f"Model version {version} is in service"


def _decided(run: Run) -> list[str]:
    """Who approved or rejected it, where somebody was asked."""
    if (decision := run.get("approval")) is None:
        return []
    words = "approved" if decision["approved"] else "rejected"
    why = f": {decision['reason']}" if decision["reason"] else ""
    return [f"{words} by {decision['by']}{why}"]


def _approval_seconds(settings: Settings) -> int:
    return max(1, round(settings.gate.approval_timeout_hours * 3600))


def _evaluation(run_id: str, name: str) -> Any:
    """A document of the evaluation job, or None where it wrote none."""
    return documents.find(Environment.from_env(), places.run(run_id, f"evaluation/{name}"))
