"""CloudWatch: alarms by the clock, their events and actions, composite alarms, metrics in logs."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.cloud

PERIOD = 10  # seconds; the shortest there is


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def alarm(cloud: Any, name: str) -> Callable[..., str]:
    """Make an alarm on a metric of its own; its name."""

    def make(called: str = name, **more: Any) -> str:
        cloud.client("cloudwatch").put_metric_alarm(
            **{
                "AlarmName": called,
                "Namespace": "test",
                "MetricName": called,
                "Statistic": "Sum",
                "Period": PERIOD,
                "EvaluationPeriods": 1,
                "Threshold": 5,
                "ComparisonOperator": "GreaterThanThreshold",
            }
            | more
        )
        return called

    return make


@pytest.fixture
def put(cloud: Any) -> Callable[..., None]:
    def to(metric: str, value: float, ago: float = 0, **more: Any) -> None:
        datum = {"MetricName": metric, "Value": value, "Timestamp": time.time() - ago} | more
        cloud.client("cloudwatch").put_metric_data(Namespace="test", MetricData=[datum])

    return to


@pytest.fixture
def described(cloud: Any) -> Callable[[str], dict[str, Any]]:
    def describe(called: str) -> dict[str, Any]:
        found = cloud.client("cloudwatch").describe_alarms(
            AlarmNames=[called], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (one,) = found["MetricAlarms"] + found["CompositeAlarms"]
        return one

    return describe


@pytest.fixture
def becomes(described, eventually) -> Callable[[str, str], dict[str, Any]]:
    """Wait until an alarm has a state; the alarm as it is then."""

    def wait(called: str, state: str) -> dict[str, Any]:
        eventually(lambda: described(called)["StateValue"] == state, 60)
        return described(called)

    return wait


# Evaluation: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html


@pytest.mark.parametrize(
    ("treatment", "state", "words"),
    [
        ("breaching", "ALARM", "1 missing datapoint was treated as [Breaching]"),
        ("notBreaching", "OK", "1 missing datapoint was treated as [NonBreaching]"),
    ],
)
def test_an_alarm_without_any_data_is_judged_by_the_clock(
    alarm, becomes, treatment: str, state: str, words: str
):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""
    found = becomes(alarm(TreatMissingData=treatment), state)
    assert words in found["StateReason"]


def test_missing_data_keeps_unsettles_or_mends_a_state(alarm, becomes, described, put, name):
    """When the only datapoint leaves the evaluation range, each treatment does as it says."""
    ends = {"ignore": "ALARM", "missing": "INSUFFICIENT_DATA", "notBreaching": "OK"}
    for treatment in ends:
        alarm(f"{name}-{treatment}", MetricName=name, TreatMissingData=treatment)
    assert described(f"{name}-ignore")["StateValue"] == "INSUFFICIENT_DATA"
    put(name, 9, ago=3 * PERIOD - 1)  # in the oldest period that still counts, for now
    for treatment in ends:
        becomes(f"{name}-{treatment}", "ALARM")
    becomes(f"{name}-missing", "INSUFFICIENT_DATA")
    becomes(f"{name}-notBreaching", "OK")
    assert described(f"{name}-ignore")["StateValue"] == "ALARM"


def test_two_datapoints_of_three(alarm, becomes, described, put, name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html"""
    alarm(Period=60, EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    put(name, 9, ago=60)
    becomes(name, "OK")
    put(name, 1, ago=120)
    put(name, 9, ago=180)
    found = becomes(name, "ALARM")
    assert found["StateReason"].startswith("Threshold Crossed: 2 out of the last 3 datapoints [9.0")
    assert found["StateTransitionedTimestamp"]


def test_a_datapoint_counts_where_dimensions_and_unit_are_the_alarms(alarm, becomes, put, name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension"""
    own = [{"Name": "endpoint", "Value": "a"}]
    alarm(Dimensions=own, Unit="Count", TreatMissingData="notBreaching")
    put(name, 99)
    put(name, 99, Dimensions=[{"Name": "endpoint", "Value": "b"}], Unit="Count")
    put(name, 99, Dimensions=own, Unit="Seconds")
    assert "no datapoints were received" in becomes(name, "OK")["StateReason"]
    put(name, 9, Dimensions=own, Unit="Count")
    assert "[9.0 (" in becomes(name, "ALARM")["StateReason"]


@pytest.mark.parametrize(
    ("statistic", "state"),
    [({"Statistic": "Average"}, "OK"), ({"ExtendedStatistic": "p90"}, "ALARM")],
    ids=["average", "p90"],
)
def test_the_statistic_is_the_alarms(cloud, becomes, name, statistic, state):
    cloudwatch = cloud.client("cloudwatch")
    values = {"Values": [1.0, 9.0], "Counts": [8.0, 2.0]}
    datum = {"MetricName": name, "Timestamp": time.time(), **values}
    cloudwatch.put_metric_data(Namespace="test", MetricData=[datum])
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="test", MetricName=name, Period=60, EvaluationPeriods=1,
        Threshold=5, ComparisonOperator="GreaterThanThreshold", **statistic,
    )  # fmt: skip
    becomes(name, state)


# What a metric may be


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ago": 14 * 24 * 3600 + 60}, "no more than two weeks in the past"),
        ({"ago": -2 * 3600 - 60}, "no more than two hours in the future"),
        (
            {"Dimensions": [{"Name": "facet", "Value": "caf\u00e9"}]},
            "contains non-ASCII characters",
        ),
        ({"Dimensions": [{"Name": "facet", "Value": " "}]}, "one non-whitespace character"),
    ],
    ids=["old", "ahead", "accent", "blank"],
)
def test_a_metric_that_cloudwatch_does_not_take(put, name, more, words):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""
    with pytest.raises(ClientError, match=words):
        put(name, 1, **more)
    put(name, 1, ago=13 * 24 * 3600, Dimensions=[{"Name": "facet", "Value": "caf\\xe9"}])


# What a change of state does


def test_a_change_of_state_is_an_event(alarm, becomes, put, listen, name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    heard = listen({"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}})
    alarm(
        AlarmDescription="too much",
        TreatMissingData="notBreaching",
        Dimensions=[{"Name": "endpoint", "Value": "a"}],
    )
    becomes(name, "OK")
    put(name, 9, Dimensions=[{"Name": "endpoint", "Value": "a"}])
    becomes(name, "ALARM")
    first, second = heard(2)[:2]
    assert second["detail-type"] == "CloudWatch Alarm State Change"
    assert second["resources"] == [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"]
    detail = second["detail"]
    assert set(detail) == {"alarmName", "configuration", "previousState", "state"}
    assert (first["detail"]["state"]["value"], detail["previousState"]["value"]) == ("OK", "OK")
    assert detail["previousState"]["reason"] == first["detail"]["state"]["reason"]
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["reason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints")
    assert detail["state"]["timestamp"].endswith("+0000")
    data = json.loads(detail["state"]["reasonData"])
    assert (data["version"], data["statistic"], data["period"]) == ("1.0", "Sum", PERIOD)
    assert (data["recentDatapoints"], data["threshold"]) == ([9.0], 5.0)
    assert detail["configuration"]["description"] == "too much"
    (metric,) = detail["configuration"]["metrics"]
    assert metric["returnData"] is True
    assert metric["metricStat"] == {
        "metric": {"namespace": "test", "name": name, "dimensions": {"endpoint": "a"}},
        "period": PERIOD,
        "stat": "Sum",
    }


def test_an_alarm_tells_its_topic(cloud, alarm, becomes, put, queue, name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"""
    arn, received = queue
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    alarm(AlarmActions=[topic], TreatMissingData="notBreaching")
    becomes(name, "OK")
    put(name, 9)
    (message,) = received(1)
    assert (message["AlarmName"], message["OldStateValue"]) == (name, "OK")
    assert message["NewStateValue"] == "ALARM"
    assert message["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1")


def test_a_state_that_was_set_lasts_until_the_next_evaluation(cloud, alarm, becomes, listen, name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html"""
    heard = listen({"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}})
    becomes(alarm(TreatMissingData="notBreaching"), "OK")
    cloud.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="trying it"
    )
    states = [event["detail"]["state"]["value"] for event in heard(3)]
    assert states == ["OK", "ALARM", "OK"]


# Composite alarms


def template(name: str, rule: str, **more: Any) -> str:
    child = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "test",
            "Statistic": "Sum",
            "Period": PERIOD,
            "EvaluationPeriods": 1,
            "Threshold": 5,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
    }
    children = {
        each: child | {"Properties": child["Properties"] | {
            "AlarmName": f"{name}-{each}", "MetricName": f"{name}-{each}",
        }}
        for each in ("Errors", "Slow")
    }  # fmt: skip
    both = {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "DependsOn": ["Errors", "Slow"],
        "Properties": {"AlarmName": name, "AlarmRule": {"Fn::Sub": rule}} | more,
    }
    outputs = {"Name": {"Value": {"Ref": "Both"}}, "Arn": {"Value": {"Fn::GetAtt": "Both.Arn"}}}
    return json.dumps({"Resources": children | {"Both": both}, "Outputs": outputs})


@pytest.fixture
def stack(cloud: Any, name: str, eventually: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Create or update a stack of a template; the stack when it is done."""
    cloudformation = cloud.client("cloudformation")

    def deploy(body: str, update: bool = False) -> dict[str, Any]:
        call = cloudformation.update_stack if update else cloudformation.create_stack
        call(StackName=name, TemplateBody=body)

        def done() -> dict[str, Any] | None:
            (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        return eventually(done, 60)

    return deploy


def test_a_composite_alarm_by_cloudformation_follows_its_rule(
    cloud, stack, becomes, described, put, listen, name
):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html"""
    heard = listen({"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}})
    rule = "ALARM(${Errors}) AND NOT OK(${Slow})"
    made = stack(template(name, rule, AlarmDescription="both"))
    assert made["StackStatus"] == "CREATE_COMPLETE"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}
    found = becomes(name, "OK")
    assert outputs == {"Name": name, "Arn": found["AlarmArn"]}
    assert found["AlarmRule"] == f"ALARM({name}-Errors) AND NOT OK({name}-Slow)"
    becomes(f"{name}-Slow", "OK")
    put(f"{name}-Errors", 9)
    becomes(f"{name}-Errors", "ALARM")
    assert described(name)["StateValue"] == "OK"
    put(f"{name}-Slow", 9)
    becomes(name, "ALARM")
    last = heard(2)[-1]["detail"]
    assert last["state"]["value"] == "ALARM"
    assert last["configuration"] == {"description": "both", "alarmRule": found["AlarmRule"]}


def test_a_composite_alarm_changes_and_goes_with_its_stack(cloud, stack, described, name):
    stack(template(name, "ALARM(${Errors})"))
    changed = stack(template(name, "ALARM(${Errors}) OR ALARM(${Slow})"), update=True)
    assert changed["StackStatus"] == "UPDATE_COMPLETE"
    assert described(name)["AlarmRule"] == f"ALARM({name}-Errors) OR ALARM({name}-Slow)"
    cloud.client("cloudformation").delete_stack(StackName=name)
    cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    left = cloud.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["CompositeAlarm"]
    )
    assert left["CompositeAlarms"] == []


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        ("ALARM(nosuch-alarm)", {}),
        ("LOUD(${Errors})", {}),
        ("ALARM(${Errors})", {"ActionsSuppressor": "other"}),
    ],
    ids=["unknown alarm", "not a rule", "not served"],
)
def test_a_composite_alarm_that_cannot_be_fails_its_stack(stack, name, rule: str, more: Any):
    assert stack(template(name, rule, **more))["StackStatus"].startswith("ROLLBACK")


# Metrics in logs


def test_a_line_of_embedded_metrics_is_a_metric(cloud, name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html"""
    logs, now = cloud.client("logs"), int(time.time() * 1000)
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    directive = {
        "Namespace": name,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "rows", "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
        "service": "intake",
        "rows": [3, 4],
    }
    events = [{"timestamp": now, "message": json.dumps(line)}]
    events += [{"timestamp": now, "message": "a line in words"}]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
    assert statistics(cloud, name, "rows", "intake") == {"Sum": 7.0, "SampleCount": 2.0}
    kept = logs.get_log_events(logGroupName=name, logStreamName="s", startFromHead=True)["events"]
    assert [event["message"] for event in kept] == [json.dumps(line), "a line in words"]


def test_what_a_function_prints_becomes_a_metric(cloud, make_function, eventually, name):
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
    printed = make_function(
        """
import json, time

def handler(event, context):
    directive = {"Namespace": event["to"], "Dimensions": [["service"]],
                 "Metrics": [{"Name": "seen", "Unit": "Count"}]}
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    print(json.dumps({"_aws": about, "service": "predict", "seen": 5}))
"""
    )
    payload = json.dumps({"to": name}).encode()
    answer = cloud.client("lambda").invoke(FunctionName=printed, Payload=payload)
    assert "FunctionError" not in answer
    found = eventually(lambda: statistics(cloud, name, "seen", "predict"))
    assert found == {"Sum": 5.0, "SampleCount": 1.0}


def statistics(cloud: Any, namespace: str, metric: str, service: str) -> dict[str, float] | None:
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": service}],
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return {key: found[0][key] for key in ("Sum", "SampleCount")} if found else None
