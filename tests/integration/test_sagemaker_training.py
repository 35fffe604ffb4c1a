"""Training jobs: script mode as the toolkit gives it, metrics, artefacts, statuses and events.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import IMAGE, INSTANCE, LocalSageMaker, archive, gone, name, refusal, until

pytestmark = pytest.mark.cloud

SEES = """
import json, os, pathlib, sys
base = pathlib.Path(os.environ["SM_INPUT_DIR"]).parent
config = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"])
seen = {
    "arguments": sys.argv[1:],
    "variables": dict(os.environ),
    "files": sorted(str(p.relative_to(base)) for p in base.rglob("*") if p.is_file()),
    "config": {path.stem: json.loads(path.read_text()) for path in config.iterdir()},
}
pathlib.Path(os.environ["SM_MODEL_DIR"], "seen.json").write_text(json.dumps(seen))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "plot.txt").write_text("a plot")
print("loss=0.9; validation_accuracy=0.25")
print("loss=nan; validation_accuracy=much")
print("loss=0.5; validation_accuracy=0.75", file=sys.stderr)
"""
PARAMETERS = {
    "learning-rate": "0.1",
    "text": '["body", "title"]',
    "label": "stars",
    "C": "3",
    "data": '"/opt/ml/input/data/train"',
}
ORDER = ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def channel(word: str, uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": word, "DataSource": {"S3DataSource": source}}


def order(job: dict[str, Any]) -> list[str]:
    return [entry["Status"] for entry in job["SecondaryStatusTransitions"]]


@pytest.fixture(scope="module")
def hear(sagemaker: LocalSageMaker) -> Any:
    return sagemaker.listen("SageMaker Training Job State Change")


@pytest.fixture(scope="module")
def job(sagemaker: LocalSageMaker, hear: Any) -> dict[str, Any]:
    """One job that tells all it sees."""
    sagemaker.put("data/train/a.csv", "1")
    sagemaker.put("data/train/deep/b.csv", "2")
    sagemaker.put("data/training-notes.txt", "beside the prefix, but of its name")
    sagemaker.put("data/test/c.csv", "3")
    base = f"s3://{sagemaker.bucket}/data"
    manifest = sagemaker.put("data/manifest", json.dumps([{"prefix": f"{base}/"}, "test/c.csv"]))
    metrics = [
        {"Name": "loss", "Regex": "loss=([0-9.]+|nan)"},
        {"Name": "validation:accuracy", "Regex": r"validation_accuracy=(\S+)"},
    ]
    return sagemaker.train(
        SEES,
        PARAMETERS,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": metrics,
        },
        InputDataConfig=[
            channel("train", f"{base}/train"),
            channel("test", f"{base}/test/"),
            channel("one", f"{base}/train/a.csv"),
            channel("listed", manifest, "ManifestFile"),
        ],
        Environment={"MINE": "yes", "WHERE": "/opt/ml/model"},
    )


@pytest.fixture(scope="module")
def seen(sagemaker: LocalSageMaker, job: dict[str, Any]) -> dict[str, Any]:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"]
    found: dict[str, Any] = json.loads(sagemaker.unpacked(artefact)["seen.json"])
    return found


def test_hyper_parameters_are_arguments_and_variables(seen):
    base = seen["variables"]["SM_MODEL_DIR"].removesuffix("/model")
    data = f"{base}/input/data/train"
    assert seen["arguments"] == [
        "-C", "3", "--data", data, "--label", "stars", "--learning-rate", "0.1",
        "--text", '["body", "title"]',
    ]  # fmt: skip
    assert json.loads(seen["variables"]["SM_USER_ARGS"]) == seen["arguments"]
    assert json.loads(seen["variables"]["SM_HPS"]) == {
        "learning-rate": 0.1, "text": ["body", "title"], "label": "stars", "C": 3, "data": data,
    }  # fmt: skip
    assert seen["variables"]["SM_HP_LEARNING-RATE"] == "0.1"
    assert seen["variables"]["SM_HP_TEXT"] == '["body", "title"]'


def test_channels_are_folders_with_what_lies_below_the_prefix(seen):
    data = [path for path in seen["files"] if path.startswith("input/data/")]
    assert data == [
        "input/data/listed/test/c.csv",
        "input/data/one/a.csv",
        "input/data/test/c.csv",
        "input/data/train/a.csv",
        "input/data/train/deep/b.csv",
        # S3Prefix takes every object whose key begins so.
        "input/data/train/training-notes.txt",
    ]
    variables = seen["variables"]
    assert json.loads(variables["SM_CHANNELS"]) == ["listed", "one", "test", "train"]
    assert variables["SM_CHANNEL_TRAIN"].endswith("/input/data/train")


def test_the_toolkits_variables(seen, job):
    variables = seen["variables"]
    base = variables["SM_MODEL_DIR"].removesuffix("/model")
    plain = {
        "SM_INPUT_DIR": f"{base}/input",
        "SM_INPUT_CONFIG_DIR": f"{base}/input/config",
        "SM_OUTPUT_DIR": f"{base}/output",
        "SM_OUTPUT_DATA_DIR": f"{base}/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": f"{base}/output/intermediate",
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_TYPE": INSTANCE,
        "SM_NUM_GPUS": "0",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": job["HyperParameters"]["sagemaker_submit_directory"],
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        "MINE": "yes",
        "WHERE": f"{base}/model",
    }
    assert {key: variables.get(key) for key in plain} == plain
    told = json.loads(variables["SM_TRAINING_ENV"])
    assert told["hosts"] == ["algo-1"]
    assert told["hyperparameters"] == json.loads(variables["SM_HPS"])
    assert told["channel_input_dirs"]["one"] == f"{base}/input/data/one"
    assert told["resource_config"] == json.loads(variables["SM_RESOURCE_CONFIG"])
    # Nothing of whoever runs the cloud.
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")  # of the job's role
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert "VIRTUAL_ENV" not in variables


def test_the_files_of_the_configuration(seen, job):
    config = seen["config"]
    assert config["hyperparameters"] == job["HyperParameters"]
    assert config["resourceconfig"]["hosts"] == ["algo-1"]
    assert config["inputdataconfig"]["train"] == {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }


def test_artefacts_lie_where_aws_puts_them(sagemaker, job, seen):
    target = f"models/{job['TrainingJobName']}/output"
    where = f"s3://{sagemaker.bucket}/{target}"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"{where}/model.tar.gz"}
    assert sagemaker.keys(target) == [f"{target}/model.tar.gz", f"{target}/output.tar.gz"]
    assert sagemaker.unpacked(f"{where}/output.tar.gz") == {"plot.txt": "a plot"}


def test_metrics_are_the_last_finite_values_and_all_of_them_in_cloudwatch(sagemaker, job, seen):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html"""
    final = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert final == {"loss": 0.5, "validation:accuracy": 0.75}
    found = sagemaker.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
        StartTime=job["CreationTime"].replace(second=0, microsecond=0),
        EndTime=job["TrainingEndTime"].replace(year=job["TrainingEndTime"].year + 1),
        Period=3600,
        Statistics=["SampleCount", "Maximum", "Minimum"],
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in found) == 2
    assert (min(p["Minimum"] for p in found), max(p["Maximum"] for p in found)) == (0.5, 0.9)


def test_statuses_come_in_awss_order_without_a_gap(job, seen):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html"""
    assert order(job) == ORDER
    transitions = job["SecondaryStatusTransitions"]
    assert all(entry["StatusMessage"] for entry in transitions)
    for before, after in itertools.pairwise(transitions):
        assert before["EndTime"] == after["StartTime"]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["TrainingTimeInSeconds"] >= 1
    assert job["BillableTimeInSeconds"] >= 1


def test_each_status_is_an_event(hear, job, seen):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""

    def events() -> list[dict[str, Any]]:
        mine = [e for e in hear() if e["resources"] == [job["TrainingJobArn"]]]
        return mine if len(mine) == len(ORDER) else []

    details = [event["detail"] for event in until(events)]
    assert sorted((d["SecondaryStatus"] for d in details), key=ORDER.index) == ORDER
    last = next(d for d in details if d["SecondaryStatus"] == "Completed")
    assert last["TrainingJobStatus"] == "Completed"
    assert last["TrainingJobName"] == job["TrainingJobName"]
    assert last["CreationTime"] == int(job["CreationTime"].timestamp() * 1000)
    assert last["ModelArtifacts"] == job["ModelArtifacts"]


def test_network_isolation_takes_the_credentials_away(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html"""
    script = "import os; raise SystemExit(9 if 'AWS_ACCESS_KEY_ID' in os.environ else 0)"
    assert sagemaker.train(script)["TrainingJobStatus"] == "Failed"
    isolated = sagemaker.train(script, EnableNetworkIsolation=True)
    assert isolated["TrainingJobStatus"] == "Completed"


# --- Checkpoints and spot -------------------------------------------------------------------------

COUNTS = """
import os, pathlib, sys
folder = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "checkpoints")
epochs = sorted(int(path.stem) for path in folder.glob("deep/*.txt"))
print("found", epochs)
(folder / "deep").mkdir(exist_ok=True)
(folder / "deep" / f"{len(epochs)}.txt").write_text("weights")
raise SystemExit(0 if epochs else 5)
"""


def test_a_job_finds_the_checkpoints_of_one_that_failed(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints-resume.html"""
    key = f"checkpoints/{name()}"
    sagemaker.put(f"{key}-of-another/deep/7.txt", "beside the prefix")
    kept = {"CheckpointConfig": {"S3Uri": f"s3://{sagemaker.bucket}/{key}/"}}
    first = sagemaker.train(COUNTS, **kept)
    assert first["TrainingJobStatus"] == "Failed"
    assert sagemaker.keys(f"{key}/") == [f"{key}/deep/0.txt"]
    again = sagemaker.train(COUNTS, **kept)
    assert again["TrainingJobStatus"] == "Completed"
    assert again["CheckpointConfig"] == kept["CheckpointConfig"]
    assert "found [0]" in sagemaker.log("Training", again["TrainingJobName"])
    assert sagemaker.keys(f"{key}/") == [f"{key}/deep/0.txt", f"{key}/deep/1.txt"]


def test_checkpoints_are_in_s3_while_the_job_runs(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html"""
    script = """
    import pathlib, sys, time
    pathlib.Path(sys.argv[2], "1.txt").write_text("weights")
    time.sleep(600)
    """
    key = f"checkpoints/{name()}"
    config = {"S3Uri": f"s3://{sagemaker.bucket}/{key}", "LocalPath": "/opt/ml/mine"}
    request = sagemaker.training(script, {"where": "/opt/ml/mine/"}, CheckpointConfig=config)
    sagemaker.api.create_training_job(**request)
    until(lambda: sagemaker.keys(key) == [f"{key}/1.txt"])
    sagemaker.api.stop_training_job(TrainingJobName=request["TrainingJobName"])
    assert sagemaker.end("Training", request["TrainingJobName"])["TrainingJobStatus"] == "Stopped"


def test_a_spot_job_tells_what_it_cost(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html"""
    limits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    job = sagemaker.train("print()", EnableManagedSpotTraining=True, StoppingCondition=limits)
    assert (job["TrainingJobStatus"], job["EnableManagedSpotTraining"]) == ("Completed", True)
    assert 1 <= job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "It is only supported when EnableManagedSpotTraining is set to true",
        ),
        (
            {"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxRuntimeInSeconds": 60}},
            "It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            },
            "It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/tmp/mine"}},
            "keeps checkpoints under /opt/ml/ only",
        ),
    ],
    ids=["wait without spot", "spot without wait", "wait below runtime", "strange folder"],
)
def test_what_spot_and_checkpoints_refuse(sagemaker, more, words):
    request = sagemaker.training("print('never runs')", **more)
    code, message = refusal(sagemaker.api.create_training_job, **request)
    assert code == "ValidationException"
    assert words in message


# --- Failure ------------------------------------------------------------------------------------

FAILURE = """
import os, pathlib
pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text({words})
raise SystemExit({code})
"""


SCRIPT_ERROR = (
    'AlgorithmError: ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{words}"\n'
    'Command "python train.py", exit code: {code}'
)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            FAILURE.format(words="'the label is missing'", code=3),
            "AlgorithmError: the label is missing, exit code: 3",
        ),
        (
            FAILURE.format(words="'x' * 5000", code=1),
            "AlgorithmError: " + "x" * (1024 - 16 - 14) + ", exit code: 1",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            SCRIPT_ERROR.format(code=137, words=""),
        ),
        (
            "import os, signal; os.killpg(0, signal.SIGKILL)",
            SCRIPT_ERROR.format(code=137, words=""),
        ),
    ],
    ids=["failure file", "long failure file", "killed", "kills its group"],
)
def test_a_failing_script_is_the_reason_with_its_exit_code(sagemaker, script, reason):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-signal-success-failure.html"""
    job = sagemaker.train(script)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", reason)
    assert order(job) == ["Starting", "Downloading", "Training", "Failed"]
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == reason
    assert "TrainingEndTime" in job


def test_a_script_that_raises_has_its_last_words_in_the_reason(sagemaker):
    """https://github.com/aws/sagemaker-training-toolkit/blob/master/src/sagemaker_training/errors.py"""
    job = sagemaker.train("print('begins')\nraise ValueError('no stars')", {"depth": "3"})
    reason = job["FailureReason"]
    assert reason.startswith('AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "')
    assert 'ValueError: no stars"\n' in reason
    assert reason.endswith('Command "python train.py --depth 3", exit code: 1')


def missing_data(sagemaker: LocalSageMaker) -> dict[str, Any]:
    return {"InputDataConfig": [channel("train", f"s3://{sagemaker.bucket}/nothing/here")]}


def no_manifest(sagemaker: LocalSageMaker) -> dict[str, Any]:
    uri = sagemaker.put("no-manifest", "[1, 2]")
    return {"InputDataConfig": [channel("train", uri, "ManifestFile")]}


def escaping_manifest(sagemaker: LocalSageMaker) -> dict[str, Any]:
    listed = [{"prefix": f"s3://{sagemaker.bucket}/deep/"}, "../../../escaped"]
    uri = sagemaker.put("escaping-manifest", json.dumps(listed))
    return {"InputDataConfig": [channel("train", uri, "ManifestFile")]}


def unknown_image(sagemaker: LocalSageMaker) -> dict[str, Any]:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:latest"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    return {"AlgorithmSpecification": algorithm}


def with_code(sagemaker: LocalSageMaker, key: str, content: bytes | None) -> dict[str, Any]:
    uri = sagemaker.put(key, content) if content else f"s3://{sagemaker.bucket}/{key}"
    parameters = {"sagemaker_program": "train.py", "sagemaker_submit_directory": uri}
    return {"HyperParameters": parameters}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing_data, "ClientError: Data download failed: no S3 objects found under s3://"),
        (no_manifest, "is not a manifest"),
        (escaping_manifest, "../../../escaped would leave train"),
        (unknown_image, "ClientError: Cannot pull the image 123456789012.dkr.ecr"),
        (lambda s: {"HyperParameters": {"a": "1"}}, "lack sagemaker_program"),
        (lambda s: with_code(s, "no-code", None), "ClientError: Download of s3://"),
        (lambda s: with_code(s, "bad-code", b"not a tar"), "is not a sound tar.gz"),
        (
            lambda s: with_code(s, "other", archive({"a.py": ""})),
            "the code archive has no train.py",
        ),
        (
            lambda s: {"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket-here/models"}},
            "ClientError: Upload to s3://no-such-bucket-here/models",
        ),
    ],
    ids=[
        "no data",
        "no manifest",
        "a manifest that leaves",
        "unknown image",
        "no program",
        "no code",
        "bad code",
        "other code",
        "no bucket for the model",
    ],
)
def test_what_aws_cannot_do_for_the_job_is_a_client_error(sagemaker, make, words):
    job = sagemaker.train("print('runs')", **make(sagemaker))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert words in job["FailureReason"]


# --- Stopping -----------------------------------------------------------------------------------

SAVES_ON_TERM = """
import os, pathlib, signal, sys
def save(number, frame):
    pathlib.Path(os.environ["SM_MODEL_DIR"], "saved").write_text("in time")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
while True:
    signal.pause()
"""
IGNORES_TERM = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_log_lines_come_while_the_job_runs_and_stop_gives_time_to_save(sagemaker, hear):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html"""
    request = sagemaker.training(SAVES_ON_TERM)
    training = request["TrainingJobName"]
    sagemaker.api.create_training_job(**request)
    until(lambda: "ready" in sagemaker.log("Training", training))
    running = sagemaker.describe("Training", training)
    assert (running["TrainingJobStatus"], running["SecondaryStatus"]) == ("InProgress", "Training")
    sagemaker.api.stop_training_job(TrainingJobName=training)
    stopping = sagemaker.describe("Training", training)
    assert stopping["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = sagemaker.end("Training", training)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert order(job) == [*ORDER[:3], "Stopping", "Uploading", "Stopped"]
    assert sagemaker.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"saved": "in time"}

    def told() -> list[str]:
        mine = [
            event["detail"] for event in hear() if event["resources"] == [job["TrainingJobArn"]]
        ]
        return [detail["TrainingJobStatus"] for detail in mine]

    until(lambda: set(told()) == {"InProgress", "Stopping", "Stopped"})
    with pytest.raises(ClientError) as refused:
        sagemaker.api.stop_training_job(TrainingJobName=training)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "is in status Stopped" in str(refused.value)


def test_a_job_that_will_not_go_is_killed_after_the_grace(sagemaker):
    request = sagemaker.training(IGNORES_TERM)
    training = request["TrainingJobName"]
    sagemaker.api.create_training_job(**request)
    until(lambda: "ready" in sagemaker.log("Training", training))
    sagemaker.api.stop_training_job(TrainingJobName=training)
    sagemaker.api.stop_training_job(TrainingJobName=training)  # it is stopping already
    job = sagemaker.end("Training", training)
    assert job["TrainingJobStatus"] == "Stopped"


def test_a_job_stopped_at_once_is_stopped_and_not_failed(sagemaker):
    request = sagemaker.training(SAVES_ON_TERM)
    sagemaker.api.create_training_job(**request)
    sagemaker.api.stop_training_job(TrainingJobName=request["TrainingJobName"])
    job = sagemaker.end("Training", request["TrainingJobName"])
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job
    assert order(job)[-1] == "Stopped"


def test_a_job_that_runs_too_long_is_stopped_with_what_it_has(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html"""
    job = sagemaker.train(SAVES_ON_TERM, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert order(job) == [*ORDER[:3], "Stopping", "Uploading", "MaxRuntimeExceeded"]
    assert sagemaker.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"saved": "in time"}


# --- Processes ----------------------------------------------------------------------------------


def test_children_end_with_the_job_wherever_they_hide(sagemaker):
    job = sagemaker.train(
        """
        import subprocess, sys
        for elsewhere in (False, True):
            child = subprocess.Popen(["sleep", "600"], start_new_session=elsewhere)
            print("child", child.pid, flush=True)
        """
    )
    assert job["TrainingJobStatus"] == "Completed"
    lines = sagemaker.log("Training", job["TrainingJobName"])
    children = [int(line.split()[1]) for line in lines if line.startswith("child ")]
    assert len(children) == 2
    until(lambda: all(gone(pid) for pid in children))


def test_several_jobs_run_at_once(sagemaker, tmp_path):
    """Each waits for the marks of all the others."""
    script = """
        import os, pathlib, sys, time
        folder = pathlib.Path(sys.argv[2])
        (folder / os.environ["TRAINING_JOB_NAME"]).touch()
        while len(list(folder.iterdir())) < 3:
            time.sleep(0.02)
        """
    requests = [sagemaker.training(script, {"folder": str(tmp_path)}) for _ in range(3)]
    for request in requests:
        sagemaker.api.create_training_job(**request)
    for request in requests:
        job = sagemaker.end("Training", request["TrainingJobName"])
        assert job["TrainingJobStatus"] == "Completed"


def test_garbage_and_huge_lines_hurt_nobody(sagemaker):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
    job = sagemaker.train(
        r"""
        import os, sys
        out = sys.stdout.buffer
        out.write(b"\xff\xfe\x00\x01garbage\n\n\n" + os.urandom(5000) + b"\n")
        out.write(b"x" * 1_000_000 + b"\n")
        out.write("10 %\r20 %\rdone without an end of line".encode())
        """
    )
    assert job["TrainingJobStatus"] == "Completed"
    lines = sagemaker.log("Training", job["TrainingJobName"])
    assert any("garbage" in line for line in lines)
    assert sum(line.count("x") for line in lines if set(line) == {"x"}) == 1_000_000
    assert max(len(line.encode()) for line in lines) <= 256 * 1024
    assert lines[-3:] == ["10 %", "20 %", "done without an end of line"]


# --- Names and lists ----------------------------------------------------------------------------


def test_a_name_is_taken_for_good(sagemaker, job):
    request = sagemaker.training("print(1)", TrainingJobName=job["TrainingJobName"])
    with pytest.raises(ClientError) as refused:
        sagemaker.api.create_training_job(**request)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    assert job["TrainingJobArn"] in str(refused.value)


def test_lists_are_filtered_sorted_and_come_in_pages(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html"""
    prefix = name("Listed")
    names = [f"{prefix}-{number}" for number in range(4)]
    for number, each in enumerate(names):
        code = 1 if number == 3 else 0
        request = sagemaker.training(f"raise SystemExit({code})", TrainingJobName=each)
        sagemaker.api.create_training_job(**request)
    jobs = [sagemaker.end("Training", each) for each in names]

    def listed(**filters: Any) -> list[str]:
        pages = sagemaker.api.get_paginator("list_training_jobs")
        found = pages.paginate(NameContains=prefix.lower(), **filters)
        return [each["TrainingJobName"] for page in found for each in page["TrainingJobSummaries"]]

    assert listed() == names
    assert listed(SortOrder="Descending", SortBy="Name") == names[::-1]
    assert listed(StatusEquals="Failed") == names[3:]
    assert listed(CreationTimeAfter=jobs[1]["CreationTime"]) == names[1:]
    assert listed(CreationTimeBefore=jobs[1]["CreationTime"]) == names[:2]
    assert listed(LastModifiedTimeAfter=max(j["LastModifiedTime"] for j in jobs)) != names
    assert listed(PaginationConfig={"PageSize": 1}) == names
    page = sagemaker.api.list_training_jobs(NameContains=prefix, MaxResults=3)
    assert len(page["TrainingJobSummaries"]) == 3
    assert set(page["TrainingJobSummaries"][0]) == {
        "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime",
        "LastModifiedTime", "TrainingJobStatus", "SecondaryStatus",
    }  # fmt: skip
    with pytest.raises(ClientError, match="NextToken"):
        sagemaker.api.list_training_jobs(NextToken="what")


def test_the_work_of_a_job_is_cleared_away(sagemaker, job):
    left = Path(sagemaker.cloud.state, "jobs", f"training-{job['TrainingJobName']}")
    until(lambda: not left.exists())
