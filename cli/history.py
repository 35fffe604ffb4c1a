"""An execution's states, read from its event history: entered, left, how long, what failed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cli import target

RUNNING = "RUNNING"
REUSED = "Reused"  # ends the name of the state that takes a job's place
APPROVAL = "AwaitApproval"


@dataclass
class State:
    """One visit of one state."""

    name: str
    kind: str
    entered: dt.datetime
    left: dt.datetime | None = None
    output: Any = None

    @property
    def seconds(self) -> float:
        return ((self.left or dt.datetime.now(dt.UTC)) - self.entered).total_seconds()

    @property
    def reused_from(self) -> str | None:
        """The run whose outputs were taken instead of running the job again."""
        return self.output["reused"] if self.name.endswith(REUSED) and self.output else None


class Execution:
    """Follows one execution; `news()` gives what happened since the last look."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.states: list[State] = []
        self.status = RUNNING
        self._seen = 0
        self._client = target.client("stepfunctions")

    def news(self) -> Iterator[tuple[str, State]]:
        """`("entered" | "left", state)` in the order it happened."""
        # The status is read first: a history read after the end is whole.
        self.status = self._client.describe_execution(executionArn=self.arn)["status"]
        events = self._events()
        fresh, self._seen = events[self._seen :], len(events)
        for event in fresh:
            if entered := event.get("stateEnteredEventDetails"):
                kind = event["type"].removesuffix("StateEntered")
                state = State(entered["name"], kind, event["timestamp"])
                self.states.append(state)
                yield "entered", state
            elif exited := event.get("stateExitedEventDetails"):
                state = self._open(exited["name"])
                state.left = event["timestamp"]
                state.output = json.loads(exited.get("output") or "null")
                yield "left", state

    @property
    def waits_for_a_person(self) -> bool:
        """It goes on when somebody approves or rejects the model, or the time for that is over."""
        return any(state.name == APPROVAL and state.left is None for state in self.states)

    def durations(self) -> dict[str, float]:
        """Seconds in each state, its visits added up, in the order of the first visit."""
        total: dict[str, float] = {}
        for state in self.states:
            total[state.name] = total.get(state.name, 0.0) + state.seconds
        return {name: round(value, 3) for name, value in total.items()}

    def _open(self, name: str) -> State:
        return next(
            state for state in reversed(self.states) if state.name == name and state.left is None
        )

    def _events(self) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=self.arn, maxResults=1000
        )
        return [event for page in pages for event in page["events"]]
