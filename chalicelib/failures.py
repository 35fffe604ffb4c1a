"""A Step Functions error as words a person can act on, with the end of the failed job's log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import clients, clock
from chalicelib.ingest import queries

GROUPS = {
    "TrainingJobName": ("training", "/aws/sagemaker/TrainingJobs"),
    "ProcessingJobName": ("processing", "/aws/sagemaker/ProcessingJobs"),
    "TransformJobName": ("transform", "/aws/sagemaker/TransformJobs"),
    # Its training jobs have the logs.
    "HyperParameterTuningJobName": ("tuning", "/aws/sagemaker/TrainingJobs"),
}
QUALITY = "QualityError"
LINES = 30
DETAIL_LIMIT = 16_000
# Where each state leaves its result, a query in the request's place: the first one missing is the
# state that failed.
RESULTS = (
    ("Begin", "begin"),
    ("PlanConvert", "convert"),
    ("Schema", "schema"),
    ("Convert", "convert.convert"),
    ("Count", "convert.count"),
    ("Reconcile", "reconcile"),
    ("Rejects", "reconcile.rejects"),
    ("Check", "reconcile.check"),
    ("Judge", "judge"),
    ("Quality", "quality"),
    ("Plan", "plan"),
    ("Prepare", "prepared"),
    ("PlanTraining", "plan_training"),
    ("Gate", "gate"),
    ("Register", "register"),
    ("AwaitApproval", "approval"),
    ("PlanDeploy", "plan_deploy"),
)
JOB_STATES = {"prepare": "Prepare", "train": "Train", "tune": "Tune", "evaluate": "Evaluate",
              "baseline": "Baseline", "baselines": "ModelBaselines"}  # fmt: skip
OF_DATA = {"convert", "schema", "reconcile", "judge", "quality"}


@dataclass(frozen=True)
class Explanation:
    """What failed in words, the job that did (if one), and the end of its log or trace.

    `alarms`: those that brought the model before back, each {"alarm", "reason", "at"}.
    """

    message: str
    job: str | None = None
    detail: str = ""
    alarms: tuple[dict[str, str], ...] = ()


def explain(error: Mapping[str, Any], deployed_at: str | None = None) -> Explanation:
    """`{"Error", "Cause"}` of a state that failed, put into words; reads the job's log.

    `deployed_at`: when the deployment began, if one did: its alarms' history from then on is read.
    """
    name, cause = str(error.get("Error", "")), str(error.get("Cause", ""))
    try:
        facts = json.loads(cause)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        return Explanation(_plain(name, cause))
    for key, (kind, group) in GROUPS.items():
        if key in facts:
            return _of_job(facts, kind, group, str(facts[key]))
    if name == "EndpointFailed":
        return _of_endpoint(facts, deployed_at)
    return _of_facts(name, facts)


def state(run: Mapping[str, Any], explanation: Explanation) -> str:
    """The state that failed, as far as what the run has left behind tells."""
    if explanation.job:
        return JOB_STATES.get(explanation.job.rsplit("-", 1)[-1], "")
    new_data = bool((run.get("begin") or {}).get("has_new_data"))
    for name, key in RESULTS:
        step = key.partition(".")[0]
        if name == "Rejects" and not (run.get("reconcile") or {}).get("has_rejects"):
            continue
        if name == "Check" and (run.get("reconcile") or {}).get("too_many"):
            return "RejectsWithinLimit"
        if key == "prepared" and "reused" in run:
            continue
        if name == "Convert" and (part := run.get("plan_part")):
            if queries.is_done(part["insert"]) and not part["more"]:
                continue
            return "ConvertPart"
        if key == "approval" and not (run.get("register") or {}).get("needs_approval"):
            continue
        if not _done(run, key) and (new_data or step not in OF_DATA):
            return name
    return "Deploy"


def _done(run: Mapping[str, Any], key: str) -> bool:
    step, _, query = key.partition(".")
    return step in run and (not query or queries.is_done(run[step][query]))


def log_tail(group: str, job: str, lines: int = LINES) -> str:
    """The last lines of a job's log, or of those of a search's training jobs, which begin with its
    name; in words why, where they cannot be read."""
    logs = clients.client("logs")
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)
        messages: list[str] = []
        for stream in streams["logStreams"]:
            page = logs.get_log_events(
                logGroupName=group,
                logStreamName=stream["logStreamName"],
                limit=lines,
                startFromHead=False,
            )
            messages += [event["message"].rstrip() for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return f"{group} holds no log of {job}"
    return "\n".join(messages[-lines:])[-DETAIL_LIMIT:] or f"the log of {job} is empty"


def _of_job(facts: Mapping[str, Any], kind: str, group: str, job: str) -> Explanation:
    stated = (f"{kind.title()}JobStatus", "HyperParameterTuningJobStatus")
    status = next((str(facts[name]) for name in stated if name in facts), "Failed")
    reason = facts.get("FailureReason") or facts.get("ExitMessage") or "it gave no reason"
    what = "was stopped" if status in {"Stopped", "Stopping"} else "failed"
    return Explanation(f"the {kind} job {job} {what}: {reason}", job, log_tail(group, job))


def _of_facts(name: str, facts: Mapping[str, Any]) -> Explanation:
    if name == QUALITY:
        message, _, detail = str(facts["errorMessage"]).partition("\n\n")
        return Explanation(message, detail=detail[-DETAIL_LIMIT:])
    if "errorMessage" in facts:
        trace = facts.get("stackTrace") or facts.get("trace") or []
        detail = "".join(map(str, trace)) if isinstance(trace, list) else str(trace)
        return Explanation(str(facts["errorMessage"]), detail=detail[-DETAIL_LIMIT:])
    if query := facts.get("QueryExecution"):
        status = query.get("Status", {})
        reason = status.get("StateChangeReason") or f"it ended as {status.get('State')}"
        return Explanation(f"the Athena query failed: {reason}", detail=str(query.get("Query", "")))
    if name == "CrawlFailed":
        return Explanation(f"the Glue crawler failed: {facts.get('ErrorMessage', 'no reason')}")
    if name == "TooManyRejects":
        return Explanation(_rejects(facts))
    return Explanation(f"{name}: {json.dumps(facts, default=str)[:1000]}")


def _rejects(facts: Mapping[str, Any]) -> str:
    counts = facts["counts"]
    share = counts["rejected"] / counts["accepted"]
    return (
        f"{counts['rejected']} of {counts['accepted']} rows ({share:.1%}) do not fit the schema; "
        f"{facts['max_rejects']:.1%} may (max_rejects). Each lies under runs/<run>/rejects/ with "
        "its row number, column, value and reason."
    )


def _of_endpoint(facts: Mapping[str, Any], deployed_at: str | None) -> Explanation:
    """An update that SageMaker rolled back tells which of its alarms fired."""
    from chalicelib.model import alarms

    watched = alarms.watched(facts) if deployed_at else []
    fired = alarms.fired(watched, clock.parse(deployed_at)) if watched and deployed_at else []
    if not fired:
        return Explanation(_endpoint(facts))
    endpoint = facts.get("EndpointName", "the endpoint")
    told = "; ".join(f"the alarm {each['alarm']} fired: {each['reason']}" for each in fired)
    return Explanation(f"{endpoint} went back to the model before: {told}", alarms=tuple(fired))


def _endpoint(facts: Mapping[str, Any]) -> str:
    endpoint = facts.get("EndpointName", "the endpoint")
    if reason := facts.get("FailureReason"):
        return f"{endpoint} did not take the new model: {reason}"
    return (
        f"{endpoint} is {facts.get('EndpointStatus')} with {facts.get('EndpointConfigName')}: "
        "it went back to the model before"
    )


def _plain(name: str, cause: str) -> str:
    if name == "States.Timeout":
        return f"a step ran past its time limit. {cause}".strip()
    return ": ".join(part for part in (name, cause[:2000]) if part) or "no cause was given"
