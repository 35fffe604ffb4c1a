"""Endpoints: configurations, fleets of serving processes, invocations, data capture."""

from __future__ import annotations

from collections.abc import Callable

from localcloud import ministack_adapter as cloud
from localcloud.config import CloudConfig
from localcloud.sagemaker import service
from localcloud.sagemaker.hosting import capture, configs, deployment, endpoints, runtime, serving

__all__ = ["configs", "endpoints", "install"]


def install(config: CloudConfig) -> None:
    """Serve the runtime API; bring endpoints back after a restart; leave no process behind."""
    serving.configure(config)
    service.serve_runtime(runtime.handle)
    cloud.replace("ministack.core.responses", "_expected_envelope_content_type", _as_answered)
    cloud.on_ready(deployment.resume)
    cloud.on_stop(capture.capture.flush)
    cloud.on_stop(deployment.stop_all)


def _as_answered(original: Callable[..., str | None]) -> Callable[..., str | None]:
    """A model's content type is its own: ministack makes every JSON that of the signing service."""

    def expected(service: str, *rest: object) -> str | None:
        return None if service == "sagemaker" else original(service, *rest)

    return expected
