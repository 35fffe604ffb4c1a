"""One tuning job under way: training jobs side by side, each with what the search asks for next."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.jobs import lifecycle, training
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.store import store
from localcloud.sagemaker.tuning import ranges, requests, search, trials
from localcloud.sagemaker.tuning.early_stopping import hopeless
from localcloud.sagemaker.tuning.trials import KIND

TICK = 0.1
ATTEMPTS = 5  # training jobs without any success, after which AWS gives up
NO_SUCCESS = (  # https://github.com/aws/amazon-sagemaker-examples/issues/2436
    "No training job succeeded after {} attempts. Please take a look at the training job failures "
    "to get more details."
)
NO_METRIC = (
    "No objective metrics found after running {} training jobs. Please ensure that the custom "
    "algorithm is emitting the objective metric as defined by the regular expression provided."
)


@dataclass
class Trial:
    """A training job, the search's token for it, and the objective as the job goes."""

    name: str
    token: Any
    values: list[float] = field(default_factory=list)
    judged: int = 0  # values that early stopping has seen


def run(job: Job) -> None:
    Tuner(job).run()


class Tuner:
    """Launches, watches and ends the training jobs of one tuning job."""

    def __init__(self, job: Job) -> None:
        self._job, self._request = job, job.request
        config = job.request["HyperParameterTuningJobConfig"]
        found = ranges.read(config["ParameterRanges"])
        self._metric = config["HyperParameterTuningJobObjective"]["MetricName"]
        self._record = store.get(KIND.store, job.name) or {}
        self._maximise = trials.maximises(self._record)
        self._budget = requests.budget(config, found)
        self._parallel = config["ResourceLimits"]["MaxParallelTrainingJobs"]
        self._early = config.get("TrainingJobEarlyStoppingType", "Off") == "Auto"
        self._search = search.of(
            config["Strategy"],
            found,
            maximise=self._maximise,
            budget=self._budget,
            seed=config.get("RandomSeed"),
        )
        self._launched = 0
        self._running: list[Trial] = []
        self._completed: list[list[float]] = []  # the objective of each, epoch by epoch
        self._succeeded = 0

    def run(self) -> None:
        for parent in trials.parents(self._record):
            self._learn(parent)
        while not self._job.cut_off.is_set():
            self._collect()
            reason = self._in_vain()
            if self._job.stopping.is_set() or reason:
                self._stop_all()
                if not self._running:
                    return self._job.end("Failed" if reason else "Stopped", reason=reason)
            else:
                self._launch()
                if not self._running:
                    return self._job.end("Completed")
                self._stop_hopeless()
            time.sleep(TICK)
        return None

    def _learn(self, parent: dict[str, Any]) -> None:
        """A parent's training jobs: their values, static ones among them, and their objectives."""
        for each in trials.of(parent):
            value = trials.objective(parent, each)
            if value is not None:
                self._search.know(each["HyperParameters"], value)

    def _launch(self) -> None:
        while len(self._running) < self._parallel and self._launched < self._budget:
            asked = self._search.ask()
            if asked is None:
                return
            token, values = asked
            self._launched += 1
            name = f"{self._job.name}-{self._launched:03d}-{uuid.uuid4().hex[:8]}"
            trial = Trial(name, token)

            def hear(metric: str, value: float, trial: Trial = trial) -> None:
                if metric == self._metric:
                    trial.values.append(value)

            request = requests.training_job(self._request, name, values)
            arn = self._record[KIND.arn]
            try:
                training.create(request, hear, TuningJobArn=arn, _tuned=values)
            except ApiError as error:
                raise JobError(f"ClientError: {error.message}") from error
            self._running.append(trial)
            self._tell()

    def _collect(self) -> None:
        """Learn from those that have ended."""
        for trial in list(self._running):
            record = store.get(training.KIND.store, trial.name) or {}
            if record[training.KIND.status] in trials.UNDER_WAY:
                continue
            self._running.remove(trial)
            objective = trials.objective(self._record, record)
            self._search.tell(trial.token, objective)
            self._succeeded += objective is not None
            if record[training.KIND.status] == "Completed":
                self._completed.append(trial.values)
            self._tell()

    def _stop_hopeless(self) -> None:
        if not self._early:
            return
        for trial in self._running:
            epochs = len(trial.values)
            for epoch in range(trial.judged + 1, epochs + 1):
                seen = trial.values[:epoch]
                if hopeless(seen, self._completed, maximise=self._maximise):
                    self._stop(trial)
                    break
            trial.judged = epochs

    def _stop_all(self) -> None:
        for trial in self._running:
            self._stop(trial)

    def _stop(self, trial: Trial) -> None:
        try:
            lifecycle.stop(training.KIND, trial.name)
        except ApiError:
            return  # it has just ended

    def _in_vain(self) -> str:
        """Why no further training job is launched; empty where there is hope."""
        ended = self._launched - len(self._running)
        if self._succeeded or ended < min(ATTEMPTS, self._budget):
            return ""
        return (NO_METRIC if self._completed else NO_SUCCESS).format(ended)

    def _tell(self) -> None:
        self._job.update(**trials.progress(self._record))
