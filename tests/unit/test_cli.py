"""The command line: each command explains itself, and says in words what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer.main
from typer.testing import CliRunner

from cli import main, project, show, target, typed

runner = CliRunner()


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command there is, with the words that call it."""
    for name, command in group.commands.items():
        words = (*path, name)
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield words, command
        if hasattr(command, "commands"):
            yield from commands(command, words)


EVERY = list(commands(typer.main.get_command(main.app)))


@pytest.mark.parametrize("words", [words for words, _ in EVERY], ids=" ".join)
def test_every_command_says_what_it_does(words: tuple[str, ...]):
    answer = runner.invoke(main.app, [*words, "--help"])
    assert answer.exit_code == 0, answer.output
    assert dict(EVERY)[words].help


@pytest.mark.parametrize(("words", "command"), EVERY, ids=lambda each: str(each)[:30])
def test_every_command_and_option_is_in_the_docs(words: tuple[str, ...], command: Any):
    documented = (project.root() / "docs" / "commands.md").read_text()
    assert f"`driftloop {' '.join(words)}" in documented
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.opts[0] in documented


def test_without_a_cloud_a_command_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(target, "has_credentials", lambda: False)
    monkeypatch.setattr(target.local, "running", lambda: None)
    monkeypatch.setattr("sys.argv", ["driftloop", "runs"])
    target.client.cache_clear()
    target.outputs.cache_clear()
    target.table.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "there is no cloud to talk to" in told
    assert "driftloop up" in told


def test_a_table_keeps_ids_whole_and_cuts_free_text(capsys: pytest.CaptureFixture[str]):
    show.table(
        [{"run_id": "20261124-204137-c6c1d6", "status": "failed", "cause": "words " * 40}],
        ("run_id", "status", "cause"),
    )
    printed = capsys.readouterr().out
    assert "20261124-204137-c6c1d6" in printed
    assert len([line for line in printed.splitlines() if line.strip()]) == 3


@pytest.mark.parametrize(
    ("column", "words", "value"),
    [
        ("star_rating", "5", 5),
        ("star_rating", "five", "five"),  # the API says that it is none
        ("review_body", "5", "5"),
        ("unknown", "5", "5"),
    ],
)
def test_words_are_read_as_the_column_says(column: str, words: str, value: object):
    assert typed.value(column, words) == value


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"label": "5", "probabilities": {"5": 0.9, "1": 0.1}}, "5 (90%)"),
        ({"label": "5"}, "5"),
        ({"prediction": 251.5}, "251.5"),
    ],
)
def test_a_prediction_is_a_class_or_a_number(found: dict[str, Any], words: str):
    assert show.prediction(found) == words
