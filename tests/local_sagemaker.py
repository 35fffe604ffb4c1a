"""What the tests of the local SageMaker ask of it: jobs and models of a few lines, no libraries."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError
from roles import ROLE

ACCOUNT, REGION = "000000000000", "us-east-1"
IMAGE = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
INSTANCE = "ml.m5.large"
WAIT = 60.0

# A model that answers with what it was given; the request can ask it to fail.
INFERENCE = """
import json, os, threading, time
from sagemaker_inference.errors import BaseInferenceToolkitError

together = threading.Barrier(12)

def model_fn(model_dir):
    with open(os.path.join(model_dir, "name")) as file:
        name = file.read()
    if name == "broken":
        raise ValueError("no weights here")
    if name == "heavy":
        time.sleep(600)
    return name

def input_fn(body, content_type):
    text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
    if text == "refuse":
        raise BaseInferenceToolkitError(415, "not this", "not this")
    if text == "slow":
        time.sleep(1)
    if text == "together":
        together.wait(60)
    return text

def predict_fn(text, name):
    if name == "slow":
        time.sleep(1)
    if text == "fail" or name == "failing":
        raise RuntimeError("the model broke")
    if text == "die":
        os._exit(1)
    return {"model": name, "text": text, "pid": os.getpid(), "env": dict(os.environ)}

def output_fn(answer, accept):
    answer["accept"] = accept
    return json.dumps(answer)
"""


def name(word: str = "t") -> str:
    """A name of its own for a test's resource."""
    return f"{word}-{uuid.uuid4().hex[:10]}"


def until(look: Callable[[], Any], seconds: float = WAIT) -> Any:
    """The first true value."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not so after {seconds} s: {found!r}"
        time.sleep(0.05)
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked it yet how."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def refusal(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Code and message of the error that an operation must answer with."""
    with pytest.raises(ClientError) as refused:
        act(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def archive(files: dict[str, str]) -> bytes:
    """A tar.gz of these files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


def s3_input(word: str, uri: str, kind: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    """A processing input; it lies under /opt/ml/processing/input by its name."""
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/input/{word}",
        "S3DataType": kind,
        "S3InputMode": "File",
    }
    return {"InputName": word, "S3Input": source | more}


class LocalSageMaker:
    """SageMaker of a cloud, with a bucket to work in."""

    def __init__(self, cloud: Any, bucket: str) -> None:
        self.cloud, self.bucket = cloud, bucket

    @property
    def api(self) -> Any:
        return self.cloud.client("sagemaker")

    # --- S3 and logs ------------------------------------------------------------------------

    def put(self, key: str, content: str | bytes) -> str:
        """Write an object; returns its URI."""
        body = content.encode() if isinstance(content, str) else content
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        found = self.cloud.client("s3").get_object(Bucket=bucket, Key=key)
        return bytes(found["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in found for entry in page.get("Contents", [])]

    def unpacked(self, uri: str) -> dict[str, str]:
        """The files of a tar.gz in S3."""
        with tarfile.open(fileobj=io.BytesIO(self.get(uri))) as tar:
            files = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
            return {path: file.read().decode() for path, file in files.items() if file}

    def log(self, kind: str, job: str) -> list[str]:
        """The lines of a job's log; one stream for each job."""
        logs, group = self.cloud.client("logs"), f"/aws/sagemaker/{kind}Jobs"
        try:
            found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")
        except logs.exceptions.ResourceNotFoundException:
            return []
        lines = []
        for stream in found["logStreams"]:
            where = {"logGroupName": group, "logStreamName": stream["logStreamName"]}
            page = logs.get_log_events(**where, startFromHead=True)
            lines += [event["message"] for event in page["events"]]
        return lines

    # --- Jobs -------------------------------------------------------------------------------

    def training(self, script: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
        """The request of a training job that runs this script."""
        job = name("train")
        code = self.put(f"code/{job}.tar.gz", archive({"train.py": textwrap.dedent(script)}))
        mode = {"sagemaker_program": "train.py", "sagemaker_submit_directory": code}
        return {
            "TrainingJobName": job,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {**mode, **(parameters or {})},
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models"},
            "ResourceConfig": {
                "InstanceType": INSTANCE,
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "RoleArn": ROLE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **more,
        }

    def tuning(self, script: str, **config: Any) -> dict[str, Any]:
        """The request of a tuning job whose training jobs run this script."""
        definition = self.training(script, {"fixed": "7"})
        del definition["TrainingJobName"]
        definition["StaticHyperParameters"] = definition.pop("HyperParameters")
        metrics = [{"Name": "score", "Regex": "score=([-0-9.]+)"}]
        definition["AlgorithmSpecification"]["MetricDefinitions"] = metrics
        chosen: dict[str, Any] = {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "RandomSeed": 7,
        }
        return {
            "HyperParameterTuningJobName": name("tune"),
            "HyperParameterTuningJobConfig": chosen | config,
            "TrainingJobDefinition": definition,
            "Tags": [{"Key": "team", "Value": "reviews"}],
        }

    def processing(self, script: str, **more: Any) -> dict[str, Any]:
        """The request of a processing job that runs this script."""
        job = name("process")
        code = self.put(f"code/{job}.py", textwrap.dedent(script))
        folder = "/opt/ml/processing/input/script"
        return {
            "ProcessingJobName": job,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", f"{folder}/{job}.py"],
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": INSTANCE,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 1,
                }
            },
            "RoleArn": ROLE,
            **more,
            "ProcessingInputs": [
                *more.get("ProcessingInputs", []),
                s3_input("script", code, LocalPath=folder),
            ],
        }

    def train(self, script: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
        """Run a training job to its end."""
        request = self.training(script, parameters, **more)
        self.api.create_training_job(**request)
        return self.end("Training", request["TrainingJobName"])

    def process(self, script: str, **more: Any) -> dict[str, Any]:
        """Run a processing job to its end."""
        request = self.processing(script, **more)
        self.api.create_processing_job(**request)
        return self.end("Processing", request["ProcessingJobName"])

    def describe(self, kind: str, job: str) -> dict[str, Any]:
        describe = getattr(self.api, f"describe_{kind.lower()}_job")
        return dict(describe(**{f"{kind}JobName": job}))

    def end(self, kind: str, job: str) -> dict[str, Any]:
        """The job's description once it has ended."""

        def ended() -> dict[str, Any] | None:
            found = self.describe(kind, job)
            running = found[f"{kind}JobStatus"] in ("InProgress", "Stopping")
            return None if running else found

        return dict(until(ended))

    def execution(self, kind: str, request: dict[str, Any]) -> str:
        """An execution whose one state runs a job to its end."""
        resource = f"arn:aws:states:::sagemaker:create{kind}Job.sync"
        state = {"Type": "Task", "Resource": resource, "Parameters": request, "End": True}
        states = self.cloud.client("stepfunctions")
        machine = states.create_state_machine(
            name=name("machine"),
            definition=json.dumps({"StartAt": "Run", "States": {"Run": state}}),
            roleArn=ROLE,
        )["stateMachineArn"]
        return str(states.start_execution(stateMachineArn=machine)["executionArn"])

    # --- Models and endpoints ---------------------------------------------------------------

    def model(self, answer: str = "first", **more: Any) -> str:
        """A model that answers with this name; `broken` is one that does not load."""
        made = name("model")
        data = self.put(
            f"models/{made}.tar.gz", archive({"name": answer, "code/inference.py": INFERENCE})
        )
        self.api.create_model(
            ModelName=made,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": data},
            ExecutionRoleArn=ROLE,
            **more,
        )
        return made

    def config(self, **variants: Any) -> str:
        """A configuration of variants by name: a model, or (model, weight, instances)."""
        return self.config_with({}, **variants)

    def capture(self, prefix: str, *modes: str, **more: Any) -> dict[str, Any]:
        """DataCaptureConfig of all requests (`Input`) and answers (`Output`), under a prefix."""
        return {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{self.bucket}/{prefix}",
            "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
            **more,
        }

    def config_with(self, more: dict[str, Any], **variants: Any) -> str:
        made = name("config")
        listed = []
        for variant, given in variants.items():
            model, weight, count = given if isinstance(given, tuple) else (given, 1.0, 1)
            listed.append(
                {
                    "VariantName": variant,
                    "ModelName": model,
                    "InstanceType": INSTANCE,
                    "InitialInstanceCount": count,
                    "InitialVariantWeight": weight,
                }
            )
        self.api.create_endpoint_config(EndpointConfigName=made, ProductionVariants=listed, **more)
        return made

    def endpoint(self, config: str) -> str:
        """An endpoint in service."""
        made = name("endpoint")
        self.api.create_endpoint(EndpointName=made, EndpointConfigName=config)
        assert self.settled(made)["EndpointStatus"] == "InService"
        return made

    def settled(self, endpoint: str) -> dict[str, Any]:
        """The endpoint's description once nothing is under way."""

        def look() -> dict[str, Any] | None:
            found = self.api.describe_endpoint(EndpointName=endpoint)
            return None if found["EndpointStatus"] in ("Creating", "Updating") else found

        return dict(until(look))

    def invoke(self, endpoint: str, body: str | bytes = "hello", **more: Any) -> dict[str, Any]:
        """The model's answer, with the variant that gave it."""
        answer = self.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body=body, **{"ContentType": "text/plain", **more}
        )
        return {"variant": answer["InvokedProductionVariant"], **json.loads(answer["Body"].read())}

    # --- Events -----------------------------------------------------------------------------

    def listen(
        self, detail_type: str, source: str = "aws.sagemaker"
    ) -> Callable[[], list[dict[str, Any]]]:
        """Gives the events of this type that have come since, at any time those so far."""
        sqs, events, made = self.cloud.client("sqs"), self.cloud.client("events"), name("rule")
        url = sqs.create_queue(QueueName=made)["QueueUrl"]
        pattern = {"source": [source], "detail-type": [detail_type]}
        events.put_rule(Name=made, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{made}"
        events.put_targets(Rule=made, Targets=[{"Id": "queue", "Arn": arn}])
        heard: list[dict[str, Any]] = []

        def hear() -> list[dict[str, Any]]:
            while found := sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            ).get("Messages"):
                for message in found:
                    heard.append(json.loads(message["Body"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return heard

        return hear
