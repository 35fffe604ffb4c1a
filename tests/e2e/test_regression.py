"""A pipeline of another kind: prices of homes by their columns, boosted trees, no text at all.

The same loop with nothing but its own pipeline.toml: data to model, predictions and their true
values, a whole file, a retrained challenger that must beat the champion, and drift as Model
Monitor's own schedules see it.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import api, main, records, target
from tests.e2e.conftest import Stack, dropped
from tests.e2e.own_project import deployed, wait

TOML = """
[pipeline]
name = "homes"

[dataset]
name = "homes"
label = "price"
columns = [
    { name = "home_id", type = "string", required = true },
    { name = "area", type = "number", required = true },
    { name = "rooms", type = "integer" },
    { name = "town", type = "string" },
    { name = "garden", type = "boolean" },
    { name = "price", type = "number", required = true },
]

[intake]
quiet_seconds = 1
max_wait_seconds = 900

[quality]
checks = [{ check = "completeness", column = "price", at_least = 1 }]

[model]
problem = "regression"
inputs = ["area", "rooms", "town"]
required = ["area"]
features = ["area", "rooms", "town"]

[training]
seed = 7
validation_share = 0.1
test_share = 0.1
hyperparameters = { model = "boosted", max_iter = 60 }

[evaluation]
slices = ["town"]

[gate]
metric = "r2"
at_least = 0.8
maximum = { rmse = 40 }
max_regression = 0.05

[monitor]
engine = "managed"
min_records = 20
"""
TOWNS = {"north": 1.0, "south": 1.4, "west": 0.7}
runner = CliRunner()


def homes(path: Path, count: int, seed: int) -> Path:
    """Prices by area, rooms and town, with noise; some rooms and towns are not known."""
    chance = random.Random(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["home_id", "area", "rooms", "town", "garden", "price"])
        for at in range(count):
            area, rooms = round(chance.uniform(30, 150), 1), chance.randint(1, 6)
            town = chance.choice([*TOWNS])
            price = area * 3 * TOWNS[town] + rooms * 10 + chance.gauss(0, 8)
            known = [rooms if chance.random() > 0.1 else "", town if chance.random() > 0.05 else ""]
            out.writerow([f"{seed}-{at}", area, *known, at % 2 == 0, round(price, 2)])
    return path


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with deployed(tmp_path_factory.mktemp("homes"), lambda text: TOML) as (_, name, _):
        yield Stack(name, target.outputs(name))


@pytest.fixture(scope="module")
def first(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = homes(tmp_path_factory.mktemp("drop") / "homes.csv", 2000, seed=1)
    return dropped(stack, path, wait)


def test_tabular_data_becomes_a_model_of_numbers(first: dict[str, Any]) -> None:
    assert (first["status"], first.get("outcome")) == ("succeeded", "deployed"), first.get("error")
    assert float(first["evaluation"]["r2"]) > 0.9
    assert float(first["evaluation"]["rmse"]) < 40


def test_predictions_are_numbers(stack: Stack, first: dict[str, Any]) -> None:
    asked = [{"area": 100, "rooms": 3, "town": town} for town in ("west", "north", "south")]
    answer = api.call(stack.name, "POST", "/predictions", {"records": asked})
    assert answer["model_version"] == 1
    told = [each["prediction"] for each in answer["predictions"]]
    assert told == sorted(told)
    assert told[1] == pytest.approx(330, rel=0.15)
    alone = api.call(stack.name, "POST", "/predictions", {"area": 60})
    assert alone["predictions"][0]["prediction"] > 0
    shown = runner.invoke(main.app, ["predict", "100", "--field", "town=north"])
    assert shown.exit_code == 0, shown.output


def test_an_explanation_names_columns(stack: Stack, first: dict[str, Any]) -> None:
    asked = {"area": 140, "rooms": 3, "town": "south"}
    answer = api.call(stack.name, "POST", "/predictions?explain=true", asked)
    terms = answer["predictions"][0]["explanation"]["terms"]
    assert terms[0]["column"] == "area"


def test_the_true_value_is_taken(stack: Stack, first: dict[str, Any]) -> None:
    answer = api.call(stack.name, "POST", "/predictions", {"area": 80, "town": "north"})
    body = {"inference_id": answer["predictions"][0]["inference_id"], "label": 251.5}
    assert api.call(stack.name, "POST", "/feedback", body)["accepted"] == 1


def test_a_whole_file_comes_out_with_numbers(
    stack: Stack, first: dict[str, Any], tmp_path: Path
) -> None:
    asked = homes(tmp_path / "more.csv", 300, seed=2)
    answer = runner.invoke(main.app, ["batch", str(asked), "--wait", "--to", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    lines = [json.loads(line) for line in (tmp_path / "more.csv.out").open()]
    assert len(lines) == 300
    off = [
        abs(each["SageMakerOutput"]["prediction"] - float(each["other"]["price"])) for each in lines
    ]
    assert sum(off) / len(off) < 30
    assert {type(each["record"]["area"]) for each in lines} <= {int, float}


def test_more_data_is_compared_with_the_champion(
    stack: Stack, first: dict[str, Any], tmp_path: Path
) -> None:
    run = dropped(stack, homes(tmp_path / "later.csv", 1500, seed=3), wait)
    assert run["status"] == "succeeded", run.get("error")
    assert run["gate"]["comparison"]["metric"] == "r2"
    champion = records.champion(stack.name) or {}
    wanted = run["model_version"] if run["outcome"] == "deployed" else first["model_version"]
    assert champion["model_version"] == wanted


def schedules(stack: Stack) -> dict[str, str]:
    """The job definition of each managed schedule."""
    listed = stack.client("sagemaker").list_monitoring_schedules()["MonitoringScheduleSummaries"]
    return {
        each["MonitoringScheduleName"]: each["MonitoringJobDefinitionName"]
        for each in listed
        if each["EndpointName"] == stack.outputs["EndpointName"]
    }


def test_model_monitors_schedules_see_drift_and_people_are_told(
    stack: Stack, first: dict[str, Any]
) -> None:
    """Requests of one record each, whose true prices are three times what the model says."""
    sagemaker, run = stack.client("sagemaker"), (records.champion(stack.name) or {})["run"]
    kinds = ("data-quality", "model-quality", "attribution")
    assert schedules(stack) == {f"homes-{kind}": f"{kind}-{run}" for kind in kinds}
    ids = []
    for at in range(30):
        record = {"area": 900 + at, "rooms": 3, "town": "north"}
        answer = api.call(stack.name, "POST", "/predictions", record)["predictions"][0]
        ids.append(answer["inference_id"])
        body = {"inference_id": ids[-1], "label": answer["prediction"] * 3}
        assert api.call(stack.name, "POST", "/feedback", body)["accepted"] == 1
    span = {"DataAnalysisStartTime": "-PT2H", "DataAnalysisEndTime": "PT1H"}
    captured = f"capture/{stack.outputs['EndpointName']}/"
    wait(lambda: all(each in written(stack, captured) for each in ids), 60)
    for kind in ("data-quality", "model-quality"):
        named = {"MonitoringScheduleName": f"homes-{kind}"}
        config = sagemaker.describe_monitoring_schedule(**named)["MonitoringScheduleConfig"]
        now = config | {"ScheduleConfig": {"ScheduleExpression": "NOW", **span}}
        sagemaker.update_monitoring_schedule(**named, MonitoringScheduleConfig=now)
    looks = wait(lambda: found if len(found := records.drift(stack.name)) == 2 else None, 100)
    drifted = {each["monitor"]: {v["feature_name"] for v in each["violations"]} for each in looks}
    assert "area" in drifted["data-quality"]
    assert drifted["model-quality"] == {"rmse"}
    (message,) = wait(
        lambda: [m for m in records.notifications(stack.name, None) if m["kind"] == "drift"]
    )
    assert message["subject"].startswith("Drift in ")


def written(stack: Stack, prefix: str) -> str:
    """All objects below a prefix of the data bucket."""
    s3, bucket = stack.client("s3"), stack.outputs["DataBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed]
    return b"".join(bodies).decode()
