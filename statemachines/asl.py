"""What both machines share: how a task retries, where a failure goes, what the SDK cannot say.

The SDK (2.3.0) refuses `MaxDelaySeconds` and `JitterStrategy` in a Retry, `ErrorPath` and
`CausePath` in a Fail state, and `ResultSelector`; `compiled` adds them to the JSON.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import json
from typing import Any

from stepfunctions.steps.states import (
    Block,
    Catch,
    Chain,
    Fail,
    Graph,
    Map,
    Parallel,
    Pass,
    Retry,
    Task,
)

# https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
LAMBDA_TRANSIENT = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    # raised in a function by boto3, after its own attempts
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "ReadTimeoutError",
]
# The same trouble of each service that a machine calls itself; retried without harm,
# because every request carries a name or a token of the run.
TRANSIENT = {
    "athena": [
        "Athena.InternalServerException",
        "Athena.TooManyRequestsException",
        "Athena.SdkClientException",
    ],
    "glue": [
        "Glue.InternalServiceException",
        "Glue.OperationTimeoutException",
        "Glue.ThrottlingException",
        "Glue.SdkClientException",
    ],
    "sagemaker": [
        "SageMaker.ThrottlingException",
        "SageMaker.InternalServerException",
        "SageMaker.ServiceUnavailableException",
        "SageMaker.SdkClientException",
    ],
}
QUERY = "athena:startQueryExecution.sync"
# Its answer holds the whole statement again.
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
OF_A_QUERY = {"QueryExecutionId.$": "$.QueryExecution.QueryExecutionId"}
MAX_DELAY_SECONDS = 60
LAMBDA_TIMEOUT_SECONDS = 300


def retry(service: str) -> Retry:
    """Transient trouble of one service: five attempts over about half a minute."""
    return Retry(
        error_equals=LAMBDA_TRANSIENT if service == "lambda" else TRANSIENT[service],
        interval_seconds=2,
        max_attempts=4,
        backoff_rate=2.0,
    )


def step(
    name: str,
    step_name: str,
    function: str = "${RunStepArn}",
    *,
    result_path: str | None = None,
    context: dict[str, str] | None = None,
    timeout_seconds: int = LAMBDA_TIMEOUT_SECONDS,
) -> Task:
    """A state that a Lambda function does; its answer lies under the step's name.

    `context`: what it is told of the context object beside.
    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    return Task(
        name,
        resource=function,
        parameters={"step": step_name, "run.$": "$", **(context or {})},
        result_path=result_path or f"$.{step_name}",
        timeout_seconds=timeout_seconds,
        retry=[retry("lambda")],
    )


def call(
    name: str,
    resource: str,
    *,
    input_path: str | None = None,
    parameters: dict[str, Any] | None = None,
    result_path: str | None = None,
    retries: tuple[Retry, ...] = (),
) -> Task:
    """A state that calls an AWS service itself; without `result_path` the answer is dropped."""
    service = resource.removeprefix("aws-sdk:").split(":")[0]
    chosen = {"input_path": input_path, "parameters": parameters}
    return Task(
        name,
        resource=f"arn:aws:states:::{resource}",
        result_path=result_path,
        retry=[*retries, retry(service)],
        **{key: value for key, value in chosen.items() if value is not None},
    )


def failure(record_step: str, end: str, function: str = "${RunStepArn}") -> Chain:
    """The one failure path: record the cause, then fail with it."""
    record = step("RecordFailure", record_step, function)
    failed = Fail(end)
    record.add_catch(Catch(error_equals=["States.ALL"], next_step=failed, result_path=None))
    return Chain([record, failed])


def failed(name: str, detail: str, failure: Chain) -> Pass:
    """An end state that is no error to Step Functions, put into words as one."""
    state = Pass(
        name,
        parameters={"Error": name, "Cause.$": f"States.JsonToString({detail})"},
        result_path="$.error",
    )
    state.next(failure.steps[0])
    return state


def guard(states: list[Task | Parallel | Map], handler: Chain) -> None:
    """Send everything that a state could not retry away to the failure path."""
    for state in states:
        state.add_catch(_catch(handler.steps[0]))


def compiled(machine: Chain, comment: str, timeout_seconds: int = 24 * 3600) -> str:
    """The machine as the JSON that is checked in."""
    graph = Graph(machine, comment=comment, timeout_seconds=timeout_seconds).to_dict()
    definition = json.loads(json.dumps(graph, default=Block.to_dict))
    _complete(definition["States"])
    return json.dumps(definition, indent=2) + "\n"


def _catch(target: Any) -> Catch:
    return Catch(error_equals=["States.ALL"], next_step=target, result_path="$.error")


def _complete(states: dict[str, Any]) -> None:
    for state in states.values():
        for retrier in state.get("Retry", []):
            retrier["MaxDelaySeconds"] = MAX_DELAY_SECONDS
            retrier["JitterStrategy"] = "FULL"
        if state.get("Resource") == f"arn:aws:states:::{QUERY}":
            state["ResultSelector"] = OF_A_QUERY
        if state["Type"] == "Fail":
            state |= {"ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}
        if "Iterator" in state:  # the SDK's name of before, and Parameters' too
            state["ItemProcessor"] = {
                "ProcessorConfig": {"Mode": "INLINE"},
                **state.pop("Iterator"),
            }
            if "Parameters" in state:
                state["ItemSelector"] = state.pop("Parameters")
            _complete(state["ItemProcessor"]["States"])
        for branch in state.get("Branches", []):
            _complete(branch["States"])
