"""Longer answers: one run in full, what drifted, logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.markup import escape

from cli import logs as reading
from cli import records, show, target
from cli.errors import Problem
from cli.history import Execution

FACTS = (
    "reason", "cause", "status", "outcome", "started_at", "ended_at", "dataset_rows",
    "model_version", "error_state", "error",
)  # fmt: skip
MODEL_FACTS = (
    "status", "serves", "in_service_at", "created_at", "run_id", "reason", "cause", "outcome",
    "dataset_rows", "package",
)  # fmt: skip


def run(stack: str, run_id: str, *, as_json: bool) -> None:
    """A run's record, its states, its gate and, if it failed, the end of the log."""
    record = records.run(stack, run_id)
    durations = states(record)
    if as_json:
        show.as_json({**record, "state_seconds": durations})
        return
    show.console.print(f"[bold]run {record['run_id']}[/bold]")
    for name in FACTS:
        if record.get(name) is not None:
            words = escape(str(show.plain(record[name])))
            show.console.print(f"  {name.replace('_', ' '):<14} {words}")
    for job, found in (record.get("jobs") or {}).items():
        if "reused" in found:
            show.console.print(f"  {job:<14} reused from run {escape(str(found['reused']))}")
    if record.get("tuning"):
        search(record["tuning"])
    for reason in (record.get("gate") or {}).get("reasons", []):
        show.console.print(f"  {'gate':<14} {escape(str(reason))}")
    quality = record.get("quality") or {}
    for words in [*quality.get("failures", []), *quality.get("warnings", [])]:
        show.console.print(f"  {'quality':<14} {escape(str(words))}")
    if durations:
        rows = [{"state": name, "seconds": value} for name, value in durations.items()]
        show.table(rows, ("state", "seconds"))
    for line in reading.of_failure(stack, record):
        show.console.print(f"    [dim]{escape(line)}[/dim]")


def search(tuning: dict[str, Any]) -> None:
    """Each training job of a search, the best marked."""
    tried = tuning["trials"]
    names = list(dict.fromkeys(name for each in tried for name in each["parameters"]))
    rows = [
        {
            "trial": number,
            **{name: show.short(value) for name, value in each["parameters"].items()},
            "objective": each["objective"],
            "status": each["status"],
            "best": "✓" if each["job"] == tuning["best"]["job"] else "",
        }
        for number, each in enumerate(tried, 1)
    ]
    told = f"{tuning['strategy']}, {tuning['objective']}, {tuning['job']}"
    show.console.print(f"  {'tuning':<14} {escape(told)}")
    show.table(rows, ("trial", *names, "objective", "status", "best"))


def model(found: dict[str, Any]) -> None:
    """A model version: its facts, the gate's reasons, its metrics, what it was made of."""
    show.console.print(f"[bold]model version {found['model_version']}[/bold]")
    lineage = found["lineage"] or {}
    made_of = {
        "dataset": ((lineage.get("data") or {}).get("version") or {}).get("version"),
        "code": (lineage.get("code") or {}).get("digest"),
        "image": (lineage.get("environment") or {}).get("image"),
        "model_card": found["model_card_link"],
    }
    for name in MODEL_FACTS:
        _fact(name, found.get(name))
    if decision := found["approval"]:
        words = "approved" if decision["approved"] else "rejected"
        _fact(words, f"by {decision['by']} at {decision['at']} {decision['reason']}")
    for reason in (found["gate"] or {}).get("reasons", []):
        _fact("gate", reason)
    for name, value in made_of.items():
        _fact(name, value)
    metrics = show.plain(found["evaluation"] or {})
    show.table(({"metric": k, "value": v} for k, v in metrics.items()), ("metric", "value"))


def _fact(name: str, value: Any) -> None:
    if value is not None:
        words = escape(str(show.plain(value)))
        show.console.print(f"  {name.replace('_', ' '):<14} {words}", soft_wrap=True)


def states(record: dict[str, Any]) -> dict[str, float]:
    """Seconds in each state of the run's execution, as far as it has come."""
    if not record.get("execution_arn"):
        return {}
    execution = Execution(str(record["execution_arn"]))
    for _ in execution.news():
        pass
    return execution.durations()


def drift(found: list[dict[str, Any]], notes: dict[str, dict[str, Any]]) -> None:
    """Looks, newest first; before them, of each kind of monitor, why it judged nothing since."""
    newest = {look["monitor"]: look["time"] for look in reversed(found)}
    for kind, noted in sorted(notes.items()):
        if noted["looked_at"] > newest.get(kind, ""):
            words = f"{noted['looked_at']}  {kind} judged nothing: {noted['note']}"
            show.console.print(f"[dim]{escape(words)}[/dim]", soft_wrap=True)
    if not found and not notes:
        show.console.print("the monitors have not judged any traffic yet")
    for look in show.plain(found):
        show.console.print(
            f"[bold]{look['time']}[/bold]  {look['monitor']}: {look['records']} records, "
            f"{look['status']}"
        )
        for each in look["violations"]:
            words = (
                f"{each['feature_name']}: {each['constraint_check_type']}: {each['description']}"
            )
            show.console.print(f"  [yellow]{escape(words)}[/yellow]")
        drift_decision(look)


def look(stack: str, time: str, *, as_json: bool) -> None:
    """A monitor run's record, its violations the furthest first, and the incident it belongs to."""
    record = show.plain(records.look(stack, time))
    incident = show.plain(records.incident(stack, str(record.get("incident", ""))))
    if as_json:
        show.as_json({**record, "incident": incident})
        return
    show.console.print(f"[bold]look of {record['time']}[/bold]")
    names = ("monitor", "start", "records", "status", "champion_run", "report_uri")
    for name in names:
        words = f"  {name.replace('_', ' '):<14} {escape(str(record[name]))}"
        show.console.print(words, soft_wrap=True)  # an address stays one word
    if lost := record.get("not_read"):
        words = ", ".join(f"{count} {what}" for what, count in lost.items())
        show.console.print(f"  [yellow]not read       {escape(words)}[/yellow]")
    drift_decision(record)
    if record["violations"]:
        ordered = sorted(record["violations"], key=_distance, reverse=True)
        show.table(ordered, ("feature_name", "distance", "threshold", "constraint_check_type"))
    for found in record["violations"]:
        if "distance" not in found:
            show.console.print(f"  {escape(found['feature_name'])}: {escape(found['description'])}")
    for example in record.get("examples", []):
        words = "; ".join(f"{name}: {value}" for name, value in example.items())
        show.console.print(f"  [dim]{escape(words)}[/dim]")
    if incident:
        ended = incident.get("closed_at") or "open"
        runs = ", ".join(incident["runs"]) or "none"
        times = "once" if incident["seen"] == 1 else f"{incident['seen']} times"
        show.console.print(
            f"incident since {incident['since']}, {ended}; seen {times}; runs: {runs}"
        )
        if incident.get("acknowledged_by"):
            words = f"seen by {incident['acknowledged_by']} at {incident['acknowledged_at']}"
            show.console.print(escape(words))


def drift_decision(record: dict[str, Any]) -> None:
    if decision := record.get("decision"):
        did = f"started run {record.get('run')}" if decision["start"] else "started no run"
        show.console.print(f"  {did}: {escape(decision['why'])}")


def _distance(violation: dict[str, Any]) -> float:
    return float(violation.get("distance", "inf"))


def logs(
    stack: str,
    run_id: str,
    *,
    step: str = "",
    function: str | None = None,
    endpoint: bool = False,
    minutes: int = 60,
    follow: bool = False,
) -> None:
    """What was written so far, or with `follow` all that comes too."""
    from cli import follow_logs

    group = None
    if function:
        group = f"/aws/lambda/{_function(stack, function)}"
    elif endpoint:
        group = f"/aws/sagemaker/Endpoints/{target.outputs(stack)['EndpointName']}"
    if group and follow:
        follow_logs.group(group, minutes)
    elif group:
        _print(reading.of_group(group, minutes))
    elif follow:
        follow_logs.run(stack, run_id, step)
    else:
        _print(reading.of_run(str(records.run(stack, run_id)["run_id"]), step))


def _print(lines: Iterable[tuple[str, str]]) -> None:
    for stream, line in lines:
        show.log_line(stream, line)


def _function(stack: str, name: str) -> str:
    """A function's full name, by the name it has in app.py."""
    wanted = {"api": "APIHandler"}.get(name, "".join(part.title() for part in name.split("_")))
    client = target.client("cloudformation")
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    listed = [each for page in pages for each in page["StackResourceSummaries"]]
    functions = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in listed
        if each["ResourceType"] == "AWS::Lambda::Function"
    }
    if wanted not in functions:
        raise Problem(f"there is no function {name}", f"There are: {', '.join(sorted(functions))}")
    return str(functions[wanted])
