"""What a run's states hand on: far below what Step Functions takes, however much data there is.

The compiled machine's data half walks over the loop's own steps; Glue and Athena are stand-ins.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib import clients, runs, settings
from chalicelib.ingest import arrivals
from chalicelib.steps import dispatch
from tests.unit.loop.memory_cloud import Cloud

MACHINE = json.loads((Path(__file__).parents[3] / "statemachines/retrain.asl.json").read_text())
FILES, COLUMNS = 1000, 60
NAMES = [f"a_column_of_a_wide_table_{number}" for number in range(COLUMNS)]
KINDS = ("string", "integer", "number", "date", "boolean")
LARGEST = 256 * 1024 // 3  # bytes: a third of what Step Functions takes
Data = dict[str, Any]


def toml() -> str:
    """A side dataset of many columns, each with checks that its rows break."""
    columns = [
        f'{{ name = "{name}", type = "{KINDS[at % len(KINDS)]}", required = true }}'
        for at, name in enumerate(NAMES)
    ]
    checks = [
        f'{{ check = "{check}", column = "{name}", at_least = 1, level = "warning" }}'
        for name in NAMES
        for check in ("completeness", "uniqueness")
    ]
    side = (
        f'[[datasets]]\nname = "wide"\ncolumns = [{", ".join(columns)}]\n'
        f"[datasets.quality]\nmax_rejects = 0.5\nchecks = [{', '.join(checks)}]\n"
    )
    return settings.FILE.read_text(encoding="utf-8").replace("[intake]", f"{side}\n[intake]")


class Catalog:
    """Glue's tables."""

    class exceptions:  # noqa: N801
        EntityNotFoundException = LookupError

    def __init__(self) -> None:
        self.tables: dict[str, Data] = {}

    def get_table(self, DatabaseName: str, Name: str) -> Data:  # noqa: N803
        if Name not in self.tables:
            raise LookupError(Name)
        return {"Table": self.tables[Name]}

    def create_table(self, DatabaseName: str, TableInput: Data) -> None:  # noqa: N803
        self.tables[TableInput["Name"]] = TableInput

    def batch_create_partition(self, **request: Any) -> Data:
        return {}

    def get_paginator(self, name: str) -> Catalog:
        return self

    def paginate(self, **request: Any) -> list[Data]:
        return [{"Partitions": []}]


class Queries:
    """Athena: each statement's one row, by the id it was given."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}

    def run(self, request: Data) -> str:
        self.asked[str(len(self.asked))] = request["QueryString"]
        return str(len(self.asked) - 1)

    def get_paginator(self, name: str) -> Queries:
        return self

    def paginate(self, QueryExecutionId: str) -> list[Data]:  # noqa: N803
        names = dict.fromkeys(re.findall(r"AS (\w+)", self.asked[QueryExecutionId]))
        rows = [names, [self.value(name) for name in names]]
        cells = [{"Data": [{"VarCharValue": value} for value in row]} for row in rows]
        return [{"ResultSet": {"Rows": cells}}]

    def value(self, name: str) -> str:
        """Every row accounted for, a tenth of them rejected, and every check broken."""
        counts = {"rejected": FILES // 10, "distinct_rows": FILES * 9 // 10}
        counts["curated"] = counts["distinct_rows"]
        return "0.5" if re.fullmatch(r"m\d+", name) else str(counts.get(name, FILES))


class Secrets:
    def get_secret_value(self, **request: Any) -> Data:
        return {"SecretString": "signs links"}


@pytest.fixture
def wide(memory: Cloud, monkeypatch: pytest.MonkeyPatch) -> Queries:
    configured, glue, athena = settings.parse(toml()), Catalog(), Queries()
    monkeypatch.setattr(settings, "load", lambda: configured)
    stand_ins = {"glue": glue, "athena": athena, "secretsmanager": Secrets()}
    monkeypatch.setenv("API_URL", "https://api")
    client = memory.client
    monkeypatch.setattr(clients, "client", lambda name: stand_ins.get(name) or client(name))
    return athena


def walk(state: Data, athena: Queries) -> tuple[list[str], int]:
    """The names of the states on the way, and the largest size of what one hands on."""
    name, names, largest = MACHINE["StartAt"], [], 0
    while name:
        now = MACHINE["States"][name]
        names.append(name)
        if now["Type"] == "Choice":
            name = next((c["Next"] for c in now["Choices"] if holds(c, state)), now["Default"])
            continue
        if now["Type"] == "Task":
            put(state, now["ResultPath"], answer(now, state, athena))
        largest = max(largest, len(json.dumps(state)))
        name = now.get("Next")
    return names, largest


def answer(now: Data, state: Data, athena: Queries) -> Any:
    resource = now["Resource"]
    if resource == "${RunStepArn}":
        return dispatch.retrain({"step": now["Parameters"]["step"], "run": state})
    if resource.endswith("startQueryExecution.sync"):
        assert now["ResultSelector"] == {"QueryExecutionId.$": "$.QueryExecution.QueryExecutionId"}
        return {"QueryExecutionId": athena.run(get(state, now["InputPath"]))}
    return {"Crawler": {"State": "READY", "LastCrawl": {"Status": "SUCCEEDED"}}}


def holds(choice: Data, state: Data) -> bool:
    if "And" in choice:
        return all(holds(each, state) for each in choice["And"])
    found = get(state, choice["Variable"])
    if "IsPresent" in choice:
        return (found is not None) == choice["IsPresent"]
    return bool(found == choice.get("BooleanEquals", choice.get("StringEquals")))


def get(state: Data, path: str) -> Any:
    found: Any = state
    for part in path.removeprefix("$.").split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def put(state: Data, path: str | None, value: Any) -> None:
    if path:
        *way, last = path.removeprefix("$.").split(".")
        for part in way:
            state = state[part]
        state[last] = value


def test_a_thousand_files_of_many_columns_weigh_little(wide: Queries, memory: Cloud) -> None:
    ids = [f"{number:020x}" for number in range(FILES)]
    for each in ids:
        entry = {"status": "pending", "format": "tsv", "rows": 1, "text_bytes": 1, "sha256": each}
        columns = {"columns": NAMES, "text_columns": NAMES, "types": dict.fromkeys(NAMES, "string")}
        arrivals.add("wide", each, entry | columns)
    runs.start("data", "a thousand files", "c", ids, "wide")
    ((run_id, execution),) = memory.executions.items()
    memory.drop(f"curated/wide/run={run_id}/0", b"rows")
    names, largest = walk(json.loads(execution["input"]), wide)
    assert runs.get(run_id)["status"] == "succeeded"  # type: ignore[index]
    queries = ["Convert", "Count", "Rejects", "Check", "Offenders"]
    assert [name for name in names if name in queries] == queries
    assert largest < LARGEST
