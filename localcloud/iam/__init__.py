"""IAM for what ministack does not authorise: SageMaker, Athena and Glue call by call, and the
tasks of state machines, which act as their machine's role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from localcloud.config import CloudConfig
from localcloud.iam import gaps


def install(config: CloudConfig) -> None:
    """What no service of ours does for itself at its door."""
    gaps.install()
