"""Where things lie in the data bucket: one place for the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

VARIANT = "primary"
CHALLENGER = "challenger"  # of an A/B test
SHADOW = "shadow"


def uri(environment: Environment, key: str) -> str:
    return f"s3://{environment.data_bucket}/{key}"


def text(dataset: str, arrival_id: str) -> str:
    """The rows of an accepted text file, as Athena reads them."""
    return f"text/{dataset}/arrival={arrival_id}/"


def run(run_id: str, name: str) -> str:
    """`runs/<run>/<name>`; a name that ends in / is a prefix."""
    return f"runs/{run_id}/{name}"


def model(run_id: str) -> str:
    """A training job's artefact, where SageMaker puts it."""
    return run(run_id, f"model/{run_id}-train/output/model.tar.gz")


def baseline(run_id: str, kind: str) -> str:
    """What live traffic is held against by a kind of look."""
    return run(run_id, f"baseline/{kind}/")


def bias_config(run_id: str) -> str:
    """Clarify's analysis configuration, as it was when the run began."""
    return run(run_id, "bias/analysis_config.json")


def pretrained(settings: Settings) -> str:
    """The encoder that a transformer begins with, as `driftloop pretrained upload` puts it."""
    return f"pretrained/{settings.training.pretrained}/"


def capture(environment: Environment) -> str:
    """Where the endpoint's variant writes its captured requests."""
    return f"capture/{environment.endpoint_name}/{VARIANT}/"


def code(environment: Environment, archive: str) -> str:
    return f"{environment.code_prefix.rstrip('/')}/{archive}.tar.gz"


def region(environment: Environment) -> str:
    """The stack's region, from an ARN of its own."""
    return environment.retrain_machine_arn.split(":")[3]
