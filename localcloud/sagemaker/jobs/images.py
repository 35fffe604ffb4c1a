"""Which images the local cloud can stand in for: AWS's framework images, by the jobs' Python.

https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from localcloud.sagemaker import roles
from localcloud.sagemaker.jobs.lifecycle import JobError, config

# Each with the environment that stands for it.
FRAMEWORKS = {
    "sagemaker-scikit-learn": "jobs",
    "sagemaker-xgboost": "jobs",
    "sagemaker-base-python": "jobs",
    "pytorch-training": "transformer",
    "pytorch-inference": "transformer",
    "huggingface-pytorch-training": "transformer",
    "huggingface-pytorch-inference": "transformer",
}
AWS = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/(?P<name>[^:@]+)[:@].+")


def python(image: str) -> Path:
    """The Python that runs an image's programs; JobError as for an image that cannot be pulled."""
    found = AWS.fullmatch(image)
    if found is None or found["name"] not in FRAMEWORKS:
        raise JobError(
            f"ClientError: Cannot pull the image {image}. The local cloud runs AWS's framework "
            f"images only: {', '.join(FRAMEWORKS)}"
        )
    if FRAMEWORKS[found["name"]] == "jobs":
        return config().jobs_python
    if not config().transformer_python.exists():
        raise JobError(
            f"ClientError: Cannot pull the image {image}: this machine has no environment for it. "
            "Run: make transformer"
        )
    return config().transformer_python


# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-built-container.html
MONITORING = {
    "DataQuality": "sagemaker-model-monitor-analyzer",
    "ModelQuality": "sagemaker-model-monitor-analyzer",
    "ModelBias": "sagemaker-clarify-processing",
    "ModelExplainability": "sagemaker-clarify-processing",
}


def check_monitoring(image: str, kind: str) -> None:
    """Refuse an image that is not AWS's own for a type of monitor."""
    name = MONITORING[kind]
    if not re.fullmatch(
        rf"\d{{12}}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/{name}(:.+)?", image
    ):
        raise JobError(
            f"ClientError: Cannot pull the image {image}. For {kind} the local cloud stands in for "
            f"{name} only"
        )


def environment(python: Path, isolated: bool, role: str) -> dict[str, str]:
    """What every job's process sees: this cloud as AWS, and nothing of our own environment.

    Under network isolation a container has no AWS credentials.
    https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html
    """
    plain = {
        "PATH": f"{python.parent}{os.pathsep}{os.defpath}",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": config().region,
        "AWS_REGION": config().region,
        # Nobody's real account.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if isolated:
        return plain
    return plain | {
        "AWS_ENDPOINT_URL": config().endpoint,
        **roles.variables(role),
        "NO_PROXY": "127.0.0.1,localhost",
    }
