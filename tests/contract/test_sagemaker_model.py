"""The local SageMaker against botocore's model of the service: requests, answers, errors.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from local_sagemaker import (
    ACCOUNT,
    IMAGE,
    INSTANCE,
    REGION,
    ROLE,
    LocalSageMaker,
    name,
    refusal,
    until,
)

from localcloud.sagemaker import service, validation
from localcloud.sagemaker.errors import ApiError
from localcloud.service_models import service_model

MODEL = service_model("sagemaker")
MONITORS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
KINDS = ("Training", "Processing", "Transform", "HyperParameterTuning")
SERVED = {
    *(f"{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")
      for kind in KINDS),
    *(f"List{kind}Jobs" for kind in KINDS),
    "ListTrainingJobsForHyperParameterTuningJob",
    *(f"{verb}{thing}" for verb in ("Create", "Describe", "Delete")
      for thing in ("Model", "EndpointConfig", "Endpoint", "ModelPackageGroup", "ModelPackage")),
    "ListModels", "ListEndpointConfigs", "ListEndpoints", "ListModelPackageGroups",
    "ListModelPackages", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities",
    "UpdateModelPackage", "AddTags", "ListTags", "DeleteTags",
    *(f"{verb}{kind}JobDefinition" for verb in ("Create", "Describe", "Delete")
      for kind in MONITORS),
    *(f"List{kind}JobDefinitions" for kind in MONITORS),
    *(f"{verb}MonitoringSchedule" for verb in ("Create", "Update", "Describe", "Start", "Stop",
                                               "Delete")),
    "ListMonitoringSchedules", "ListMonitoringExecutions",
}  # fmt: skip


def test_what_is_served_is_in_the_model_and_is_what_we_say() -> None:
    assert set(service.served()) == SERVED
    assert set(MODEL.operation_names) >= SERVED


# --- Answers ------------------------------------------------------------------------------------


def misfits(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Where an answer does not fit the model: unknown and missing members, wrong types."""
    kinds = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
             "timestamp": (int, float), "integer": int, "long": int, "float": (int, float),
             "double": (int, float)}  # fmt: skip
    if not isinstance(value, kinds[shape.type_name]):
        yield f"{path} is {value!r}, not a {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (
            f"{path}.{each} is missing" for each in shape.required_members if each not in value
        )
        for member, item in value.items():
            if member in shape.members:
                yield from misfits(item, shape.members[member], f"{path}.{member}")
            else:
                yield f"{path}.{member} is not in {shape.name}"
    elif shape.type_name == "list":
        for item in value:
            yield from misfits(item, shape.member, f"{path}[]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from misfits(item, shape.value, f"{path}.{key}")
    elif value not in (enum := shape.metadata.get("enum") or [value]):
        yield f"{path} is {value!r}, not one of {enum}"


class Checked(LocalSageMaker):
    """A SageMaker whose every answer is compared with the model as it came over the wire."""

    def __init__(self, cloud: Any, bucket: str) -> None:
        super().__init__(cloud, bucket)
        self.answered: set[str] = set()
        self.wrong: list[str] = []
        session = boto3.session.Session("test", "test", region_name=REGION)
        self._api = session.client("sagemaker", endpoint_url=cloud.endpoint)
        self._api.meta.events.register("before-parse.sagemaker", self._compare)

    @property
    def api(self) -> Any:
        return self._api

    def _compare(self, operation_model: Any, response_dict: Any, **_: Any) -> None:
        if response_dict["status_code"] >= 300:
            return
        self.answered.add(operation_model.name)
        document = json.loads(response_dict["body"] or b"{}")
        if operation_model.output_shape is not None:
            self.wrong += misfits(document, operation_model.output_shape, operation_model.name)
        elif document:
            self.wrong.append(f"{operation_model.name} answers nothing on AWS: {document}")


@pytest.fixture(scope="module")
def checked(cloud: Any, sagemaker: LocalSageMaker) -> Checked:
    return Checked(cloud, sagemaker.bucket)


def use_jobs(it: Checked) -> None:
    tags = [{"Key": "pipeline", "Value": "reviews"}]
    it.put("data/a.txt", "one")
    uri = f"s3://{it.bucket}/data"
    channel = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
    request = it.training(
        "print('loss=0.5')",
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        InputDataConfig=[{"ChannelName": "train", **channel}],
        Tags=tags,
    )
    it.api.create_training_job(**request)
    it.describe("Training", request["TrainingJobName"])  # also while it runs
    assert it.end("Training", request["TrainingJobName"])["TrainingJobStatus"] == "Completed"
    assert it.train("raise SystemExit(1)")["TrainingJobStatus"] == "Failed"
    it.api.list_training_jobs(MaxResults=100)
    script = "open('output/message', 'w').write('done')"
    assert it.process(script, Tags=tags)["ExitMessage"] == "done"
    it.api.list_processing_jobs(MaxResults=100)
    waits = "import signal; signal.sigwait([signal.SIGTERM])"
    for kind, waiting in (("Training", it.training(waits)), ("Processing", it.processing(waits))):
        job = {f"{kind}JobName": waiting[f"{kind}JobName"]}
        getattr(it.api, f"create_{kind.lower()}_job")(**waiting)
        getattr(it.api, f"stop_{kind.lower()}_job")(**job)
        it.end(kind, waiting[f"{kind}JobName"])


def use_tuning(it: Checked) -> None:
    rate = {"Name": "rate", "MinValue": "0.1", "MaxValue": "1"}
    parent: str | None = None
    for script in ("print('score=1')", "print('score=1')", "import time; time.sleep(600)"):
        request = it.tuning(script, ParameterRanges={"ContinuousParameterRanges": [rate]})
        if parent:
            listed = [{"HyperParameterTuningJobName": parent}]
            kind = "IdenticalDataAndAlgorithm"
            request["WarmStartConfig"] = {
                "ParentHyperParameterTuningJobs": listed, "WarmStartType": kind,
            }  # fmt: skip
        parent = request["HyperParameterTuningJobName"]
        job = {"HyperParameterTuningJobName": parent}
        it.api.create_hyper_parameter_tuning_job(**request)
        if "sleep" in script:
            it.api.stop_hyper_parameter_tuning_job(**job)
        until(
            lambda job=job: (
                it.api.describe_hyper_parameter_tuning_job(**job)["HyperParameterTuningJobStatus"]
                in ("Completed", "Stopped")
            )
        )
        it.api.list_training_jobs_for_hyper_parameter_tuning_job(**job)
    it.api.list_hyper_parameter_tuning_jobs(MaxResults=100)


def use_models(it: Checked) -> None:
    model = it.model("modelled")
    it.api.describe_model(ModelName=model)
    it.api.list_models(MaxResults=100)
    for stop in (False, True):
        job = name("transform")
        it.api.create_transform_job(
            TransformJobName=job,
            ModelName=model,
            TransformInput={
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{it.bucket}/data"}
                }
            },
            TransformOutput={"S3OutputPath": f"s3://{it.bucket}/out"},
            TransformResources={"InstanceType": INSTANCE, "InstanceCount": 1},
        )
        if stop:
            it.api.stop_transform_job(TransformJobName=job)
        it.end("Transform", job)
    it.api.list_transform_jobs(MaxResults=100)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{it.bucket}/capture",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    }
    config = it.config_with({"DataCaptureConfig": capture}, main=model)
    it.api.describe_endpoint_config(EndpointConfigName=config)
    it.api.list_endpoint_configs(MaxResults=100)
    made = name("endpoint")
    it.api.create_endpoint(EndpointName=made, EndpointConfigName=config)
    it.api.describe_endpoint(EndpointName=made)
    assert it.settled(made)["EndpointStatus"] == "InService"
    it.api.list_endpoints(MaxResults=100)
    for kind in MONITORS:
        use_monitors(it, kind, made)
    it.api.update_endpoint_weights_and_capacities(
        EndpointName=made,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredWeight": 2}],
    )
    it.settled(made)
    it.api.update_endpoint(EndpointName=made, EndpointConfigName=config)
    it.settled(made)
    it.api.delete_endpoint(EndpointName=made)
    it.api.delete_endpoint_config(EndpointConfigName=config)
    it.api.delete_model(ModelName=model)


def use_monitors(it: Checked, kind: str, endpoint: str) -> None:
    """A definition and a schedule, whose one execution finds no traffic."""
    word = "_".join(re.findall("[A-Z][a-z]+", kind)).lower()
    made, schedule = name("definition"), name("schedule")
    limits = {"ConstraintsResource": {"S3Uri": f"s3://{it.bucket}/data/a.txt"}}
    output = {"S3Uri": f"s3://{it.bucket}/reports", "LocalPath": "/opt/ml/processing/result"}
    cluster = {"InstanceCount": 1, "InstanceType": INSTANCE, "VolumeSizeInGB": 1}
    clarify = kind in ("ModelBias", "ModelExplainability")
    labelled = kind in ("ModelQuality", "ModelBias")

    def act(verb: str, plural: str = "", **request: Any) -> Any:
        return getattr(it.api, f"{verb}_{word}_job_definition{plural}")(**request)

    act("create", **{
        "JobDefinitionName": made,
        f"{kind}BaselineConfig": limits,
        f"{kind}AppSpecification": {
            "ImageUri": IMAGE,
            **({"ConfigUri": f"s3://{it.bucket}/data/a.txt"} if clarify else {}),
        },
        f"{kind}JobInput": {
            "EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input/e"},
            **({"GroundTruthS3Input": {"S3Uri": f"s3://{it.bucket}/data"}} if labelled else {}),
        },
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        "JobResources": {"ClusterConfig": cluster},
        "RoleArn": ROLE,
    })  # fmt: skip
    act("describe", JobDefinitionName=made)
    act("list", "s", EndpointName=endpoint)
    span = {"DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "PT0S"}
    config = {"MonitoringJobDefinitionName": made, "MonitoringType": kind}
    now = {**config, "ScheduleConfig": {"ScheduleExpression": "NOW", **span}}
    named = {"MonitoringScheduleName": schedule}
    it.api.create_monitoring_schedule(**named, MonitoringScheduleConfig=now)

    def ended() -> bool:
        found = it.api.list_monitoring_executions(**named)["MonitoringExecutionSummaries"]
        return bool(found) and found[0]["MonitoringExecutionStatus"] == "Failed"

    until(ended)
    it.api.describe_monitoring_schedule(**named)
    it.api.stop_monitoring_schedule(**named)
    it.api.start_monitoring_schedule(**named)
    it.api.update_monitoring_schedule(**named, MonitoringScheduleConfig=config)
    it.api.list_monitoring_schedules(MonitoringTypeEquals=kind)
    it.api.delete_monitoring_schedule(**named)
    act("delete", JobDefinitionName=made)


def use_registry(it: Checked) -> None:
    group = name("group")
    arn = it.api.create_model_package_group(
        ModelPackageGroupName=group, ModelPackageGroupDescription="reviews"
    )["ModelPackageGroupArn"]
    it.api.describe_model_package_group(ModelPackageGroupName=group)
    it.api.list_model_package_groups(MaxResults=100)
    container = {"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}
    package = it.api.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription="first",
        InferenceSpecification={"Containers": [container]},
        CustomerMetadataProperties={"run": "r1"},
        ClientToken=name("token"),
        MetadataProperties={"GeneratedBy": "driftloop"},
        Domain="NATURAL_LANGUAGE_PROCESSING",
        Task="TEXT_CLASSIFICATION",
    )["ModelPackageArn"]
    it.api.update_model_package(
        ModelPackageArn=package,
        ModelApprovalStatus="Approved",
        ModelLifeCycle={"Stage": "Production", "StageStatus": "Approved"},
    )
    it.api.describe_model_package(ModelPackageName=package)
    it.api.list_model_packages(ModelPackageGroupName=group)
    it.api.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    it.api.list_tags(ResourceArn=arn)
    it.api.delete_tags(ResourceArn=arn, TagKeys=["a"])
    it.api.delete_model_package(ModelPackageName=package)
    it.api.delete_model_package_group(ModelPackageGroupName=group)


@pytest.mark.cloud
def test_every_answer_of_every_operation_fits_the_model(checked: Checked) -> None:
    use_jobs(checked)
    use_tuning(checked)
    use_models(checked)
    use_registry(checked)
    assert not checked.wrong
    assert checked.answered == SERVED


# --- Requests -----------------------------------------------------------------------------------

TRAINING = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
SERIALIZATION, VALIDATION = "SerializationException", "ValidationException"


def without(member: str) -> dict[str, Any]:
    return {key: value for key, value in TRAINING.items() if key != member}


def with_(**more: Any) -> dict[str, Any]:
    return {**TRAINING, **more}


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (
            without("RoleArn"),
            VALIDATION,
            ["1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: "
             "Member must not be null"],
        ),
        (
            with_(TrainingJobName="-no-"),
            VALIDATION,
            ["Value '-no-' at 'trainingJobName'", "regular expression pattern"],
        ),
        (
            with_(TrainingJobName="x" * 64),
            VALIDATION,
            ["at 'trainingJobName'", "length less than or equal to 63"],
        ),
        (
            with_(HyperParameters={"a": "x" * 2501}),
            VALIDATION,
            ["at 'hyperParameters.a.member'", "length less than or equal to 2500"],
        ),
        (
            with_(AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "Slow"}),
            VALIDATION,
            ["Value 'Slow' at 'algorithmSpecification.trainingInputMode'", "enum value set",
             "Pipe", "File", "FastFile"],
        ),
        (
            with_(StoppingCondition={"MaxRuntimeInSeconds": 0}),
            VALIDATION,
            ["at 'stoppingCondition.maxRuntimeInSeconds'", "value greater than or equal to 1"],
        ),
        (
            with_(InputDataConfig=[]),
            VALIDATION,
            ["at 'inputDataConfig'", "length greater than or equal to 1"],
        ),
        (
            with_(InputDataConfig=[{"ChannelName": "a", "DataSource": {"S3DataSource": {}}}]),
            VALIDATION,
            ["2 validation errors detected: ",
             "'inputDataConfig.1.member.dataSource.s3DataSource.s3DataType'",
             "'inputDataConfig.1.member.dataSource.s3DataSource.s3Uri'"],
        ),
        (with_(Colour="red"), VALIDATION, ["Unknown member 'colour'"]),
        (
            {**with_(TrainingJobName="-", Colour="red"), "RoleArn": None},
            VALIDATION,
            ["3 validation errors detected: ", "'roleArn'", "'trainingJobName'", "'colour'"],
        ),
        (with_(TrainingJobName=7), SERIALIZATION, ["at 'trainingJobName'", "a string"]),
        (with_(StoppingCondition="soon"), SERIALIZATION, ["at 'stoppingCondition'", "an object"]),
        (with_(InputDataConfig={}), SERIALIZATION, ["at 'inputDataConfig'", "a list"]),
        (
            with_(StoppingCondition={"MaxRuntimeInSeconds": "60"}),
            SERIALIZATION,
            ["at 'stoppingCondition.maxRuntimeInSeconds'", "integer"],
        ),
        (with_(EnableNetworkIsolation="yes"), SERIALIZATION, ["boolean"]),
        (with_(StoppingCondition={"MaxRuntimeInSeconds": True}), SERIALIZATION, ["integer"]),
    ],
    ids=[
        "required", "pattern", "length", "length in a map", "enum", "range", "length of a list",
        "required, deep", "unknown member", "several at once", "type string", "type structure",
        "type list", "type integer", "type boolean", "a boolean is no integer",
    ],
)  # fmt: skip
def test_a_request_is_checked_against_the_model(
    request_: dict[str, Any], code: str, words: list[str]
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html"""
    with pytest.raises(ApiError) as refused:
        validation.check("CreateTrainingJob", request_)
    assert refused.value.code == code
    assert refused.value.status == 400
    for word in words:
        assert word in refused.value.message


def test_a_request_that_fits_is_passed_on_without_its_nulls() -> None:
    assert validation.check("CreateTrainingJob", {**TRAINING, "Tags": None}) == TRAINING


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        (".*", "one line", True),
        (".*", "two\nlines", False),
        (".*", "two\rlines", False),
        (".*", "two\u2028lines", False),
        (r"[\S\s]*", "two\nlines", True),
        (r"[.]a\.", ".a.", True),
        (r"[.]a\.", "ba.", False),
        (r"\d[\w-]", "7-", True),
        (r"\d[\w-]", "\u0667a", False),
        (r"\d[\w-]", "7\u00e9", False),
        (r"[\p{L}]", "\u00e9", True),
    ],
)
def test_patterns_mean_what_they_mean_in_java(pattern: str, value: str, fits: bool) -> None:
    """https://docs.oracle.com/javase/8/docs/api/java/util/regex/Pattern.html"""
    assert bool(validation.compiled(pattern).fullmatch(value)) is fits


@pytest.mark.parametrize("word", sorted(SERVED))
def test_no_pattern_of_a_served_operation_is_beyond_us(word: str) -> None:
    """Patterns are Java's: each that a request may meet must compile."""
    seen: set[str] = set()

    def walk(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        if pattern := shape.metadata.get("pattern"):
            validation.compiled(pattern)
        children = {
            "structure": lambda: list(shape.members.values()),
            "list": lambda: [shape.member],
            "map": lambda: [shape.key, shape.value],
        }.get(shape.type_name, list)
        for child in children():
            walk(child)

    walk(MODEL.operation_model(word).input_shape)
    assert seen


# --- Errors over the wire -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def lenient(cloud: Any) -> Any:
    """A client that sends what it is given."""
    return boto3.session.Session("test", "test", region_name=REGION).client(
        "sagemaker", endpoint_url=cloud.endpoint, config=Config(parameter_validation=False)
    )


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("create_training_job", without("RoleArn"), VALIDATION),
        ("create_training_job", without("StoppingCondition"), VALIDATION),
        ("create_training_job", without("AlgorithmSpecification"), VALIDATION),
        ("create_training_job", with_(RetryStrategy={"MaximumRetryAttempts": 2}), VALIDATION),
        (
            "create_training_job",
            with_(ResourceConfig={**TRAINING["ResourceConfig"], "InstanceCount": 2}),
            VALIDATION,
        ),
        ("create_training_job", with_(Tags=[{"Key": "k"}]), VALIDATION),
        ("describe_training_job", {"TrainingJobName": "none"}, VALIDATION),
        ("stop_training_job", {"TrainingJobName": "none"}, VALIDATION),
        ("describe_processing_job", {"ProcessingJobName": "none"}, "ResourceNotFound"),
        ("stop_processing_job", {"ProcessingJobName": "none"}, "ResourceNotFound"),
        ("describe_transform_job", {"TransformJobName": "none"}, "ResourceNotFound"),
        ("stop_transform_job", {"TransformJobName": "none"}, "ResourceNotFound"),
        ("describe_model", {"ModelName": "none"}, VALIDATION),
        ("delete_model", {"ModelName": "none"}, VALIDATION),
        ("create_model", {"ModelName": "none"}, VALIDATION),
        (
            "create_model",
            {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": "p"}},
            VALIDATION,
        ),
        (
            "create_model",
            {"ModelName": "m", "PrimaryContainer": {
                "Image": IMAGE, "ModelDataUrl": "s3://no-bucket-here/model.tar.gz"}},
            VALIDATION,
        ),
        ("describe_endpoint_config", {"EndpointConfigName": "none"}, VALIDATION),
        ("describe_endpoint", {"EndpointName": "none"}, VALIDATION),
        ("delete_endpoint", {"EndpointName": "none"}, VALIDATION),
        ("create_endpoint", {"EndpointName": "e", "EndpointConfigName": "none"}, VALIDATION),
        ("describe_model_package_group", {"ModelPackageGroupName": "none"}, VALIDATION),
        ("list_training_jobs", {"MaxResults": 101}, VALIDATION),
        ("list_training_jobs", {"SortBy": "Colour"}, VALIDATION),
        (
            "list_tags",
            {"ResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/none"},
            "ResourceNotFound",
        ),
    ],
)  # fmt: skip
def test_refusals_carry_awss_codes(
    lenient: Any, operation: str, request_: dict[str, Any], code: str
) -> None:
    found, message = refusal(getattr(lenient, operation), **request_)
    assert found == code
    assert message


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("create_compilation_job", {}),
        ("create_workforce", {}),
        ("create_notebook_instance", {}),
        ("list_experiments", {}),
        ("search", {"Resource": "TrainingJob"}),
    ],
)
def test_an_operation_that_is_not_served_says_so(
    lenient: Any, operation: str, request_: dict[str, Any]
) -> None:
    code, message = refusal(getattr(lenient, operation), **request_)
    assert code == "UnknownOperationException"
    assert "The local SageMaker does not serve" in message


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SageMaker.MakeTea", b"{}", "UnknownOperationException"),
        ("Other.ListModels", b"{}", "UnknownOperationException"),
        ("SageMaker.ListModels", b"{not json", "SerializationException"),
        ("SageMaker.ListModels", b"[]", "SerializationException"),
        ("SageMaker.ListModels", b"\xff\xfe", "SerializationException"),
        (
            "SageMaker.ListModels",
            b'{"CreationTimeAfter": "yesterday"}',
            "SerializationException",
        ),
    ],
)
def test_requests_that_are_none(cloud: Any, target: str, body: bytes, code: str) -> None:
    signed = f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/sagemaker/aws4_request"
    answer = urllib3.request(
        "POST",
        cloud.endpoint,
        body=body,
        headers={
            "X-Amz-Target": target,
            "Authorization": signed,
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    assert answer.status == 400
    assert answer.json()["__type"] == code
    assert answer.headers["x-amzn-ErrorType"] == code
