"""Application Auto Scaling, for the variants of SageMaker endpoints.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

import threading

from localcloud import ministack_adapter as adapter
from localcloud.autoscaling import scaling, service, targets
from localcloud.config import CloudConfig
from localcloud.sagemaker.hosting import endpoints


def install(config: CloudConfig) -> None:
    """Serve its API, and scale by the clock."""
    adapter.register_service("application-autoscaling", service.handle)
    adapter.register_state("autoscaling", targets.store.dump, targets.store.load)
    endpoints.update_checks.append(targets.check_update)
    stopped = threading.Event()
    adapter.on_ready(
        lambda: threading.Thread(target=scaling.run, args=(stopped,), daemon=True).start()
    )
    adapter.on_stop(stopped.set)
