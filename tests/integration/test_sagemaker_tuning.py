"""Tuning jobs: what is tried, how far it is, what becomes of those that fail, stop or start warm.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from __future__ import annotations

import copy
import json
import signal
from collections.abc import Callable
from typing import Any

import pytest
from local_sagemaker import IMAGE, LocalSageMaker, refusal, until

pytestmark = pytest.mark.cloud

SCORE = """
import json, os, sys
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert "_tuning_objective_metric" not in os.environ["SM_HPS"], os.environ["SM_HPS"]
print("score=%f" % -(float(words["--rate"]) - 0.3) ** 2)
open(os.path.join(os.environ["SM_MODEL_DIR"], "words"), "w").write(json.dumps(words))
"""
EPOCHS = """
import sys, time
quality = float(dict(zip(sys.argv[1::2], sys.argv[2::2]))["--rate"])
for epoch in range(3 if quality > 0.5 else 600):
    print("score=%f" % quality, flush=True)
    time.sleep(0.2)
"""
RATE = {"Name": "rate", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"}
Change = dict[str, Any]


def ranges(**kinds: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"{kind}ParameterRanges": given for kind, given in kinds.items()}


def words(*values: str, named: str = "rate") -> dict[str, Any]:
    return {"Name": named, "Values": list(values)}


def tuning(it: LocalSageMaker, script: str = SCORE, **config: Any) -> dict[str, Any]:
    """The request of a Bayesian search of four training jobs, two at once; `config` differs."""
    return it.tuning(script, **{"ParameterRanges": ranges(Continuous=[RATE]), **config})


def describe(it: LocalSageMaker, job: str) -> dict[str, Any]:
    return dict(it.api.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job))


def ended(it: LocalSageMaker, job: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = describe(it, job)
        running = found["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping")
        return None if running else found

    return dict(until(look, 120))


def run(it: LocalSageMaker, request: dict[str, Any]) -> dict[str, Any]:
    it.api.create_hyper_parameter_tuning_job(**request)
    return ended(it, request["HyperParameterTuningJobName"])


def trials(it: LocalSageMaker, job: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The training jobs of a tuning job, the first one first."""
    found = it.api.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job["HyperParameterTuningJobName"],
        **{"MaxResults": 100, **more},
    )
    return list(found["TrainingJobSummaries"])


def objective(trial: dict[str, Any]) -> float:
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


@pytest.fixture(scope="module")
def hear(sagemaker: LocalSageMaker) -> Any:
    return sagemaker.listen("SageMaker HyperParameter Tuning Job State Change")


@pytest.fixture(scope="module")
def job(sagemaker: LocalSageMaker, hear: Any) -> dict[str, Any]:
    """One tuning job, ended well."""
    return run(sagemaker, tuning(sagemaker))


def test_the_best_of_all_training_jobs_is_told(sagemaker, job):
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 4, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    found = trials(sagemaker, job)
    best = max(found, key=objective)
    assert job["BestTrainingJob"] == best
    assert best["ObjectiveStatus"] == "Succeeded"
    tuned = float(best["TunedHyperParameters"]["rate"])
    assert objective(best) == pytest.approx(-((tuned - 0.3) ** 2), abs=1e-6)
    assert len({each["TunedHyperParameters"]["rate"] for each in found}) == 4
    assert "OverallBestTrainingJob" not in job


def test_a_training_job_of_it_knows_its_values_and_whose_it_is(sagemaker, job):
    first = trials(sagemaker, job)[0]
    wanted = f"{job['HyperParameterTuningJobName']}-001-"
    assert first["TrainingJobName"].startswith(wanted)
    found = sagemaker.describe("Training", first["TrainingJobName"])
    assert found["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert (
        job["HyperParameterTuningJobArn"]
        .rpartition(":")[2]
        .startswith("hyper-parameter-tuning-job/")
    )
    assert found["HyperParameters"] == {
        **job["TrainingJobDefinition"]["StaticHyperParameters"],
        **first["TunedHyperParameters"],
        "_tuning_objective_metric": "score",
    }
    told = json.loads(sagemaker.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"])["words"])
    assert told == {"--fixed": "7", "--rate": first["TunedHyperParameters"]["rate"]}
    tags = sagemaker.api.list_tags(ResourceArn=found["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "reviews"}]


def test_lists_of_tuning_jobs_and_of_their_training_jobs(sagemaker, job):
    listed = sagemaker.api.list_hyper_parameter_tuning_jobs(
        NameContains=job["HyperParameterTuningJobName"], StatusEquals="Completed"
    )["HyperParameterTuningJobSummaries"]
    (found,) = listed
    assert found["Strategy"] == "Bayesian"
    assert found["TrainingJobStatusCounters"] == job["TrainingJobStatusCounters"]
    ordered = trials(sagemaker, job, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert ordered[0] == job["BestTrainingJob"]
    assert [objective(each) for each in ordered] == sorted(map(objective, ordered), reverse=True)
    assert trials(sagemaker, job, StatusEquals="Failed") == []


def test_its_end_is_an_event(sagemaker, job, hear):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    arn = job["HyperParameterTuningJobArn"]

    def last() -> Any:
        mine = [e["detail"] for e in hear() if e["resources"] == [arn]]
        done = [d for d in mine if d["HyperParameterTuningJobStatus"] == "Completed"]
        return done and done[0]

    detail = until(last)
    assert detail["TrainingJobStatusCounters"]["Completed"] == 4
    assert detail["BestTrainingJob"]["TrainingJobName"] == job["BestTrainingJob"]["TrainingJobName"]


def test_a_grid_tries_every_combination_and_may_minimise(sagemaker):
    combined = ranges(Categorical=[words("0.1", "0.3", "0.9"), words("x", "y", named="other")])
    request = tuning(
        sagemaker,
        Strategy="Grid",
        ParameterRanges=combined,
        ResourceLimits={"MaxParallelTrainingJobs": 3},
        HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "score"},
    )
    job = run(sagemaker, request)
    tried = {tuple(sorted(t["TunedHyperParameters"].items())) for t in trials(sagemaker, job)}
    assert len(tried) == 6
    assert job["BestTrainingJob"]["TunedHyperParameters"]["rate"] == "0.9"


def test_no_more_run_at_once_than_it_may(sagemaker):
    script = "import time; time.sleep(0.5); print('score=1')"
    request = tuning(sagemaker, script, Strategy="Random")
    found = trials(sagemaker, run(sagemaker, request))
    began = [(each["CreationTime"], 1) for each in found]
    over = [(each["TrainingEndTime"], -1) for each in found]
    running, most = 0, 0
    for _, change in sorted(began + over):
        running += change
        most = max(most, running)
    assert most == 2


def test_one_that_is_stopped_stops_its_training_jobs(sagemaker):
    request = tuning(sagemaker, "import time; print('up', flush=True); time.sleep(600)")
    job = request["HyperParameterTuningJobName"]
    sagemaker.api.create_hyper_parameter_tuning_job(**request)
    until(lambda: describe(sagemaker, job)["TrainingJobStatusCounters"]["InProgress"] == 2)
    assert describe(sagemaker, job)["ObjectiveStatusCounters"]["Pending"] == 2
    sagemaker.api.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
    found = ended(sagemaker, job)
    assert found["HyperParameterTuningJobStatus"] == "Stopped"
    assert found["TrainingJobStatusCounters"]["Stopped"] == 2
    assert found["ObjectiveStatusCounters"]["Failed"] == 2
    stop = sagemaker.api.stop_hyper_parameter_tuning_job
    assert "is in status Stopped" in refusal(stop, HyperParameterTuningJobName=job)[1]


def test_a_hopeless_training_job_is_stopped_early(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html"""
    request = tuning(
        sagemaker,
        EPOCHS,
        Strategy="Grid",
        ParameterRanges=ranges(Categorical=[words("0.9", "0.1")]),
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        TrainingJobEarlyStoppingType="Auto",
    )
    job = run(sagemaker, request)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    good, bad = trials(sagemaker, job)
    assert (good["TrainingJobStatus"], bad["TrainingJobStatus"]) == ("Completed", "Stopped")
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1
    assert (bad["ObjectiveStatus"], objective(bad)) == ("Succeeded", pytest.approx(0.1))
    assert job["BestTrainingJob"]["TrainingJobName"] == good["TrainingJobName"]


@pytest.mark.parametrize(
    ("script", "most", "reason"),
    [
        ("raise SystemExit(3)", 9, "No training job succeeded after 5 attempts."),
        ("raise SystemExit(3)", 1, "No training job succeeded after 1 attempts."),
        ("print('no score')", 9, "No objective metrics found after running 5 training jobs."),
    ],
    ids=["all fail", "one fails", "no metric"],
)
def test_one_without_any_success_gives_up(sagemaker, script, most, reason):
    limits = {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": 1}
    job = run(sagemaker, tuning(sagemaker, script, ResourceLimits=limits))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
    assert len(trials(sagemaker, job)) == min(5, most)
    assert "BestTrainingJob" not in job


def test_those_that_fail_do_not_end_the_others(sagemaker):
    script = SCORE.replace("print", "assert words['--rate'] != '0.9'\nprint")
    request = tuning(
        sagemaker,
        script,
        Strategy="Grid",
        ParameterRanges=ranges(Categorical=[words("0.9", "0.2")]),
        ResourceLimits={"MaxParallelTrainingJobs": 2},
    )
    job = run(sagemaker, request)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    failed = next(t for t in trials(sagemaker, job) if t["TrainingJobStatus"] == "Failed")
    assert failed["ObjectiveStatus"] == "Failed"
    assert "AssertionError" in failed["FailureReason"]


def warm(request: dict[str, Any], parent: dict[str, Any], kind: str) -> dict[str, Any]:
    """The same search again, from where another came to."""
    listed = [{"HyperParameterTuningJobName": parent["HyperParameterTuningJobName"]}]
    started = {"ParentHyperParameterTuningJobs": listed, "WarmStartType": kind}
    definition = copy.deepcopy(parent["TrainingJobDefinition"])
    return request | {"WarmStartConfig": started, "TrainingJobDefinition": definition}


def test_a_warm_start_knows_the_best_of_its_parents_too(sagemaker, job):
    request = tuning(
        sagemaker, ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    )
    request["HyperParameterTuningJobConfig"]["ParameterRanges"] = ranges(
        Continuous=[RATE | {"MinValue": "0.9"}]
    )
    found = run(sagemaker, warm(request, job, "IdenticalDataAndAlgorithm"))
    assert found["HyperParameterTuningJobStatus"] == "Completed", found.get("FailureReason")
    overall = found["OverallBestTrainingJob"]
    assert overall["TrainingJobName"] == job["BestTrainingJob"]["TrainingJobName"]
    assert overall["TuningJobName"] == job["HyperParameterTuningJobName"]
    assert found["BestTrainingJob"]["TrainingJobName"] != overall["TrainingJobName"]
    assert found["TrainingJobStatusCounters"]["Completed"] == 1


def static(request: dict[str, Any], **values: str) -> None:
    request["TrainingJobDefinition"]["StaticHyperParameters"] |= values


def config(request: dict[str, Any], **members: Any) -> None:
    request["HyperParameterTuningJobConfig"] |= members


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: static(r, more="1"), "total number of static and tunable hyperparameters"),
        (
            lambda r: config(r, ParameterRanges=ranges(Categorical=[words("1")])),
            "The type of rate differs",
        ),
        (
            lambda r: config(
                r, HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "score"}
            ),
            "The objective metric differs",
        ),
        (
            lambda r: r["TrainingJobDefinition"]["AlgorithmSpecification"].update(
                TrainingImage=IMAGE.replace("1.4-2", "1.2-1")
            ),
            "IdenticalDataAndAlgorithm needs the input data and the image",
        ),
        (
            lambda r: r["WarmStartConfig"]["ParentHyperParameterTuningJobs"][0].update(
                HyperParameterTuningJobName="nobody"
            ),
            "The parent tuning job nobody does not exist",
        ),
    ],
    ids=["one more", "another type", "another objective", "another image", "no parent"],
)
def test_warm_starts_that_are_refused(sagemaker, job, change: Callable[[Change], None], told):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html"""
    request = warm(tuning(sagemaker), job, "IdenticalDataAndAlgorithm")
    change(request)
    code, message = refusal(sagemaker.api.create_hyper_parameter_tuning_job, **request)
    assert code == "ValidationException"
    assert told in message


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (
            lambda r: config(
                r, HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "loss"}
            ),
            "ValidationException",
            "A metric is required for this hyperparameter tuning job objective.",
        ),
        (lambda r: static(r, rate="1"), "ValidationException", "both static and tunable"),
        (
            lambda r: config(r, ResourceLimits={"MaxParallelTrainingJobs": 1}),
            "ValidationException",
            "MaxNumberOfTrainingJobs is required",
        ),
        (
            lambda r: config(
                r, ResourceLimits={"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 3}
            ),
            "ValidationException",
            "must not be greater than",
        ),
        (
            lambda r: config(
                r, ResourceLimits={"MaxNumberOfTrainingJobs": 50, "MaxParallelTrainingJobs": 11}
            ),
            "ResourceLimitExceeded",
            "concurrent training jobs per tuning job' is 10",
        ),
        (lambda r: config(r, Strategy="Grid"), "ValidationException", "categorical"),
        (lambda r: config(r, Strategy="Hyperband"), "ValidationException", "Bayesian, Random"),
        (
            lambda r: config(
                r, ParameterRanges=ranges(Continuous=[RATE | {"MinValue": "0"}])
            ),
            "ValidationException",
            "greater than 0",
        ),
        (
            lambda r: r["TrainingJobDefinition"].update(EnableManagedSpotTraining=True),
            "ValidationException",
            "MaxWaitTimeInSeconds",
        ),
        (lambda r: r.pop("TrainingJobDefinition"), "ValidationException", "TrainingJobDefinition"),
    ],
    ids=["no metric", "static too", "no limit", "more at once than all", "too many at once",
         "grid of numbers", "hyperband", "log of 0", "spot without wait", "no definition"],
)  # fmt: skip
def test_what_is_refused(sagemaker, change: Callable[[Change], Any], code, told):
    request = tuning(sagemaker)
    change(request)
    found = refusal(sagemaker.api.create_hyper_parameter_tuning_job, **request)
    assert found[0] == code
    assert told in found[1]


def test_a_name_is_taken_once_and_an_unknown_one_is_not_found(sagemaker, job):
    request = tuning(sagemaker) | {
        "HyperParameterTuningJobName": job["HyperParameterTuningJobName"]
    }
    create = sagemaker.api.create_hyper_parameter_tuning_job
    assert refusal(create, **request)[0] == "ResourceInUse"
    describe = sagemaker.api.describe_hyper_parameter_tuning_job
    assert refusal(describe, HyperParameterTuningJobName="nobody")[0] == "ResourceNotFound"


def test_step_functions_waits_for_it_and_gets_the_best(sagemaker):
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html"""
    request = tuning(sagemaker)
    execution = sagemaker.execution("HyperParameterTuning", request)
    states = sagemaker.cloud.client("stepfunctions")

    def look() -> dict[str, Any] | None:
        found = states.describe_execution(executionArn=execution)
        return None if found["status"] == "RUNNING" else found

    found = until(look, 120)
    assert found["status"] == "SUCCEEDED", found.get("cause")
    best = json.loads(found["output"])["BestTrainingJob"]
    told = describe(sagemaker, request["HyperParameterTuningJobName"])["BestTrainingJob"]
    assert best["TrainingJobName"] == told["TrainingJobName"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill"])
def test_after_the_end_of_a_cloud_it_has_failed_with_its_training_jobs(own_cloud, number):
    own_cloud.start()
    it = LocalSageMaker(own_cloud, "sagemaker-tuning")
    own_cloud.client("s3").create_bucket(Bucket=it.bucket)
    request = tuning(it, "import time; print('up', flush=True); time.sleep(600)")
    it.api.create_hyper_parameter_tuning_job(**request)
    job = request["HyperParameterTuningJobName"]
    until(lambda: describe(it, job)["TrainingJobStatusCounters"]["InProgress"] == 2)
    saved = own_cloud.state / "services"

    def kept(path: Any) -> bool:
        text = path.read_text()
        return f"{job}-002" in text and "TuningJobArn" in text

    until(lambda: any(kept(path) for path in saved.glob("*.json")))
    port = int(own_cloud.endpoint.rpartition(":")[2])
    own_cloud.stop(number)
    own_cloud.start(port)
    found = describe(it, job)
    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert "the local cloud was stopped" in found["FailureReason"]
    assert found["TrainingJobStatusCounters"]["RetryableError"] == 2
    assert found["TrainingJobStatusCounters"]["InProgress"] == 0
