"""The `driftloop` command."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from rich.markup import escape

from cli import show
from cli.application import app
from cli.commands import batch, cloud, data, loop, models, quality, review, rollout, watch
from cli.errors import Problem

__all__ = [
    "app",
    "batch",
    "cloud",
    "data",
    "loop",
    "main",
    "models",
    "quality",
    "review",
    "rollout",
    "watch",
]


def told(command: Callable[[], None]) -> Callable[[], None]:
    """Problems in words, without a traceback."""

    @functools.wraps(command)
    def run() -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            command()
        except Problem as problem:
            show.errors.print(f"[red]{escape(problem.headline)}[/red]")
            if problem.remedy:
                show.errors.print(escape(problem.remedy))
            sys.exit(1)
        except (BotoCoreError, ClientError) as error:
            show.errors.print(f"[red]AWS refused: {escape(str(error))}[/red]")
            sys.exit(1)
        except KeyboardInterrupt:
            sys.exit(130)

    return run


@told
def main() -> None:
    app()


if __name__ == "__main__":
    main()
