"""A look at the live traffic by each kind of monitor, one after another.

Each judges what came since its last look: captured requests against the baseline, or predictions
whose labels came. After an outage a kind comes back for what it missed, the oldest first. One at a
time, because their looks belong to one incident; a kind that fails does not keep the others back.

Started by an EventBridge Scheduler schedule with {"scheduled_at", "capture_delay_seconds"}.
"""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Catch, Chain, Choice, Fail, Map, Pass, Succeed

from statemachines import asl

COMMENT = "driftloop: compare captured traffic with the champion's baselines"
FUNCTION = "${MonitorStepArn}"
KINDS = ("data-quality", "model-quality", "bias", "attribution")
FAILED = {"Error": "MonitorFailed", "Cause": "A look failed: the notification says which and why."}


def compiled() -> str:
    kinds = Pass("Kinds", result=list(KINDS), result_path="$.kinds")
    looks = Map(
        "Looks",
        iterator=_look(),
        items_path="$.kinds",
        parameters={
            "kind.$": "$$.Map.Item.Value",
            "capture_delay_seconds.$": "$.capture_delay_seconds",
            "scheduled_at.$": "$.scheduled_at",
        },
        max_concurrency=1,
        result_path="$.looks",
    )
    failed = Pass(
        "Judge",
        parameters={
            "failed.$": "States.ArrayContains($.looks[*].outcome, 'failed')",
            "error": FAILED,
        },
    )
    choice = Choice("AnyFailed")
    choice.add_choice(ChoiceRule.BooleanEquals("$.failed", True), Fail("MonitorFailed"))
    choice.default_choice(Succeed("Done"))
    return asl.compiled(Chain([kinds, looks, failed, choice]), COMMENT)


def _look() -> Chain:
    """What there is to judge; the job; what it found; and again where more is left."""
    looked = Pass("Looked", result={"outcome": "looked"})
    begin = asl.step("Begin", "begin", FUNCTION)
    operation = "sagemaker:createProcessingJob.sync"
    analyze = asl.call("Analyze", operation, input_path="$.begin.job", result_path="$.analyzed")
    finish = asl.step("Finish", "finish", FUNCTION)
    failure = asl.step("RecordFailure", "fail", FUNCTION)
    failed = Pass("LookFailed", result={"outcome": "failed"})
    failure.add_catch(Catch(error_equals=["States.ALL"], next_step=failed, result_path=None))
    asl.guard([begin, analyze, finish], Chain([failure, failed]))
    caught_up = Choice("CaughtUp")
    caught_up.add_choice(ChoiceRule.BooleanEquals("$.begin.more", True), begin)
    caught_up.default_choice(looked)
    choice = Choice("HasMaterial")
    choice.add_choice(
        ChoiceRule.BooleanEquals("$.begin.analyze", True),
        Chain([analyze, finish, caught_up]).steps[0],
    )
    choice.default_choice(looked)
    return Chain([begin, choice])
