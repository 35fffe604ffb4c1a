"""The transform's request, and the manifest of what came of it: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import places
from chalicelib.batch.files import OUT, BatchFile
from chalicelib.batch.lines import RECORD

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

JSON_LINES = "application/jsonlines"
PAYLOAD_MB = 6  # many records a call; AWS's own default
TRANSFORMER_PAYLOAD_MB = 1  # some two thousand texts, each of which takes it milliseconds
# The most that AWS waits for a call, and what its images' server may take in place of 60 s.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelClientConfig.html
# https://github.com/aws/sagemaker-inference-toolkit (SAGEMAKER_MODEL_SERVER_TIMEOUT)
CALL_SECONDS = 3600


def transform(
    file: BatchFile, model: str, environment: Environment, settings: Settings
) -> dict[str, Any]:
    """CreateTransformJob: every line's record to the model, the answer joined to the line.

    https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
    """
    return {
        "TransformJobName": job(file, settings),
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": TRANSFORMER_PAYLOAD_MB if settings.training.transformer else PAYLOAD_MB,
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": CALL_SECONDS},
        "Environment": {"SAGEMAKER_MODEL_SERVER_TIMEOUT": str(CALL_SECONDS)},
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": places.uri(environment, file.inputs),
                }
            },
            "ContentType": JSON_LINES,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": places.uri(environment, OUT.rstrip("/")),
            "Accept": JSON_LINES,
            "AssembleWith": "Line",
        },
        "TransformResources": {
            "InstanceType": settings.batch.instance_type,
            "InstanceCount": 1,
        },
        "DataProcessing": {
            "InputFilter": f"$.{RECORD}",
            "JoinSource": "Input",
            "OutputFilter": settings.batch.output_filter,
        },
    }


def job(file: BatchFile, settings: Settings) -> str:
    return f"{settings.pipeline.name}-batch-{file.id}"


def manifest(file: BatchFile, facts: Mapping[str, Any], finished_at: str) -> dict[str, Any]:
    """What a program reads of a finished file; `facts` as the record of the file has them."""
    return {
        "name": file.name,
        "source": {
            "key": file.key,
            "version_id": file.version,
            "etag": facts["etag"],
            "size": file.size,
        },
        "rows": facts["rows"],
        "predicted": facts["rows"] - facts["rejected"],
        "rejected": facts["rejected"],
        "output": file.out("out"),
        "rejects": file.out("rejects.jsonl") if facts["rejected"] else None,
        "model_version": facts["model_version"],
        "run_id": facts["model_run"],
        "transform_job": facts["job"],
        "started_at": facts["started_at"],
        "finished_at": finished_at,
    }
