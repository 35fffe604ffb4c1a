"""A SageMaker of our own: jobs, models, the model registry and endpoints, as local processes."""

from __future__ import annotations

from localcloud import ministack_adapter as cloud
from localcloud.config import CloudConfig
from localcloud.iam import door
from localcloud.sagemaker import (
    cloudformation,
    hosting,
    jobs,
    models,
    monitoring,
    registry,
    service,
    tags,
    transform,
    tuning,
)
from localcloud.sagemaker.store import store

__all__ = ["install", "models", "registry", "tags", "transform", "tuning"]


def install(config: CloudConfig) -> None:
    """Plug SageMaker into the cloud."""
    cloud.register_service("sagemaker", door.guarded("sagemaker", service.handle))
    cloud.register_state("sagemaker", store.dump, store.load)
    cloudformation.install()
    jobs.install(config)
    hosting.install(config)
    monitoring.install()
