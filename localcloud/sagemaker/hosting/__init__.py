"""Endpoints: configurations, fleets of serving processes, invocations, data capture."""

from __future__ import annotations

from localcloud import ministack_adapter as cloud
from localcloud.config import CloudConfig
from localcloud.sagemaker import service
from localcloud.sagemaker.hosting import configs, endpoints, runtime, serving

__all__ = ["configs", "install"]


def install(config: CloudConfig) -> None:
    """Serve the runtime API; bring endpoints back after a restart; leave no process behind."""
    serving.configure(config)
    service.serve_runtime(runtime.handle)
    cloud.on_ready(endpoints.resume)
    cloud.on_stop(endpoints.stop_all)
