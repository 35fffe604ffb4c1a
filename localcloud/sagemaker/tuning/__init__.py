"""Hyper-parameter tuning: a job that trains many times and learns from each.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning.html
"""

from __future__ import annotations

from localcloud.sagemaker.tuning import operations

__all__ = ["operations"]
