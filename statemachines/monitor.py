"""One look at the live traffic: what was captured since the last look, against the baseline.

After an outage it comes back for each missed window, the oldest first. Then it judges the
predictions whose labels came since the last look.

Started by an EventBridge Scheduler schedule with {"start", "scheduled_at"}.
"""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Chain, Choice, Pass, Succeed, Task

from statemachines import asl

COMMENT = "driftloop: compare captured traffic with the champion's baseline"
FUNCTION = "${MonitorStepArn}"


def compiled() -> str:
    failure = asl.failure("fail", "MonitorFailed", FUNCTION)
    done = Succeed("Done")
    labels = _labels(failure, done)
    begin = asl.step("Begin", "begin", FUNCTION)
    analyze = _analyze("Analyze", "$.begin.job", "$.analyzed")
    finish = asl.step("Finish", "finish", FUNCTION)
    asl.guard([begin, analyze, finish], failure)
    caught_up = Choice("CaughtUp")
    caught_up.add_choice(ChoiceRule.BooleanEquals("$.begin.more", True), begin)
    caught_up.default_choice(labels)
    choice = Choice("HasTraffic")
    choice.add_choice(
        ChoiceRule.BooleanEquals("$.begin.analyze", True),
        Chain([analyze, finish, caught_up]).steps[0],
    )
    choice.default_choice(labels)
    return asl.compiled(Chain([begin, choice]), COMMENT)


def _labels(failure: Chain, done: Succeed) -> Pass:
    """The second part: live predictions beside the labels that came since the last look."""
    looked = Pass("Looked", result=True, result_path="$.looked")
    begin = asl.step("BeginLabels", "begin_labels", FUNCTION)
    analyze = _analyze("AnalyzeLabels", "$.begin_labels.job", "$.analyzed_labels")
    finish = asl.step("FinishLabels", "finish_labels", FUNCTION)
    asl.guard([begin, analyze, finish], failure)
    choice = Choice("HasLabels")
    choice.add_choice(
        ChoiceRule.BooleanEquals("$.begin_labels.analyze", True),
        Chain([analyze, finish, done]).steps[0],
    )
    choice.default_choice(done)
    return Chain([looked, begin, choice]).steps[0]


def _analyze(name: str, request: str, result: str) -> Task:
    operation = "sagemaker:createProcessingJob.sync"
    return asl.call(name, operation, input_path=request, result_path=result)
