"""The settings of the model side: what it reads, how it is prepared and trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from chalicelib.model import containers
from chalicelib.section import ColumnName, InstanceType, Section, Share

if TYPE_CHECKING:
    from chalicelib.schema import TrainingDataset

OURS = "train.py"  # the entry point; any other is a script of the user's own


class Model(Section):
    problem: Literal["multiclass", "binary", "regression"] = "multiclass"
    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    required: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _reads_something(self) -> Model:
        if not self.text and not self.features:
            raise ValueError("text or features must name what the model reads")
        return self


class Training(Section):
    entry_point: Annotated[str, Field(pattern=r"^[\w./-]+\.py$")] = OURS
    balance: Literal["undersample", "oversample", "weights", "none"] = "none"
    balance_evaluation: bool = False
    split: Literal["stratified", "grouped", "time"] = "stratified"
    split_column: ColumnName | None = None
    similarity: Share = 0.8
    most_features: Annotated[int, Field(ge=0)] = 0
    validation_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    test_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    seed: int = 42
    max_runtime_seconds: Annotated[int, Field(gt=0, le=2419200)] = 3600
    instance_type: InstanceType = "ml.m5.xlarge"
    spot: bool = False
    max_wait_seconds: Annotated[int, Field(gt=0, le=2419200)] = 7200
    pretrained: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9._-]{0,62})?$")] = ""
    hyperparameters: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @property
    def transformer(self) -> bool:
        """It needs images of its own."""
        return self.hyperparameters.get("model") == "transformer"

    @property
    def keeps_checkpoints_apart(self) -> bool:
        """Whether the training jobs of a search may share a folder of checkpoints.

        AWS does not say that it keeps them apart; another script's would go on from each other's.
        """
        return self.transformer and self.entry_point == OURS

    @property
    def linear(self) -> bool:
        """Its weights say why it answers as it does; of other models each reason costs answers."""
        return self.hyperparameters.get("model", "linear") == "linear"

    @model_validator(mode="after")
    def _split_has_its_column(self) -> Training:
        if (self.split_column is None) != (self.split == "stratified"):
            need = "takes no" if self.split_column else "needs a"
            raise ValueError(f"the {self.split} split {need} split_column")
        return self

    @model_validator(mode="after")
    def _waiting_covers_the_run(self) -> Training:
        if self.spot and self.max_wait_seconds < self.max_runtime_seconds:
            raise ValueError(
                "max_wait_seconds is the wait and the run: not below max_runtime_seconds"
            )
        return self


class Evaluation(Section):
    """What the test split is looked at by; `positive` are the wished-for labels."""

    slices: tuple[ColumnName, ...] = ()
    facets: tuple[ColumnName, ...] = ()
    positive: tuple[str | int | float, ...] = ()
    group: ColumnName | None = None

    @property
    def columns(self) -> list[str]:
        """Every column that the test split must have for it."""
        named = [*self.slices, *self.facets, *([self.group] if self.group else [])]
        return list(dict.fromkeys(named))


class Gate(Section):
    """What a new model must reach before it takes the champion's place."""

    metric: str = "accuracy"
    at_least: float = 0.0
    minimum: dict[str, float] = Field(default_factory=dict)
    maximum: dict[str, float] = Field(default_factory=dict)
    max_regression: Annotated[float, Field(ge=0)] = 0.0
    max_slice_regression: Annotated[float, Field(ge=0)] | None = None
    approval: Literal["none", "manual"] = "none"
    # With a run's own day well within the year that an execution may take.
    approval_timeout_hours: Annotated[float, Field(gt=0, le=14 * 24)] = 24

    @property
    def by_hand(self) -> bool:
        """A person decides before a model goes into service."""
        return self.approval == "manual"

    @property
    def limits(self) -> dict[str, Any]:
        """What the evaluation is judged by."""
        return self.model_dump(exclude={"approval", "approval_timeout_hours"})


def transformer_problems(model: Model, training: Training) -> list[str]:
    """What a transformer needs, each by its key."""
    found = []
    if not training.pretrained:
        found.append(
            "training.pretrained: a transformer begins with an encoder; "
            "driftloop pretrained upload minilm puts one there, and tells its name"
        )
    if not containers.has_gpu(training.instance_type):
        families = ", ".join(containers.GPU_FAMILIES)
        found.append(
            f"training.instance_type: AWS's image for transformers is made for GPUs ({families})"
        )
    if model.features or not model.text:
        found.append("model.features: a transformer reads texts alone, those of model.text")
    return found


def problems(
    model: Model, training: Training, evaluation: Evaluation, dataset: TrainingDataset
) -> list[str]:
    """What does not fit together, each by its key."""
    label = dataset.column(dataset.label)
    found = transformer_problems(model, training) if training.transformer else []
    if model.problem == "regression":
        if training.balance != "none" or training.balance_evaluation:
            found.append("training.balance: a regression has no classes to balance")
        if label.type not in ("integer", "number"):
            found.append(f"dataset.label: a regression needs numbers, not {label.type}")
    if model.problem == "binary" and len(label.values) not in (0, 2):
        found.append(f"dataset.label has {len(label.values)} values; binary means two")
    known = {column.name for column in dataset.columns}
    if strange := [name for name in evaluation.columns if name not in known]:
        found.append(f"evaluation names {', '.join(strange)}, which is not a column")
    if evaluation.facets and not evaluation.positive:
        found.append("evaluation.facets needs evaluation.positive, the wished-for labels")
    if label.values and (others := set(evaluation.positive) - set(label.values)):
        found.append(f"evaluation.positive has {others.pop()!r}, which is no value of the label")
    return found
