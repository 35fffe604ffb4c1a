"""The monitor and the drift handler against real tables, topics, objects and metrics."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from chalicelib import clock, documents, events, failures, records, runs
from chalicelib.api import feedback
from chalicelib.drift import incidents, policy, reaction
from chalicelib.environment import Environment
from chalicelib.model import registry
from chalicelib.monitoring import ground_truth, looks
from chalicelib.steps import monitor as steps_monitor

RUN = "20260301-120000-a1b2c3"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/3"
DATA, LABELS = "data-quality", "model-quality"
VIOLATION = {
    "feature_name": "review_body",
    "constraint_check_type": "baseline_drift_check",
    "description": "distance: 0.42 exceeds threshold: 0.1",
}


def capture_requests(
    stack: Any, bucket: str, moment: dt.datetime, count: int, name: str = "x"
) -> None:
    line = {
        "captureData": {
            "endpointInput": {
                "data": json.dumps({"records": [{"review_body": "x"}]}),
                "encoding": "JSON",
            }
        },
        "eventMetadata": {"eventId": "e", "inferenceTime": clock.text(moment)},
        "eventVersion": "0",
    }
    stack.client("s3").put_object(
        Bucket=bucket,
        Key=f"capture/reviews/primary/{moment:%Y/%m/%d/%H}/{name}.jsonl",
        Body="\n".join([json.dumps(line)] * count).encode(),
    )


RINGS = {"detail": {"alarmName": "reviews-drift", "state": {"value": "ALARM"}}}
SILENT = {"detail": {"alarmName": "reviews-drift", "state": {"value": "OK"}}}


def starter(started: list[dict[str, Any]]) -> Any:
    """Starts runs that are over at once; keeps what it was asked."""

    def start(reason: str, cause: str, cause_id: str, facts: dict[str, Any]) -> runs.RunStarted:
        run_id = f"20260301-130000-{len(started) + 1:06d}"
        moment = clock.text(clock.now() - dt.timedelta(hours=2))
        run = {"reason": reason, "status": "succeeded", "started_at": moment, **facts}
        records.put(run_id, run)
        started.append({"cause": cause, "cause_id": cause_id})
        return runs.RunStarted(run_id)

    return start


def look(stack: Any, bucket: str, number: int, violations: list[dict[str, str]]) -> None:
    """The monitor's last step after a look at minute `number`."""
    time = f"2026-03-01T12:{number:02d}:00.000Z"
    prefix = f"monitor/data-quality/{number}/"
    report(stack, bucket, prefix, violations)
    manifest = json.dumps([{"prefix": f"s3://{bucket}/capture/reviews/primary/"}]).encode()
    stack.client("s3").put_object(Bucket=bucket, Key=prefix + "capture.manifest", Body=manifest)
    begun = {
        **dict.fromkeys(("time", "start", "end", "judged_until"), time),
        "report": prefix,
        "champion_run": RUN,
    }
    looks.finish({"kind": DATA, "begin": begun})


def subjects() -> list[str]:
    return [told["subject"] for told in records.newest(records.NOTIFICATION, 50)][::-1]


def test_an_incident_has_one_beginning_one_escalation_and_one_end(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(runs, "start", starter(started))
    registry.crown(RUN, ARN, {}, "2026-03-01T11:00:00Z")
    label_rows(stack, bucket, 20)
    for number in range(1, 6):
        look(stack, bucket, number, [VIOLATION])
        reaction.alarmed(RINGS)
        reaction.alarmed(RINGS)
        label_rows(stack, bucket, 20)
    assert [each["cause_id"][-2:] for each in started] == ["-1", "-2", "-3"]
    assert subjects() == ["Drift in review_body", "Drift remains after 3 runs: review_body"]
    assert "3 runs did not clear it" in records.newest(records.DRIFT, 1)[0]["decision"]["why"]

    look(stack, bucket, 6, [])
    assert reaction.sweep() == {"due": False}  # the alarm has the first word
    assert reaction.alarmed(SILENT)["told"] is True
    assert "nothing to decide" in reaction.alarmed(SILENT)["ignored"]
    assert subjects()[2:] == ["Recovered: no more drift in review_body"]
    [incident] = records.newest(incidents.PREFIX, 5)
    assert (incident["status"], incident["seen"], len(incident["runs"])) == ("closed", 5, 3)


def test_what_waits_is_decided_by_the_sweep(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(runs, "start", starter(started))
    registry.crown(RUN, ARN, {}, "2026-03-01T11:00:00Z")
    earlier = {"status": "succeeded", "started_at": clock.text(clock.now()), "reason": "data"}
    records.put("20260301-110000-a", earlier)
    label_rows(stack, bucket, 19)
    look(stack, bucket, 1, [VIOLATION])
    assert "19 labelled or new rows" in reaction.alarmed(RINGS)["why"]
    assert reaction.sweep() == {"due": False}
    label_rows(stack, bucket, 1)
    later = clock.now() + policy.ROWS_PATIENCE
    monkeypatch.setattr(clock, "now", lambda: later)
    assert reaction.sweep()["start"] is True
    assert len(started) == 1
    assert subjects() == ["Drift in review_body"]


def label_rows(stack: Any, bucket: str, count: int, late: dt.timedelta = dt.timedelta(0)) -> None:
    """As written now, `late` for the hour that its folder names."""
    key = feedback.location(clock.now() - late, f"{clock.now():%f}")
    labels = feedback.ground_truth([("01234567-89ab-cdef-0123-456789abcdef", "5")] * count)
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=labels.encode())


def execution(kind: str = DATA, delay: int = 0) -> dict[str, Any]:
    moment = clock.text(clock.now())
    return {"kind": kind, "scheduled_at": moment, "capture_delay_seconds": delay}


def has_baselines(stack: Any, bucket: str, *names: str) -> None:
    """The champion's run made them."""
    for kind in names or (DATA, LABELS, "bias", "attribution"):
        key = f"runs/{RUN}/baseline/{kind}/constraints.json"
        stack.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")


def test_nothing_to_look_at_says_why(stack: Any, bucket: str) -> None:
    assert looks.begin(execution())["why"] == "no model is in service yet"
    assert "reads one column" in looks.begin(execution("attribution"))["why"]
    since = clock.now() - dt.timedelta(minutes=5)
    registry.crown(RUN, ARN, {"accuracy": 0.5}, clock.text(since))
    assert looks.begin(execution())["why"] == f"run {RUN} made no baseline of it; the next run does"
    has_baselines(stack, bucket)
    assert "0 records captured" in looks.begin(execution())["why"]
    capture_requests(stack, bucket, since + dt.timedelta(seconds=1), 49)
    assert "49 records captured" in looks.begin(execution())["why"]
    noted = records.get(looks.STATE + DATA) or {}
    assert "49 records captured" in noted["note"]
    assert "job" not in noted


def test_from_traffic_to_a_decision(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = clock.now() - dt.timedelta(minutes=5)
    registry.crown(RUN, ARN, {"accuracy": 0.5}, clock.text(since))
    has_baselines(stack, bucket)
    capture_requests(stack, bucket, since + dt.timedelta(seconds=1), 50)
    state = execution()
    state["begin"] = looks.begin(state)
    assert state["begin"]["analyze"]
    assert looks.begin(execution() | {"other": 1})["why"].endswith("is under way")
    manifest = stack.client("s3").get_object(
        Bucket=bucket, Key=state["begin"]["report"] + "capture.manifest"
    )
    prefix, *names = json.loads(manifest["Body"].read())
    assert prefix == {"prefix": f"s3://{bucket}/capture/reviews/primary/"}
    assert [name.rsplit("/", 1)[1] for name in names] == ["x.jsonl"]

    report(stack, bucket, state["begin"]["report"])
    shown = [{"review_body": f"{number}" * 300} for number in range(10)]
    stack.client("s3").put_object(
        Bucket=bucket,
        Key=state["begin"]["report"] + "examples.json",
        Body=json.dumps(shown).encode(),
    )
    label_rows(stack, bucket, 20)
    assert looks.finish(state)["violations"] == 1
    measured = stack.client("cloudwatch").list_metrics(Namespace="driftloop")["Metrics"]
    assert "Violations" in {metric["MetricName"] for metric in measured}
    assert "0 records captured" in looks.begin(execution())["why"]  # the window moved on

    started: list[dict[str, Any]] = []
    monkeypatch.setattr(runs, "start", starter(started))
    assert reaction.alarmed(RINGS)["start"] is True
    assert started[0]["cause"] == f"drift in review_body at {state['begin']['time']}"
    assert "nothing to decide" in reaction.alarmed(RINGS)["ignored"]
    assert "not this pipeline's" in reaction.alarmed({"detail": {"alarmName": "other"}})["ignored"]
    [record] = records.newest(records.DRIFT, 5)
    assert record["page"] == "constraint_violations.json"  # this report has no page
    assert record["run"] == "20260301-130000-000001"
    assert record["violations"][0]["distance"] == 0.42
    [told] = records.newest(records.NOTIFICATION, 5)
    assert told["subject"] == "Drift in review_body"
    assert "distance 0.42" in told["message"]
    assert record["examples"] == [{"review_body": f"{number}" * 200} for number in range(3)]


def test_what_is_captured_late_is_judged_in_the_next_look(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS takes minutes to write down what it captures; a look ends where all has come."""
    now = clock.now()
    registry.crown(RUN, ARN, {}, clock.text(now - dt.timedelta(minutes=20)))
    has_baselines(stack, bucket)
    capture_requests(stack, bucket, now - dt.timedelta(minutes=10), 50)
    state = execution(delay=300)
    state["begin"] = looks.begin(state)
    assert clock.parse(state["begin"]["end"]) <= now - dt.timedelta(minutes=4)
    report(stack, bucket, state["begin"]["report"], [])
    looks.finish(state)
    capture_requests(stack, bucket, now - dt.timedelta(minutes=3), 50, "late")
    assert "0 records captured" in looks.begin(execution(delay=300))["why"]
    later = now + dt.timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    begun = looks.begin(execution(delay=300))
    assert (begun["analyze"], begun["start"]) == (True, state["begin"]["end"])
    names = documents.read(Environment.from_env(), begun["report"] + "capture.manifest")
    assert any(str(name).endswith("/late.jsonl") for name in names)


def test_what_an_outage_left_out_is_caught_up_with(stack: Any, bucket: str) -> None:
    """Days without enough records are left behind; the machine comes back for the next."""
    now = clock.now()
    registry.crown(RUN, ARN, {}, clock.text(now - dt.timedelta(days=3, hours=2)))
    has_baselines(stack, bucket)
    capture_requests(stack, bucket, now - dt.timedelta(days=1, hours=12), 50)
    capture_requests(stack, bucket, now - dt.timedelta(minutes=5), 50)
    state = execution()
    state["begin"] = looks.begin(state)
    assert state["begin"]["more"] is True
    age = now - clock.parse(state["begin"]["start"])
    assert dt.timedelta(days=2) < age < dt.timedelta(days=2, hours=3)
    report(stack, bucket, state["begin"]["report"], [])
    drawn = state["begin"]["report"] + "drift.json"
    stack.client("s3").put_object(Bucket=bucket, Key=drawn, Body=b"{}")
    assert "HISTORY" not in state["begin"]["job"]["Environment"]
    state["finish"] = looks.finish(state)
    first = state["begin"]["job"]["ProcessingJobName"]
    state["begin"] = looks.begin(state)
    assert (state["begin"]["analyze"], state["begin"]["more"]) == (True, False)
    assert state["begin"]["job"]["ProcessingJobName"] != first
    assert state["begin"]["job"]["Environment"]["HISTORY"] == "/opt/ml/processing/input/history"
    listed = documents.read(Environment.from_env(), state["begin"]["report"] + "history.manifest")
    assert listed[1:] == [drawn.removeprefix("monitor/data-quality/")]


def test_two_looks_never_overlap_and_a_dead_one_gives_way(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = clock.now() - dt.timedelta(minutes=5)
    registry.crown(RUN, ARN, {}, clock.text(since))
    has_baselines(stack, bucket)
    capture_requests(stack, bucket, since + dt.timedelta(seconds=1), 50)
    first, second = execution(), execution() | {"other": 1}
    assert looks.begin(first)["analyze"]
    assert looks.begin(first)["analyze"]  # a retry of the same
    assert not looks.begin(second)["analyze"]
    later = clock.now() + looks.LEASE
    monkeypatch.setattr(clock, "now", lambda: later)
    assert looks.begin(second)["analyze"]


@pytest.mark.parametrize("kind", [LABELS, "bias"])
def test_labels_are_judged_once_and_late_ones_when_they_come(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ahead = dt.timedelta(seconds=2)  # of what the test writes
    monkeypatch.setattr(clock, "now", lambda: dt.datetime.now(dt.UTC) + ahead)
    now = clock.now()
    registry.crown(RUN, ARN, {}, clock.text(now - dt.timedelta(days=2)))
    has_baselines(stack, bucket)
    capture_requests(stack, bucket, now - dt.timedelta(days=1, hours=20), 1)
    label_rows(stack, bucket, 49)
    assert "49 labels" in looks.begin(execution(kind))["why"]
    label_rows(stack, bucket, 1)
    state = execution(kind)
    state["begin"] = begun = looks.begin(state)
    assert begun["analyze"], begun
    s3 = stack.client("s3")

    def listed(name: str) -> list[Any]:
        body = s3.get_object(Bucket=bucket, Key=begun["report"] + name)["Body"].read()
        return list(json.loads(body)[1:])

    assert len(listed("labels.manifest")) == 2
    assert len(listed("capture.manifest")) == 1  # of two days ago
    write(stack, bucket, begun["report"], {"dataset": {"item_count": 50}}, [BROKEN[kind]])
    found = looks.finish(state)
    assert (found["violations"], found["records"]) == (1, 50)
    [look] = records.newest(records.DRIFT, 5)
    assert (look["monitor"], len(look["violations"])) == (kind, 1)
    assert "0 labels since" in looks.begin(execution(kind) | {"next": 1})["why"]


@pytest.mark.parametrize(("hours", "found"), [(0, 1), (20, 1), (26, 0)])
def test_an_upload_may_be_a_day_late_for_the_hour_it_names(
    stack: Any, bucket: str, hours: int, found: int
) -> None:
    now = clock.now()
    label_rows(stack, bucket, 1, late=dt.timedelta(hours=hours))
    names = ground_truth.written(now - dt.timedelta(seconds=1), now + dt.timedelta(minutes=1))
    assert len(list(names)) == found


BROKEN: dict[str, dict[str, Any]] = {
    LABELS: {
        "constraint_check_type": "LessThanThreshold",
        "description": "Metric accuracy with 0.3 +/- 0.05 was LessThanThreshold '0.6'",
        "metric_name": "accuracy",
    },
    "bias": {
        "facet": "verified_purchase",
        "facet_value": "N",
        "metric_name": "DPPL",
        "constraint_check_type": "bias_drift_check",
        "description": "Value 0.4 does not meet the constraint requirement",
        "value": 0.4,
        "baseline_value": 0.1,
    },
}


def test_what_could_not_be_read_is_on_the_look_and_told_once(stack: Any, bucket: str) -> None:
    statistics = {"dataset": {"item_count": 50}}
    for number, unread in enumerate((2, 5, 9, 0, 5)):
        time, prefix = f"2026-03-01T12:0{number}:00.000Z", f"monitor/bias/{number}/"
        lost = {"lines without a time": unread} if unread else {}
        write(stack, bucket, prefix, statistics, [], lost)
        begun = {
            **dict.fromkeys(("time", "start", "end", "judged_until"), time),
            "report": prefix,
            "champion_run": RUN,
        }
        looks.finish({"kind": "bias", "begin": begun})
    found = [look["not_read"] for look in records.newest(records.DRIFT, 5)]
    assert [sum(each.values()) for each in found] == [5, 0, 9, 5, 2]
    assert subjects() == ["The bias monitor could not read 9% of its input"] * 2
    told = records.newest(records.NOTIFICATION, 1)[0]["message"]
    assert "Not read: 5 lines without a time." in told


def test_a_look_that_could_read_next_to_nothing_clears_no_incident(stack: Any, bucket: str) -> None:
    registry.crown(RUN, ARN, {}, "2026-03-01T11:00:00Z")
    look(stack, bucket, 1, [VIOLATION])
    time, prefix = "2026-03-01T12:02:00.000Z", "monitor/data-quality/2/"
    write(stack, bucket, prefix, {"dataset": {"item_count": 3}}, [], {"payloads": 90})
    begun = {
        **dict.fromkeys(("time", "start", "end", "judged_until"), time),
        "report": prefix,
        "champion_run": RUN,
    }
    assert looks.finish({"kind": DATA, "begin": begun})["why"].startswith("3 records could be read")
    [incident] = records.newest(incidents.PREFIX, 5)
    assert incident["status"] == "open"
    assert [each["monitor"] for each in records.newest(records.DRIFT, 5)] == [DATA]
    assert "97% of its input" in subjects()[-1]


def test_labels_of_other_predictions_are_no_look(stack: Any, bucket: str) -> None:
    begun = {"judged_until": "2026-03-01T12:00:00.000Z", "report": "monitor/none/"}
    assert looks.finish({"kind": LABELS, "begin": begun})["records"] == 0
    assert records.newest(records.DRIFT, 5) == []


def test_what_one_monitor_saw_is_not_forgotten_for_another(
    stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mild finding after a severe one: both are decided on, told together, marked."""
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(runs, "start", starter(started))
    registry.crown(RUN, ARN, {}, "2026-03-01T11:00:00Z")
    label_rows(stack, bucket, 20)
    look(stack, bucket, 1, [VIOLATION])
    prefix, time = "monitor/bias/1/", "2026-03-01T12:01:09.000Z"
    write(stack, bucket, prefix, {"dataset": {"item_count": 60}}, [BROKEN["bias"]])
    begun = {
        **dict.fromkeys(("time", "start", "end", "judged_until"), time),
        "report": prefix,
        "champion_run": RUN,
    }
    looks.finish({"kind": "bias", "begin": begun})
    assert reaction.alarmed(RINGS)["start"] is True
    [told] = records.newest(records.NOTIFICATION, 5)
    assert "distance 0.42" in told["message"]
    assert "verified_purchase=N DPPL: 0.4 is further from no bias" in told["message"]
    assert {found["decision"]["start"] for found in records.newest(records.DRIFT, 5)} == {True}


def test_the_metrics_of_a_report_are_published(stack: Any, bucket: str) -> None:
    """By the function: the job itself has no network."""
    dimensions = [{"Name": "Endpoint", "Value": bucket}]
    line = {"MetricName": "bias_metric_DPPL", "Value": 0.4, "Dimensions": dimensions}
    key = "monitor/data-quality/1/cloudwatch_metrics.jsonl"
    stamped = {**line, "Timestamp": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"}
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(stamped).encode())
    look(stack, bucket, 1, [])
    listed = stack.client("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/Endpoints/data-metrics", Dimensions=dimensions
    )["Metrics"]
    assert [metric["MetricName"] for metric in listed] == ["bias_metric_DPPL"]


def test_a_failed_analysis_is_told_and_its_window_stays(stack: Any, bucket: str) -> None:
    since = clock.now() - dt.timedelta(minutes=5)
    registry.crown(RUN, ARN, {}, clock.text(since))
    has_baselines(stack, bucket)
    capture_requests(stack, bucket, since + dt.timedelta(seconds=1), 50)
    state = execution()
    begun = looks.begin(state)
    cause = {
        "ProcessingJobName": begun["job"]["ProcessingJobName"],
        "ProcessingJobStatus": "Failed",
        "FailureReason": "no baseline",
    }
    found = steps_monitor.fail(state | {"error": {"Error": "x", "Cause": json.dumps(cause)}})
    assert found["error"].endswith("failed: no baseline")
    assert records.newest(records.NOTIFICATION, 5)[0]["kind"] == "monitor_failed"
    assert looks.begin(execution())["analyze"] is True


def test_the_end_of_a_jobs_log(stack: Any, bucket: str) -> None:
    logs, group = stack.client("logs"), f"/aws/sagemaker/{bucket}"
    assert "holds no log" in failures.log_tail("/aws/sagemaker/none", "job")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="r-train/algo-1-1")
    now = int(clock.now().timestamp() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName="r-train/algo-1-1",
        logEvents=[{"timestamp": now, "message": f"line {n}"} for n in range(40)],
    )
    assert failures.log_tail(group, "r-train").splitlines()[-2:] == ["line 38", "line 39"]
    assert len(failures.log_tail(group, "r-train").splitlines()) == failures.LINES


def test_an_event_that_comes_twice_acts_once(stack: Any, bucket: str) -> None:
    stack.client("dynamodb").create_table(
        TableName=f"idempotency-{bucket}",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    acted: list[str] = []

    def act(event: dict[str, Any]) -> dict[str, str]:
        acted.append(event["id"])
        return {"did": event["id"]}

    for identifier in ("a", "a", "b"):
        assert events.once(act, {"id": identifier}, Context()) == {"did": identifier}
    assert acted == ["a", "b"]


class Context:
    """What Powertools asks of a Lambda context."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def report(
    stack: Any, bucket: str, prefix: str, violations: list[dict[str, str]] | None = None
) -> None:
    """As the analysis job writes it."""
    found = [VIOLATION] if violations is None else violations
    common = {"num_present": 50, "num_missing": 0}
    statistics = {
        "version": 0.0,
        "dataset": {"item_count": 50},
        "features": [{"name": "review_body", "string_statistics": {"common": common}}],
    }
    write(stack, bucket, prefix, statistics, found)


def write(
    stack: Any,
    bucket: str,
    prefix: str,
    statistics: dict[str, Any],
    found: list[dict[str, str]],
    not_read: dict[str, int] | None = None,
) -> None:
    drift = {"records": statistics["dataset"]["item_count"], "not_read": not_read or {}}
    for name, content in (
        ("statistics.json", statistics),
        ("constraint_violations.json", {"violations": found}),
        ("drift.json", drift),
    ):
        stack.client("s3").put_object(
            Bucket=bucket, Key=prefix + name, Body=json.dumps(content).encode()
        )
