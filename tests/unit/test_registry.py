"""What people write reaches the registry as SageMaker's patterns allow it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib import clients
from chalicelib.model import registry
from localcloud.sagemaker import validation

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/reviews/3"
LINES = "too slow\r\nand\tlarge\u2028\u0085again"


class Registry:
    """SageMaker as far as it refuses a request."""

    def __init__(self) -> None:
        self.request: dict[str, Any] = {}

    def update_model_package(self, **request: Any) -> None:
        self.request = validation.check("UpdateModelPackage", request)


@given(words=st.text(max_size=1100))
@example(words=LINES)
@example(words="\n" * 2000)
def test_any_words_go_with_a_decision(words: str) -> None:
    found = Registry()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "client", lambda name: found)
        registry.set_status(PACKAGE, "Rejected", words)
    assert found.request["ModelApprovalStatus"] == "Rejected"
    if words == LINES:
        assert found.request["ApprovalDescription"] == "too slow and large again"


@given(cause=st.text(max_size=600))
@example(cause=LINES)
@example(cause="\n\x1f")
def test_any_cause_of_a_run_goes_with_its_package(cause: str) -> None:
    environment: Any = SimpleNamespace(code_digest="abc", data_bucket="data")
    run = {"run_id": "20260301-120000-a1b2c3", "reason": "manual", "cause": cause}
    found = registry.metadata(run, environment, {"accuracy": 0.5})
    request = {"ModelPackageArn": PACKAGE, "CustomerMetadataProperties": found}
    validation.check("UpdateModelPackage", request)
    if cause == LINES:
        assert found["cause"] == "too slow and large again"
