"""Two versions side by side: requests, errors and latency of each variant, and what they answered.

Counts and latencies are SageMaker's own metrics; answers are those that the endpoint captured.
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli import records, target
from cli.errors import Problem

CHAMPION = "primary"
BESIDE = {"shadow": "shadow", "ab": "challenger"}
MOST_OBJECTS = 500  # of captured requests that are read, the newest, of each variant
Answers = dict[str, list[Any]]


def compare(stack: str, kind: str, hours: int) -> dict[str, Any]:
    """{"kind", "since", "variants": [...], "agreement"?}: since the start, or so many hours."""
    experiment = records.experiment(stack)
    if experiment is None or experiment["kind"] != kind:
        raise Problem(f"no {kind} runs", f"Start one: driftloop {kind} start VERSION")
    now = dt.datetime.now(dt.UTC)
    began = dt.datetime.fromisoformat(str(experiment["since"]).replace("Z", "+00:00"))
    since = max(began, now - dt.timedelta(hours=hours))
    champion = (records.champion(stack) or {})["model_version"]
    versions = {CHAMPION: champion, BESIDE[kind]: experiment["model_version"]}
    answered = {each: answers(_captured(stack, each, since, now)) for each in versions}
    told = truth(_lines(stack, "ground-truth/", since, now))
    shown = [
        {
            "variant": variant,
            "model_version": int(version),
            **_measured(stack, variant, since, now),
            **accuracy(answered[variant], told),
        }
        for variant, version in versions.items()
    ]
    found: dict[str, Any] = {
        "kind": kind,
        "since": since.isoformat(timespec="seconds"),
        "variants": shown,
    }
    if kind == "shadow":
        found["agreement"] = agreement(answered[CHAMPION], answered[BESIDE[kind]])
    return found


def answers(lines: Iterable[Mapping[str, Any]]) -> Answers:
    """Of captured requests: what each was answered, record by record, by its inference id."""
    found: Answers = {}
    for line in lines:
        call = line["eventMetadata"].get("inferenceId")
        output = line["captureData"].get("endpointOutput", {}).get("data")
        if call and output:
            predictions = json.loads(output).get("predictions", [])
            found[call] = [each.get("label", each.get("prediction")) for each in predictions]
    return found


def truth(lines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Of ground truth: the label of each record, by its inference id."""
    return {
        str(line["eventMetadata"]["eventId"]): str(line["groundTruthData"]["data"])
        for line in lines
    }


def agreement(one: Answers, other: Answers) -> dict[str, Any]:
    """How many records both answered, and the share that they answered alike."""
    pairs = [
        (first, second)
        for call in one.keys() & other.keys()
        for first, second in zip(one[call], other[call], strict=False)
    ]
    same = sum(first == second for first, second in pairs)
    return {"records": len(pairs), "share": same / len(pairs) if pairs else None}


def accuracy(answered: Answers, told: Mapping[str, str]) -> dict[str, Any]:
    """Of the answers whose true label came, how many, and the share that was right."""
    judged = [
        str(answer) == told[record]
        for call, found in answered.items()
        for index, answer in enumerate(found)
        if (record := call if len(found) == 1 else f"{call}/{index}") in told
    ]
    return {"labels": len(judged), "accuracy": sum(judged) / len(judged) if judged else None}


def _measured(stack: str, variant: str, since: dt.datetime, now: dt.datetime) -> dict[str, Any]:
    requests = _total(stack, variant, "Invocations", since, now)
    failed = _total(stack, variant, "InvocationModelErrors", since, now)
    latency = _statistics(
        stack, variant, "ModelLatency", since, now, ExtendedStatistics=["p50", "p99"]
    )
    return {
        "requests": int(requests),
        "error_rate": failed / requests if requests else None,
        "p50_ms": _weighted(latency, "p50"),
        "p99_ms": _weighted(latency, "p99"),
    }


def _total(stack: str, variant: str, metric: str, since: dt.datetime, now: dt.datetime) -> float:
    points = _statistics(stack, variant, metric, since, now, Statistics=["Sum"])
    return sum(float(point["Sum"]) for point in points)


def _statistics(
    stack: str, variant: str, metric: str, since: dt.datetime, now: dt.datetime, **wanted: Any
) -> list[dict[str, Any]]:
    dimensions = {"EndpointName": target.outputs(stack)["EndpointName"], "VariantName": variant}
    found = target.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=since.replace(second=0, microsecond=0),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        **wanted,
    )
    return list(found["Datapoints"])


def _weighted(points: list[dict[str, Any]], percentile: str) -> float | None:
    """Hours' percentiles in milliseconds, their mean: a percentile of all is not to be had."""
    values = [float(point["ExtendedStatistics"][percentile]) / 1000 for point in points]
    return round(sum(values) / len(values), 2) if values else None


def _captured(stack: str, variant: str, since: dt.datetime, now: dt.datetime) -> Iterator[Any]:
    endpoint = target.outputs(stack)["EndpointName"]
    return _lines(stack, f"capture/{endpoint}/{variant}/", since, now)


def _lines(stack: str, prefix: str, since: dt.datetime, now: dt.datetime) -> Iterator[Any]:
    """The JSON lines of a window under yyyy/mm/dd/hh/, of no more than MOST_OBJECTS objects."""
    s3, bucket = target.client("s3"), target.outputs(stack)["DataBucket"]
    keys: list[str] = []
    hour = now.replace(minute=0, second=0, microsecond=0)
    while hour > since - dt.timedelta(hours=1) and len(keys) < MOST_OBJECTS:
        where = f"{prefix}{hour:%Y/%m/%d/%H}/"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=where):
            listed = page.get("Contents", [])
            keys += [item["Key"] for item in listed if item["LastModified"] >= since]
        hour -= dt.timedelta(hours=1)
    for key in keys[:MOST_OBJECTS]:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        yield from (json.loads(line) for line in body.splitlines() if line.strip())
