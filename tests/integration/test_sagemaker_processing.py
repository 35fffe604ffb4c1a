"""Processing jobs: inputs, outputs, arguments, variables, the exit message, limits.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import IMAGE, LocalSageMaker, s3_input, until

pytestmark = pytest.mark.cloud

SEES = """
import json, os, pathlib, sys
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
seen = {
    "arguments": sys.argv[1:],
    "variables": dict(os.environ),
    "files": sorted(str(p.relative_to(base)) for p in base.rglob("*") if p.is_file()),
    "config": json.loads((base / "config/processingjobconfig.json").read_text()),
    "hosts": json.loads((base / "config/resourceconfig.json").read_text()),
    "code": open(sys.argv[1]).read(),
}
out = base / "processing/output"
(out / "report/deep").mkdir(parents=True)
(out / "report/deep/seen.json").write_text(json.dumps(seen))
(out / "rows/rows.csv").write_text("1,2")
(base / "output/message").write_text("12 rows, 3 dropped")
"""


def outputs(bucket: str, *words: str, mode: str = "EndOfJob") -> dict[str, Any]:
    return {
        "Outputs": [
            {
                "OutputName": word,
                "S3Output": {
                    "S3Uri": f"s3://{bucket}/out/{word}",
                    "LocalPath": f"/opt/ml/processing/output/{word}",
                    "S3UploadMode": mode,
                },
            }
            for word in words
        ]
    }


@pytest.fixture(scope="module")
def hear(sagemaker: LocalSageMaker) -> Any:
    return sagemaker.listen("SageMaker Processing Job State Change")


@pytest.fixture(scope="module")
def job(sagemaker: LocalSageMaker, hear: Any) -> dict[str, Any]:
    """One job that tells all it sees."""
    base = f"s3://{sagemaker.bucket}/in"
    script = "/opt/ml/processing/input/code/run.py"
    sagemaker.put("in/raw/a.csv", "1")
    sagemaker.put("in/raw/deep/b.csv", "2")
    code = sagemaker.put("in/code/run.py", SEES)
    listed = [{"prefix": f"{base}/"}, "raw/a.csv", "code/run.py"]
    manifest = sagemaker.put("in/manifest.json", json.dumps(listed))
    return sagemaker.process(
        "",
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", script],
            "ContainerArguments": [script, "--rows", "12"],
        },
        ProcessingInputs=[
            s3_input("raw", f"{base}/raw/"),
            s3_input("code", code),
            s3_input("listed", manifest, "ManifestFile"),
        ],
        ProcessingOutputConfig=outputs(sagemaker.bucket, "report", "rows"),
        Environment={"MODE": "analyze", "FOLDER": "/opt/ml/processing/output"},
    )


@pytest.fixture(scope="module")
def seen(sagemaker: LocalSageMaker, job: dict[str, Any]) -> dict[str, Any]:
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    report = sagemaker.get(f"s3://{sagemaker.bucket}/out/report/deep/seen.json")
    found: dict[str, Any] = json.loads(report)
    return found


def test_inputs_are_prefixes_objects_and_manifests(seen):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingS3Input.html"""
    inputs = [path for path in seen["files"] if path.startswith("processing/input/")]
    inputs = [path for path in inputs if not path.startswith("processing/input/script/")]
    assert inputs == [
        "processing/input/code/run.py",
        "processing/input/listed/code/run.py",
        "processing/input/listed/raw/a.csv",
        "processing/input/raw/a.csv",
        "processing/input/raw/deep/b.csv",
    ]


def test_command_and_variables_with_the_containers_paths(seen, job):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-run-image.html"""
    base = seen["variables"]["SAGEMAKER_BASE_DIR"]
    assert seen["arguments"] == [f"{base}/processing/input/code/run.py", "--rows", "12"]
    assert seen["variables"]["MODE"] == "analyze"
    assert seen["variables"]["FOLDER"] == f"{base}/processing/output"
    assert seen["hosts"] == {"current_host": "algo-1", "hosts": ["algo-1"]}
    assert seen["config"]["ProcessingJobArn"] == job["ProcessingJobArn"]
    assert seen["config"]["Environment"]["MODE"] == "analyze"


def test_outputs_keep_their_layout_below_their_prefix(sagemaker, seen):
    assert sagemaker.keys("out/") == ["out/report/deep/seen.json", "out/rows/rows.csv"]


def test_the_exit_message_is_what_the_container_left(job):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-metadata.html"""
    assert job["ExitMessage"] == "12 rows, 3 dropped"
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]


def test_start_and_end_are_events(hear, job):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""

    def told() -> dict[str, dict[str, Any]]:
        mine = [each for each in hear() if each["resources"] == [job["ProcessingJobArn"]]]
        found = {each["detail"]["ProcessingJobStatus"]: each["detail"] for each in mine}
        return found if len(found) == 2 else {}

    events = until(told)
    assert set(events) == {"InProgress", "Completed"}
    assert events["Completed"]["ExitMessage"] == "12 rows, 3 dropped"
    ended = events["Completed"]["ProcessingEndTime"]
    assert ended == int(job["ProcessingEndTime"].timestamp() * 1000)


def test_outputs_go_continuously_while_the_job_runs(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingS3Output.html"""
    request = sagemaker.processing(
        """
        import os, signal
        with open("processing/output/live/early.txt", "w") as file:
            file.write("first")
        signal.sigwait([signal.SIGTERM])
        """,
        ProcessingOutputConfig=outputs(sagemaker.bucket, "live", mode="Continuous"),
    )
    sagemaker.api.create_processing_job(**request)
    until(lambda: sagemaker.keys("out/live/"))
    processing = request["ProcessingJobName"]
    assert sagemaker.describe("Processing", processing)["ProcessingJobStatus"] == "InProgress"
    sagemaker.api.stop_processing_job(ProcessingJobName=processing)
    assert sagemaker.end("Processing", processing)["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.api.stop_processing_job(ProcessingJobName=processing)


def test_what_the_application_manages_is_left_to_it(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingOutput.html"""
    given = outputs(sagemaker.bucket, "managed")
    given["Outputs"][0]["AppManaged"] = True
    nowhere = s3_input("managed", f"s3://{sagemaker.bucket}/nothing/here") | {"AppManaged": True}
    job = sagemaker.process("", ProcessingInputs=[nowhere], ProcessingOutputConfig=given)
    assert job["ProcessingJobStatus"] == "Completed"
    assert not sagemaker.keys("out/managed")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "open('output/failure', 'w').write('no rows'); raise SystemExit(4)",
            "AlgorithmError: no rows, exit code: 4",
        ),
        ("raise ValueError", "AlgorithmError: See job logs for more information, exit code: 1"),
        (
            "open('output/message', 'wb').write(b'\\xff')",
            "ClientError: /opt/ml/output/message is not UTF-8",
        ),
    ],
    ids=["failure file", "exception", "message that is no text"],
)
def test_a_failed_job_says_why(sagemaker, script, reason):
    job = sagemaker.process(script)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
    assert "ProcessingEndTime" in job


def test_a_command_that_is_not_there(sagemaker):
    specification = {"ImageUri": IMAGE, "ContainerEntrypoint": ["/no/such/program"]}
    job = sagemaker.process("", AppSpecification=specification)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "/no/such/program cannot be run" in job["FailureReason"]


def test_a_job_that_runs_too_long_is_stopped(sagemaker):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingStoppingCondition.html"""
    forever = "import signal; signal.signal(15, signal.SIG_IGN)\nwhile True: signal.pause()"
    job = sagemaker.process(forever, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds" in job["FailureReason"]


def test_network_isolation_takes_the_credentials_away(sagemaker):
    script = "import os; raise SystemExit('AWS_ACCESS_KEY_ID' in os.environ)"
    job = sagemaker.process(script, NetworkConfig={"EnableNetworkIsolation": True})
    assert job["ProcessingJobStatus"] == "Completed"


def test_jobs_are_listed_with_their_exit_message(sagemaker, job):
    found = sagemaker.api.list_processing_jobs(NameContains=job["ProcessingJobName"])
    (summary,) = found["ProcessingJobSummaries"]
    assert summary["ExitMessage"] == "12 rows, 3 dropped"
    assert summary["ProcessingJobStatus"] == "Completed"
