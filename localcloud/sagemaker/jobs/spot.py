"""Managed spot training: what its request must say. Instances here are never taken away.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.errors import validation


def check(request: dict[str, Any], default_runtime: int) -> None:
    """MaxWaitTimeInSeconds belongs to spot training, and covers the longest run.

    AWS's words: https://github.com/Kenza-AI/sagify/issues/111
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    """
    condition = request["StoppingCondition"]
    wait = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise validation(
                "Invalid MaxWaitTimeInSeconds. It is only supported when "
                "EnableManagedSpotTraining is set to true"
            )
        return
    if wait is None or wait < condition.get("MaxRuntimeInSeconds", default_runtime):
        raise validation(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        )
