"""The application that commands register with, and the options that several of them share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Limit = Annotated[int, typer.Option(min=1, help="How many, newest first.")]

app = typer.Typer(
    help="Keeps a machine-learning model in production good, by itself. On AWS, or on the local "
    "cloud: AWS_ENDPOINT_URL decides, else AWS credentials, else the local cloud that is up.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Chosen:
    """What was said before the command's name."""

    stack: str | None = None


chosen = Chosen()


@app.callback()
def options(
    stack: Annotated[
        str | None,
        typer.Option(
            envvar="DRIFTLOOP_STACK", help="CloudFormation stack; else driftloop-<pipeline>."
        ),
    ] = None,
) -> None:
    chosen.stack = stack


def stack() -> str:
    """The stack that commands speak of."""
    from cli import deploy

    return chosen.stack or deploy.stack_name()
