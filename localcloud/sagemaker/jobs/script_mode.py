"""Script mode: the user's program as the SageMaker training toolkit runs it.

https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from localcloud.sagemaker.jobs import files, process
from localcloud.sagemaker.jobs.lifecycle import Job, JobError, config

OWN = "sagemaker_"  # hyper-parameters for the toolkit itself


class Script:
    """The program of one training job, its arguments and its environment."""

    def __init__(self, job: Job) -> None:
        self.job, self.base = job, job.directory
        raw = job.request.get("HyperParameters", {})
        parameters = {name: _decoded(value) for name, value in raw.items()}
        self.own = {k: v for k, v in parameters.items() if k.startswith(OWN)}
        self.parameters = {k: v for k, v in parameters.items() if not k.startswith(OWN)}
        missing = {"sagemaker_program", "sagemaker_submit_directory"} - self.own.keys()
        if missing:
            raise JobError(
                f"ClientError: the hyper-parameters lack {', '.join(sorted(missing))}: "
                "framework images run a script of yours"
            )
        self.program = str(self.own["sagemaker_program"])
        self.folder = self.base / "code"
        self._configure(raw)

    def fetch(self) -> None:
        """The code archive, unpacked."""
        archive = self.base / "sourcedir.tar.gz"
        files.get_file(str(self.own["sagemaker_submit_directory"]), archive)
        files.unpack(archive, self.folder)
        if not (self.folder / self.program).is_file():
            raise JobError(f"ClientError: the code archive has no {self.program}")
        if (self.folder / "requirements.txt").is_file():
            process.note(
                self.job,
                "requirements.txt is not installed by the local cloud: "
                f"packages come from {config().jobs_python.parent.parent.name}",
            )

    def command(self) -> list[str]:
        if self.program.endswith(".sh"):
            return ["/bin/sh", "-c", f"./{self.program} " + " ".join(self.arguments())]
        return [str(config().jobs_python), self.program, *self.arguments()]

    def arguments(self) -> list[str]:
        """`--name value`; a one-letter name has one dash."""
        found = []
        for name in sorted(self.parameters):
            found += [f"-{name}" if len(name) == 1 else f"--{name}", _text(self.parameters[name])]
        return found

    def environment(self) -> dict[str, str]:
        channels = [entry["ChannelName"] for entry in self.job.request.get("InputDataConfig", [])]
        instance = self.job.request["ResourceConfig"].get("InstanceType", "local")
        values: dict[str, Any] = {
            "SM_MODEL_DIR": self.base / "model",
            "SM_INPUT_DIR": self.base / "input",
            "SM_INPUT_CONFIG_DIR": self.base / "input" / "config",
            "SM_OUTPUT_DIR": self.base / "output",
            "SM_OUTPUT_DATA_DIR": self.base / "output" / "data",
            "SM_OUTPUT_INTERMEDIATE_DIR": self.base / "output" / "intermediate",
            "SM_CHANNELS": channels,
            "SM_HOSTS": ["algo-1"],
            "SM_CURRENT_HOST": "algo-1",
            "SM_CURRENT_INSTANCE_TYPE": instance,
            "SM_NUM_CPUS": os.cpu_count() or 1,
            "SM_NUM_GPUS": 0,
            "SM_NUM_NEURONS": 0,
            "SM_NETWORK_INTERFACE_NAME": "lo",
            "SM_LOG_LEVEL": 20,
            "SM_HPS": self.parameters,
            "SM_USER_ENTRY_POINT": self.program,
            "SM_MODULE_NAME": Path(self.program).stem,
            "SM_MODULE_DIR": self.own["sagemaker_submit_directory"],
            "SM_USER_ARGS": self.arguments(),
            "SM_RESOURCE_CONFIG": _resources(self.job),
            "SM_FRAMEWORK_MODULE": "",
        }
        for channel in channels:
            key = re.sub(r"[^A-Z0-9]", "_", channel.upper())
            values[f"SM_CHANNEL_{key}"] = self.base / "input" / "data" / channel
        for name, value in self.parameters.items():
            values[f"SM_HP_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"] = value
        told = {key: _text(value) for key, value in values.items()}
        told["SM_TRAINING_ENV"] = json.dumps(
            {key.removeprefix("SM_").lower(): value for key, value in told.items()}
        )
        return {
            **told,
            "SAGEMAKER_BASE_DIR": str(self.base),
            "SAGEMAKER_REGION": config().region,
            "TRAINING_JOB_NAME": self.job.name,
            "TRAINING_JOB_ARN": f"arn:aws:sagemaker:{config().region}:{config().account}:"
            f"training-job/{self.job.name}",
        }

    def _configure(self, raw: dict[str, str]) -> None:
        """The files under input/config that AWS writes."""
        folder = self.base / "input" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        inputs = {
            entry["ChannelName"]: {
                "TrainingInputMode": entry.get("InputMode", "File"),
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": entry.get("RecordWrapperType", "None"),
            }
            for entry in self.job.request.get("InputDataConfig", [])
        }
        contents = {
            "hyperparameters": raw,
            "inputdataconfig": inputs,
            "resourceconfig": _resources(self.job),
        }
        for name, content in contents.items():
            (folder / f"{name}.json").write_text(json.dumps(content))


def _resources(job: Job) -> dict[str, Any]:
    instance = job.request["ResourceConfig"].get("InstanceType", "local")
    return {
        "current_host": "algo-1",
        "current_instance_type": instance,
        "hosts": ["algo-1"],
        "network_interface_name": "lo",
    }


def _decoded(value: str) -> Any:
    """The SDK sends JSON; a plain word stays one."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _text(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value)
    return str(value)
