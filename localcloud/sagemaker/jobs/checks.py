"""What a job's request may ask of this cloud: one instance, files copied from S3 before it starts.

AWS serves more. What is not served here is refused with words, and what AWS refuses too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localcloud.sagemaker.errors import refuse_unserved, validation

DATA_TYPES = ("S3Prefix", "ManifestFile")
UNSERVED_CLUSTER = (
    "InstanceGroups", "InstancePreferences", "KeepAlivePeriodInSeconds", "TrainingPlanArn",
)  # fmt: skip


def cluster(asked: dict[str, Any]) -> None:
    """ResourceConfig of a training job, ClusterConfig of a processing job."""
    refuse_unserved(asked, UNSERVED_CLUSTER)
    for member in ("InstanceType", "InstanceCount"):
        if member not in asked:
            raise validation(f"{member} is required for a job on instances.")
    if asked["InstanceCount"] > 1:
        raise validation("The local SageMaker runs a job on one instance: InstanceCount must be 1.")


def source(name: str, data_type: str, mode: str, compression: str) -> None:
    """One input. An augmented manifest and Gzip go with Pipe only, as on AWS.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    if mode == "Pipe":
        raise validation(f"The local SageMaker does not serve Pipe; use File for {name}.")
    if data_type not in DATA_TYPES:
        raise validation(f"S3DataType {data_type} can only be used with Pipe mode; see {name}.")
    if compression != "None":
        raise validation(f"Compression type {compression} needs Pipe mode; see {name}.")


def distinct(names: Iterable[Any], what: str) -> None:
    """Refuse names that are given twice."""
    given = list(names)
    if len(set(given)) < len(given):
        raise validation(f"{what} must be distinct.")
