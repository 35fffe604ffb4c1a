"""An incident: what a look does to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib import clock
from chalicelib.drift import incidents
from chalicelib.drift.incidents import Incident

NOON, ONE, TWO = (
    "2026-03-01T12:00:00.000Z",
    "2026-03-01T13:00:00.000Z",
    "2026-03-01T14:00:00.000Z",
)
NOW = clock.parse(TWO)
DUE = clock.text(NOW + incidents.ALARM_PATIENCE)
BODY, VINE = {"feature_name": "body"}, {"feature_name": "vine"}
DATA, MODEL = "data-quality", "model-quality"
OPEN = Incident(NOON, NOON, features=("body",), monitors={DATA: NOON}, told_at=NOON)
BOTH = replace(OPEN, monitors={DATA: NOON, MODEL: NOON})
CLOSED = replace(OPEN, monitors={}, closed_at=ONE, recovery_told_at=ONE)
QUIET = replace(OPEN, monitors={}, closed_at=ONE, decide_at=DUE)  # its end could not be told yet


@pytest.mark.parametrize(
    ("before", "time", "violations", "after"),
    [
        (None, NOON, [], None),
        (
            None,
            NOON,
            [BODY, BODY],
            Incident(NOON, NOON, features=("body",), monitors={DATA: NOON}, decide_at=DUE),
        ),
        (OPEN, NOON, [BODY], OPEN),
        (
            OPEN,
            ONE,
            [VINE, BODY],
            replace(
                OPEN,
                last_seen=ONE,
                seen=2,
                features=("body", "vine"),
                monitors={DATA: ONE},
                decide_at=DUE,
            ),
        ),
        (OPEN, ONE, [], replace(OPEN, monitors={}, closed_at=ONE, decide_at=DUE)),
        (CLOSED, TWO, [], CLOSED),
        (CLOSED, ONE, [BODY], CLOSED),
        (
            CLOSED,
            TWO,
            [VINE],
            Incident(TWO, TWO, features=("vine",), monitors={DATA: TWO}, decide_at=DUE),
        ),
        (QUIET, ONE, [], QUIET),
        (QUIET, TWO, [], QUIET),
        (
            QUIET,
            TWO,
            [BODY],
            replace(OPEN, last_seen=TWO, seen=2, monitors={DATA: TWO}, decide_at=DUE),
        ),
    ],
)
def test_after_a_look(
    before: Incident | None, time: str, violations: list[dict[str, str]], after: Incident | None
) -> None:
    look = {"time": time, "violations": violations, "monitor": DATA}
    assert incidents.after_look(before, look, NOW, (DATA, MODEL)) == after


@pytest.mark.parametrize(
    ("before", "monitor", "violations", "monitors", "is_open"),
    [
        (OPEN, MODEL, [BODY], {DATA: NOON, MODEL: ONE}, True),
        (OPEN, MODEL, [], {DATA: NOON}, True),
        (BOTH, DATA, [], {MODEL: NOON}, True),
        (replace(OPEN, monitors={MODEL: NOON}), MODEL, [], {}, False),
        # What a monitor saw that is no longer watched is nobody's to clear.
        (replace(OPEN, monitors={DATA: NOON, "bias": NOON}), DATA, [], {}, False),
    ],
)
def test_it_is_over_when_no_monitor_sees_drift(
    before: Incident,
    monitor: str,
    violations: list[dict[str, str]],
    monitors: dict[str, str],
    is_open: bool,
) -> None:
    look = {"time": ONE, "violations": violations, "monitor": monitor}
    found = incidents.after_look(before, look, NOW, (DATA, MODEL))
    assert found is not None
    assert (found.monitors, found.open) == (monitors, is_open)
