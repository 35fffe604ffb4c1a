"""RedriveExecution: an execution that failed, was aborted or timed out goes on where it stopped.

The same execution, its history and its definition go on: the state that did not succeed runs again
with the input it had, and of a Parallel state those branches alone that had not ended. Of an inline
Map all iterations run again, where AWS runs those alone that had not succeeded.
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.stepfunctions import branches, executions, history, progress, scope

SFN = history.SFN
UNSUCCESSFUL = ("FAILED", "ABORTED", "TIMED_OUT")
PERIOD = 14 * 24 * 3600  # seconds after its end in which an execution can be redriven
LARGEST = 248 * 1024  # characters of an input or output that an event carries
MOST_EVENTS = 24998  # one more than the redrive's own must fit into 25,000

Response = tuple[int, dict[str, str], bytes]
Execution = dict[str, Any]


class RefusedError(Exception):
    """A redrive that AWS refuses, with its error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def install() -> None:
    """Serve the action, and tell of each execution whether it can be redriven."""
    beneath = adapter.part("ministack.app").SERVICE_HANDLERS["states"]

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action != "RedriveExecution":
            told: Response = await beneath(method, path, headers, body, query)
            return _completed(told) if action == "DescribeExecution" else told
        try:
            return _answer(200, redrive(json.loads(body or b"{}")))
        except RefusedError as error:
            return _answer(400, {"__type": error.code, "message": error.message})

    adapter.register_service("states", handle)
    adapter.replace(SFN, "_emit_execution_status_event", _emitting)


def redrive(request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html"""
    sfn = adapter.part(SFN)
    arn, token = str(request.get("executionArn") or ""), request.get("clientToken")
    execution = sfn._executions.get(arn)
    if execution is None:
        raise RefusedError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    if token and execution.get("redriveToken") == token:
        return {"redriveDate": _seconds(execution["redriveDate"])}
    if reason := not_redrivable(execution, time.time()):
        raise RefusedError("ExecutionNotRedrivable", reason)
    executions.let_go(arn)
    execution |= {
        "status": "RUNNING", "stopDate": None, "output": None, "error": None, "cause": None,
        "redriveCount": execution.get("redriveCount", 0) + 1, "redriveDate": sfn.now_iso(),
        "redriveToken": token, "told_of_cut_off": False,
    }  # fmt: skip
    context = contextvars.copy_context()
    context.run(_announce, execution)
    threading.Thread(target=context.run, args=(_go_on, execution), daemon=True).start()
    return {"redriveDate": _seconds(execution["redriveDate"])}


def not_redrivable(execution: Execution, now: float) -> str:
    """Why an execution cannot be redriven, in AWS's words; empty where it can.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    status = execution["status"]
    if status not in UNSUCCESSFUL:
        return f"Execution is {status} and cannot be redriven"
    if len(execution["events"]) > MOST_EVENTS:
        return "Execution history event limit exceeded"
    if execution.get("stopDate") and now - _seconds(execution["stopDate"]) > PERIOD:
        return "Execution redrivable period exceeded"
    return ""


def unsuccessful_state(events: list[dict[str, Any]]) -> tuple[str, str] | None:
    """The name and the input of the outermost state that was entered and not left.

    The states inside it were entered after it. None where no state was entered.
    """
    within: list[tuple[str, str]] = []
    for event in events:
        if details := event.get("stateEnteredEventDetails"):
            within = [state for state in within if state[0] != details["name"]]
            within.append((details["name"], details["input"]))
        elif details := event.get("stateExitedEventDetails"):
            within = [state for state in within if state[0] != details["name"]]
    return within[0] if within else None


def _announce(execution: Execution) -> None:
    history.rejoin(len(execution["events"]))
    count = {"redriveCount": execution["redriveCount"]}
    history.add(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": count})
    adapter.part(SFN)._emit_execution_status_event(execution)


def _go_on(execution: Execution) -> None:
    """Walk on from the state that did not succeed, to the end of the execution."""
    sfn = adapter.part(SFN)
    definition = json.loads(execution["definition"])
    point = unsuccessful_state(execution["events"])
    name, given = point or (definition["StartAt"], execution["input"])
    progress.resume(execution.pop("progress", {}), name)
    with executions.scoped(execution):
        try:
            output = branches.run_states(
                definition["States"], name, json.loads(given), execution,
                _context(execution, definition), resumed=point is not None,
            )  # fmt: skip
            _succeed(execution, json.dumps(output))
        except sfn._ExecutionError as error:
            sfn._fail_execution(execution, error.error, error.cause)


def _context(execution: Execution, definition: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
    arn = execution["stateMachineArn"]
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "StartTime": execution["startDate"],
            "RedriveCount": execution["redriveCount"],
            "RedriveTime": execution["redriveDate"],
        },
        "StateMachine": {"Id": arn, "Name": arn.rpartition(":")[2]},
        "variables": execution.get("variables", {}),
    }


def _succeed(execution: Execution, output: str) -> None:
    sfn = adapter.part(SFN)
    scope.check()
    execution |= {"status": "SUCCEEDED", "output": output, "stopDate": sfn.now_iso()}
    details = {"executionSucceededEventDetails": {"output": output}}
    history.add(execution, "ExecutionSucceeded", details)
    sfn._emit_execution_status_event(execution)


def told(execution: Execution, now: float) -> dict[str, Any]:
    """What an execution's description says of redriving it."""
    reason = not_redrivable(execution, now)
    date = execution.get("redriveDate")
    return {
        "redriveCount": execution.get("redriveCount", 0),
        **({"redriveDate": _seconds(date)} if date else {}),
        "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
        **({"redriveStatusReason": reason} if reason else {}),
    }


def _completed(response: Response) -> Response:
    status, _, body = response
    if status != 200:
        return response
    document = json.loads(body)
    execution = adapter.part(SFN)._executions[document["executionArn"]]
    return _answer(200, document | told(execution, time.time()))


def _emitting(original: Callable[[Execution], None]) -> Callable[[Execution], None]:
    """Status events that tell of redrives too.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """

    def emit(execution: Execution) -> None:
        if not execution.get("sync"):
            detail = status_detail(execution, time.time())
            arn = execution["executionArn"]
            name = "Step Functions Execution Status Change"
            adapter.put_event("aws.states", name, detail, [arn])

    return emit


def status_detail(execution: Execution, now: float) -> dict[str, Any]:
    """The detail of a status event; times in milliseconds."""
    status = execution["status"]
    ended_badly = status in UNSUCCESSFUL
    given, given_details = _payload(execution.get("input"))
    output, output_details = _payload(execution.get("output") if status == "SUCCEEDED" else None)
    redriven = told(execution, now)
    same = ("executionArn", "stateMachineArn", "name", "status")
    return {member: execution.get(member) for member in same} | {
        "input": given,
        "inputDetails": given_details,
        "startDate": _milliseconds(execution.get("startDate")),
        "stopDate": _milliseconds(execution.get("stopDate")),
        "output": output,
        "outputDetails": output_details,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": redriven["redriveCount"],
        "redriveDate": _milliseconds(execution.get("redriveDate")),
        "redriveStatus": redriven["redriveStatus"],
        "redriveStatusReason": redriven.get("redriveStatusReason"),
        "error": execution.get("error") if ended_badly else None,
        "cause": execution.get("cause") if ended_badly else None,
    }


def _payload(text: str | None) -> tuple[str | None, dict[str, bool] | None]:
    """An input or output and its details; too large a one is left out."""
    if text is None:
        return None, None
    fits = len(text) <= LARGEST
    return text if fits else None, {"included": fits}


def _answer(status: int, document: dict[str, Any]) -> Response:
    return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(document).encode()


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _milliseconds(moment: str | None) -> int | None:
    return int(_seconds(moment) * 1000) if moment else None
