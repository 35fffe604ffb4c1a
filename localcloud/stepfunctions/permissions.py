"""Tasks act as their machine's role: it must be allowed what they call.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.stepfunctions import history, scope

SFN = history.SFN
SERVED_HERE = ("sagemaker", "athena", "glue")  # their calls are checked at their own doors
REFUSALS = {
    "lambda": "Lambda.AWSLambdaException",
    "sns": "SNS.AmazonSNSException",
    "sqs": "SQS.AmazonSQSException",
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "states": "StepFunctions.AWSStepFunctionsException",
}


def install() -> None:
    """Check every task's call before it is made."""
    adapter.replace(SFN, "_invoke_resource", _permitted)


def key() -> str:
    """The access key that calls of this thread's execution are made with."""
    here = scope.current.get()
    if here is None:
        return adapter.ROOT_KEY
    execution = here.execution
    machine = adapter.part(SFN)._state_machines.get(execution["stateMachineArn"])
    if machine is None:
        return adapter.ROOT_KEY
    session = adapter.role_session(machine["roleArn"], execution["name"])
    return str(session["aws_access_key_id"])


def action(resource: str) -> tuple[str, str]:
    """The service and the API action of a task's resource: `lambda`, `InvokeFunction`."""
    if resource.startswith("arn:aws:lambda:"):
        return "lambda", "InvokeFunction"
    words = resource.removeprefix("arn:aws:states:::").split(":")
    service, name = words[-2].removeprefix("aws-sdk:"), words[-1].split(".")[0]
    if (service, name) == ("lambda", "invoke"):
        return "lambda", "InvokeFunction"
    service = {"sfn": "states", "eventbridge": "events", "cloudwatchlogs": "logs"}.get(
        service, service
    )
    return service, name[:1].upper() + name[1:]


def target(resource: str, given: Any) -> str:
    """The ARN of what a task acts on; * where its parameters name none."""
    here = adapter.config()
    of = f"{here.region}:{here.account}"
    if resource.startswith("arn:aws:lambda:"):
        return resource
    if not isinstance(given, dict):
        return "*"
    if "FunctionName" in given:
        name = str(given["FunctionName"])
        return name if name.startswith("arn:") else f"arn:aws:lambda:{of}:function:{name}"
    if "QueueUrl" in given:
        return f"arn:aws:sqs:{of}:{str(given['QueueUrl']).rpartition('/')[2]}"
    if "TableName" in given:
        return f"arn:aws:dynamodb:{of}:table/{given['TableName']}"
    return str(given.get("TopicArn") or given.get("StateMachineArn") or "*")


def _permitted(original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def invoke(resource: str, given: Any) -> Any:
        if ":activity:" not in resource:
            _check(resource, given)
        return original(resource, given)

    return invoke


def _check(resource: str, given: Any) -> None:
    service, name = action(resource)
    if service in SERVED_HERE:
        return
    refused = adapter.key_refusal(key(), f"{service}:{name}", target(resource, given))
    if refused:
        named = REFUSALS.get(service, f"{service.capitalize()}.{service.capitalize()}Exception")
        raise adapter.part(SFN)._ExecutionError(named, refused)
