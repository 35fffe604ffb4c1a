"""The whole loop, shown: drop, train, predict, drift, retrain; then a table and demo.json."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape

from cli import (
    api,
    deploy,
    drop,
    follow,
    local,
    overhead,
    project,
    records,
    reviews,
    show,
    target,
    typed,
)
from cli.errors import Problem

REVIEWS, SEED = 10_000, 42
LIVE, BATCH = 400, 50  # records of drifted traffic, and of one request
# The local cloud writes down what it captures within a second; AWS takes minutes.
LOOKS = {"MonitorSchedule": "rate(1 minute)", "CaptureDelaySeconds": "2"}
EXAMPLES = (
    "Absolutely love it. Works perfectly and I would buy it again.",
    "It is okay. Does the job but nothing special.",
    "Terrible. It broke after two days and I want my money back.",
)


@dataclass
class Story:
    """What happened, as demo.json tells it."""

    stack: str
    facts: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.time)

    def write(self) -> Path:
        self.facts["demo_s"] = round(time.time() - self.began, 2)
        path = project.home() / "demo.json"
        path.write_text(json.dumps(show.plain(self.facts), indent=2, ensure_ascii=False) + "\n")
        return path


def run(data: Path | None, drifted: Path | None, keep: bool) -> bool:
    """Show the loop; False when any part of it did not happen."""
    story = Story(deploy.stack_name())
    try:
        inbox = _stage(story)
        _first_model(story, data)
        _predictions(story)
        _drift(story, drifted)
        story.facts["notifications"] = _notified(inbox)
        return _conclude(story)
    finally:
        path = story.write()
        show.console.print(f"\nall of it in figures: {path.relative_to(project.root())}")
        if keep:
            _next(story)
        else:
            local.stop()


def _stage(story: Story) -> str:
    """A fresh local cloud, the stack on it, and an inbox for its notifications."""
    show.console.rule("[bold]1  a local cloud, and the stack on it", align="left")
    local.stop()
    if kept := local.set_aside():
        show.console.print(f"  the state of an earlier local cloud is kept in {kept.name}")
    found = local.start()
    target.choose()
    show.console.print(f"  the local cloud is up at {found.endpoint}")
    made = deploy.deploy(parameters=LOOKS, progress=lambda line: None)
    show.console.print(
        f"  {made.stack} deployed through CloudFormation in {show.seconds(made.seconds)}"
    )
    story.facts["deploy_s"] = round(made.seconds, 2)
    return _inbox(f"{story.stack}-demo-inbox", made.outputs["TopicArn"])


def _inbox(name: str, topic: str) -> str:
    """A queue that the topic may send to.

    https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
    """
    sqs = target.client("sqs")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    wanted = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    target.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def _first_model(story: Story, data: Path | None) -> None:
    show.console.rule("[bold]2  files dropped in S3 become a model in service", align="left")
    path = data or reviews.write(project.home() / "demo" / "reviews.tsv.gz", REVIEWS, SEED)
    dropped = time.time()
    put = drop.upload(story.stack, [path])
    (fate,) = drop.fates(story.stack, put, None, 60)
    show.console.print(f"  {escape(fate.line)}")
    if fate.status != "accepted":
        raise Problem(f"{path} was not accepted: {fate.words}")
    _follow(story, _await_run(story, set()), dropped)


def _follow(story: Story, run_id: str, dropped: float | None) -> None:
    """Show a run; its figures go into the story."""
    record, execution = follow.run(story.stack, run_id)
    entry = {
        "run_id": run_id,
        "reason": record["reason"],
        "status": record["status"],
        "outcome": record.get("outcome"),
        "model_version": record.get("model_version"),
        "evaluation": record.get("evaluation"),
        "state_seconds": execution.durations(),
    }
    story.facts.setdefault("runs", []).append(entry)
    if record["status"] != "succeeded":
        raise Problem(f"run {run_id} failed", f"See: driftloop run show {run_id}")
    champion = records.champion(story.stack) or {}
    story.facts.setdefault("model_versions", []).append(record.get("model_version"))
    if dropped is not None and champion:
        served = show.parse_time(str(champion["in_service_at"])).timestamp()
        story.facts["drop_to_in_service_s"] = round(served - dropped, 2)
        spent = overhead.outside_work(run_id, execution, dropped, served)
        story.facts["orchestration_overhead_s"] = round(spent, 2)
        story.facts["endpoint_start_s"] = round(overhead.endpoint_start(run_id, dropped), 2)


def _predictions(story: Story) -> None:
    show.console.rule("[bold]3  predictions through API Gateway", align="left")
    found, label = [], project.pipeline()["dataset"]["label"]
    for text in EXAMPLES:
        answer = api.call(story.stack, "POST", "/predictions", {"review_body": text})
        prediction = answer["predictions"][0]
        found.append({"text": text, "model_version": answer["model_version"], **prediction})
        show.console.print(f"  {text}")
        show.console.print(
            f"    {label} [bold]{show.prediction(prediction)}[/bold]  model version "
            f"{answer['model_version']}  inference id {prediction['inference_id']}"
        )
    story.facts["predictions"] = found


def _drift(story: Story, drifted: Path | None) -> None:
    show.console.rule("[bold]4  the world changes", align="left")
    before = {str(run["run_id"]) for run in records.runs(story.stack)}
    sent = _send(story, _traffic(drifted))
    show.console.print(
        f"  {sent} records of other goods sent, and the true stars of each as feedback"
    )
    look = _await_violations(story)
    story.facts["violations"] = look["violations"]
    for each in show.plain(look["violations"]):
        words = f"{each['feature_name']}: {each['constraint_check_type']}: {each['description']}"
        show.console.print(f"  [yellow]{escape(words)}[/yellow]")
    run_id = _await_run(story, before)
    _follow(story, run_id, None)


def _traffic(path: Path | None) -> list[dict[str, str]]:
    if path is None:
        return list(reviews.rows(LIVE, SEED + 1, drifted=True))
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    usable = (row for row in rows if (row.get("review_body") or "").strip())
    return list(itertools.islice(usable, LIVE))


def _send(story: Story, rows: list[dict[str, str]]) -> int:
    """Predictions in batches, and feedback with the true labels."""
    model, label = project.pipeline()["model"], project.pipeline()["dataset"]["label"]
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        body = [
            {name: typed.value(name, row[name]) for name in model["inputs"] if row.get(name)}
            for row in batch
        ]
        answer = api.call(story.stack, "POST", "/predictions", {"records": body})
        ids = [prediction["inference_id"] for prediction in answer["predictions"]]
        pairs = [
            {"inference_id": each, "label": typed.label(row[label])}
            for each, row in zip(ids, batch, strict=True)
        ]
        api.call(story.stack, "POST", "/feedback", {"feedback": pairs})
    return len(rows)


def _await_violations(story: Story, timeout: float = 180) -> dict[str, Any]:
    """The scheduled monitor's next look; it may come with nothing to judge first."""
    deadline = time.monotonic() + timeout
    with show.console.status("[cyan]waiting for the scheduled monitor[/cyan]"):
        while time.monotonic() < deadline:
            for look in records.drift(story.stack, 3):
                if look["violations"]:
                    return look
            time.sleep(0.3)
    raise Problem(f"the monitor found no violation in {timeout:.0f} s", "See: driftloop drift")


def _await_run(story: Story, before: set[str]) -> str:
    run_id = drop.run_of(story.stack, before, 60)
    if run_id is None:
        raise Problem("no run has begun in 60 s", "See: driftloop logs --function coalesce")
    return run_id


def _notified(inbox: str) -> list[dict[str, str]]:
    """What the topic's subscribers were sent."""
    found: list[dict[str, str]] = []
    sqs = target.client("sqs")
    while True:
        answer = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        if not answer.get("Messages"):
            return found
        for message in answer["Messages"]:
            content = json.loads(message["Body"])
            told = json.loads(content["Message"])
            found.append({"subject": told["subject"], "message": told["message"]})
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=message["ReceiptHandle"])


def _conclude(story: Story) -> bool:
    """Whether each part happened, in a table."""
    facts = story.facts
    runs, told = facts["runs"], [each["subject"] for each in facts["notifications"]]
    versions = facts["model_versions"]
    last = records.champion(story.stack) or {}
    happened = {
        "files became a model in service": runs[0]["outcome"] == "deployed",
        "predictions were answered": len(facts["predictions"]) == len(EXAMPLES),
        "live traffic drifted": bool(facts["violations"]),
        "people were told of the drift": any(words.startswith("Drift") for words in told),
        "drift started a run": runs[-1]["reason"] == "drift",
        "a new version is in service": versions[-1] != versions[0]
        and last.get("model_version") == versions[-1],
    }
    show.console.rule("[bold]what happened", align="left")
    rows = [{"part": name, "happened": "yes" if so else "NO"} for name, so in happened.items()]
    show.table(rows, ("part", "happened"))
    rows = [{**run, "seconds": round(sum(run["state_seconds"].values()), 1)} for run in runs]
    show.table(rows, ("run_id", "reason", "status", "outcome", "model_version", "seconds"))
    show.console.print(
        f"drop to in service {show.seconds(facts['drop_to_in_service_s'])}, "
        f"of which {show.seconds(facts['orchestration_overhead_s'])} orchestration; "
        f"{len(told)} notifications"
    )
    facts["happened"] = happened
    return all(happened.values())


def _next(story: Story) -> None:
    show.console.print("\nthe local cloud stays up. Next:")
    for command in (
        "source .driftloop/activate",
        'driftloop predict "It stopped working after a week"',
        "driftloop runs",
        "driftloop drift",
        "driftloop generate more.tsv.gz --seed 7 && driftloop drop more.tsv.gz",
        "driftloop down",
    ):
        show.console.print(f"  [bold]{escape(command)}[/bold]")
