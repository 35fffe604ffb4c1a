"""What the machine does after a search: the best model becomes the run's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_sagemaker import LocalSageMaker, until

from chalicelib import places, records, settings
from chalicelib.environment import Environment
from chalicelib.model import caching, tuning
from chalicelib.searching import Tuning
from chalicelib.steps import training

pytestmark = pytest.mark.cloud

RUN, NEXT = "20260301-120000-a1b2c3", "20260302-120000-d4e5f6"
SCRIPT = """
import os, sys
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("score=%s" % words["--rate"])
open(os.path.join(os.environ["SM_MODEL_DIR"], "rate"), "w").write(words["--rate"])
"""


@pytest.fixture
def it(stack: Any, bucket: str) -> LocalSageMaker:
    return LocalSageMaker(stack, bucket)


@pytest.fixture
def described(it: LocalSageMaker, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A search of the run over three values, ended, as Step Functions gives it."""
    ranges = [{"name": "rate", "type": "categorical", "values": ["0.1", "0.9", "0.5"]}]
    asked = {"max_jobs": 3, "strategy": "Grid", "ranges": ranges}
    chosen = settings.load().model_copy(update={"tuning": Tuning.model_validate(asked)})
    monkeypatch.setattr(settings, "load", lambda: chosen)
    request = it.tuning(
        SCRIPT,
        Strategy="Grid",
        ResourceLimits={"MaxParallelTrainingJobs": 2},
        ParameterRanges=tuning.request(RUN, Environment.from_env(), chosen, [])[
            "HyperParameterTuningJobConfig"
        ]["ParameterRanges"],
    )
    output = {"S3OutputPath": f"s3://{it.bucket}/runs/{RUN}/model"}
    request["TrainingJobDefinition"]["OutputDataConfig"] = output
    request["HyperParameterTuningJobName"] = f"{RUN}-tune"
    job = {"HyperParameterTuningJobName": f"{RUN}-tune"}
    it.api.create_hyper_parameter_tuning_job(**request)

    def look() -> dict[str, Any] | None:
        found = it.api.describe_hyper_parameter_tuning_job(**job)
        return found if found["HyperParameterTuningJobStatus"] == "Completed" else None

    return dict(until(look))


def test_the_best_model_is_the_runs_and_every_trial_is_on_its_record(
    it: LocalSageMaker, described: dict[str, Any]
) -> None:
    records.put(RUN, {"jobs": {"train": {"key": "k"}}})
    told = training.keep_best({"run_id": RUN, "tuned": described})
    assert (told["parameters"], told["of"]) == ({"rate": "0.9"}, 3)
    model = f"s3://{it.bucket}/{places.model(RUN)}"
    assert it.unpacked(model) == {"rate": "0.9"}
    kept = records.get(RUN)
    assert kept
    assert kept["tuning"]["best"]["job"] == described["BestTrainingJob"]["TrainingJobName"]
    tried = {each["parameters"]["rate"]: each["objective"] for each in kept["tuning"]["trials"]}
    assert tried == {"0.1": 0.1, "0.9": 0.9, "0.5": 0.5}
    json.dumps(kept)

    # The next run reuses the model of the search.
    request = {"HyperParameterTuningJobName": f"{NEXT}-tune"}
    runs, environment = records.newest_runs(5), Environment.from_env()
    assert caching.reuse("train", NEXT, request, "k", runs, environment) == RUN
    assert it.unpacked(f"s3://{it.bucket}/{places.model(NEXT)}") == {"rate": "0.9"}
