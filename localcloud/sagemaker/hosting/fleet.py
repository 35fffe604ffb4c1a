"""The serving processes of one endpoint, by variant."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker.hosting.guardrails import Step
from localcloud.sagemaker.hosting.serving import (
    INVOKE_SECONDS,
    START_SECONDS,
    Server,
    ServingError,
)
from localcloud.sagemaker.jobs.output import Log
from localcloud.sagemaker.store import now

MEMBERS = ("ProductionVariants", "ShadowProductionVariants")
log = logging.getLogger(__name__)


@dataclass
class Variant:
    """One production variant: a model on some instances, with a weight."""

    name: str
    instance_type: str
    model: dict[str, Any]
    weight: float
    count: int
    group: str
    start_seconds: float
    servers: list[Server] = field(default_factory=list)
    starting: list[Server] = field(default_factory=list)
    _turn: Any = field(default_factory=itertools.count)

    def scale(self) -> None:
        """Start or stop processes until there are as many as wanted."""
        self.starting = [self._server() for _ in range(self.count - len(self.servers))]
        with ThreadPoolExecutor(8) as pool:
            starts = [pool.submit(server.start) for server in self.starting]
        try:
            for start in starts:
                start.result()
        except Exception:
            for server in self.starting:
                server.stop()
            raise
        self.servers += self.starting
        self.starting = []
        surplus, self.servers = self.servers[self.count :], self.servers[: self.count]
        for server in surplus:
            server.stop(INVOKE_SECONDS)

    def server(self) -> Server | None:
        """The next instance in turn that serves, or says that another has taken its place."""
        serving = [server for server in self.servers if server.serves or server.gone]
        return serving[next(self._turn) % len(serving)] if serving else None

    def _server(self) -> Server:
        stream = Log(self.group, f"{self.name}/i-{uuid.uuid4().hex[:17]}")
        owner = f"production variant {self.name}"
        return Server(self.model, stream, owner, start_seconds=self.start_seconds)


class Fleet:
    """All variants of an endpoint configuration, as they serve; `models` are records by name."""

    def __init__(
        self, endpoint: str, config: dict[str, Any], models: dict[str, dict[str, Any]]
    ) -> None:
        self.endpoint, self.config, self.models = endpoint, config, models
        self._mending = threading.Lock()
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self.variants, self.shadows = (
            {
                entry["VariantName"]: Variant(
                    entry["VariantName"],
                    entry["InstanceType"],
                    models[entry["ModelName"]],
                    float(entry.get("InitialVariantWeight", 1.0)),
                    int(entry.get("InitialInstanceCount", 1)),
                    group,
                    float(entry.get("ContainerStartupHealthCheckTimeoutInSeconds", START_SECONDS)),
                )
                for entry in config.get(member, [])
            }
            for member in MEMBERS
        )

    @property
    def every(self) -> list[Variant]:
        """Those that answer, and those that only get copies."""
        return [*self.variants.values(), *self.shadows.values()]

    def start(self) -> None:
        """All or nothing: what has started is stopped when one fails."""
        try:
            for variant in self.every:
                variant.scale()
        except Exception:
            self.stop()
            raise

    def stop(self, drain_seconds: float = 0) -> None:
        """End all processes, at once or when the requests under way are answered."""
        servers = [s for v in self.every for s in (*v.servers, *v.starting)]
        with ThreadPoolExecutor(max(len(servers), 1)) as pool:
            for server in servers:
                pool.submit(server.stop, drain_seconds)

    def choose(self) -> Variant:
        """By weight, as traffic is shared between variants."""
        variants = list(self.variants.values())
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights if sum(weights) else None)[0]

    def shadow(self) -> Variant | None:
        """Who gets a copy of this request: the shadow, as often as its weight is of the whole."""
        for variant in self.shadows.values():
            whole = sum(each.weight for each in self.variants.values())
            return variant if random.random() * whole < variant.weight else None
        return None

    @property
    def wounded(self) -> bool:
        """Whether a process has died."""
        return any(not s.alive for variant in self.every for s in variant.servers)

    def mend(self) -> None:
        """Start processes that died again; returns at once where that is under way."""
        if not self._mending.acquire(blocking=False):
            return
        try:
            for variant in self.every:
                for server in [each for each in variant.servers if not each.alive]:
                    log.warning("a process of %s/%s died; starting it", self.endpoint, variant.name)
                    server.launch()
        except ServingError:
            log.exception("it did not start; trying again")
        finally:
            self._mending.release()

    def pending(
        self, began: float, step: Step, status: str, words: Callable[[int], str]
    ) -> dict[str, Any]:
        """PendingDeploymentSummary as DescribeEndpoint shows it, in the midst of a step.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PendingDeploymentSummary.html
        """
        reached = {"Status": status, "StartTime": now()}
        return {
            "EndpointConfigName": self.config["EndpointConfigName"],
            "StartTime": began,
            "ProductionVariants": [
                {
                    **summary,
                    "CurrentInstanceCount": step.active(variant.count) if step.share else 0,
                    "InstanceType": variant.instance_type,
                    "VariantStatus": [{**reached, "StatusMessage": words(variant.count)}],
                }
                for summary, variant in zip(self.summaries(), self.variants.values(), strict=True)
            ],
        }

    def summaries(self, shadows: bool = False) -> list[dict[str, Any]]:
        """ProductionVariants, or ShadowProductionVariants, as DescribeEndpoint shows them."""
        return [
            {
                "VariantName": variant.name,
                "DeployedImages": [
                    {"SpecifiedImage": image, "ResolvedImage": image}
                    for image in [variant.model["PrimaryContainer"]["Image"]]
                ],
                "CurrentWeight": variant.weight,
                "DesiredWeight": variant.weight,
                "CurrentInstanceCount": len(variant.servers),
                "DesiredInstanceCount": variant.count,
            }
            for variant in (self.shadows if shadows else self.variants).values()
        ]
