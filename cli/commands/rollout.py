"""Commands about what serves: back to an earlier version, a shadow, an A/B test."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import show
from cli.application import Json, app, stack

PANEL = "What serves"
COLUMNS = ("variant", "model_version", "requests", "errors", "p50_ms", "p99_ms")
shadow_app = typer.Typer(help="A version that gets copies and answers nobody.")
ab_app = typer.Typer(help="Two versions that share the requests.")
app.add_typer(shadow_app, name="shadow", rich_help_panel=PANEL, no_args_is_help=True)
app.add_typer(ab_app, name="ab", rich_help_panel=PANEL, no_args_is_help=True)

Version = Annotated[int, typer.Argument(help="A version of the registry: driftloop models.")]
Hours = Annotated[int, typer.Option(min=1, help="How far back, no further than its start.")]
Follow = Annotated[bool, typer.Option(help="Show it until it serves.")]


@app.command(rich_help_panel=PANEL)
def rollback(
    version: Annotated[int | None, typer.Argument(help="Else the one before.")] = None,
    follow: Follow = True,
) -> None:
    """Go back to the version that served before; the monitor's baselines go back with it."""
    _change({"action": "rollback", "version": version}, follow)


@shadow_app.command("start")
def start_shadow(
    version: Version,
    share: Annotated[float, typer.Option(help="Of the requests, copied to it.")] = 1.0,
    follow: Follow = True,
) -> None:
    """Let a version answer copies of the requests; its answers are captured, never returned."""
    _change({"action": "start", "kind": "shadow", "version": version, "share": share}, follow)


@shadow_app.command("show")
def show_shadow(hours: Hours = 24, json: Json = False) -> None:
    """The shadow beside the champion: how often they agree, errors, latency."""
    _compare("shadow", hours, json)


@shadow_app.command("promote")
def promote_shadow(follow: Follow = True) -> None:
    """Make the shadow the champion, with the guardrails of [rollout]."""
    _change({"action": "promote", "kind": "shadow"}, follow)


@shadow_app.command("stop")
def stop_shadow(follow: Follow = True) -> None:
    """Leave the champion alone."""
    _change({"action": "stop", "kind": "shadow"}, follow)


@ab_app.command("start")
def start_ab(
    version: Version,
    share: Annotated[float, typer.Option(help="Of the requests, answered by it.")] = 0.2,
    follow: Follow = True,
) -> None:
    """Let a version answer a share of the requests; again with another share, change that."""
    _change({"action": "start", "kind": "ab", "version": version, "share": share}, follow)


@ab_app.command("show")
def show_ab(hours: Hours = 24, json: Json = False) -> None:
    """Both versions side by side: requests, errors, latency, accuracy where labels came."""
    _compare("ab", hours, json)


@ab_app.command("promote")
def promote_ab(follow: Follow = True) -> None:
    """Make the challenger the champion."""
    _change({"action": "promote", "kind": "ab"}, follow)


@ab_app.command("stop")
def stop_ab(follow: Follow = True) -> None:
    """Let the champion answer all requests again."""
    _change({"action": "stop", "kind": "ab"}, follow)


@app.command(rich_help_panel=PANEL)
def endpoints(
    unused: Annotated[bool, typer.Option("--unused", help="Only those that nobody asks.")] = False,
    days: Annotated[int, typer.Option(min=1, max=455, help="How far back.")] = 14,
    json: Json = False,
) -> None:
    """Every endpoint of the account: its size, its traffic, its cost; which are not used."""
    from cli import endpoints as listing

    found = [each for each in listing.every(days) if each["unused"] or not unused]
    if json:
        show.as_json(found)
        return
    for each in found:
        sizes = [f"{count} x {kind}" for kind, count in each["instances"].items()]
        each["instances"] = "\n".join(sizes)
        each["created"] = each["created_at"].date()
        each["monthly_cost"] = each["monthly_cost"] and f"${each['monthly_cost']:,.0f}"
    columns = ("endpoint", "instances", "invocations", "instance_hours", "monthly_cost")
    show.table(found, (*columns, "created"), title=f"in the last {days} days, at today's size")
    if published := sorted(filter(None, (each["published"] for each in found))):
        show.console.print(f"prices: AWS's price list of {published[0]}, on demand")
    if any(each["monthly_cost"] is None for each in found):
        show.console.print("the price list could not be asked: the cost is in instance-hours")


def _change(request: dict[str, Any], follow: bool) -> None:
    from cli import rollout

    serving = rollout.change(stack(), request, follow)
    if serving is None:
        show.console.print("it is under way")
        return
    show.console.print(f"[green]in service[/green]  {_words(serving)}")


def _words(serving: dict[str, Any]) -> str:
    """What serves, of {"champion", "kind", "beside", "share"}."""
    told = f"model version {serving['champion']}"
    if serving["kind"] is None:
        return told
    role = "shadowed by" if serving["kind"] == "shadow" else "and"
    return f"{told}, {role} {serving['beside']} with {serving['share']:.0%} of the requests"


def _compare(kind: str, hours: int, json: bool) -> None:
    from cli import comparison

    found = comparison.compare(stack(), kind, hours)
    if json:
        show.as_json(found)
        return
    for each in found["variants"]:
        each["errors"] = _share(each["error_rate"])
        each["accuracy"] = f"{_share(each['accuracy'])} of {each['labels']} labels"
    show.table(found["variants"], (*COLUMNS, "accuracy"))
    if "agreement" in found:
        agreed = found["agreement"]
        show.console.print(f"{_share(agreed['share'])} of {agreed['records']} answers agree")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
