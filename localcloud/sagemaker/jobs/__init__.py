"""Training and processing jobs, each a process of its own."""

from __future__ import annotations

from localcloud import ministack_adapter as cloud
from localcloud.config import CloudConfig
from localcloud.sagemaker.jobs import lifecycle, processing, training
from localcloud.sagemaker.store import store

__all__ = ["install", "processing", "training"]


def install(config: CloudConfig) -> None:
    """Close what an earlier cloud left under way; stop what runs when this one stops."""
    lifecycle.configure(config)
    store.after_load(lifecycle.close_cut_off)
    cloud.on_ready(lifecycle.tell_of_cut_off)
    cloud.on_stop(lifecycle.stop_all)
