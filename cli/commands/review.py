"""Commands for the people who label what the model is unsure of."""

from __future__ import annotations

import typer
from rich.markup import escape

from cli import show
from cli.application import Json, Limit, app, stack
from cli.errors import Problem

review_app = typer.Typer(help="Label what the model is unsure of.", invoke_without_command=True)
app.add_typer(review_app, name="review", rich_help_panel="The loop")


@review_app.callback()
def review(context: typer.Context, limit: Limit = 20, json: Json = False) -> None:
    """Without a subcommand: predictions that wait for a person, newest first."""
    if context.invoked_subcommand is not None:
        return
    from cli import api

    found = api.call(stack(), "GET", f"/reviews?limit={min(limit, 100)}")["reviews"]
    if json:
        show.as_json(found)
        return
    if not found:
        show.console.print("nothing waits for review")
    for each in found:
        sure = "" if each["confidence"] is None else f" ({each['confidence']:.0%} sure)"
        show.console.print(
            f"[bold]{each['review_id']}[/bold]  {each['why']}, predicted {each['label']}{sure}"
        )
        for name, value in each["record"].items():
            show.console.print(f"  {name}: {escape(str(value))}", soft_wrap=True)
    if found:
        show.console.print("answer:  driftloop review answer ID LABEL")


@review_app.command("answer")
def answer(review_id: str, label: str) -> None:
    """Tell the true label of a prediction that waits: the next run learns from it."""
    from cli import api, typed

    waiting = api.call(stack(), "GET", "/reviews?limit=100")["reviews"]
    found = [each["review_id"] for each in waiting if each["review_id"].startswith(review_id)]
    if len(found) > 1:
        raise Problem(f"more than one review begins with {review_id}", "Give more of its id.")
    body = {"label": typed.label(label)}
    path = f"/reviews/{found[0] if found else review_id}"
    taken = api.call(stack(), "POST", path, body)
    told = "as predicted" if taken["label"] == str(taken["predicted"]) else "not as predicted"
    show.console.print(f"{taken['review_id']}: {taken['label']} taken, {told}")
