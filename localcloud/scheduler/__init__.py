"""EventBridge Scheduler: schedules in their time zone and on the second, context attributes.

ministack reads every expression as UTC, is up to 10 s late, passes attributes such as
`<aws.scheduler.scheduled-time>` on as they stand, and drops a template's time zone.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig
from localcloud.scheduler import attributes, due, ticks
from localcloud.scheduler.ticks import EVENTBRIDGE, SCHEDULER

PROVISIONERS = "ministack.services.cloudformation.provisioners"
TYPE = "AWS::Scheduler::Schedule"
ZONE = "ScheduleExpressionTimezone"
DROPPED = (ZONE, "StartDate", "EndDate")  # members that ministack's CloudFormation passes over
TICK_SECONDS = 1.0


def install(config: CloudConfig) -> None:
    """Put ours in place of ministack's ticks, checks and CloudFormation type."""
    adapter.replace(EVENTBRIDGE, "_invoke_target", attributes.filling)
    adapter.replace(EVENTBRIDGE, "_SCHEDULER_TICK_INTERVAL", lambda _: TICK_SECONDS)
    adapter.replace(SCHEDULER, "_SCHEDULE_TICK_INTERVAL", lambda _: TICK_SECONDS)
    adapter.replace(SCHEDULER, "_tick_schedules", lambda _: ticks.tick)
    for name in ("_create_schedule", "_update_schedule"):
        adapter.replace(SCHEDULER, name, _checked)
    made = dict(adapter.part(PROVISIONERS)._RESOURCE_HANDLERS[TYPE])
    adapter.register_resource_type(
        TYPE, _whole(made["create"]), made["delete"], _whole(made["update"])
    )


def _checked(act: Callable[..., Any]) -> Callable[..., Any]:
    def checked(name: str, body: dict[str, Any]) -> Any:
        if not due.known(body.get(ZONE) or "UTC"):
            words = f"Invalid {ZONE}: {body[ZONE]}."
            return adapter.part(SCHEDULER)._error(400, "ValidationException", words)
        return act(name, body)

    return checked


def _whole(act: Callable[..., Any]) -> Callable[..., Any]:
    """A resource's properties that were dropped go on its schedule; properties come before last."""

    def whole(*given: Any) -> Any:
        properties = given[-2]
        zone = properties.get(ZONE) or "UTC"
        if not due.known(zone):
            raise ValueError(f"Invalid {ZONE}: {zone}.")
        physical, attributes = act(*given)
        key = f"{properties.get('GroupName', 'default')}/{physical}"
        schedule = adapter.part(SCHEDULER)._schedules[key]
        schedule.update({name: properties.get(name) for name in DROPPED} | {ZONE: zone})
        return physical, attributes

    return whole
