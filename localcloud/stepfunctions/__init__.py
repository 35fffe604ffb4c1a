"""What ministack's Step Functions lacks: `.sync` jobs, task tokens that end, AWS's error names,
full histories, aborts, redrives, the largest payload.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

from __future__ import annotations

from localcloud.config import CloudConfig
from localcloud.stepfunctions import (
    branches,
    callbacks,
    executions,
    history,
    lambda_errors,
    optimized,
    payloads,
    permissions,
    redrive,
    sdk,
)


def install(config: CloudConfig) -> None:
    """Plug it all into the running ministack."""
    history.install()
    executions.install()
    callbacks.install()
    branches.install()
    lambda_errors.install()
    permissions.install()
    optimized.install()
    sdk.install()
    payloads.install()
    redrive.install()
