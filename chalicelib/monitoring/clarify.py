"""What Clarify's monitors are told of bias and attributions, beyond what our own jobs need.

They take a captured request as one line of JSON, so features, answers and probabilities are found
by JMESPath; requests of several records are judged by their first.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-config-json-monitor-bias-parameters.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-config-json-monitor-model-explainability-parameters.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.model import rollout
from chalicelib.monitoring import attribution, bias

if TYPE_CHECKING:
    from chalicelib.settings import Settings

METHOD = "kernel_shap"  # in the baseline's explanations
# Of the endpoint that Clarify makes for the time of an analysis; its role may make no other.
SHADOW = "sm-clarify"


def features(names: Sequence[str]) -> str:
    return f"records[0].[{', '.join(map(json.dumps, names))}]"


def prediction(settings: Settings) -> str:
    return f"predictions[0].{'prediction' if settings.model.problem == 'regression' else 'label'}"


def probabilities(settings: Settings, labels: Sequence[str]) -> str:
    """In the answers of the model that Clarify asks, one list for each record."""
    if settings.model.problem == "regression":
        return "predictions[*].prediction"
    named = ", ".join(f"probabilities.{json.dumps(label)}" for label in labels)
    return f"predictions[*].[{named}]"


def labels(baseline: Mapping[str, Any]) -> list[str]:
    """Those that a baseline of attributions explains, in its order."""
    return list(baseline["explanations"][METHOD])


def bias_config(settings: Settings) -> dict[str, Any]:
    return {
        **bias.config(settings),
        "headers": [*settings.model.inputs, settings.dataset.label],
    }


def explanation_config(
    run_id: str, settings: Settings, told: Sequence[str], background: Mapping[str, Any]
) -> dict[str, Any]:
    """`told`: the labels; `background`: the row that absent features are taken from.

    The model gets one record a request, as our API sends it.
    https://sagemaker.readthedocs.io/en/stable/api/training/processing.html#sagemaker.clarify.ModelConfig
    """
    return {
        "headers": attribution.features(settings),
        "predictor": {
            "model_name": rollout.name(settings, run_id),
            "instance_type": settings.monitor.instance_type,
            "initial_instance_count": 1,
            "endpoint_name_prefix": SHADOW,
            "content_type": "application/json",
            "accept_type": "application/json",
            "content_template": '{"records": [$record]}',
            "record_template": "$features_kvp",
            "label_headers": list(told),
        },
        "methods": {
            "shap": {
                "baseline": [{"records": [dict(background)]}],
                "num_samples": 128,
                "agg_method": "mean_abs",
            }
        },
    }
