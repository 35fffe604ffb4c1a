"""The settings of what serves: the endpoint and its size, and how a new model takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from chalicelib.learning import OURS
from chalicelib.section import InstanceType, Section, Share

if TYPE_CHECKING:
    from chalicelib.learning import Training
    from chalicelib.watching import Monitor

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BlueGreenUpdatePolicy.html
LONGEST_SECONDS = 28_800


class Capacity(Section):
    """The endpoint's limits from a time on, by a cron(), rate() or at() expression."""

    # https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    at: Annotated[str, Field(pattern=r"^(cron|rate|at)\(.+\)$")]
    min_instances: Annotated[int, Field(ge=1)]
    max_instances: Annotated[int, Field(ge=1)]


class Endpoint(Section):
    """What answers: an endpoint, or a Lambda function that costs nothing while nobody asks."""

    serving: Literal["endpoint", "lambda"] = "endpoint"
    instance_type: InstanceType = "ml.m5.large"
    instance_count: Annotated[int, Field(ge=1)] = 1
    min_instances: Annotated[int, Field(ge=1)] = 1
    max_instances: Annotated[int, Field(ge=1)] = 1
    target_invocations: Annotated[int, Field(ge=1)] = 1000
    schedule: tuple[Capacity, ...] = ()
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 100

    @property
    def in_lambda(self) -> bool:
        return self.serving == "lambda"

    @property
    def scales(self) -> bool:
        """Whether its size follows the traffic."""
        return self.max_instances > self.min_instances

    @model_validator(mode="after")
    def _limits_fit(self) -> Endpoint:
        if self.min_instances > self.max_instances:
            raise ValueError("min_instances is more than max_instances")
        if self.scales and not self.min_instances <= self.instance_count <= self.max_instances:
            raise ValueError("instance_count must be from min_instances to max_instances")
        if self.schedule and not self.scales:
            raise ValueError("a schedule needs max_instances above min_instances")
        for each in self.schedule:
            if each.min_instances > each.max_instances:
                raise ValueError(f"{each.at}: min_instances is more than max_instances")
        return self


class Rollout(Section):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html"""

    strategy: Literal["all_at_once", "canary", "linear"] = "all_at_once"
    share: Annotated[float, Field(ge=0.01, le=0.5)] = 0.1
    bake_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    max_error_rate: Share = 0.05
    max_latency_ms: Annotated[int, Field(gt=0)] = 2000
    max_model_errors: Annotated[int, Field(ge=0)] = 5

    @property
    def percent(self) -> int:
        return round(self.share * 100)

    @property
    def total_seconds(self) -> int:
        """What all baking comes to: after each shift of traffic, the last one among them."""
        shifts = {"all_at_once": 1, "canary": 2, "linear": -(-100 // self.percent)}
        return self.bake_seconds * shifts[self.strategy]

    @model_validator(mode="after")
    def _can_be_done(self) -> Rollout:
        if self.strategy != "all_at_once" and not self.bake_seconds:
            raise ValueError(f"{self.strategy} needs bake_seconds, how long each shift is watched")
        if self.strategy == "linear" and self.percent < 10:
            raise ValueError("the share of a linear rollout must be 0.1 to 0.5")
        if self.strategy != "all_at_once" and self.share <= self.max_error_rate:
            raise ValueError(
                f"share is {self.share:g} and max_error_rate {self.max_error_rate:g}: the alarm "
                "counts both fleets' answers, so a new model that only fails would not set it off"
            )
        if self.total_seconds >= LONGEST_SECONDS:
            raise ValueError(
                f"bake_seconds of all shifts come to {self.total_seconds}; SageMaker ends a "
                f"deployment after {LONGEST_SECONDS}"
            )
        return self


def problems(
    endpoint: Endpoint, rollout: Rollout, training: Training, monitor: Monitor
) -> list[str]:
    """What a model inside Lambda cannot be or have, each by its key."""
    if not endpoint.in_lambda:
        return []
    found, model = [], training.hyperparameters.get("model", "linear")
    exported = str(training.hyperparameters.get("export", "none")).startswith("onnx")
    if training.entry_point != OURS:
        found.append("training.entry_point: Lambda serves the models of train.py alone")
    elif model == "transformer" and not exported:
        found.append('training.hyperparameters: in Lambda a transformer needs export = "onnx-int8"')
    elif model not in ("linear", "transformer"):
        found.append(
            f"training.hyperparameters: a {model} model needs scikit-learn, which Lambda lacks; "
            'serve it by endpoint.serving = "endpoint", or train a linear one'
        )
    if endpoint.scales:
        found.append("endpoint.max_instances: Lambda has no instances; it scales by itself")
    if rollout.bake_seconds:
        found.append("rollout.bake_seconds: in Lambda a new model takes over at once")
    if monitor.engine == "managed":
        found.append("monitor.engine: AWS's Model Monitor watches endpoints, not Lambda")
    return [f"endpoint.serving is lambda: {each}" for each in found]
