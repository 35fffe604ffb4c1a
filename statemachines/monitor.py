"""One look at the live traffic: what was captured since the last look, against the baseline.

After an outage it comes back for each missed window, the oldest first.

Started by an EventBridge Scheduler schedule with {"start", "scheduled_at"}.
"""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Chain, Choice, Succeed

from statemachines import asl

COMMENT = "driftloop: compare captured traffic with the champion's baseline"
FUNCTION = "${MonitorStepArn}"


def compiled() -> str:
    failure = asl.failure("fail", "MonitorFailed", FUNCTION)
    begin = asl.step("Begin", "begin", FUNCTION)
    analyze = asl.call(
        "Analyze",
        "sagemaker:createProcessingJob.sync",
        input_path="$.begin.job",
        result_path="$.analyzed",
    )
    finish = asl.step("Finish", "finish", FUNCTION)
    asl.guard([begin, analyze, finish], failure)
    caught_up = Choice("CaughtUp")
    caught_up.add_choice(ChoiceRule.BooleanEquals("$.begin.more", True), begin)
    caught_up.default_choice(Succeed("Done"))
    choice = Choice("HasTraffic")
    choice.add_choice(
        ChoiceRule.BooleanEquals("$.begin.analyze", True),
        Chain([analyze, finish, caught_up]).steps[0],
    )
    choice.default_choice(Succeed("NothingToAnalyze"))
    return asl.compiled(Chain([begin, choice]), COMMENT)
