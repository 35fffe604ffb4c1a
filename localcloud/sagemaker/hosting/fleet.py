"""The serving processes of one endpoint, by variant."""

from __future__ import annotations

import itertools
import logging
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker import models
from localcloud.sagemaker.hosting.serving import Server

log = logging.getLogger(__name__)


@dataclass
class Variant:
    """One production variant: a model on some instances, with a weight."""

    name: str
    model: dict[str, Any]
    weight: float
    count: int
    group: str
    servers: list[Server] = field(default_factory=list)
    _turn: Any = field(default_factory=itertools.count)

    def scale(self) -> None:
        """Start or stop processes until there are as many as wanted."""
        wanted = [self._server() for _ in range(self.count - len(self.servers))]
        with ThreadPoolExecutor(8) as pool:
            starts = [pool.submit(server.start) for server in wanted]
        try:
            for start in starts:
                start.result()
        except Exception:
            for server in wanted:
                server.stop()
            raise
        self.servers += wanted
        surplus, self.servers = self.servers[self.count :], self.servers[: self.count]
        for server in surplus:
            server.stop()

    def server(self) -> Server | None:
        """The next instance in turn that lives."""
        living = [server for server in self.servers if server.alive]
        return living[next(self._turn) % len(living)] if living else None

    def _server(self) -> Server:
        return Server(self.model, self.group, f"{self.name}/i-{uuid.uuid4().hex[:17]}")


class Fleet:
    """All variants of an endpoint configuration, as they serve."""

    def __init__(self, endpoint: str, config: dict[str, Any]) -> None:
        self.endpoint, self.config = endpoint, config
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self.variants = {
            entry["VariantName"]: Variant(
                entry["VariantName"],
                models.find(entry["ModelName"]),
                float(entry.get("InitialVariantWeight", 1.0)),
                int(entry.get("InitialInstanceCount", 1)),
                group,
            )
            for entry in config["ProductionVariants"]
        }

    def start(self) -> None:
        """All or nothing: what has started is stopped when one fails."""
        try:
            for variant in self.variants.values():
                variant.scale()
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        for variant in self.variants.values():
            for server in variant.servers:
                server.stop()
            variant.servers = []

    def choose(self) -> Variant:
        """By weight, as traffic is shared between variants."""
        variants = list(self.variants.values())
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights if sum(weights) else None)[0]

    def mend(self) -> None:
        """Start processes that died again."""
        for variant in self.variants.values():
            for server in variant.servers:
                if not server.alive:
                    log.warning("a process of %s/%s died; starting it", self.endpoint, variant.name)
                    try:
                        server.launch()
                    except Exception:
                        log.exception("it did not start")

    def summaries(self) -> list[dict[str, Any]]:
        """ProductionVariants as DescribeEndpoint shows them."""
        return [
            {
                "VariantName": variant.name,
                "DeployedImages": _images(variant.model),
                "CurrentWeight": variant.weight,
                "DesiredWeight": variant.weight,
                "CurrentInstanceCount": len(variant.servers),
                "DesiredInstanceCount": variant.count,
            }
            for variant in self.variants.values()
        ]


def _images(model: dict[str, Any]) -> list[dict[str, Any]]:
    container = model.get("PrimaryContainer") or model["Containers"][0]
    image = container["Image"]
    return [{"SpecifiedImage": image, "ResolvedImage": image}]
