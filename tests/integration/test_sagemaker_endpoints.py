"""Endpoints: create, update, weights, invocations, metrics, and processes that die.

https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints.html
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import LocalSageMaker, name, refusal, until

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def first(sagemaker: LocalSageMaker) -> str:
    return sagemaker.model("first")


@pytest.fixture(scope="module")
def second(sagemaker: LocalSageMaker) -> str:
    return sagemaker.model("second")


@pytest.fixture(scope="module")
def broken(sagemaker: LocalSageMaker) -> str:
    return sagemaker.model("broken")


@pytest.fixture(scope="module")
def hear(sagemaker: LocalSageMaker) -> Any:
    return sagemaker.listen("SageMaker Endpoint State Change")


@pytest.fixture(scope="module")
def endpoint(sagemaker: LocalSageMaker, first: str, second: str, hear: Any) -> Iterator[str]:
    """Two variants that share the traffic, three to one."""
    made = sagemaker.endpoint(sagemaker.config(main=(first, 3.0, 1), other=(second, 1.0, 1)))
    yield made
    sagemaker.api.delete_endpoint(EndpointName=made)


# --- Invocations --------------------------------------------------------------------------------


def test_the_model_gets_body_and_content_type_and_answers_with_its_own(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    answer = sagemaker.cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint,
        Body=b"good morning",
        ContentType="text/plain",
        Accept="application/json",
        TargetVariant="main",
    )
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "main"
    body = answer["Body"].read()
    assert b'"text": "good morning"' in body
    assert b'"accept": "application/json"' in body


def test_traffic_is_shared_by_weight_and_a_target_overrides_it(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html"""
    asked = Counter(sagemaker.invoke(endpoint)["variant"] for _ in range(200))
    assert 100 < asked["main"] < 190  # 150 expected; five standard deviations are 31
    models = {sagemaker.invoke(endpoint, TargetVariant="other")["model"] for _ in range(5)}
    assert models == {"second"}


def test_an_instance_takes_many_requests_at_once(sagemaker, endpoint):
    """Each of twelve is answered only when all twelve are there; the first of all is alone."""
    sagemaker.invoke(endpoint, TargetVariant="main")
    with ThreadPoolExecutor(12) as pool:
        asked = [
            pool.submit(sagemaker.invoke, endpoint, "together", TargetVariant="main")
            for _ in range(12)
        ]
        assert [each.result()["text"] for each in asked] == ["together"] * 12


@pytest.mark.parametrize(
    ("body", "status", "kind"), [("refuse", 415, "client"), ("fail", 500, "server")]
)
def test_a_refusal_of_the_model_is_a_model_error(sagemaker, endpoint, body, status, kind):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    with pytest.raises(ClientError) as refused:
        sagemaker.invoke(endpoint, body, TargetVariant="main")
    answer = refused.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert f"Received {kind} error ({status}) from primary with message" in answer["Message"]
    assert f"/aws/sagemaker/Endpoints/{endpoint}" in answer["LogStreamArn"]
    assert answer["OriginalMessage"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"TargetVariant": "nobody"}, "Variant nobody not found for Endpoint"),
        ({"TargetVariant": "no such name!"}, "at 'targetVariant' failed to satisfy constraint"),
        ({"InferenceId": "x" * 65}, "at 'inferenceId' failed to satisfy constraint"),
        ({"TargetModel": "a.tar.gz"}, "does not serve TargetModel"),
        ({"Body": b"x" * 6_291_457}, "length less than or equal to 6291456"),
        ({"EndpointName": "nothing-here"}, "Endpoint nothing-here of account 000000000000 not"),
    ],
    ids=["unknown variant", "pattern", "length", "unserved", "too large", "unknown endpoint"],
)
def test_a_request_that_cannot_be_served_is_a_validation_error(sagemaker, endpoint, more, words):
    request = {"EndpointName": endpoint, "Body": b"hello"} | more
    code, message = refusal(sagemaker.cloud.client("sagemaker-runtime").invoke_endpoint, **request)
    assert code == "ValidationError"
    assert words in message


@pytest.mark.parametrize(
    "operation", ["invoke_endpoint_async", "invoke_endpoint_with_response_stream"]
)
def test_other_ways_to_invoke_are_refused(sagemaker, endpoint, operation):
    more = {"InputLocation": "s3://b/k"} if operation.endswith("async") else {"Body": b""}
    act = getattr(sagemaker.cloud.client("sagemaker-runtime"), operation)
    code, message = refusal(act, EndpointName=endpoint, **more)
    assert code == "UnknownOperationException"
    assert "is not served here" in message


def sums(sagemaker: LocalSageMaker, endpoint: str, metric: str) -> tuple[float, float, set[str]]:
    """Sum and count of a metric of the variant `main` in the last minutes, and its units."""
    now = datetime.now(UTC)
    found = sagemaker.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "main"},
        ],
        StartTime=now - timedelta(minutes=15),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    total, count = (sum(point[name] for point in found) for name in ("Sum", "SampleCount"))
    return total, count, {point["Unit"] for point in found}


def test_invocations_are_counted_by_endpoint_and_variant(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html"""
    wanted = {
        "Invocations": (4, "None"),
        "InvocationsPerInstance": (4, "None"),
        "Invocation4XXErrors": (1, "None"),
        "Invocation5XXErrors": (1, "None"),
        "InvocationModelErrors": (2, "None"),
        "ModelLatency": (None, "Microseconds"),
        "OverheadLatency": (None, "Microseconds"),
    }
    before = {metric: sums(sagemaker, endpoint, metric) for metric in wanted}
    for body in ("hello", "hello", "refuse", "fail"):
        with contextlib.suppress(ClientError):
            sagemaker.invoke(endpoint, body, TargetVariant="main")
    for metric, (value, unit) in wanted.items():
        total, count, units = sums(sagemaker, endpoint, metric)
        assert count - before[metric][1] == 4, metric
        assert units == {unit}, metric
        added = total - before[metric][0]
        assert added == value if value is not None else 0 < added < 4 * 60e6, metric


# --- Life ---------------------------------------------------------------------------------------


def test_describe_shows_what_serves(sagemaker, endpoint, first):
    found = sagemaker.api.describe_endpoint(EndpointName=endpoint)
    assert found["EndpointStatus"] == "InService"
    variants = {each["VariantName"]: each for each in found["ProductionVariants"]}
    assert set(variants) == {"main", "other"}
    main = variants["main"]
    assert (main["CurrentWeight"], main["DesiredWeight"]) == (3.0, 3.0)
    assert (main["CurrentInstanceCount"], main["DesiredInstanceCount"]) == (1, 1)
    assert main["DeployedImages"][0]["SpecifiedImage"].endswith("cpu-py3")


def test_weights_and_capacities_change_in_service(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html"""

    def change(main: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        wanted = [{"VariantName": "main", **main}, {"VariantName": "other", **other}]
        sagemaker.api.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=wanted
        )
        found = sagemaker.settled(endpoint)["ProductionVariants"]
        return {each["VariantName"]: each for each in found}

    variants = change({"DesiredWeight": 0}, {"DesiredWeight": 1, "DesiredInstanceCount": 2})
    assert variants["main"]["CurrentWeight"] == 0
    assert variants["other"]["CurrentInstanceCount"] == 2
    answers = [sagemaker.invoke(endpoint) for _ in range(8)]
    assert {answer["variant"] for answer in answers} == {"other"}
    assert len({answer["pid"] for answer in answers}) == 2  # the instances take turns
    assert sagemaker.invoke(endpoint, TargetVariant="main")["model"] == "first"
    variants = change({"DesiredWeight": 3}, {"DesiredInstanceCount": 1})
    assert (variants["main"]["CurrentWeight"], variants["other"]["CurrentWeight"]) == (3, 1)
    assert variants["other"]["CurrentInstanceCount"] == 1
    code, message = refusal(
        sagemaker.api.update_endpoint_weights_and_capacities,
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "nobody", "DesiredWeight": 1}],
    )
    assert (code, "no variant nobody" in message) == ("ValidationException", True)


def test_an_update_takes_over_without_a_gap(sagemaker, first, second, hear):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html"""
    before, after = sagemaker.config(main=first), sagemaker.config(main=second)
    mine = sagemaker.endpoint(before)
    answers: list[str] = []
    errors: list[Exception] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answers.append(sagemaker.invoke(mine, "slow")["model"])
            except Exception as error:
                errors.append(error)

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    until(lambda: len(answers) >= 3)
    sagemaker.api.update_endpoint(EndpointName=mine, EndpointConfigName=after)
    assert sagemaker.api.describe_endpoint(EndpointName=mine)["EndpointStatus"] == "Updating"
    code, _ = refusal(sagemaker.api.update_endpoint, EndpointName=mine, EndpointConfigName=before)
    assert code == "ValidationException"
    found = sagemaker.settled(mine)
    until(lambda: answers[-3:] == ["second"] * 3)
    done.set()
    for caller in callers:
        caller.join()
    assert not errors
    assert set(answers) == {"first", "second"}
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", after)

    def told() -> Counter[str]:
        mine = [event for event in hear() if event["resources"] == [found["EndpointArn"]]]
        return Counter(event["detail"]["EndpointStatus"] for event in mine)

    until(lambda: told() == {"CREATING": 1, "IN_SERVICE": 2, "UPDATING": 1})
    sagemaker.api.delete_endpoint(EndpointName=mine)
    assert refusal(sagemaker.api.describe_endpoint, EndpointName=mine)[0] == "ValidationException"


def test_a_model_that_does_not_load_fails_the_endpoint_with_the_reason(sagemaker, broken, first):
    made = name("endpoint")
    config = sagemaker.config(main=broken)
    sagemaker.api.create_endpoint(EndpointName=made, EndpointConfigName=config)
    found = sagemaker.settled(made)
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith(
        "The primary container for production variant main did not pass the ping health check. "
        "Please check CloudWatch logs"
    )
    logs = sagemaker.cloud.client("logs")
    group = f"/aws/sagemaker/Endpoints/{made}"
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert streams[0]["logStreamName"].startswith("main/i-")
    where = {"logGroupName": group, "logStreamName": streams[0]["logStreamName"]}
    events = logs.get_log_events(**where)["events"]
    assert any("no weights here" in event["message"] for event in events)
    runtime = sagemaker.cloud.client("sagemaker-runtime")
    assert refusal(runtime.invoke_endpoint, EndpointName=made, Body=b"")[0] == "ValidationError"
    good = sagemaker.config(main=first)
    code, message = refusal(
        sagemaker.api.update_endpoint, EndpointName=made, EndpointConfigName=good
    )
    assert (code, "Failed" in message) == ("ValidationException", True)
    sagemaker.api.delete_endpoint(EndpointName=made)


def test_a_failed_update_leaves_the_old_configuration_serving(sagemaker, endpoint, broken):
    before = sagemaker.api.describe_endpoint(EndpointName=endpoint)
    config = sagemaker.config(main=broken)
    sagemaker.api.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    found = sagemaker.settled(endpoint)
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointConfigName"] == before["EndpointConfigName"]
    assert found["ProductionVariants"] == before["ProductionVariants"]
    assert "did not pass the ping health check" in found["FailureReason"]
    assert sagemaker.invoke(endpoint, TargetVariant="main")["model"] == "first"


def test_a_process_that_is_killed_comes_back(sagemaker, endpoint):
    killed = sagemaker.invoke(endpoint, TargetVariant="main")["pid"]
    os.kill(killed, signal.SIGKILL)

    def answer() -> int | None:
        try:
            return int(sagemaker.invoke(endpoint, TargetVariant="main")["pid"])
        except ClientError:
            return None

    assert until(answer) != killed
    assert sagemaker.invoke(endpoint, TargetVariant="other")["model"] == "second"


def test_a_process_that_dies_of_a_request_is_a_model_error(sagemaker, endpoint):
    with pytest.raises(ClientError) as refused:
        sagemaker.invoke(endpoint, "die", TargetVariant="other")
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["OriginalStatusCode"]) == ("ModelError", 0)

    def back() -> bool:
        try:
            return bool(sagemaker.invoke(endpoint, TargetVariant="other"))
        except ClientError:
            return False

    until(back)


def test_what_is_deployed_serves_without_its_model_and_configuration(sagemaker, endpoint):
    """And under network isolation it has no credentials.

    https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html
    """
    assert "AWS_ACCESS_KEY_ID" in sagemaker.invoke(endpoint)["env"]
    model = sagemaker.model("alone", EnableNetworkIsolation=True)
    config = sagemaker.config(main=model)
    mine = sagemaker.endpoint(config)
    sagemaker.api.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.api.delete_model(ModelName=model)
    answer = sagemaker.invoke(mine)
    assert answer["model"] == "alone"
    assert "AWS_ACCESS_KEY_ID" not in answer["env"]
    sagemaker.api.delete_endpoint(EndpointName=mine)


# --- Requests -----------------------------------------------------------------------------------


def test_a_name_is_taken(sagemaker, endpoint, first):
    config = sagemaker.api.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    create = sagemaker.api.create_endpoint
    code, message = refusal(create, EndpointName=endpoint, EndpointConfigName=config)
    assert (code, "already existing endpoint" in message) == ("ValidationException", True)
    container = {"Image": "x"}
    code, message = refusal(sagemaker.api.create_model, ModelName=first, PrimaryContainer=container)
    assert (code, "already existing model" in message) == ("ValidationException", True)


SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}


def variant(**more: Any) -> dict[str, Any]:
    plain = {"VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return plain | more


@pytest.mark.parametrize(
    ("variants", "more", "words"),
    [
        ([variant(ModelName="none-such")], {}, 'Could not find model "arn:aws:sagemaker'),
        ([variant()], {}, "with a ModelName only"),
        ([variant(ModelName="{model}"), variant(ModelName="{model}")], {}, "must be distinct"),
        (
            [variant(ModelName="{model}", ServerlessConfig=SERVERLESS)],
            {},
            "does not serve v.ServerlessConfig",
        ),
        (
            [variant(ModelName="{model}")],
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/k"}}},
            "does not serve AsyncInferenceConfig",
        ),
        ([{"VariantName": "v", "ModelName": "{model}"}], {}, "lacks InstanceType"),
        (
            [variant(ModelName="{model}")],
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "https://b/k",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DestinationS3Uri must be an S3 URI",
        ),
    ],
    ids=[
        "unknown model",
        "no model",
        "same names",
        "serverless",
        "async",
        "no instance type",
        "no bucket",
    ],
)
def test_configurations_that_are_refused(sagemaker, first, variants, more, words):
    given = [{k: first if v == "{model}" else v for k, v in each.items()} for each in variants]
    code, message = refusal(
        sagemaker.api.create_endpoint_config,
        EndpointConfigName=name("config"),
        ProductionVariants=given,
        **more,
    )
    assert code == "ValidationException"
    assert words in message


def test_more_instances_than_the_account_may_have(sagemaker, first):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html"""
    config = sagemaker.config(main=(first, 1.0, 21))
    create = sagemaker.api.create_endpoint
    code, message = refusal(create, EndpointName=name("endpoint"), EndpointConfigName=config)
    assert code == "ResourceLimitExceeded"
    assert "'ml.m5.large for endpoint usage' is 20 Instances" in message


def test_endpoints_are_listed_newest_first(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListEndpoints.html"""
    found = sagemaker.api.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert endpoint in [each["EndpointName"] for each in found]
    times = [each["CreationTime"] for each in found]
    assert times == sorted(times, reverse=True)
    assert not sagemaker.api.list_endpoints(StatusEquals="Failed", NameContains=endpoint)[
        "Endpoints"
    ]


# --- Shadows ------------------------------------------------------------------------------------


def test_a_shadow_gets_copies_and_answers_nobody(sagemaker, first, second):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html"""
    capture = sagemaker.capture("shadowed", "Input", "Output")
    shadow = {
        "VariantName": "shadow",
        "ModelName": second,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    more = {"ShadowProductionVariants": [shadow], "DataCaptureConfig": capture}
    made = sagemaker.endpoint(sagemaker.config_with(more, main=first))
    described = sagemaker.api.describe_endpoint(EndpointName=made)
    assert [each["VariantName"] for each in described["ProductionVariants"]] == ["main"]
    assert [each["VariantName"] for each in described["ShadowProductionVariants"]] == ["shadow"]
    answers = [sagemaker.invoke(made, InferenceId=f"call-{index}") for index in range(20)]
    assert {answer["model"] for answer in answers} == {"first"}
    with pytest.raises(ClientError):
        sagemaker.invoke(made, TargetVariant="shadow")
    with pytest.raises(ClientError):
        sagemaker.invoke(made, "die")  # the shadow dies of it too

    def captured(variant: str) -> set[str]:
        keys = sagemaker.keys(f"shadowed/{made}/{variant}/")
        lines = [
            json.loads(line)
            for key in keys
            for line in sagemaker.get(f"s3://{sagemaker.bucket}/{key}").decode().splitlines()
        ]
        return {line["eventMetadata"]["inferenceId"] for line in lines}

    wanted = {f"call-{index}" for index in range(20)}
    until(lambda: captured("shadow") == captured("main") == wanted)
    until(lambda: sagemaker.invoke(made)["model"] == "first")
    without = sagemaker.config(main=first)
    sagemaker.api.update_endpoint(EndpointName=made, EndpointConfigName=without)
    assert "ShadowProductionVariants" not in sagemaker.settled(made)
    sagemaker.api.delete_endpoint(EndpointName=made)


def test_a_shadow_stands_beside_one_variant_only(sagemaker, first):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html"""
    variant = {"ModelName": first, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    code, message = refusal(
        sagemaker.api.create_endpoint_config,
        EndpointConfigName=name("config"),
        ProductionVariants=[{**variant, "VariantName": each} for each in ("one", "two")],
        ShadowProductionVariants=[{**variant, "VariantName": "shadow"}],
    )
    assert code == "ValidationException"
    assert "only specify one variant for ProductionVariants" in message
