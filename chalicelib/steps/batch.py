"""The batch machine's steps: a file made ready, its answers accounted for, or why there are none.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

import json
from typing import Any

from chalicelib import clients, clock, failures, notify, places, records
from chalicelib.batch import convert, requests
from chalicelib.batch.files import BatchFile
from chalicelib.environment import Environment
from chalicelib.model import registry, rollout
from chalicelib.reading.refusals import RefusedError

Run = dict[str, Any]
FAILED = "transform_failed"


class NoModelError(Exception):
    """No model is in service yet."""


class AnswersMissingError(Exception):
    """The transform wrote another number of answers than it was given records."""


def begin(run: Run) -> dict[str, Any]:
    """The file as the transform's records, and the transform's request."""
    from chalicelib import settings

    configured, environment = settings.load(), Environment.from_env()
    file = BatchFile(**run["file"])
    facts: dict[str, Any] = {
        "name": file.name,
        "key": file.key,
        "batch_id": file.id,
        "version_id": file.version,
        "started_at": clock.text(clock.now()),
    }
    records.put(file.record, {**facts, "status": "converting"})
    champion = registry.champion()
    if champion is None:
        records.change(file.record, {"reason": "no_model"})
        raise NoModelError("no model is in service yet: drop training data first")
    try:
        found = convert.convert(file, configured)
    except RefusedError as refused:
        records.change(file.record, {"reason": refused.code})
        raise
    facts |= {
        "etag": found.etag,
        "rows": found.rows,
        "rejected": found.rejected,
        "model_version": champion["model_version"],
        "model_run": champion["run"],
        "job": requests.job(file, configured),
    }
    records.put(file.record, {**facts, "status": "transforming"})
    model = rollout.name(configured, str(champion["run"]))
    return {**facts, "request": requests.transform(file, model, environment, configured)}


def finish(run: Run) -> dict[str, Any]:
    """As many answers as records, or it has failed; then the manifest, and people are told."""
    file, facts, now = BatchFile(**run["file"]), run["begin"], clock.text(clock.now())
    document = requests.manifest(file, facts, now)
    answers = _count(file.out("out"))
    if answers != document["predicted"]:
        raise AnswersMissingError(
            f"{file.out('out')} has {answers} answers to {document['predicted']} records"
        )
    _write(file.out("manifest.json"), document)
    records.change(file.record, {"status": "succeeded", "ended_at": now})
    environment = Environment.from_env()
    notify.notify(
        "batch_done",
        f"Predictions of {file.name}",
        f"{document['predicted']} of {document['rows']} rows were predicted.",
        predictions=places.uri(environment, document["output"]),
        model_version=document["model_version"],
        **(
            {"rejects": places.uri(environment, document["rejects"])} if document["rejects"] else {}
        ),
    )
    return {"manifest": file.out("manifest.json")}


def fail(run: Run) -> dict[str, Any]:
    """Why there are no predictions, in a file beside where they would be, and told once."""
    file, explanation = BatchFile(**run["file"]), failures.explain(run["error"])
    return close(file, explanation.message)


def close(file: BatchFile, message: str) -> dict[str, Any]:
    """Write down that a file has failed, unless it has ended already."""
    known = records.get(file.record) or {"name": file.name, "key": file.key, "batch_id": file.id}
    if known.get("status") in ("succeeded", "failed"):
        return {"closed": known["status"]}
    now, reason = clock.text(clock.now()), known.get("reason", FAILED)
    told = {"reason": reason, "message": message}
    _write(file.out("error.json"), {"name": file.name, "key": file.key, **told, "at": now})
    records.put(file.record, {**known, **told, "status": "failed", "ended_at": now})
    notify.notify(
        "batch_failed",
        f"No predictions of {file.name}",
        message,
        reason=reason,
        file=places.uri(Environment.from_env(), file.key),
    )
    return {"closed": "failed"}


def _count(key: str) -> int:
    """The lines of an object, an unfinished last one too."""
    found = clients.client("s3").get_object(Bucket=Environment.from_env().data_bucket, Key=key)
    lines, end = 0, b"\n"
    for chunk in found["Body"].iter_chunks(1024 * 1024):
        lines, end = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (end != b"\n")


def _write(key: str, document: dict[str, Any]) -> None:
    clients.client("s3").put_object(
        Bucket=Environment.from_env().data_bucket,
        Key=key,
        Body=json.dumps(document, indent=2, ensure_ascii=False).encode(),
        ContentType="application/json",
    )
