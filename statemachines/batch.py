"""A file of records becomes a file of predictions by SageMaker batch transform.

Started under the file's id with {"batch_id", "file"}.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

from stepfunctions.steps.states import Chain

from statemachines import asl

COMMENT = "driftloop: predict a file that was dropped under batch/in/"
FUNCTION = "${BatchStepArn}"
CONVERT_SECONDS = 900  # as long as a function may run


def compiled() -> str:
    failure = asl.failure("fail", "BatchFailed", FUNCTION)
    begin = asl.step("Begin", "begin", FUNCTION, timeout_seconds=CONVERT_SECONDS)
    transform = asl.call(
        "Transform",
        "sagemaker:createTransformJob.sync",
        input_path="$.begin.request",
        result_path="$.transformed",
    )
    finish = asl.step("Finish", "finish", FUNCTION, timeout_seconds=CONVERT_SECONDS)
    asl.guard([begin, transform, finish], failure)
    return asl.compiled(Chain([begin, transform, finish]), COMMENT)
