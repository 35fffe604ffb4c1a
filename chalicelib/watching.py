"""The settings of the watching side: when to look at live traffic, and what to do about drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field

from chalicelib.section import InstanceType, Section, Share

if TYPE_CHECKING:
    from chalicelib.settings import Pipeline

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
SCHEDULE = (
    r"^(hourly|daily|rate\(1 (minute|hour|day)\)|rate\(([2-9]|[1-9]\d+) (minutes|hours|days)\)"
    r"|cron\((\S+ ){5}\S+\))$"
)
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
Check = Literal[
    "baseline_drift_check",
    "categorical_values_check",
    "completeness_check",
    "data_type_check",
    "missing_column_check",
    "extra_column_check",
    "LessThanThreshold",  # model quality
    "GreaterThanThreshold",
    "bias_drift_check",
    "feature_attribution_drift_check",
]
Kind = Literal["data-quality", "model-quality", "bias", "attribution"]


class Monitor(Section):
    engine: Literal["driftloop", "managed"] = "driftloop"
    kinds: tuple[Kind, ...] = get_args(Kind)
    instance_type: InstanceType = "ml.m5.large"
    schedule: Annotated[str, Field(pattern=SCHEDULE)] = "hourly"
    capture_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    catch_up_days: Annotated[int, Field(ge=1, le=30)] = 7
    threshold: Share = 0.1
    max_decline: Share = 0.1
    min_records: Annotated[int, Field(ge=1)] = 50


class Drift(Section):
    notify_only: bool = False
    cool_down_minutes: Annotated[float, Field(ge=0)] = 60
    daily_budget: Annotated[int, Field(ge=0)] = 4
    max_tries: Annotated[int, Field(ge=1)] = 3
    min_new_rows: Annotated[int, Field(ge=0)] = 0
    severe_checks: tuple[Check, ...] = (
        "baseline_drift_check",
        "categorical_values_check",
        "LessThanThreshold",
        "GreaterThanThreshold",
    )
    severe_distance: Annotated[float, Field(ge=0)] = 0
    quiet_hours: str = ""


class Notifications(Section):
    webhook: Annotated[str, Field(pattern=r"^(/[\w.-]+)*$")] = ""  # an SSM parameter's name
    webhook_kind: Literal["slack", "teams"] = "slack"
    examples: Annotated[int, Field(ge=0, le=10)] = 3


class Reviews(Section):
    threshold: Share = 0.0
    audit_share: Share = 0.0
    days: Annotated[int, Field(ge=1, le=365)] = 30


def problems(pipeline: Pipeline, monitor: Monitor, drift: Drift) -> list[str]:
    """What cannot be used, each by its key."""
    from zoneinfo import ZoneInfo

    from chalicelib.monitoring import timings

    if monitor.engine == "managed" and timings.expression(monitor.schedule) is None:
        return [
            "monitor.schedule: managed schedules are hourly, daily, rate(N hours) or "
            "cron(0 HOUR * * ? *)"
        ]
    from chalicelib.drift import quiet

    try:
        ZoneInfo(pipeline.time_zone)
    except (ValueError, OSError, KeyError):
        return [f"pipeline.time_zone: there is no time zone {pipeline.time_zone!r}"]
    try:
        quiet.parse(drift.quiet_hours, pipeline.time_zone)
    except ValueError as error:
        return [f"drift.quiet_hours: {error}"]
    return []
