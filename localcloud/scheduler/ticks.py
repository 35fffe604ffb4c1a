"""Each second: which schedules are due, and their targets called for the time that they were."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.scheduler import due

EVENTBRIDGE = "ministack.services.eventbridge"
SCHEDULER = "ministack.services.scheduler"
RESPONSES = "ministack.core.responses"
Schedule = dict[str, Any]
Key = tuple[str, str, str]  # account, region, group/name

log = logging.getLogger(__name__)


def tick() -> None:
    """Call the target of every enabled schedule that is due within its dates."""
    scheduler = adapter.part(SCHEDULER)
    now = datetime.now(UTC)
    for key, schedule in list(scheduler._schedules._data.items()):
        end, start = (scheduler._to_epoch(schedule.get(name)) for name in ("EndDate", "StartDate"))
        if end is not None and now.timestamp() > end:
            _complete(key, schedule)
        elif schedule.get("State") == "ENABLED" and (start or 0) <= now.timestamp():
            _look(key, schedule, now)


def _look(key: Key, schedule: Schedule, now: datetime) -> None:
    fired = adapter.part(SCHEDULER)._schedule_last_fired
    zone = schedule.get("ScheduleExpressionTimezone") or "UTC"
    moment = due.once(schedule["ScheduleExpression"], zone)
    if moment is not None:
        if now >= moment and key not in fired:
            fired[key] = now.timestamp()
            _call(key, schedule, moment)
            _complete(key, schedule)
        return
    last = fired.setdefault(key, _first(schedule))
    moment = _next(schedule, zone, datetime.fromtimestamp(last, UTC))
    if moment is not None and now >= moment:
        fired[key] = now.timestamp()
        _call(key, schedule, moment)


def _next(schedule: Schedule, zone: str, after: datetime) -> datetime | None:
    events, expression = adapter.part(EVENTBRIDGE), schedule["ScheduleExpression"]
    seconds = events._parse_rate_seconds(expression)
    if seconds is not None:
        return due.every(seconds, after)
    fields = events._parse_cron_fields(expression)
    if fields is None:
        return None
    return due.following(lambda face: events._cron_next_fire(fields, face), zone, after)


def _first(schedule: Schedule) -> float:
    """Rates are counted from when a schedule was made; of other times those to come count."""
    if adapter.part(EVENTBRIDGE)._parse_rate_seconds(schedule["ScheduleExpression"]) is None:
        return datetime.now(UTC).timestamp()
    return float(schedule["CreationDate"])


def _complete(key: Key, schedule: Schedule) -> None:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-delete.html"""
    if schedule.get("ActionAfterCompletion") == "DELETE":
        scheduler = adapter.part(SCHEDULER)
        scheduler._schedules._data.pop(key, None)
        scheduler._schedule_last_fired.pop(key, None)


def _call(key: Key, schedule: Schedule, moment: datetime) -> None:
    account, region, name = key
    responses = adapter.part(RESPONSES)
    before = responses.get_account_id(), responses.get_region()
    responses.set_request_account_id(account)
    responses.set_request_region(region)
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": "aws.scheduler",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": moment.timestamp(),
        "Resources": [schedule["Arn"]],
        "Account": account,
        "Region": region,
    }
    try:
        adapter.part(EVENTBRIDGE)._invoke_target(schedule["Target"], event, schedule)
    except Exception:  # other schedules are due as well
        log.exception("the target of schedule %s was not called", name)
    finally:
        responses.set_request_account_id(before[0])
        responses.set_request_region(before[1])
