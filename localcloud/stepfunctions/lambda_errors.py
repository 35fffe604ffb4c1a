"""A Lambda function's exception reaches its caller by class name, with its stack, as on AWS.

ministack calls every one `Runtime.HandlerError`, so that a `Catch` by name never matches.
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter

RUNTIME = "ministack.core.lambda_runtime"
SERVICE = "ministack.services.lambda_svc"

HANDLER_REPORT = '"error": str(e), "trace": traceback.format_exc()}'
HANDLER_REPORT_NEW = (
    '"error": str(e), "error_type": type(e).__name__, '
    '"stack": traceback.format_list(traceback.extract_tb(e.__traceback__)[1:]), '
    '"trace": traceback.format_exc()}'
)
INIT_REPORT = '{"status": "error", "error": str(e)})'
INIT_REPORT_NEW = (
    '{"status": "error", "error": "Runtime.ImportModuleError: Unable to import module \'" '
    '+ module_name + "\': " + str(e) if isinstance(e, ImportError) '
    'else type(e).__name__ + ": " + str(e)})'
)
INIT_FAILED = "Worker init failed: "

_last = threading.local()


def install() -> None:
    """Make the Python worker say what was raised, and pass that on."""
    adapter.replace(RUNTIME, "_PYTHON_WORKER_SCRIPT", with_error_types)
    worker = adapter.part(RUNTIME).Worker
    worker.invoke = _remembering(worker.invoke)
    adapter.replace(SERVICE, "_execute_function_warm", _named)


def with_error_types(script: str) -> str:
    """The worker's script, changed to report the class and the stack of an exception."""
    for old, new in ((HANDLER_REPORT, HANDLER_REPORT_NEW), (INIT_REPORT, INIT_REPORT_NEW)):
        if script.count(old) != 1:
            raise RuntimeError(f"ministack's Python worker no longer holds: {old}")
        script = script.replace(old, new)
    return script


def _remembering(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def invoke(self: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        _last.answer = None
        answer = original(self, *arguments, **options)
        _last.answer = answer
        return answer

    return invoke


def _named(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def execute(function: Any, event: Any, request_id: str) -> dict[str, Any]:
        _last.answer = None
        result = original(function, event, request_id)
        answer = getattr(_last, "answer", None) or {}
        if not result.get("error"):
            return result
        said = str((result.get("body") or {}).get("errorMessage", ""))
        if answer.get("error_type"):
            kind, message = answer["error_type"], answer["error"]
        elif said.startswith(INIT_FAILED):
            kind, _, message = said.removeprefix(INIT_FAILED).partition(": ")
        else:
            return result
        result["body"] = {
            "errorMessage": message,
            "errorType": kind,
            "requestId": request_id,
            "stackTrace": answer.get("stack", []),
        }
        return result

    return execute
