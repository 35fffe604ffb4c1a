"""Script mode: the user's program as the SageMaker training toolkit runs it.

https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from localcloud.sagemaker import names
from localcloud.sagemaker.jobs import files
from localcloud.sagemaker.jobs.lifecycle import Job, JobError, config

# Hyper-parameters for the toolkit itself.
# https://github.com/aws/sagemaker-training-toolkit/blob/master/src/sagemaker_training/params.py
OWN = ("sagemaker_", "_tuning_objective_metric")
HOST = "algo-1"
INTERFACE = "lo"
MESSAGE_LIMIT = 600  # of the 1024 characters of a FailureReason


class Script:
    """The program of one training job, its arguments and its environment."""

    def __init__(self, job: Job, python: Path) -> None:
        self.job, self.base, self.python = job, job.directory, python
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
        self.channels = {
            entry["ChannelName"]: f"{self.base}/input/data/{entry['ChannelName']}"
            for entry in job.request.get("InputDataConfig", [])
        }
        self._configure(raw)

    def fetch(self) -> None:
        """The code archive, unpacked."""
        archive = self.base / "sourcedir.tar.gz"
        files.get_file(str(self.own["sagemaker_submit_directory"]), archive)
        files.unpack(archive, self.folder)
        if not (self.folder / self.program).is_file():
            raise JobError(f"ClientError: the code archive has no {self.program}")
        if (self.folder / "requirements.txt").is_file():
            self.job.log.note(
                "requirements.txt is not installed by the local cloud: "
                f"packages come from {self.python.parent.parent.name}",
            )

    def command(self) -> list[str]:
        if self.program.endswith(".sh"):
            return ["/bin/sh", "-c", f"./{self.program} " + " ".join(self.arguments())]
        return [str(self.python), self.program, *self.arguments()]

    def error(self, code: int, last_lines: Iterable[str]) -> str:
        """What the toolkit writes to the `failure` file when the script has not.

        https://github.com/aws/sagemaker-training-toolkit/blob/master/src/sagemaker_training/errors.py
        """
        command = " ".join(["python", self.program, *self.arguments()])
        words = "\n".join(last_lines)[-MESSAGE_LIMIT:]
        return (
            f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{words}"\nCommand "{command}"'
        )

    def arguments(self) -> list[str]:
        """`--name value`; a one-letter name has one dash."""
        found = []
        for name in sorted(self.parameters):
            found += [f"-{name}" if len(name) == 1 else f"--{name}", _text(self.parameters[name])]
        return found

    def environment(self) -> dict[str, str]:
        """SM_* variables, each list and each map as JSON; names keep their hyphens."""
        told = {
            **self._described,
            "channels": sorted(self.channels),
            "hps": self.parameters,
            "user_args": self.arguments(),
            "framework_params": {},
            "training_env": self._training_env,
            **{f"channel_{name}": path for name, path in self.channels.items()},
            **{f"hp_{name}": value for name, value in self.parameters.items()},
        }
        return {f"SM_{name.upper()}": _text(value) for name, value in told.items()} | {
            "SAGEMAKER_REGION": config().region,
            "TRAINING_JOB_NAME": self.job.name,
            "TRAINING_JOB_ARN": names.arn("training-job", self.job.name),
        }

    @property
    def _described(self) -> dict[str, Any]:
        """What has a variable of its own, and stands in SM_TRAINING_ENV too."""
        output = f"{self.base}/output"
        return {
            "current_host": HOST,
            "current_instance_type": self.job.request["ResourceConfig"]["InstanceType"],
            "framework_module": "",
            "hosts": [HOST],
            "input_config_dir": f"{self.base}/input/config",
            "input_data_config": _inputs(self.job.request),
            "input_dir": f"{self.base}/input",
            "log_level": 20,
            "model_dir": f"{self.base}/model",
            "module_dir": self.own["sagemaker_submit_directory"],
            "module_name": Path(self.program).stem,
            "network_interface_name": INTERFACE,
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": 0,
            "num_neurons": 0,
            "output_data_dir": f"{output}/data",
            "output_dir": output,
            "output_intermediate_dir": f"{output}/intermediate",
            "resource_config": _resources(self.job.request),
            "user_entry_point": self.program,
        }

    @property
    def _training_env(self) -> dict[str, Any]:
        return {
            **self._described,
            "additional_framework_parameters": {},
            "channel_input_dirs": self.channels,
            "hyperparameters": self.parameters,
            "is_master": True,
            "job_name": self.job.name,
            "master_hostname": HOST,
        }

    def _configure(self, raw: dict[str, str]) -> None:
        """The files under input/config that AWS writes."""
        folder = self.base / "input" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        contents = {
            "hyperparameters": raw,
            "inputdataconfig": _inputs(self.job.request),
            "resourceconfig": _resources(self.job.request),
        }
        for name, content in contents.items():
            (folder / f"{name}.json").write_text(json.dumps(content))


def _inputs(request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html"""
    algorithm = request["AlgorithmSpecification"]
    return {
        entry["ChannelName"]: {
            "TrainingInputMode": entry.get("InputMode", algorithm["TrainingInputMode"]),
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": entry.get("RecordWrapperType", "None"),
        }
        for entry in request.get("InputDataConfig", [])
    }


def _resources(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "current_host": HOST,
        "current_instance_type": request["ResourceConfig"]["InstanceType"],
        "hosts": [HOST],
        "network_interface_name": INTERFACE,
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
