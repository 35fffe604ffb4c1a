"""The command line: each command explains itself, and says in words what it cannot do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer.main
from typer.testing import CliRunner

from cli import api, endpoints, main, project, show, target, typed

runner = CliRunner()


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command there is, with the words that call it."""
    for name, command in group.commands.items():
        words = (*path, name)
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield words, command
        if hasattr(command, "commands"):
            yield from commands(command, words)


WIDTH = 80  # letters of a terminal
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


def test_the_versions_fit_a_terminal(monkeypatch: pytest.MonkeyPatch):
    common = {"evaluation": {"accuracy": 0.61253}, "created_at": "2026-11-25T03:24:16+00:00",
              "run_id": "20261124-204137-c6c1d6", "status": "Rejected"}  # fmt: skip
    pending = {"status": "pending", "expires_at": "2026-11-26T03:24:16Z"}
    listed = [
        {**common, "model_version": 100, "in_service": False, "approval": pending},
        {**common, "model_version": 99, "in_service": True, "approval": None},
        {**common, "model_version": 98, "in_service": False, "approval": None},
    ]
    monkeypatch.setattr(api, "call", lambda *words: {"models": listed})
    printed = printed_by(["models"], monkeypatch)
    rows = [" ".join(line.split()) for line in printed[-3:]]
    assert rows == [
        "100 waits for approval 0.6125 20261124-204137-c6c1d6 2026-11-25",
        "99 in service 0.6125 20261124-204137-c6c1d6 2026-11-25",
        "98 Rejected 0.6125 20261124-204137-c6c1d6 2026-11-25",
    ]


def test_the_endpoints_fit_a_terminal(monkeypatch: pytest.MonkeyPatch):
    endpoint = {
        "endpoint": "reviews",
        "instances": {"ml.m5.large": 1, "ml.g5.xlarge": 12},
        "invocations": 12345678,
        "instance_hours": 4368.27,
        "monthly_cost": 12345.67,
        "created_at": dt.datetime(2026, 11, 25, tzinfo=dt.UTC),
        "unused": False,
        "published": None,
    }
    monkeypatch.setattr(endpoints, "every", lambda days: [endpoint])
    printed = printed_by(["endpoints"], monkeypatch)
    rows = [" ".join(line.split()) for line in printed[-2:]]
    assert rows == ["reviews 1 x ml.m5.large 12345678 4368 $12,346 2026-11-25", "12 x ml.g5.xlarge"]


def printed_by(command: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that a command prints on a narrow terminal."""
    monkeypatch.setattr(show.console, "width", WIDTH)
    answer = runner.invoke(main.app, command)
    assert answer.exit_code == 0, answer.output
    lines = [line.rstrip() for line in answer.stdout.splitlines()]
    assert max(map(len, lines)) <= WIDTH
    return [line for line in lines if line]


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
