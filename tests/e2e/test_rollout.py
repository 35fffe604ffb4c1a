"""What a person asks of the versions in service: back and forth, a shadow, an A/B test."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import pytest

from cli import api, comparison, drop, endpoints, follow, records, reviews, rollout
from cli.errors import Problem

RECORD = {"review_body": "A fine dryer, it works as it should."}


@pytest.fixture(scope="module")
def versions(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """Two versions in the registry; the second is in service."""
    if records.champion(stack.name) is None:
        path: Path = reviews.write(tmp_path_factory.mktemp("data") / "r.tsv.gz", 3000, 42, False)
        before = {run["run_id"] for run in records.runs(stack.name)}
        drop.upload(stack.name, [path])
        follow.run(stack.name, str(drop.run_of(stack.name, before, 60)))
    first = int(records.champion(stack.name)["model_version"])  # type: ignore[index]
    started = api.call(stack.name, "POST", "/runs", {"cause": "a second version"})
    ended, _ = follow.run(stack.name, started["run_id"])
    assert ended["outcome"] == "deployed", ended
    return first, int(ended["model_version"])


def answered(stack: Any) -> int:
    return int(api.call(stack.name, "POST", "/predictions", RECORD)["model_version"])


def status(stack: Any, version: int) -> str:
    listed = api.call(stack.name, "GET", "/models")["models"]
    return str(next(each["status"] for each in listed if each["model_version"] == version))


def told(stack: Any, words: str) -> bool:
    """Whether people were told so; the message comes just after what it tells of."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(str(each["subject"]) == words for each in records.notifications(stack.name, 20)):
            return True
        time.sleep(0.2)
    return False


def test_back_to_the_version_before_in_one_command(stack: Any, versions: tuple[int, int]) -> None:
    first, second = versions
    before = records.champion(stack.name)
    assert before is not None
    assert answered(stack) == second
    assert rollout.change(stack.name, {"action": "rollback"})["champion"] == first  # type: ignore[index]
    assert answered(stack) == first
    champion = records.champion(stack.name)
    assert champion is not None
    assert champion["model_version"] == first
    assert champion["run"] != before["run"]  # the monitors' baselines are that run's
    assert champion["evaluation"]
    assert champion["in_service_at"] > before["in_service_at"]
    assert (status(stack, first), status(stack, second)) == ("Approved", "Rejected")
    assert told(stack, f"Model version {first} is in service again, after {second}")


def test_a_rejected_version_comes_back_by_its_name_only(
    stack: Any, versions: tuple[int, int]
) -> None:
    first, second = versions
    rollout.change(stack.name, {"action": "rollback", "version": second})
    assert answered(stack) == second
    assert (status(stack, first), status(stack, second)) == ("Rejected", "Approved")


def test_a_shadow_is_compared_with_the_champion(stack: Any, versions: tuple[int, int]) -> None:
    first, second = versions
    rollout.change(
        stack.name, {"action": "start", "kind": "shadow", "version": first, "share": 1.0}
    )
    answers = [api.call(stack.name, "POST", "/predictions", RECORD) for _ in range(5)]
    assert {(each["model_version"], each["variant"]) for each in answers} == {(second, "primary")}
    (prediction,) = answers[0]["predictions"]
    label = {"inference_id": prediction["inference_id"], "label": int(prediction["label"])}
    api.call(stack.name, "POST", "/feedback", label)
    found = _compared(stack, "shadow", 5)
    assert found["agreement"]["records"] == 5
    champion, shadow = found["variants"]
    assert (champion["model_version"], shadow["model_version"]) == (second, first)
    assert shadow["requests"] == 5
    assert champion["requests"] >= 5  # CloudWatch counts by the minute: what came just before too
    assert champion["accuracy"] == 1.0
    assert shadow["error_rate"] == 0.0
    rollout.change(stack.name, {"action": "stop", "kind": "shadow"})


def _compared(stack: Any, kind: str, records_wanted: int) -> dict[str, Any]:
    """The comparison, once the answers were captured."""
    deadline = time.monotonic() + 60
    while True:
        found = comparison.compare(stack.name, kind, 1)
        seen = found.get("agreement", {}).get("records", records_wanted)
        labelled = sum(each["labels"] for each in found["variants"])
        if (seen >= records_wanted and labelled) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def test_a_caller_chooses_the_variant_of_an_ab_test(stack: Any, versions: tuple[int, int]) -> None:
    first, second = versions
    rollout.change(stack.name, {"action": "start", "kind": "ab", "version": first, "share": 0.5})
    for variant, version in (("primary", second), ("challenger", first)):
        header = {"X-Amzn-SageMaker-Target-Variant": variant}
        answer = api.call(stack.name, "POST", "/predictions", RECORD, headers=header)
        assert (answer["variant"], answer["model_version"]) == (variant, version)
    with pytest.raises(Problem, match="there is no variant nobody"):
        header = {"X-Amzn-SageMaker-Target-Variant": "nobody"}
        api.call(stack.name, "POST", "/predictions", RECORD, headers=header)
    rollout.change(stack.name, {"action": "stop", "kind": "ab"})
    assert answered(stack) == second


def test_endpoints_and_what_they_cost(stack: Any, versions: tuple[int, int]) -> None:
    in_an_hour = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    found = {each["endpoint"]: each for each in endpoints.every(14, in_an_hour)}
    ours = found[stack.outputs["EndpointName"]]
    assert ours["instances"] == {"ml.m5.large": 1}
    assert ours["invocations"] > 0
    assert not ours["unused"]
    assert ours["instance_hours"] >= 1
    assert ours["monthly_cost"] is None  # the local cloud has no price list


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"action": "rollback", "version": 99}, "there is no model version 99"),
        ({"action": "stop", "kind": "ab"}, "an A/B test does not run"),
    ],
)
def test_what_cannot_be_done_is_told(
    stack: Any, versions: tuple[int, int], request_: Any, words: str
) -> None:
    with pytest.raises(Problem, match=words):
        rollout.change(stack.name, request_)
    assert told(stack, f"The {request_['action']} was not done")
    assert answered(stack) == versions[1]
