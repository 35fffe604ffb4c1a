"""The edge of the managed engine: each new model's job definitions, and the schedules they run on.

What an execution finds comes back as an event of its processing job, and goes the way of our own
looks from there: record, incident, the metric that the alarm watches.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, documents, failures, metrics, notify, places, records
from chalicelib.environment import Environment
from chalicelib.monitoring import clarify, images, kinds, looks, managed, preprocessors
from chalicelib.monitoring.managed import Monitor

if TYPE_CHECKING:
    from chalicelib.settings import Settings

MADE = "#managed"  # the kinds that have a schedule, each with its job definition
TURN = "#managed-look"  # whose look is taken now, and of each kind the job that was last
LONGEST = dt.timedelta(minutes=1)  # that taking one may last
TRIES, PAUSE_SECONDS = 40, 0.25
NO_DATA = "no data"  # in the reason of an hour without traffic
# The exit message of an execution that found no violation, which may leave no file of them.
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-results.html
CLEAN = "Completed: Job completed successfully with no violations"
CLOSED = re.compile(
    r"no longer|not (currently )?available|new customers|not supported|closed", re.I
)
REFUSALS = ("AccessDeniedException", "ValidationException", "UnknownOperationException",
            "OptInRequired", "SubscriptionRequiredException")  # fmt: skip
ADVICE = (
    "Amazon has closed SageMaker Model Monitor to new customers, and this account cannot use it. "
    'Set monitor.engine = "driftloop" in pipeline.toml and deploy: driftloop\'s own monitors judge '
    "the same, in the same formats. The model is in service meanwhile, and nobody watches it."
)


def apply(run_id: str, settings: Settings) -> None:
    """Bring the schedules to what the settings say, for the model that a run put into service.

    The model serves in any case: what goes wrong here is told, and does not fail the run.
    """
    environment = Environment.from_env()
    made = {key: str(name) for key, name in (records.get(MADE) or {}).items() if key in kinds.KINDS}
    if settings.monitor.engine == "driftloop" and not made:
        return
    wanted: list[Monitor] = []
    client = clients.client("sagemaker")
    try:
        if settings.monitor.engine == "managed":
            labels = _write(run_id, environment, settings)
            wanted = managed.monitors(run_id, environment, settings, labels)
        for monitor in wanted:
            _schedule(client, monitor)
        named = {monitor.kind: monitor.definition["JobDefinitionName"] for monitor in wanted}
        for kind, name in made.items():
            if kind not in named:
                schedule = managed.schedule_name(environment, kind)
                _gone(client.delete_monitoring_schedule, MonitoringScheduleName=schedule)
            if named.get(kind) != name:
                _gone(_operation(client, "delete", managed.TYPES[kind]), JobDefinitionName=name)
    except client.exceptions.ClientError as error:
        notify.notify("monitor_failed", "The managed monitors are not scheduled", told(error))
        return
    records.put(MADE, named)


def executed(event: Mapping[str, Any]) -> dict[str, Any]:
    """A managed schedule's processing job has ended: {"schedule", "job"}.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    name = managed.kind_of(str(event["schedule"]), environment)
    if name is None:
        return {"ignored": f"{event['schedule']} is not this pipeline's schedule"}
    kind = kinds.KINDS[name]
    job = clients.client("sagemaker").describe_processing_job(ProcessingJobName=event["job"])
    if job["ProcessingJobStatus"] != "Completed":
        return _unjudged(kind.name, job)
    if images.merges(str(job["AppSpecification"]["ImageUri"])):
        return {"ignored": "labels were merged with predictions, which another job judges"}
    uri = str(job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])
    report = uri.removeprefix(places.uri(environment, "")).rstrip("/") + "/"
    found = documents.find(environment, report + "constraint_violations.json")
    if found is None and not str(job.get("ExitMessage", "")).startswith(CLEAN):
        return _unjudged(kind.name, job)
    violations = [kind.violation(each) for each in (found or {}).get("violations", [])]
    statistics = documents.find(environment, report + "statistics.json")
    if not _turn(kind.name, str(event["job"])):
        return {"ignored": "its look is taken already"}
    champion = records.get(records.CHAMPION) or {}
    variables = job.get("Environment", {})
    begun = {
        "time": clock.text(clock.now()),
        "start": variables.get("start_time", ""),
        "end": variables.get("end_time", ""),
        "report": report,
        "champion_run": champion.get("run"),
    }
    judged = statistics or {"dataset": {"item_count": 0}}
    look = looks.record(environment, kind, begun, violations, judged)
    looks.remember(look, configured.monitor.kinds)
    records.release(TURN, {kind.name: event["job"]})
    metrics.publish(metrics.violations(len(violations), configured.pipeline.name, kind.name))
    return {"violations": len(violations), "report_uri": look["report_uri"]}


def _turn(kind: str, job: str) -> bool:
    """Wait until no other execution is being made a part of the incident: AWS runs all at once.

    False where the job is one already, for an event may come twice.
    """
    for _ in range(TRIES):
        now = clock.now()
        if records.lease(TURN, job, clock.text(now + LONGEST), clock.text(now)):
            if (records.get(TURN) or {}).get(kind) != job:
                return True
            records.release(TURN)
            return False
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError(f"other executions are read; the event of {job} is to come again")


def told(error: Any) -> str:
    """Why SageMaker made no schedule, in words; what to do where the service is closed."""
    answer = error.response["Error"]
    words = f"{error.operation_name}: {answer['Code']}: {answer['Message']}"
    closed = answer["Code"] in REFUSALS and CLOSED.search(answer["Message"])
    return f"{ADVICE}\n\nAWS says: {words}" if closed else words


def _write(run_id: str, environment: Environment, settings: Settings) -> list[str]:
    """What the definitions name in S3; the labels whose attributions are explained."""
    asked = managed.wanted(settings)
    for kind in asked:
        prefix = places.baseline(run_id, kind)
        for name in managed.documents(kind):
            document = managed.as_aws_has_it(documents.read(environment, f"{prefix}{name}.json"))
            documents.write(environment, managed.baseline(run_id, kind, name), document)
        if kind in preprocessors.SCRIPTS:
            clients.client("s3").put_object(
                Bucket=environment.data_bucket,
                Key=managed.preprocessor(run_id, kind),
                Body=preprocessors.SCRIPTS[kind].encode(),
            )
    if "bias" in asked:
        config = clarify.bias_config(settings)
        documents.write(environment, managed.config(run_id, "bias"), config)
    return _write_explanation(run_id, environment, settings) if "attribution" in asked else []


def _write_explanation(run_id: str, environment: Environment, settings: Settings) -> list[str]:
    prefix = places.baseline(run_id, "attribution")
    labels = clarify.labels(documents.read(environment, f"{prefix}constraints.json"))
    background = documents.read(environment, f"{prefix}background.json")
    config = clarify.explanation_config(run_id, settings, labels, background)
    documents.write(environment, managed.config(run_id, "attribution"), config)
    return labels


def _schedule(client: Any, monitor: Monitor) -> None:
    """The definition of this run, and the schedule on it, made or moved; twice is once."""
    with contextlib.suppress(client.exceptions.ResourceInUse):
        _operation(client, "create", monitor.type)(**monitor.definition)
    try:
        client.create_monitoring_schedule(**monitor.schedule, Tags=monitor.definition["Tags"])
    except client.exceptions.ResourceInUse:
        client.update_monitoring_schedule(**monitor.schedule)


def _operation(client: Any, verb: str, of: str) -> Any:
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", of).lower()
    return getattr(client, f"{verb}_{words}_job_definition")


def _gone(delete: Any, **named: str) -> None:
    with contextlib.suppress(clients.client("sagemaker").exceptions.ResourceNotFound):
        delete(**named)


def _unjudged(kind: str, job: Mapping[str, Any]) -> dict[str, Any]:
    """An execution that judged nothing: for want of material, or because it failed."""
    reason = str(job.get("FailureReason") or job.get("ExitMessage") or "it gave no reason")
    if NO_DATA in reason or reason.startswith("Completed:"):
        note = {"looked_at": clock.text(clock.now()), "note": reason}
        records.change(looks.STATE + kind, note)
        return {"violations": 0, "why": reason}
    name = str(job["ProcessingJobName"])
    log = failures.log_tail("/aws/sagemaker/ProcessingJobs", name)
    notify.notify("monitor_failed", f"The {kind} monitor failed", f"{reason}\n\n{log}")
    return {"error": reason}
