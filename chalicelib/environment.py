"""What the template tells every function through its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields


class MissingVariableError(Exception):
    """A variable that the template should set is missing."""


@dataclass(frozen=True)
class Environment:
    """Names and addresses of the stack's resources."""

    data_bucket: str
    runs_table: str
    arrivals_table: str
    idempotency_table: str
    topic_arn: str
    coalesce_queue_url: str
    retrain_machine_arn: str
    monitor_machine_arn: str
    batch_machine_arn: str
    job_role_arn: str
    glue_database: str
    crawler_name: str
    athena_workgroup: str
    model_group: str
    endpoint_name: str
    serve_function: str
    code_prefix: str
    code_digest: str
    drift_alarm: str
    rollout_alarms: str  # their names, with commas between
    link_secret: str

    @classmethod
    def from_env(cls) -> Environment:
        """Each field from the variable of its name in capitals."""
        names = [field.name for field in fields(cls)]
        missing = [name.upper() for name in names if name.upper() not in os.environ]
        if missing:
            raise MissingVariableError(
                f"not set: {', '.join(missing)}; infrastructure/template.yaml sets them"
            )
        return cls(**{name: os.environ[name.upper()] for name in names})
