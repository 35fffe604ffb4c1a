"""A pipeline whose model answers inside a Lambda function: the same loop without an endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import clock
from cli import api, follow, records, reviews, rollout, target
from cli.errors import Problem
from tests.e2e.conftest import Stack, dropped
from tests.e2e.own_project import browse, deployed, wait

ASKED = [
    {
        "review_body": f"{text}, the cord is {length} inches",
        "product_category": "Beauty",
        "verified_purchase": "Y",
    }
    for text in ("it works fine", "a waste of money")
    for length in range(30)
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("lambda")
    with deployed(home, lambda text: text.replace('"endpoint" ', '"lambda" ')) as (_, name, _):
        yield Stack(name, target.outputs(name))


@pytest.fixture(scope="module")
def first(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = reviews.write(tmp_path_factory.mktemp("drop") / "reviews.tsv.gz", 1500, seed=1)
    return dropped(stack, path, wait)


def captured(stack: Stack) -> list[dict[str, Any]]:
    bucket, prefix = stack.outputs["DataBucket"], "capture/reviews/primary/"
    listed = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    found = [stack.client("s3").get_object(Bucket=bucket, Key=each["Key"]) for each in listed]
    return [json.loads(line) for each in found for line in each["Body"].iter_lines()]


def test_nothing_answers_before_the_first_model(stack: Stack) -> None:
    with pytest.raises(Exception, match="no model is in service yet"):
        api.call(stack.name, "POST", "/predictions", ASKED[0])


def test_no_page_may_read_a_refusal_where_none_may_call(stack: Stack) -> None:
    refused = browse(target.choose(), stack.outputs["ApiUrl"].rstrip("/") + "/nowhere")
    assert refused.status == 403
    assert refused.headers["x-request-id"]
    assert not [name for name in refused.headers if name.startswith("access-control")]


def test_a_dropped_file_becomes_a_model_in_service(stack: Stack, first: dict[str, Any]) -> None:
    assert (first["status"], first.get("outcome")) == ("succeeded", "deployed"), first.get("error")
    assert (records.champion(stack.name) or {})["run"] == first["run_id"]
    assert not stack.client("sagemaker").list_endpoints()["Endpoints"]


def test_the_function_answers_and_captures(stack: Stack, first: dict[str, Any]) -> None:
    answer = api.call(stack.name, "POST", "/predictions?explain=true", {"records": ASKED})
    assert (answer["model_version"], answer["variant"]) == (1, "primary")
    assert len(answer["predictions"]) == len(ASKED)
    for each in answer["predictions"]:
        assert each["label"] == max(each["probabilities"], key=each["probabilities"].get)
        assert each["explanation"]["terms"]
    (line,) = captured(stack)
    call = answer["predictions"][0]["inference_id"].split("/")[0]
    assert line["eventMetadata"]["inferenceId"] == call
    sent = json.loads(line["captureData"]["endpointInput"]["data"])
    assert sent == {"records": ASKED, "explain": True}
    told = json.loads(line["captureData"]["endpointOutput"]["data"])
    assert [each["label"] for each in told["predictions"]] == [
        each["label"] for each in answer["predictions"]
    ]


@pytest.mark.parametrize(
    "asked", [{"action": "start", "version": 1, "share": 0.5}, {"action": "stop"}]
)
@pytest.mark.parametrize("kind", ["shadow", "ab"])
def test_what_needs_an_endpoint_is_refused(
    stack: Stack, first: dict[str, Any], asked: dict[str, Any], kind: str
) -> None:
    with pytest.raises(Problem, match="needs an endpoint"):
        rollout.change(stack.name, {**asked, "kind": kind})


def test_a_look_reads_what_the_function_captured(stack: Stack, first: dict[str, Any]) -> None:
    stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["MonitorMachineArn"],
        input=json.dumps({"scheduled_at": clock.text(clock.now()), "capture_delay_seconds": 0}),
    )
    (look,) = wait(lambda: records.drift(stack.name, 1), 240)
    assert (look["monitor"], look["records"]) == ("data-quality", len(ASKED))


def test_a_second_version_answers_and_the_first_one_again(
    stack: Stack, first: dict[str, Any]
) -> None:
    started = api.call(stack.name, "POST", "/runs", {"cause": "a second version"})
    ended, _ = follow.run(stack.name, started["run_id"])
    assert ended["outcome"] == "deployed", ended
    assert api.call(stack.name, "POST", "/predictions", ASKED[0])["model_version"] == 2
    serving = rollout.change(stack.name, {"action": "rollback"})
    assert serving == {"champion": 1, "kind": None, "beside": None, "share": 0}
    assert api.call(stack.name, "POST", "/predictions", ASKED[0])["model_version"] == 1
