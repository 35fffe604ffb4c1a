"""The cloud, and every process it starts, listens on the loopback interface and on no other."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from roles import ROLE

pytestmark = pytest.mark.cloud

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
MODEL = """
def model_fn(path): return None
def input_fn(body, kind): return body
def predict_fn(given, model): return given
def output_fn(found, kind): return found
"""


def sockets(pid: int) -> dict[int, set[tuple[str, str]]]:
    """(protocol, address) of what each process of a tree listens on."""
    top = psutil.Process(pid)
    found: dict[int, set[tuple[str, str]]] = {}
    for process in [top, *top.children(recursive=True)]:
        for each in process.net_connections("inet"):
            listens = each.status == psutil.CONN_LISTEN
            if listens or (each.type == socket.SOCK_DGRAM and not each.raddr):
                kind = "tcp" if listens else "udp"
                found.setdefault(process.pid, set()).add((kind, each.laddr.ip))
    return found


@pytest.fixture
def function(cloud: Any) -> str:
    """A function that was called, so that its worker is warm."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    name = f"fn-{uuid.uuid4().hex[:8]}"
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}
    return name


@pytest.fixture
def endpoint(cloud: Any, bucket: str, eventually: Callable[..., Any]) -> Iterator[str]:
    """An endpoint in service that gives back what it is given."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("inference.py")
        entry.size = len(MODEL)
        archive.addfile(entry, io.BytesIO(MODEL.encode()))
    cloud.client("s3").put_object(Bucket=bucket, Key="code.tar.gz", Body=packed.getvalue())
    sagemaker = cloud.client("sagemaker")
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{bucket}/code.tar.gz",
    }
    sagemaker.create_model(
        ModelName=bucket,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "Environment": environment},
    )
    variant = {
        "VariantName": "primary",
        "ModelName": bucket,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=bucket, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=bucket, EndpointConfigName=bucket)

    def settled() -> str:
        found = sagemaker.describe_endpoint(EndpointName=bucket)
        status = found["EndpointStatus"]
        assert status != "Failed", found["FailureReason"]
        return status if status == "InService" else ""

    eventually(settled, 60)
    yield bucket
    sagemaker.delete_endpoint(EndpointName=bucket)


def test_only_the_loopback_interface_is_listened_on(
    cloud: Any, function: str, endpoint: str
) -> None:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"{}")
    assert answer["Body"].read() == b"{}"
    found = sockets(cloud.process.pid)
    assert ("tcp", "127.0.0.1") in found.pop(cloud.process.pid)
    assert found, "the endpoint's process listens nowhere"
    everywhere = set().union(*sockets(cloud.process.pid).values())
    assert everywhere == {("tcp", "127.0.0.1")}
