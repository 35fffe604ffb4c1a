"""A model goes into service when a person says so: by the link of the message, by the command, in
the registry itself; or not, when one says no or nobody says anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import api, deploy, drop, records, reviews, target
from cli.errors import Problem
from tests.conftest import Cloud
from tests.e2e.own_project import Answer, browse, deployed, wait

ENDED = ("succeeded", "failed")


def by_hand(text: str) -> str:
    """Whatever passes waits for a person."""
    text = text.replace('name = "reviews"', 'name = "asked"', 1)
    text = text.replace('approval = "none"', 'approval = "manual"')
    text = text.replace("at_least = 0.3 ", "at_least = 0.0 ").replace("max_regression = 0.02", "")
    return text.replace("maximum = { ece = 0.4 }", "").replace(
        "[gate]", "[gate]\nmax_regression = 1"
    )


@dataclass
class Pipeline:
    cloud: Cloud
    stack: str
    folder: Path

    def run(self, run_id: str) -> dict[str, Any]:
        return records.run(self.stack, run_id)

    def waiting(self, before: set[str]) -> dict[str, Any]:
        """A run that is not one of those, when it waits for a person and people were told."""

        def asked() -> dict[str, Any] | None:
            for run in records.runs(self.stack):
                if run["run_id"] not in before:
                    assert run["status"] not in ENDED, run.get("error") or run["outcome"]
                    told = self.message("approval_needed", run["run_id"])
                    return run if run["status"] == "waiting" and told else None
            return None

        return wait(asked, 180)

    def ended(self, run_id: str) -> dict[str, Any]:
        wait(lambda: self.run(run_id)["status"] in ENDED, 180)
        return self.run(run_id)

    def started(self) -> dict[str, Any]:
        """A run by hand, that waits."""
        before = {run["run_id"] for run in records.runs(self.stack)}
        api.call(self.stack, "POST", "/runs", {"cause": "to be asked"})
        return self.waiting(before)

    def message(self, kind: str, run_id: str) -> dict[str, Any] | None:
        told = records.notifications(self.stack, None)
        return next((m for m in told if m["kind"] == kind and m["run"] == run_id), None)

    def status(self, version: int) -> str:
        """As the registry has it."""
        group = target.outputs(self.stack)["ModelGroup"]
        packages = target.client("sagemaker").list_model_packages(ModelPackageGroupName=group)
        (found,) = [p for p in packages["ModelPackageSummaryList"]
                    if p["ModelPackageVersion"] == version]  # fmt: skip
        return str(found["ModelApprovalStatus"])

    def open(self, url: str, form: dict[str, str] | None = None) -> Answer:
        return browse(self.cloud.endpoint, url, form)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with deployed(tmp_path_factory.mktemp("approval"), by_hand) as (cloud, stack, folder):
        yield Pipeline(cloud, stack, folder)


@pytest.fixture(scope="module")
def asked(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The first run, and what it told people, before anybody decided."""
    path = reviews.write(tmp_path_factory.mktemp("drop") / "first.tsv.gz", 600, seed=1)
    drop.upload(pipeline.stack, [path])
    run = pipeline.waiting(set())
    return {"run": run, "message": pipeline.message("approval_needed", run["run_id"])}


def test_a_link_puts_a_waiting_model_into_service_once(
    pipeline: Pipeline, asked: dict[str, Any]
) -> None:
    run, link = asked["run"], asked["message"]["link"]
    assert pipeline.status(1) == "PendingManualApproval"
    assert api.call(pipeline.stack, "GET", "/health")["status"] == "waiting"
    assert link in asked["message"]["message"]
    for _ in range(2):  # programs that check mail open links
        page = pipeline.open(link)
        assert page.status == 200
        assert "accuracy" in page.text
        assert 'value="reject"' in page.text
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == (
        "no-store",
        "no-referrer",
    )
    assert pipeline.run(run["run_id"])["status"] == "waiting"
    assert pipeline.open(link, {"action": "approve", "who": ""}).status == 400
    assert pipeline.open(f"{link[:-4]}AAAA", {"action": "approve", "who": "Eve"}).status == 404
    done = pipeline.open(link, {"action": "approve", "who": "Ann", "reason": "looks fine"})
    assert done.status == 200
    assert "version 1 was approved by Ann" in done.text.replace("Version", "version")
    ended = pipeline.ended(run["run_id"])
    assert (ended["status"], ended["outcome"]) == ("succeeded", "deployed"), ended.get("error")
    assert ended["approval"]["by"].startswith("Ann (by the link in the message")
    assert pipeline.status(1) == "Approved"
    assert api.call(pipeline.stack, "GET", "/health")["model_version"] == 1
    again = pipeline.open(link, {"action": "reject", "who": "Bob", "reason": "no"})
    assert again.status == 409
    assert "There is nothing to decide" in again.text
    assert 'value="reject"' not in again.text
    with pytest.raises(Problem, match="409: version 1 was approved by Ann"):
        api.call(pipeline.stack, "POST", "/models/1/approval", {"decision": "approve"})


def test_the_model_card_is_a_link_away(pipeline: Pipeline, asked: dict[str, Any]) -> None:
    text = asked["message"]["message"]
    card = pipeline.open(text[text.index("Model card: ") + 12 :].split()[0])
    assert card.status == 302
    page = pipeline.open(card.headers["location"])
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_browser_opens_a_link_on_the_local_cloud(
    pipeline: Pipeline, asked: dict[str, Any]
) -> None:
    """AWS's host names lead to AWS: docs/local-cloud.md says where the local cloud has them."""
    token = asked["message"]["link"].rsplit("/", 1)[1]
    api_id, here = target.outputs(pipeline.stack)["RestApiId"], pipeline.cloud.endpoint
    page = pipeline.open(f"{here}/_aws/execute-api/{api_id}/api/links/{token}")
    assert page.status == 200
    assert "Model version 1" in page.text


def test_a_rejected_model_stays_out_and_files_that_came_meanwhile_are_next(
    pipeline: Pipeline, asked: dict[str, Any], tmp_path: Path
) -> None:
    run = pipeline.started()
    known = {each["run_id"] for each in records.runs(pipeline.stack)}
    put = drop.upload(pipeline.stack, [reviews.write(tmp_path / "next.tsv.gz", 300, seed=2)])
    (fate,) = drop.fates(pipeline.stack, put, None, 60)
    assert fate.status == "accepted"
    with pytest.raises(Problem, match="400: a rejection needs a reason"):
        api.call(pipeline.stack, "POST", "/models/2/approval", {"decision": "reject"})
    assert {each["run_id"] for each in records.runs(pipeline.stack)} == known
    body = {"decision": "reject", "reason": "too eager"}
    decided = api.call(pipeline.stack, "POST", "/models/2/approval", body)
    assert (decided["status"], decided["reason"]) == ("rejected", "too eager")
    ended = pipeline.ended(run["run_id"])
    assert (ended["status"], ended["outcome"]) == ("succeeded", "rejected"), ended.get("error")
    assert pipeline.status(2) == "Rejected"
    assert api.call(pipeline.stack, "GET", "/health")["model_version"] == 1
    told = wait(lambda: pipeline.message("rejected", run["run_id"]))
    assert told["subject"] == "Model version 2 was rejected"
    assert told["message"].startswith("rejected by arn:aws:")
    following = pipeline.waiting(known)
    assert following["reason"] == "data"
    package = f"{following['model_package_arn']}"
    target.client("sagemaker").update_model_package(  # as SageMaker Studio does
        ModelPackageArn=package, ModelApprovalStatus="Approved", ApprovalDescription="in Studio"
    )
    ended = pipeline.ended(following["run_id"])
    assert (ended["outcome"], ended["approval"]["reason"]) == ("deployed", "in Studio")
    assert api.call(pipeline.stack, "GET", "/health")["model_version"] == 3


def test_a_run_that_is_stopped_leaves_nothing_to_approve(
    pipeline: Pipeline, asked: dict[str, Any]
) -> None:
    run = pipeline.started()
    api.call(pipeline.stack, "POST", f"/runs/{run['run_id']}/stop", {"why": "a mistake"})
    with pytest.raises(Problem, match=r"409: run .* is (stopping|failed)"):
        api.call(pipeline.stack, "POST", f"/runs/{run['run_id']}/stop", {})
    ended = pipeline.ended(run["run_id"])
    assert ended["error"].startswith("stopped by arn:aws:")
    assert ended["stopped"]["why"] == "a mistake"
    told = wait(lambda: pipeline.message("run_stopped", run["run_id"]))
    assert told["subject"] == f"Run {run['run_id']} was stopped"
    version = int(run["model_version"])
    assert wait(lambda: pipeline.status(version) == "Rejected")
    with pytest.raises(Problem, match=f"409: version {version} was rejected by the loop"):
        api.call(pipeline.stack, "POST", f"/models/{version}/approval", {"decision": "approve"})


def test_nobody_decides_in_time(pipeline: Pipeline, asked: dict[str, Any]) -> None:
    file = pipeline.folder / "chalicelib" / "pipeline.toml"
    file.write_text(file.read_text().replace("hours = 24", "hours = 0.001"))
    deploy.deploy(progress=lambda line: None)
    before = api.call(pipeline.stack, "GET", "/health")["model_version"]
    started = api.call(pipeline.stack, "POST", "/runs", {"cause": "on a Sunday"})
    ended = pipeline.ended(started["run_id"])
    assert (ended["status"], ended["outcome"]) == ("succeeded", "rejected"), ended.get("error")
    assert pipeline.status(int(ended["model_version"])) == "Rejected"
    told = wait(lambda: pipeline.message("rejected", started["run_id"]))
    assert "rejected by the time limit: nobody decided until" in told["message"]
    assert api.call(pipeline.stack, "GET", "/health")["model_version"] == before
    asked_again = pipeline.message("approval_needed", started["run_id"])
    assert pipeline.open(asked_again["link"]).status == 410
