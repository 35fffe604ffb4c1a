"""The dispatchers and the last step of a run."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from chalicelib import clients, events, notify, records, runs
from chalicelib.environment import Environment
from chalicelib.model import gate, lineage, registry
from chalicelib.monitoring import looks
from chalicelib.steps import dispatch, model

RUN, EARLIER = "20260301-120000-a1b2c3", "20260201-120000-d4e5f6"
PACKAGE = "arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/3"


class Surroundings:
    """An environment without a cloud."""

    data_bucket = "data"
    code_prefix = "s3://artifacts/code"
    code_digest = "abc"
    retrain_machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:x-retrain"
    batch_machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:x-batch"


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was written, in order."""
    done: list[tuple[Any, ...]] = []

    class Bucket:
        def put_object(self, **request: Any) -> None:
            done.append(("put", request["Key"], json.loads(request["Body"])))

        def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
            return {**TRAINING, "TrainingJobName": TrainingJobName, "SecondaryStatus": "Completed"}

        def get_object(self, **request: Any) -> dict[str, Any]:
            assert request["Bucket"] == "artifacts"
            return {"Body": io.BytesIO(b"code")}

    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: Surroundings()))
    monkeypatch.setattr(clients, "client", lambda name: Bucket())
    monkeypatch.setattr(records, "put", lambda key, values: done.append(("record", key, values)))
    monkeypatch.setattr(records, "get", lambda key: None)
    monkeypatch.setattr(records, "remove", lambda key: done.append(("removed", key)))
    monkeypatch.setattr(runs, "get", lambda run: None)
    monkeypatch.setattr(runs, "record", lambda run, **facts: done.append(("run", run, facts)))
    monkeypatch.setattr(runs, "succeed", lambda run, **facts: done.append(("ended", run, facts)))
    monkeypatch.setattr(runs, "fail", lambda run, error: done.append(("failed", run, error)))
    monkeypatch.setattr(notify, "notify", lambda *words, **facts: done.append(("told", *words)))
    return done


TRAINING = {
    "TrainingJobName": f"{RUN}-train",
    "AlgorithmSpecification": {"TrainingImage": "scikit-learn:1"},
    "HyperParameters": {"C": "0.5"},
}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """SageMaker's training jobs; the names that were asked for."""
    asked: list[str] = []

    class Jobs:
        def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
            asked.append(TrainingJobName)
            metric = {"MetricName": "validation:accuracy", "Value": 0.5}
            return {"TrainingJobName": TrainingJobName, "FinalMetricDataList": [metric]}

    monkeypatch.setattr(clients, "client", lambda name: Jobs())
    return asked


def a_run(**more: Any) -> dict[str, Any]:
    verdict = {"promote": True, "reasons": ["good"], "metrics": {"accuracy": 0.5}}
    jobs = {
        "prepare": {"job": f"{EARLIER}-prepare", "key": "p", "reused": EARLIER},
        "train": {"job": f"{RUN}-train", "key": "t"},
    }
    return {"run_id": RUN, "reason": "data", "cause": "1 file", "arrivals": ["a"], **more} | {
        "plan_training": {"jobs": jobs, "train": TRAINING},
        "gate": verdict,
    }


def test_a_deployed_model_becomes_the_champion(did: list[tuple[Any, ...]]) -> None:
    registered = {"model_version": 3, "model_package_arn": PACKAGE, "endpoint": {}}
    result = model.finish(a_run(register=registered))
    assert result["outcome"] == "deployed"
    champion, experiment, deployment, written, ended, told = did
    assert champion[1] == "#champion"
    assert (champion[2]["model_version"], champion[2]["run"]) == (3, RUN)
    assert experiment == ("removed", "#experiment")  # a new model ends it
    assert deployment == ("removed", f"#deployment#{RUN}")
    assert written[1] == f"runs/{RUN}/lineage.json"
    assert written[2]["model"]["version"] == 3
    assert ended[1] == RUN
    assert told[2] == "Model version 3 is in service"


def test_a_refused_model_leaves_the_champion(did: list[tuple[Any, ...]]) -> None:
    assert model.finish(a_run())["outcome"] == "kept_champion"
    assert [entry[0] for entry in did] == ["put", "ended", "told"]
    assert did[2][2].startswith("The champion stays")


@pytest.mark.parametrize(
    ("approved", "outcome", "subject"),
    [
        (True, "deployed", "Model version 3 is in service"),
        (False, "rejected", "Model version 3 was rejected"),
    ],
)
def test_a_person_has_the_last_word(
    did: list[tuple[Any, ...]], approved: bool, outcome: str, subject: str
) -> None:
    registered = {"model_version": 3, "model_package_arn": PACKAGE, "endpoint": {}}
    decision = {"approved": approved, "by": "Ann", "reason": "so be it"}
    run = a_run(register=registered, approval=decision)
    assert model.finish(run)["outcome"] == outcome
    assert any(entry[1] == "#champion" for entry in did) is approved
    (lineage_document,) = [entry[2] for entry in did if entry[0] == "put"]
    assert lineage_document["approval"] == decision
    _, kind, said, message = did[-1]
    assert (kind, said) == (outcome, subject)
    assert message.splitlines()[0] == f"{'approved' if approved else 'rejected'} by Ann: so be it"


def test_the_verdict_goes_on_the_run(
    did: list[tuple[Any, ...]], trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {"m_metrics": {"accuracy": {"value": 0.1}, "ece": {"value": 0.1}}}
    found: dict[str, Any] = {"evaluation.json": measured}
    monkeypatch.setattr(model, "_evaluation", lambda run, name: found.get(name))
    verdict = model.decide(a_run())
    assert verdict["promote"] is False
    metrics = {"accuracy": 0.1, "ece": 0.1}
    told = {"passed": False, "reasons": verdict["reasons"]}
    ((_, _, facts),) = did
    assert (facts["evaluation"], facts["gate"]) == (metrics, told)


@pytest.mark.parametrize(
    ("tuning", "job"), [(None, f"{RUN}-train"), ({"best": {"job": "best"}}, "best")]
)
def test_what_training_measured_goes_on_the_run(
    did: list[tuple[Any, ...]],
    trained: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tuning: dict[str, Any] | None,
    job: str,
) -> None:
    said = {"training_rows": 9, "scores": {"train": {"accuracy": 0.9}}, "versions": {"numpy": "2"}}
    found = {"evaluation.json": {"m_metrics": {"accuracy": {"value": 0.6}, "ece": {"value": 0.1}}},
             "training.json": said}  # fmt: skip
    monkeypatch.setattr(model, "_evaluation", lambda run, name: found.get(name))
    monkeypatch.setattr(runs, "get", lambda run: {"tuning": tuning})
    assert model.decide(a_run())["versions"] == {"numpy": "2"}
    ((_, _, facts),) = did
    assert trained == [job]
    told = facts["training"]
    assert (told["rows"], told["metrics"]) == (9, {"validation:accuracy": 0.5})
    assert told["scores"]["train"] == {"accuracy": 0.9}


def test_the_comparisons_numbers_go_on_the_run(
    did: list[tuple[Any, ...]], trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = {"challenger": 0.6, "champion": 0.5, "difference": 0.1, "interval": [0.05, 0.15]}
    worse = {"challenger": 0.2, "champion": 0.9, "difference": -0.7, "interval": [-0.8, -0.6]}
    found: dict[str, Any] = {
        "evaluation.json": {"m_metrics": {"accuracy": {"value": 0.6}, "ece": {"value": 0.1}}},
        "comparison.json": {"accuracy": compared},
        "slices.json": [{"column": "kind", "value": "new", "comparison": {"accuracy": worse}}],
    }
    monkeypatch.setattr(model, "_evaluation", lambda run, name: found.get(name))
    verdict = model.decide(a_run())
    assert verdict["promote"] is False
    ((_, _, facts),) = did
    assert facts["gate"]["comparison"] == {"metric": "accuracy", **compared}
    assert facts["evaluation"]["champion_accuracy"] == 0.5
    assert any("in kind new" in words for words in verdict["reasons"])


def test_a_champion_that_could_not_be_asked_is_on_the_run(
    did: list[tuple[Any, ...]], trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, Any] = {
        "evaluation.json": {"m_metrics": {"accuracy": {"value": 0.6}, "ece": {"value": 0.1}}},
        "not_compared.json": {"reason": "ModuleNotFoundError: No module named 'torch'"},
    }
    monkeypatch.setattr(model, "_evaluation", lambda run, name: found.get(name))
    assert model.decide(a_run())["promote"] is True
    ((_, _, facts),) = did
    assert "No module named 'torch'" in facts["gate"]["reasons"][-1]


def test_no_evaluation_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_evaluation", lambda run, name: None)
    with pytest.raises(gate.EvaluationError, match="is missing"):
        model.decide({"run_id": RUN})


def test_a_step_that_is_not_there_is_named() -> None:
    with pytest.raises(dispatch.UnknownStepError, match="there is no step x; there are: begin"):
        dispatch.monitor({"step": "x", "run": {}})


def test_the_monitors_steps_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "begin", lambda run: {"got": run})
    assert dispatch.monitor({"step": "begin", "run": {"a": 1}}) == {"got": {"a": 1}}


def test_lineage_leads_from_data_to_model(did: list[tuple[Any, ...]]) -> None:
    surroundings: Any = Surroundings()
    code = {"training": "1a2b"}
    found = lineage.document(
        a_run(), surroundings, "kept_champion", "now", archives=code, training=TRAINING
    )
    assert found["data"]["dataset"] == f"s3://data/runs/{RUN}/dataset.json"
    assert found["jobs"] == {"prepare": f"{EARLIER}-prepare", "train": f"{RUN}-train"}
    assert found["reused"] == {"prepare": EARLIER}
    assert (found["code"]["digest"], found["code"]["sha256"]) == ("abc", {"training": "1a2b"})
    assert found["training"] == TRAINING
    assert found["environment"]["image"] == "scikit-learn:1"
    assert found["tuning"] is None


def test_lineage_names_the_best_training_job_of_a_search() -> None:
    tuning = {"job": f"{RUN}-tune", "best": {"job": f"{RUN}-tune-002-ab", "parameters": {"C": "1"}}}
    surroundings: Any = Surroundings()
    found = lineage.document(a_run(), surroundings, "deployed", "now", tuning)
    assert found["jobs"]["train"] == f"{RUN}-tune-002-ab"
    assert found["tuning"] == tuning
    assert found["arrivals"] == ["a"]


def test_registering_twice_gives_the_first(
    did: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Registry:
        def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
            mine = ModelPackageName == PACKAGE
            return {"CustomerMetadataProperties": {"run_id": RUN if mine else "other"}}

    there = [{"ModelPackageArn": PACKAGE[:-1] + "4"}, {"ModelPackageArn": PACKAGE}]
    monkeypatch.setattr(registry, "packages", lambda environment, limit: there)
    monkeypatch.setattr(clients, "client", lambda name: Registry())
    found = registry.register({"run_id": RUN}, Surroundings(), None, {})  # type: ignore[arg-type]
    assert found == (PACKAGE, 3)


@pytest.mark.parametrize(
    ("machine", "closed"),
    [(Surroundings.retrain_machine_arn, True), ("arn:aws:states:::stateMachine:other", False)],
)
def test_an_aborted_execution_closes_its_run(
    did: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, machine: str, closed: bool
) -> None:
    monkeypatch.setattr(runs, "get", lambda run_id: None)
    detail = {"name": RUN, "status": "ABORTED", "stateMachineArn": machine, "cause": "by hand"}
    events.run_ended({"detail": detail}, None)
    wanted = ("failed", RUN, "the execution ended as ABORTED: by hand")
    assert did == ([wanted] if closed else [])


@pytest.mark.parametrize(("known", "told"), [("transforming", True), ("succeeded", False)])
def test_an_aborted_batch_is_closed_with_its_reason_once(
    did: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, known: str, told: bool
) -> None:
    monkeypatch.setattr(records, "get", lambda key: {"status": known})
    file = {"key": "batch/in/a.tsv", "version": "1", "size": 1, "dropped_at": "2026"}
    detail = {
        "name": "b",
        "status": "ABORTED",
        "stateMachineArn": Surroundings.batch_machine_arn,
        "cause": "by hand",
        "input": json.dumps({"batch_id": "b", "file": file}),
    }
    events.run_ended({"detail": detail}, None)
    assert [each[0] for each in did] == (["put", "record", "told"] if told else [])
    if told:
        assert did[0][1] == "batch/out/a.tsv.error.json"
        assert did[0][2]["message"] == "the execution ended as ABORTED: by hand"
