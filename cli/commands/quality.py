"""Commands about the data's quality: what a run found, and what could be checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli import show
from cli.application import Json, app, stack
from cli.commands.data import PANEL, Dataset

quality_app = typer.Typer(help="Checks of the data.", no_args_is_help=True)
app.add_typer(quality_app, name="quality", rich_help_panel=PANEL)
STATES = {True: "kept", False: "broken"}


@quality_app.command("show")
def show_quality(
    run_id: Annotated[str, typer.Argument(help="A run, or the beginning of its id.")] = "latest",
    json: Json = False,
) -> None:
    """What a run found of its new data: every check, and the page with the charts."""
    from cli import quality

    document, page = quality.report(stack(), run_id)
    if json:
        show.as_json(document)
        return
    rows = [
        {**each, "state": STATES[each["passed"]], "wanted": " and ".join(each["wanted"])}
        for each in document["results"]
    ]
    show.table(rows, ("state", "level", "metric", "value", "wanted"))
    for words in (*document["failures"], *document["warnings"]):
        show.console.print(escape(words))
    if accepted := document["accepted"]:
        show.console.print(escape(f"accepted by {accepted['who']}: {accepted['why']}"))
    show.console.print(f"the page:  {page}", soft_wrap=True)


@quality_app.command("suggest")
def suggest(
    what: Annotated[
        str | None, typer.Argument(help="A file, or a dataset; else the training dataset.")
    ] = None,
    dataset: Dataset = None,
) -> None:
    """Look at data there is and print checks that it keeps, as TOML with why."""
    from cli import arrivals, quality

    if what and Path(what).is_file():
        print(quality.suggest_of_file(Path(what), dataset))
        return
    chosen = what or dataset or arrivals.datasets()[0]
    print(quality.suggest_of_dataset(stack(), chosen))
