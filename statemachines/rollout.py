"""From a person's word to what serves: back to an earlier version, a shadow, an A/B test.

Input: {"action", "kind"?, "version"?, "share"?}, as chalicelib/model/traffic.py decides on it.
"""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Chain, Choice, Map, Task

from statemachines import asl, endpoint

COMMENT = "driftloop: rollback, shadow, A/B test: plan, make what is missing, update, wait, tell"
PLANNED = "$.plan_rollout"


def compiled() -> str:
    failure = asl.failure("fail_rollout", "RolloutFailed")
    plan = asl.step("Plan", "plan_rollout", context={"execution.$": "$$.Execution.Id"})
    finish = asl.step("Finish", "finish_rollout")
    models = Map("CreateModels", items_path=f"{PLANNED}.create_models", result_path=None)
    models.attach_iterator(asl.call("CreateModel", "sagemaker:createModel"))
    config = _request("CreateEndpointConfig", "sagemaker:createEndpointConfig")
    update = _request("UpdateEndpoint", "sagemaker:updateEndpoint", "update")
    weights = _request(
        "UpdateWeights", "aws-sdk:sagemaker:updateEndpointWeightsAndCapacities", "weights"
    )
    asl.guard([plan, models, config, update, weights, finish], failure)
    serves = endpoint.in_service(failure, finish, PLANNED)
    weights.next(serves)
    in_place = Choice("InPlace")
    in_place.add_choice(ChoiceRule.IsPresent(f"{PLANNED}.endpoint", False), finish)  # in Lambda
    in_place.add_choice(ChoiceRule.IsPresent(f"{PLANNED}.weights", True), weights)
    in_place.default_choice(models)
    kept = Choice("ConfigKept")
    kept.add_choice(ChoiceRule.IsPresent(f"{PLANNED}.create_endpoint_config", True), config)
    kept.default_choice(update)
    Chain([models, kept])
    Chain([config, update, serves])
    return asl.compiled(Chain([plan, in_place]), COMMENT)


def _request(name: str, resource: str, member: str = "create_endpoint_config") -> Task:
    return asl.call(name, resource, input_path=f"{PLANNED}.{member}")
