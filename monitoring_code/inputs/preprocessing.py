"""A user's own scripts: preprocess_handler for each record, postprocess_handler at the end.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-and-post-processing.html
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any


def handler(script: Path, name: str) -> Callable[..., Any]:
    """A script's function; a script without it fails the job by that name."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None, f"{script} is no Python file"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    assert callable(found), f"{script.name} has no {name}()"
    return found


def preprocess(script: Path | None) -> Callable[[Any], Any] | None:
    """preprocess_handler(inference_record) or (inference_record, logger)."""
    if script is None:
        return None
    function = handler(script, "preprocess_handler")
    if len(inspect.signature(function).parameters) < 2:
        return function
    import logging

    logger = logging.getLogger("preprocess_handler")
    return lambda record: function(record, logger)
