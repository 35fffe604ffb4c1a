"""Deploy the pipeline through CloudFormation, on whichever cloud the command talks to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli import package, project, target
from cli.errors import Problem

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
SCHEDULES = {"hourly": "cron(0 * * * ? *)", "daily": "cron(0 0 * * ? *)"}
Progress = Callable[[str], None]
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
OF_THE_API = {"ApiRate": "rate", "ApiBurst": "burst", "ApiQuota": "quota_per_day",
              "CorsOrigin": "cors_origin"}  # fmt: skip
SETTLED = ("_COMPLETE", "_FAILED")


@dataclass(frozen=True)
class Deployed:
    """What a deployment came to."""

    stack: str
    changed: bool
    outputs: dict[str, str]
    seconds: float


def stack_name() -> str:
    return f"driftloop-{project.pipeline()['pipeline']['name']}"


def deploy(
    stack: str | None = None,
    parameters: dict[str, str] | None = None,
    progress: Progress = print,
) -> Deployed:
    """Package, upload and bring the stack to what the project folder says."""
    began = time.monotonic()
    stack = stack or stack_name()
    progress("packaging the functions, the job code and the state machines")
    made = package.build()
    given = _settings(stack) | _upload(stack, made) | (parameters or {})
    template_url = _template_url(given["ArtifactBucket"], made.template)
    changed = _apply(stack, template_url, given, progress)
    target.outputs.cache_clear()
    return Deployed(stack, changed, target.outputs(stack), time.monotonic() - began)


def artifact_bucket(stack: str) -> str:
    account = target.client("sts").get_caller_identity()["Account"]
    return f"{stack}-artifacts-{account}"


def _settings(stack: str) -> dict[str, str]:
    """What the template takes from pipeline.toml."""
    pipeline = project.pipeline()
    monitor = pipeline.get("monitor", {})
    schedule = monitor.get("schedule", "hourly")
    return {
        "MonitorSchedule": SCHEDULES.get(schedule, schedule),
        "MonitorEngine": monitor.get("engine", "driftloop"),
        "CaptureDelaySeconds": str(monitor.get("capture_delay_seconds", 300)),
        "Serving": pipeline.get("endpoint", {}).get("serving", "endpoint"),
        "TimeZone": pipeline["pipeline"].get("time_zone", "UTC"),
        "PipelineName": pipeline["pipeline"]["name"],
        "DatabaseName": stack.replace("-", "_").lower(),
        **{
            parameter: str(pipeline.get("api", {})[key])
            for parameter, key in OF_THE_API.items()
            if key in pipeline.get("api", {})
        },
        **_rollout(pipeline.get("rollout", {})),
        "WebhookParameter": pipeline.get("notifications", {}).get("webhook", ""),
    }


def _rollout(settings: dict[str, Any]) -> dict[str, str]:
    """The limits of the alarms that watch a rollout, where they are set."""
    limits = {
        "MaxErrorRate": settings.get("max_error_rate"),
        "MaxModelErrors": settings.get("max_model_errors"),
    }
    if "max_latency_ms" in settings:
        limits["MaxLatencyMicroseconds"] = settings["max_latency_ms"] * 1000
    return {name: str(limit) for name, limit in limits.items() if limit is not None}


def _upload(stack: str, made: package.Package) -> dict[str, str]:
    """Put what is not there yet; the parameters that name it."""
    bucket = artifact_bucket(stack)
    _ensure_bucket(bucket)
    prefix = f"code/{made.code_digest}"
    keys = {
        "FunctionKey": f"functions/{made.function_digest}.zip",
    }
    _put(bucket, keys["FunctionKey"], made.function)
    if made.serving is not None:
        keys["ServeKey"] = f"functions/serve-{package.digest(made.serving)}.zip"
        _put(bucket, keys["ServeKey"], made.serving)
    for name, definition in made.definitions.items():
        key = keys[f"{name.title()}DefinitionKey"] = f"machines/{package.digest(definition)}.json"
        _put(bucket, key, definition)
    for name, content in made.code.items():
        _put(bucket, f"{prefix}/{name}.tar.gz", content)
    return keys | {
        "ArtifactBucket": bucket,
        "CodePrefix": prefix,
        "CodeDigest": made.code_digest,
    }


def _template_url(bucket: str, template: bytes) -> str:
    """A template over 51,200 bytes goes by URL."""
    key = f"templates/{package.digest(template)}.json"
    _put(bucket, key, template)
    return f"{target.client('s3').meta.endpoint_url}/{bucket}/{key}"


def _put(bucket: str, key: str, content: bytes) -> None:
    s3 = target.client("s3")
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)


def _ensure_bucket(bucket: str) -> None:
    s3 = target.client("s3")
    try:
        s3.head_bucket(Bucket=bucket)
        return
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket", "NotFound"):
            raise
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True)
    )


def _apply(stack: str, template_url: str, given: dict[str, str], progress: Progress) -> bool:
    """Create or update through a change set; False when nothing differs."""
    cloud = target.client("cloudformation")
    found = describe(stack)
    if found and found["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        progress(f"an earlier deployment left {stack} in {found['StackStatus']}: removing it")
        cloud.delete_stack(StackName=stack)
        wait(found["StackId"], progress, set())
        found = None
    if found and found["StackStatus"] == "REVIEW_IN_PROGRESS":
        found = None  # a change set was made and never executed
    if found and found["StackStatus"].endswith("_IN_PROGRESS"):
        raise Problem(
            f"{stack} is being changed already ({found['StackStatus']})",
            "Wait until that is over and try again.",
        )
    name = f"driftloop-{int(time.time() * 1000)}"
    request = {
        "ChangeSetType": "UPDATE" if found else "CREATE",
        "TemplateURL": template_url,
        "Parameters": _parameters(given, found),
        "Capabilities": CAPABILITIES,
        "Tags": [{"Key": "driftloop", "Value": given["PipelineName"]}],
    }
    try:
        cloud.create_change_set(StackName=stack, ChangeSetName=name, **request)
    except ClientError as error:
        raise Problem(f"CloudFormation: {error.response['Error']['Message']}") from error
    if not _has_changes(stack, name):
        progress(f"{stack} is up to date: nothing to change")
        return False
    seen = {event["EventId"] for event in events(stack)}
    cloud.execute_change_set(StackName=stack, ChangeSetName=name)
    wait(describe(stack)["StackId"], progress, seen)  # type: ignore[index]
    return True


def _parameters(given: dict[str, str], found: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What is given now, and what was given before."""
    before = {item["ParameterKey"] for item in (found or {}).get("Parameters", [])}
    kept = [{"ParameterKey": k, "UsePreviousValue": True} for k in sorted(before - given.keys())]
    return [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()] + kept


def _has_changes(stack: str, name: str) -> bool:
    cloud = target.client("cloudformation")
    for _ in _ticks():
        change = cloud.describe_change_set(StackName=stack, ChangeSetName=name)
        if change["Status"] == "CREATE_COMPLETE":
            return True
        if change["Status"] == "FAILED":
            break
    reason = change.get("StatusReason", "")
    cloud.delete_change_set(StackName=stack, ChangeSetName=name)
    if "didn't contain changes" in reason or "No updates are to be performed" in reason:
        return False
    raise Problem(f"CloudFormation refused the template: {reason}")


def wait(stack_id: str, progress: Progress, seen: set[str]) -> None:
    """Tell each resource as it settles, until the stack has; a failure raises with its reasons."""
    failures: list[str] = []
    for _ in _ticks():
        found = describe(stack_id)
        status = found["StackStatus"] if found else "DELETE_COMPLETE"
        for event in events(stack_id):
            if event["EventId"] in seen:
                continue
            seen.add(event["EventId"])
            _tell(event, stack_id, progress, failures)
        if not status.endswith("_IN_PROGRESS"):
            break
    if "ROLLBACK" in status or status.endswith("FAILED"):
        reason = (found or {}).get("StackStatusReason", "")
        told = "\n".join(f"  {line}" for line in failures) or f"  {reason}"
        raise Problem(
            f"CloudFormation ended with {status}:\n{told}",
            "What is deployed is as it was before. Mend that and try again.",
        )


def _tell(event: dict[str, Any], stack_id: str, progress: Progress, failures: list[str]) -> None:
    status, name = event["ResourceStatus"], event["LogicalResourceId"]
    if event.get("PhysicalResourceId") == stack_id or not status.endswith(SETTLED):
        return
    reason = event.get("ResourceStatusReason", "")
    if status.endswith("_FAILED") and "cancelled" not in reason:
        failures.append(f"{name} ({event['ResourceType']}): {reason}")
    words = status.replace("_COMPLETE", "d").replace("_", " ").lower()
    progress(f"{name} {words}")


def describe(stack: str) -> dict[str, Any] | None:
    try:
        (found,) = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return dict(found)


def events(stack: str) -> list[dict[str, Any]]:
    """The stack's events, oldest first."""
    pages = target.client("cloudformation").get_paginator("describe_stack_events")
    try:
        listed = [e for page in pages.paginate(StackName=stack) for e in page["StackEvents"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return []
    return listed[::-1]


def _ticks(first: float = 0.1, longest: float = 3) -> Iterator[None]:
    """A pause between looks that grows with patience."""
    while True:
        yield
        time.sleep(first)
        first = min(first * 1.3, longest)
